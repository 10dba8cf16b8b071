//! The hosts page: care roles, enrolment, revocation, drills, maintenance windows.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::SignedDuration;

use shirase_shared::ids::{DrillId, FacilityId, HostId, OrderId};
use shirase_shared::wire::Action;

use super::console::{ConsoleState, page};
use super::console_policy::standings;
use super::page_error::PageError;
use super::place::{done, entry, facility, place_frame};
use super::session::Call;
use crate::console::hosts::{HostsInput, HostsPage, TokenView, enrol_command, host_views};
use crate::console::policy::HostStandingView;
use crate::console::{Message, StaticPage, Tab};
use crate::enrolment::issue_token;
use crate::facilities::{CareRole, Host};
use crate::orders::{self, WindowError};
use crate::policy;

/// Hours a token lasts unless somebody says otherwise, and at most.
const TOKEN_HOURS: u32 = 24;
const TOKEN_HOURS_MAX: u32 = 168;
/// Fewest and most files of a drill, as the agent takes them.
const DRILL_FILES: std::ops::RangeInclusive<u32> = 10..=500;
/// Most targets of a host with roles of their own, and the longest name of one.
const WATCHED_MAX: usize = 100;
const TARGET_MAX_CHARS: usize = 100;

type Answer = Result<Response, PageError>;

/// Shows the hosts.
pub(super) async fn show(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let f = place_frame(&call, &state, &facility, ("title-hosts", Tab::Hosts))?;
    let now = state.clock.now();
    let hosts = state.store.hosts(&facility.id).await?;
    let heartbeats = state.store.heartbeats(&facility.id).await?;
    let input = HostsInput { hosts: &hosts, heartbeats: &heartbeats, now, silence: state.silence };
    let tokens = state.store.tokens(&facility.id).await?;
    let revisions = state.store.policies(&facility.id).await?;
    let standings = standings(&state, &facility.id, &revisions, hosts.iter()).await?;
    let mut views = host_views(&input, call.locale);
    for (view, (host, standing)) in views.iter_mut().zip(&standings) {
        let shown = standing.state != policy::State::Nothing && host.revoked_at.is_none();
        view.policy = shown.then(|| HostStandingView::of(host, standing, &revisions, call.locale));
    }

    page(&HostsPage {
        hosts: views,
        tokens: tokens
            .iter()
            .map(|token| TokenView::of(token, now, call.locale))
            .collect(),
        token_hours: TOKEN_HOURS,
        f,
    })
}

/// Issues a token and shows it this one time.
pub(super) async fn issue(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let hours: u32 = call.form.field("hours").parse().unwrap_or(TOKEN_HOURS);
    let ttl = SignedDuration::from_hours(hours.clamp(1, TOKEN_HOURS_MAX).into());
    let label = call.form.field("label");
    let (token, secret) = issue_token(&state.store, &facility.id, label, ttl, state.clock.as_ref())
        .await
        .map_err(PageError::internal)?;
    let short: String = token.sha256.chars().take(12).collect();
    let entry = entry(&state, &call, "token.issued", short)?.with("label", &token.label);
    state.store.audit(&entry).await?;

    let place = &state.enrolment;
    let values = [
        ("token", secret.reveal().clone()),
        ("enrol-command", enrol_command(&place.url, &place.fingerprint)),
        ("authority-fingerprint", place.fingerprint.clone()),
    ];
    let named = values
        .into_iter()
        .map(|(key, value)| (call.locale.text(key), value));
    page(&StaticPage {
        f: place_frame(&call, &state, &facility, ("title-token", Tab::Hosts))?,
        message: Message::Once { text: call.locale.text("token-once"), values: named.collect() },
        back: format!("/facilities/{}/hosts", facility.id),
    })
}

/// Revokes a token.
pub(super) async fn revoke_token(
    State(state): State<ConsoleState>,
    Path((_, token)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    state
        .store
        .revoke_token(facility, &token, state.clock.now())
        .await?;
    state
        .store
        .audit(&entry(&state, &call, "token.revoked", &token)?)
        .await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-token-revoked"))
}

/// Sets what a host does for care.
pub(super) async fn set_roles(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let role = |text: &str| text.parse::<CareRole>().map_err(|_| PageError::BadForm);
    let roles: BTreeSet<CareRole> = call.form.all("role").map(role).collect::<Result<_, _>>()?;
    let mut watched = BTreeMap::new();
    for (target, named) in call.form.all("target").zip(call.form.all("target_role")) {
        if TARGET_MAX_CHARS < target.chars().count() || target.chars().any(char::is_control) {
            return Err(PageError::BadForm);
        }
        if !target.is_empty() && watched.len() < WATCHED_MAX {
            watched.insert(target.to_owned(), role(named)?);
        }
    }
    state
        .store
        .set_host_care((facility, host), &roles, &watched)
        .await?;
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let targets: Vec<_> = watched
        .iter()
        .map(|(name, role)| format!("{name}={role}"))
        .collect();
    let entry = entry(&state, &call, "host.roles_set", host)?
        .with("roles", names.join(" "))
        .with("targets", targets.join(" "));
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-saved"))
}

/// Shuts a host out.
pub(super) async fn revoke(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    state
        .store
        .revoke_host(facility, host, state.clock.now())
        .await?;
    state
        .store
        .audit(&entry(&state, &call, "host.revoked", host)?)
        .await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-host-revoked"))
}

/// Orders a drill on one host.
pub(super) async fn drill(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let host = known(&state, facility, host).await?;
    let files: u32 = call
        .form
        .field("files")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    if !DRILL_FILES.contains(&files) {
        return Err(PageError::Invalid(call.locale.text("drill-files-range")));
    }
    let drill = DrillId::random();
    give(&state, facility, host.id, Action::Drill { drill, files }).await?;
    let entry = entry(&state, &call, "drill.ordered", drill)?
        .with("hosts", host.id)
        .with("files", files);
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-drill-ordered"))
}

/// Expects ordinary mass work on one host for some hours; whoever is signed in answers for it.
pub(super) async fn begin_maintenance(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let host = known(&state, facility, host).await?;
    let hours = call
        .form
        .field("hours")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    let (owner, reason) = (&call.caller()?.user.name, call.form.field("reason"));
    let action =
        orders::window(owner, reason, hours, state.clock.now()).map_err(|error| match error {
            WindowError::Nameless | WindowError::Unreadable => {
                PageError::Invalid(call.locale.text("maintenance-reason-wrong"))
            }
            WindowError::Length => PageError::Invalid(call.locale.text("maintenance-hours-wrong")),
        })?;
    let order = give(&state, facility, host.id, action).await?;
    let entry = entry(&state, &call, "maintenance.ordered", host.id)?
        .with("order", order)
        .with("hours", hours)
        .with("reason", reason.trim());
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-maintenance-ordered"))
}

/// Ends a maintenance window before its time.
pub(super) async fn end_maintenance(
    State(state): State<ConsoleState>,
    Path((_, host)): Path<(String, HostId)>,
    call: Call,
) -> Answer {
    let facility = call.facility()?;
    let host = known(&state, facility, host).await?;
    let owner = call.caller()?.user.name.clone();
    let order = give(&state, facility, host.id, Action::EndMaintenance { owner }).await?;
    let entry = entry(&state, &call, "maintenance.ended", host.id)?.with("order", order);
    state.store.audit(&entry).await?;

    Ok(done(&format!("/facilities/{facility}/hosts"), "done-maintenance-ended"))
}

/// Returns a host of a facility.
pub(super) async fn known(
    state: &ConsoleState,
    facility: &FacilityId,
    host: HostId,
) -> Result<Host, PageError> {
    state
        .store
        .host(facility, host)
        .await?
        .ok_or(PageError::NotFound)
}

/// Signs an order and keeps it until the host asks for it.
async fn give(
    state: &ConsoleState,
    facility: &FacilityId,
    host: HostId,
    action: Action,
) -> Result<OrderId, PageError> {
    let now = state.clock.now();
    let issued = orders::issue((facility.clone(), host), action, &state.order_key, now);
    state.store.add_order(&issued).await?;

    Ok(issued.order.id)
}
