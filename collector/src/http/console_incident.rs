//! One incident and what people do to it.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;

use shirase_shared::ids::IncidentId;

use super::console::{ConsoleState, page};
use super::console_overview::names;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::duties::DutiesView;
use crate::console::incident::{
    Allowed, FirstStep, IncidentPage, IncidentRow, ReasonView, ReportLink, StepRow, TimelineRow,
    host_rows, manifest_rows, read_time_field, time_field,
};
use crate::duties::{Duties, duties};
use crate::incidents::{Act, EmergencyStep, StepOutcome, timeline};
use crate::jobs::What;
use crate::reports::duty::Standing;
use crate::reports::{Report, ReportStatus};
use crate::store::ActFailure;

type Answer = Result<Response, PageError>;
type Place = Path<(String, IncidentId)>;

/// Shows an incident.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let locale = call.locale;
    let store = &state.store;
    let incident = store
        .incident(&facility.id, id)
        .await?
        .ok_or(PageError::NotFound)?;
    let users = store.user_names().await?;
    let names = names(&state, &facility.id, &users).await?;
    let entries = store.incident_entries(&facility.id, id).await?;
    let records = store.incident_records(&incident).await?;
    let hosts = store.hosts(&facility.id).await?;
    let manifests = store.manifests(&facility.id).await?;
    let reports = store.reports_of_incident(&facility.id, id).await?;
    let bursts: BTreeSet<_> = records.iter().filter_map(|record| record.burst).collect();
    let roles = incident.care_roles();
    let role_words: Vec<_> = roles
        .iter()
        .map(|role| locale.text(role.label_key()))
        .collect();
    let now = state.clock.now();
    let master = store.with_vendors(&facility, now).await?.master;
    let profiles = state.releases.profiles();
    let law = duties(store, profiles, &incident, now).await?;
    let next = next_step(&reports, law.as_ref()).map_or_else(String::new, |key| locale.text(key));
    let law = law.map(|found| DutiesView::of(&found, (profiles, &reports), &users, (now, locale)));

    page(&IncidentPage {
        f: place_frame(&call, &state, &facility, ("title-incident", Tab::Incidents))?,
        head: IncidentRow::of(&incident, facility.display_name(), &names, locale),
        step: FirstStep::of(&roles, &master, &entries, locale),
        emergency: StepRow::all(&entries, &users, locale),
        reasons: ReasonView::all(&incident, &names, locale),
        care_roles: role_words.join(&locale.text("list-separator")),
        timeline: timeline(&incident, &records, &entries)
            .iter()
            .map(|item| TimelineRow::of(item, &names, locale))
            .collect(),
        hosts: host_rows(&incident, &hosts, locale),
        manifests: manifest_rows(&manifests, &bursts, &names),
        reports: reports
            .iter()
            .map(|report| ReportLink::of(report, profiles, locale))
            .collect(),
        allowed: Allowed::of(incident.status),
        merged_into: incident.merged_into,
        case: incident.case(),
        now_field: time_field(now),
        law,
        next,
    })
}

/// Returns the key of what somebody has to do next about the reports, if anything.
fn next_step(reports: &[Report], law: Option<&Duties>) -> Option<&'static str> {
    if reports
        .iter()
        .any(|report| report.status == ReportStatus::Submitted)
    {
        return Some("next-approve");
    }
    let mut drafts = reports
        .iter()
        .filter(|report| report.status == ReportStatus::Draft)
        .peekable();
    drafts.peek()?;
    let idle = |report: &Report| {
        let duties = law
            .map(|law| law.overview.duties.as_slice())
            .unwrap_or_default();
        duties
            .iter()
            .any(|duty| duty.profile == report.profile && duty.standing == Standing::NotNow)
    };
    Some(if drafts.all(idle) { "next-not-asked" } else { "next-complete" })
}

/// Takes it up.
pub(super) async fn acknowledge(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    act(state, place, call, (Act::Acknowledge, "done-acknowledged")).await
}

/// Writes something down.
pub(super) async fn comment(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let text = call.form.field("text").to_owned();
    act(state, place, call, (Act::Comment { text }, "done-commented")).await
}

/// Closes it.
pub(super) async fn close(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let text = call.form.field("text").to_owned();
    act(state, place, call, (Act::Close { text }, "done-closed")).await
}

/// Says that it was nothing.
pub(super) async fn false_alarm(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let reason = call.form.field("reason").to_owned();
    act(state, place, call, (Act::FalseAlarm { reason }, "done-false-alarm")).await
}

/// Opens it again.
pub(super) async fn reopen(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let reason = call.form.field("reason").to_owned();
    act(state, place, call, (Act::Reopen { reason }, "done-reopened")).await
}

/// Records the call to the maintenance company.
pub(super) async fn vendor_called(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let Some(at) = read_time_field(call.form.field("at")) else {
        return Err(PageError::Invalid(call.locale.text("step-time-wrong")));
    };
    let whom = call.form.field("whom").to_owned();
    let number = call.form.field("number").to_owned();
    act(state, place, call, (Act::VendorCalled { whom, number, at }, "done-vendor-called")).await
}

/// Records what became of an emergency step.
pub(super) async fn step_taken(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let form = &call.form;
    let Some(at) = read_time_field(form.field("at")) else {
        return Err(PageError::Invalid(call.locale.text("step-time-wrong")));
    };
    let step = EmergencyStep::parse(form.field("step")).ok_or(PageError::BadForm)?;
    let outcome = StepOutcome::parse(form.field("outcome")).ok_or(PageError::BadForm)?;
    let text = form.field("text").to_owned();
    act(state, place, call, (Act::TakeStep { step, outcome, at, text }, "done-step-taken")).await
}

pub(super) async fn act(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
    (act, key): (Act, &'static str),
) -> Answer {
    let facility = call.facility()?;
    let by = call.user_id()?;
    let acted = state
        .store
        .act_on_incident((facility, id), &act, by, state.clock.now())
        .await;
    match acted {
        Ok(_) => {}
        Err(ActFailure::Refused(refusal)) => {
            return Err(PageError::Invalid(call.locale.text(refusal.text_key())));
        }
        Err(ActFailure::Store(error)) => return Err(error.into()),
    }
    state.nudge.tell_incident(facility, id, What::Incident);

    Ok(done(&format!("/facilities/{facility}/incidents/{id}"), key))
}
