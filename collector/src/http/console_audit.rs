//! The audit log of a facility.

use axum::extract::State;
use axum::response::Response;

use super::console::{ConsoleState, page};
use super::page_error::PageError;
use super::place::{facility, place_frame};
use super::session::Call;
use crate::audit;
use crate::console::Tab;
use crate::console::audit::{AuditPage, EntryView, outside, verdict};

/// Entries on one page.
const PAGE: u32 = 100;

/// Verifies the whole chain and shows the newest entries of the facility.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    call: Call,
) -> Result<Response, PageError> {
    let facility = facility(&state, &call).await?;
    let whole = audit::verify(&state.store, state.store.anchors_path(), &[]).await;
    let anchor = state.store.newest_anchor().await;
    let departures = state.store.departures().await?;
    let query = call.path.split_once('?').map_or("", |(_, query)| query);
    let before = query.strip_prefix("before=").and_then(|n| n.parse().ok());
    let entries = state.store.audit_of(&facility.id, before, PAGE).await?;
    let names = state.store.user_names().await?;
    let more = usize::try_from(PAGE).is_ok_and(|page| page <= entries.len());

    page(&AuditPage {
        f: place_frame(&call, &state, &facility, ("title-audit", Tab::Audit))?,
        verdict: verdict(&whole, call.locale),
        remedy: whole
            .as_ref()
            .err()
            .map(|fault| call.locale.text(fault.remedy_key())),
        outside: outside(anchor.ok().flatten().as_ref(), &departures, call.locale),
        head: whole
            .as_ref()
            .map(|whole| whole.head.clone())
            .unwrap_or_default(),
        whole: whole.is_ok(),
        older: entries.last().filter(|_| more).map(|entry| entry.n),
        entries: entries
            .iter()
            .map(|entry| EntryView::of(entry, &names, call.locale))
            .collect(),
    })
}
