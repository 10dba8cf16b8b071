//! What every page of one facility begins with, and how an action ends: on a page that says what was done.

use axum::response::{IntoResponse, Redirect, Response};

use super::console::{ConsoleState, frame};
use super::page_error::PageError;
use super::session::Call;
use crate::audit::{Actor, AuditEntry};
use crate::console::{FacilityNav, Flash, Frame, Tab};
use crate::facilities::Facility;

/// What an action can have come to. Each is a key of the locale files.
pub(super) const DONE: &[&str] = &[
    "done-saved",
    "done-token-revoked",
    "done-host-revoked",
    "done-drill-ordered",
    "done-maintenance-ordered",
    "done-maintenance-ended",
    "done-policy-saved",
    "done-channel-removed",
    "done-test-sent",
    "done-user-disabled",
    "done-acknowledged",
    "done-commented",
    "done-closed",
    "done-false-alarm",
    "done-reopened",
    "done-vendor-called",
    "done-step-taken",
    "done-answered",
    "done-moment",
    "done-report-made",
    "done-submitted",
    "done-approved",
    "done-rejected",
    "done-delivery-chosen",
    "done-delivery-recorded",
    "done-delivery-decided",
    "done-receipt-noted",
    "done-approval-given",
    "done-approved-alone",
    "done-withdrawn",
    "done-reviewed",
    "done-absence-noted",
    "done-absence-ended",
    "done-form-imported",
    "done-form-removed",
    "done-contact-added",
    "done-contact-changed",
    "done-contact-verified",
    "done-contact-retired",
    "done-contacts-imported",
    "done-contacts-taken",
    "done-checklist-answered",
    "done-message-written",
    "done-message-released",
    "done-message-returned",
    "done-package-read",
    "done-partner-accepted",
    "done-partner-rotated",
    "done-partner-revoked",
    "done-card-made",
    "done-institution-added",
    "done-institution-changed",
    "done-institution-closed",
    "done-institution-reopened",
    "done-institution-noted",
    "done-institutions-imported",
    "done-case-opened",
    "done-case-entered",
    "done-case-linked",
    "done-case-unlinked",
    "done-sharing-begun",
    "done-sharing-saved",
    "done-sharing-submitted",
    "done-sharing-approved",
    "done-sharing-returned",
    "done-sharing-sent",
    "done-sharing-searched",
    "done-sharing-accepted",
    "done-sharing-dropped",
];

/// Returns the facility a page is about.
pub(super) async fn facility(state: &ConsoleState, call: &Call) -> Result<Facility, PageError> {
    state
        .store
        .facility(call.facility()?)
        .await?
        .ok_or(PageError::NotFound)
}

/// Makes what stands around a page of a facility.
pub(super) fn place_frame(
    call: &Call,
    state: &ConsoleState,
    facility: &Facility,
    (title, tab): (&'static str, Tab),
) -> Result<Frame, PageError> {
    let mut around = frame(call, state, title, tab);
    let grants = &call.caller()?.grants;
    let kind = state.post.organisation();
    let place = FacilityNav::new(&facility.id, facility.display_name(), grants, kind);
    around.facility = Some(place);
    around.flash = flash(call);

    Ok(around)
}

/// Returns what the last action came to, if the address says so.
fn flash(call: &Call) -> Option<Flash> {
    let (path, query) = call.path.split_once('?')?;
    let named = query.strip_prefix("done=")?;
    let named = named.split('&').next()?;
    debug_assert!(path.starts_with('/'));
    let key = DONE
        .iter()
        .find(|key| key.strip_prefix("done-") == Some(named))?;
    Some(Flash { text: call.locale.text(key), refused: false })
}

/// Ends an action: leads to a page that says what was done.
pub(super) fn done(path: &str, key: &'static str) -> Response {
    let named = key.strip_prefix("done-").unwrap_or(key);
    Redirect::to(&format!("{path}?done={named}")).into_response()
}

/// Returns a value of the page's address.
pub(super) fn query<'a>(call: &'a Call, name: &str) -> &'a str {
    let query = call.path.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map_or("", |(_, value)| value)
}

/// The same at a certain place of the page.
pub(super) fn done_at(path: &str, key: &'static str, place: &str) -> Response {
    let named = key.strip_prefix("done-").unwrap_or(key);
    Redirect::to(&format!("{path}?done={named}#{place}")).into_response()
}

/// Begins an audit entry of the caller at the facility of the page.
pub(super) fn entry(
    state: &ConsoleState,
    call: &Call,
    action: &'static str,
    object: impl std::fmt::Display,
) -> Result<AuditEntry, PageError> {
    let who = Actor::User(call.user_id()?);
    Ok(AuditEntry::new(state.clock.now(), who, action, object).of(call.facility()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::{Lang, Locale};

    #[test]
    fn every_outcome_has_words_in_both_languages() {
        for key in DONE {
            for lang in [Lang::Ja, Lang::En] {
                assert_ne!(Locale::new(lang).text(key), *key);
            }
        }
    }
}
