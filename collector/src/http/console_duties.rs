//! The interview, the moments, new reports, and the deadlines of all incidents.

use axum::extract::{Path, State};
use axum::response::Response;

use shirase_shared::ids::IncidentId;

use super::console::{ConsoleState, frame, page};
use super::console_incident::act;
use super::console_overview::{names, visible_facilities};
use super::console_report::{named, read_revision};
use super::page_error::PageError;
use super::place::done;
use super::session::Call;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::duties::{DeadlineRow, DeadlineView, DeadlinesPage, today};
use crate::console::incident::{IncidentRow, read_time_field};
use crate::duties::duties;
use crate::incidents::{Act, Moment};
use crate::jobs::What;
use crate::reports::AnswerChange;
use crate::reports::answer::{AnswerStatus, RoundKind};
use crate::reports::fields::{Entered, Field};
use crate::reports::interview::QUESTIONS;
use crate::store::{AnswerError, NewReport, RoundRefused};

/// Deadlines on one page.
const ROWS_MAX: usize = 100;

type Answer = Result<Response, PageError>;
type Place = Path<(String, IncidentId)>;

/// Stores the answer to one of the three questions. Nothing chosen means 調査中.
pub(super) async fn interview(
    State(state): State<ConsoleState>,
    Path((_, incident)): Place,
    call: Call,
) -> Answer {
    let form = &call.form;
    let question = form
        .field("question")
        .parse()
        .ok()
        .and_then(Field::from_number);
    let field = question
        .filter(|field| QUESTIONS.contains(field))
        .ok_or(PageError::BadForm)?;
    let chosen: Vec<String> = form
        .all("choice")
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect();
    let status =
        if chosen.is_empty() { AnswerStatus::Investigating } else { AnswerStatus::Confirmed };
    let entered = Entered { text: form.field("note").to_owned(), chosen, ..Entered::default() };
    let problem = |problem: crate::reports::answer::AnswerProblem| {
        PageError::Invalid(call.locale.text(problem.text_key()))
    };
    let facility = call.facility()?.clone();
    state
        .store
        .incident(&facility, incident)
        .await?
        .ok_or(PageError::NotFound)?;
    let change = AnswerChange {
        facility,
        incident,
        report: None,
        field,
        value: field.read(&entered).map_err(problem)?,
        status,
        basis: String::new(),
        reason: form.field("reason").to_owned(),
        by: named(&call)?,
        expected: read_revision(&call)?,
    };
    match state.store.set_answer(&change, state.clock.now()).await {
        Ok(_) => {}
        Err(AnswerError::Problem(found)) => return Err(problem(found)),
        Err(AnswerError::Store(error)) => return Err(error.into()),
    }
    state
        .nudge
        .tell_incident(call.facility()?, incident, What::Report);

    Ok(done(&incident_path(&call, incident)?, "done-answered"))
}

/// Records a moment from which duties run.
pub(super) async fn moment(state: State<ConsoleState>, place: Place, call: Call) -> Answer {
    let moment = Moment::parse(call.form.field("moment")).ok_or(PageError::BadForm)?;
    let at = read_time_field(call.form.field("at"));
    let at = at.ok_or_else(|| PageError::Invalid(call.locale.text("step-time-wrong")))?;
    let text = call.form.field("text").to_owned();
    act(state, place, call, (Act::Note { moment, at, text }, "done-moment")).await
}

/// Makes the next report of a series and shows it.
pub(super) async fn make_report(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = call.facility()?.clone();
    let profile = state
        .releases
        .profiles()
        .profile(call.form.field("profile"));
    let profile = profile
        .filter(|profile| profile.body.enabled)
        .ok_or(PageError::BadForm)?;
    let kind = RoundKind::parse(call.form.field("kind")).ok_or(PageError::BadForm)?;
    if !profile.body.round.kinds().contains(&kind) {
        return Err(PageError::BadForm);
    }
    let incident = state.store.incident(&facility, id).await?;
    let incident = incident.ok_or(PageError::NotFound)?;
    if profile.body.by != incident.reported_by() {
        return Err(PageError::BadForm);
    }
    let new = NewReport {
        facility: facility.clone(),
        incident: id,
        profile: profile.body.id.clone(),
        series: profile.body.series.clone(),
        kind,
        drill: incident.drill,
    };
    let by = Actor::User(call.user_id()?);
    let report = match state.store.next_report(&new, by, state.clock.now()).await {
        Ok(report) => report,
        Err(RoundRefused::Open(_)) => return Err(PageError::Conflict),
        Err(RoundRefused::Store(error)) => return Err(error.into()),
    };
    state.nudge.tell_incident(&facility, id, What::Report);

    Ok(done(&format!("/facilities/{facility}/reports/{}", report.id), "done-report-made"))
}

/// Shows the deadlines of all live incidents of the facilities a person may see.
pub(super) async fn deadlines(State(state): State<ConsoleState>, call: Call) -> Answer {
    let now = state.clock.now();
    let users = state.store.user_names().await?;
    let mut rows = Vec::new();
    for facility in visible_facilities(&state, &call).await? {
        let names = names(&state, &facility.id, &users).await?;
        for incident in state
            .store
            .incidents_with_deadlines(&facility.id, now)
            .await?
        {
            let found = duties(&state.store, state.releases.profiles(), &incident, now).await?;
            let Some(found) = found else { continue };
            let title =
                IncidentRow::of(&incident, facility.display_name(), &names, call.locale).title;
            for deadline in &found.overview.deadlines {
                let view = DeadlineView::of(deadline, &users, now, call.locale);
                if !view.open {
                    continue;
                }
                let row = DeadlineRow {
                    facility: (facility.id.clone(), facility.display_name().to_owned()),
                    incident: (incident.id, incident.number, title.clone()),
                    drill: incident.drill.is_some(),
                    deadline: view,
                };
                rows.push(((incident.drill.is_some(), deadline.due().map(|due| due.at)), row));
            }
        }
    }
    // What has no number is due now: it stands before everything that has.
    rows.sort_by_key(|(key, _)| *key);
    let (all, skipped) = (rows.len(), page_number(&call).saturating_mul(ROWS_MAX));
    let shown = rows.into_iter().skip(skipped).take(ROWS_MAX);
    let rows: Vec<DeadlineRow> = shown.map(|(_, row)| row).collect();

    page(&DeadlinesPage {
        f: frame(&call, &state, "title-deadlines", Tab::Deadlines),
        next: (skipped + rows.len() < all).then_some(page_number(&call) + 1),
        all,
        rows,
        today: today(now),
    })
}

/// Returns the page asked for, from 0.
fn page_number(call: &Call) -> usize {
    let query = call.path.split_once('?').map_or("", |(_, query)| query);
    let asked = query
        .strip_prefix("page=")
        .and_then(|number| number.parse().ok());
    asked.unwrap_or(0)
}

fn incident_path(call: &Call, incident: IncidentId) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/incidents/{incident}", call.facility()?))
}
