//! Fleet policy: shown to everybody of the facility, saved by administrators.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::policy::PolicyRevision;

use super::console::{ConsoleState, page};
use super::console_hosts::known;
use super::page_error::PageError;
use super::place::{done, facility, place_frame, query};
use super::session::Call;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::policy::{
    EXAMPLE, HostStandingView, PolicyPage, RevisionPage, RevisionView, line_views,
};
use crate::facilities::Host;
use crate::policy::{
    Addition, NewRevision, PolicyError, Revision, Scope, desired, difference, mistakes, standing,
    with_accepted,
};
use crate::store::StoreError;

/// Revisions shown at once; older ones are on the disk.
const HISTORY_MAX: usize = 100;

type Answer = Result<Response, PageError>;

/// Shows the facility's policy.
pub(super) async fn show(State(state): State<ConsoleState>, call: Call) -> Answer {
    let mut sent = Sent::default();
    if query(&call, "add") == "accepted" {
        let addition = missing(&state, call.facility()?).await?;
        if let Some(addition) = addition {
            sent.text = Some(addition.text);
            sent.reason = call.locale.text("policy-add-reason");
            sent.preview = true;
        }
    }
    page(&policy_page(&state, &call, None, sent).await?)
}

/// Returns the facility's text with the accepted indicators it lacks.
async fn missing(
    state: &ConsoleState,
    facility: &FacilityId,
) -> Result<Option<Addition>, PageError> {
    let revisions = state.store.policies(facility).await?;
    let text = newest(&revisions, Scope::Facility).map_or("", |revision| &revision.text);
    let accepted = state.store.accepted_indicators(facility).await?;
    Ok(with_accepted(text, accepted.iter().map(|one| &one.what)))
}

/// Shows what is said of one host.
pub(super) async fn show_host(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let host = known(&state, call.facility()?, host).await?;
    page(&policy_page(&state, &call, Some(&host), Sent::default()).await?)
}

/// Saves the facility's policy, or shows what that would change.
pub(super) async fn save(State(state): State<ConsoleState>, call: Call) -> Answer {
    keep(&state, &call, None).await
}

/// Saves what is said of one host, or shows what that would change.
pub(super) async fn save_host(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let host = known(&state, call.facility()?, host).await?;
    keep(&state, &call, Some(&host)).await
}

/// What somebody typed, and what came of it.
#[derive(Default)]
struct Sent {
    text: Option<String>,
    reason: String,
    seen: Option<String>,
    error: Option<PolicyError>,
    preview: bool,
    stale: bool,
}

async fn keep(state: &ConsoleState, call: &Call, host: Option<&Host>) -> Answer {
    let facility = call.facility()?;
    let (text, reason) = (call.form.raw("text").replace("\r\n", "\n"), call.form.field("reason"));
    let seen = call.form.field("seen");
    let newest = match seen {
        "" => None,
        number => Some(PolicyRevision(number.parse().map_err(|_| PageError::BadForm)?)),
    };
    let mut sent = Sent {
        text: Some(text.clone()),
        reason: reason.to_owned(),
        seen: Some(seen.to_owned()),
        ..Sent::default()
    };
    let previewing = !call.form.field("preview").is_empty();
    let new = match NewRevision::check(scope(host), &text, reason) {
        Ok(new) => new,
        Err(PolicyError::Reason) if previewing => {
            sent.preview = true;
            return page(&policy_page(state, call, host, sent).await?);
        }
        Err(error) => {
            sent.error = Some(error);
            return unprocessable(&policy_page(state, call, host, sent).await?);
        }
    };
    if previewing {
        sent.preview = true;
        return page(&policy_page(state, call, host, sent).await?);
    }
    let who = Actor::User(call.user_id()?);
    let saved = state
        .store
        .save_policy((facility, newest), &new, (who, state.clock.now()))
        .await;
    match saved {
        Ok(_) => Ok(done(&address(facility, host.map(|host| host.id)), "done-policy-saved")),
        Err(StoreError::Stale(_)) => {
            sent.stale = true;
            let shown = page(&policy_page(state, call, host, sent).await?)?;
            Ok((StatusCode::CONFLICT, shown).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn unprocessable(shown: &PolicyPage) -> Answer {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(shown)?).into_response())
}

fn scope(host: Option<&Host>) -> Scope {
    host.map_or(Scope::Facility, |host| Scope::Host(host.id))
}

fn address(facility: &FacilityId, host: Option<HostId>) -> String {
    match host {
        None => format!("/facilities/{facility}/policy"),
        Some(host) => format!("/facilities/{facility}/hosts/{host}/policy"),
    }
}

async fn policy_page(
    state: &ConsoleState,
    call: &Call,
    host: Option<&Host>,
    sent: Sent,
) -> Result<PolicyPage, PageError> {
    let facility = facility(state, call).await?;
    let locale = call.locale;
    let revisions = state.store.policies(&facility.id).await?;
    let hosts = state.store.hosts(&facility.id).await?;
    let names = state.store.user_names().await?;
    let wanted = scope(host);
    let newest = newest(&revisions, wanted);
    let saved = newest.map_or_else(String::new, |revision| revision.text.clone());
    let preview = sent.preview.then(|| {
        let typed = sent.text.as_deref().unwrap_or_default();
        line_views(&difference(&saved, typed), locale)
    });
    let of_scope = revisions
        .iter()
        .filter(|revision| host.is_none() || revision.scope == wanted)
        .take(HISTORY_MAX);
    let history = of_scope.map(|revision| {
        let current = self::newest(&revisions, revision.scope) == Some(revision);
        RevisionView::of(revision, current, (&hosts, &names), locale)
    });
    let shown = hosts
        .iter()
        .filter(|one| one.revoked_at.is_none())
        .filter(|one| host.is_none_or(|host| host.id == one.id));
    let standings = standings(state, &facility.id, &revisions, shown).await?;
    let (found, reasonless) = match &sent.error {
        Some(PolicyError::Mistakes { problems }) => (mistakes(problems, locale), false),
        Some(PolicyError::Reason) => (Vec::new(), true),
        None => (Vec::new(), false),
    };
    let number = newest.map_or_else(String::new, |revision| revision.number.to_string());
    let addition = match host {
        None => missing(state, &facility.id).await?,
        Some(_) => None,
    };

    Ok(PolicyPage {
        address: address(&facility.id, host.map(|host| host.id)),
        host: host.map(|host| (host.id, host.name.clone())),
        example: newest.is_none().then_some(EXAMPLE),
        adds: addition.map(|addition| addition.adds).unwrap_or_default(),
        text: sent.text.unwrap_or(saved),
        reason: sent.reason,
        seen: sent.seen.unwrap_or(number),
        mistakes: found,
        reasonless,
        preview,
        stale: sent.stale,
        history: history.collect(),
        hosts: standings
            .iter()
            .map(|(host, standing)| HostStandingView::of(host, standing, &revisions, locale))
            .collect(),
        late_minutes: state.policy_late.as_mins(),
        f: place_frame(call, state, &facility, ("title-policy", Tab::Hosts))?,
    })
}

/// Returns how hosts stand.
pub(super) async fn standings<'a>(
    state: &ConsoleState,
    facility: &FacilityId,
    revisions: &[Revision],
    hosts: impl Iterator<Item = &'a Host>,
) -> Result<Vec<(&'a Host, crate::policy::Standing)>, PageError> {
    let heartbeats = state.store.heartbeats(facility).await?;
    let times = (state.clock.now(), state.policy_late);
    let of = |host: &'a Host| {
        let general = newest(revisions, Scope::Facility);
        let own = newest(revisions, Scope::Host(host.id));
        let desired = desired(general, own);
        let heard = heartbeats
            .get(&host.id)
            .map(|seen| seen.heartbeat.policy.as_ref());
        (host, standing(host, (desired.as_ref(), revisions), heard, times))
    };

    Ok(hosts.map(of).collect())
}

/// Returns the newest text of some hosts. `revisions` come the newest first.
fn newest(revisions: &[Revision], scope: Scope) -> Option<&Revision> {
    revisions.iter().find(|revision| revision.scope == scope)
}

/// Shows one saved text, and what differs from the one before it or from another.
pub(super) async fn revision(
    State(state): State<ConsoleState>,
    Path((_, number)): Path<(String, u64)>,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let revisions = state.store.policies(&facility.id).await?;
    let found = revisions
        .iter()
        .find(|revision| revision.number == PolicyRevision(number))
        .ok_or(PageError::NotFound)?;
    let same: Vec<_> = revisions
        .iter()
        .filter(|other| other.scope == found.scope && other.number != found.number)
        .collect();
    let asked: Option<u64> = query(&call, "from").parse().ok();
    let before = match asked {
        Some(asked) => same
            .iter()
            .find(|other| other.number == PolicyRevision(asked)),
        None => same.iter().find(|other| other.number < found.number),
    };
    let hosts = state.store.hosts(&facility.id).await?;
    let names = state.store.user_names().await?;
    let current = newest(&revisions, found.scope) == Some(found);
    let old = before.map_or("", |before| before.text.as_str());

    page(&RevisionPage {
        f: place_frame(&call, &state, &facility, ("title-policy-revision", Tab::Hosts))?,
        revision: RevisionView::of(found, current, (&hosts, &names), call.locale),
        text: found.text.clone(),
        before: before.map(|before| before.number),
        others: same
            .iter()
            .map(|other| (other.number, before.is_some_and(|before| before.number == other.number)))
            .collect(),
        lines: line_views(&difference(old, &found.text), call.locale),
        back: address(&facility.id, found.scope.host()),
    })
}
