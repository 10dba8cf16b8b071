//! What is decided on a report: submitted, approved, sent back.

use axum::extract::{Path, State};
use axum::response::Response;

use shirase_shared::ids::{IncidentId, ReportId};

use super::console::ConsoleState;
use super::console_report::{Place, named, read_revision, report_path};
use super::page_error::PageError;
use super::place::done;
use super::session::Call;
use crate::approval::{Decision, Refusal, Verdict};
use crate::jobs::What;
use crate::release::ReleaseError;
use crate::reports::answer::Revision;
use crate::store::DecisionError;

type Answer = Result<Response, PageError>;

/// Submits a draft: its answers are frozen and await a decision.
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    state
        .releases
        .submit(&verdict)
        .await
        .map_err(|error| words(error, &call))?;
    finish(&state, &call, id, "done-submitted").await
}

/// Approves what was submitted.
pub(super) async fn approve(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let weighed = state
        .store
        .weigh_decision(&verdict, Decision::Approved, "")
        .await;
    let (submission, _) = weighed.map_err(|error| match error {
        DecisionError::Refused(refusal) => refusal_words(refusal, &call),
        DecisionError::Store(error) => error.into(),
    })?;
    if submission.answers_sha256 != call.form.field("answers_sha256") {
        return Err(PageError::Conflict);
    }
    state
        .releases
        .approve(&verdict)
        .await
        .map_err(|error| words(error, &call))?;
    finish(&state, &call, id, "done-approved").await
}

/// Sends what was submitted back to its authors.
pub(super) async fn reject(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let reason = call.form.field("reason");
    state
        .releases
        .reject(&verdict, reason)
        .await
        .map_err(|error| words(error, &call))?;
    finish(&state, &call, id, "done-rejected").await
}

async fn finish(state: &ConsoleState, call: &Call, id: ReportId, key: &'static str) -> Answer {
    let incident = state.store.report(call.facility()?, id).await?.incident;
    tell(state, call, incident)?;
    Ok(done(&report_path(call, id)?, key))
}

pub(super) fn verdict(
    call: &Call,
    report: ReportId,
    revision: Revision,
) -> Result<Verdict, PageError> {
    Ok(Verdict { facility: call.facility()?.clone(), report, revision, by: named(call)? })
}

pub(super) fn tell(
    state: &ConsoleState,
    call: &Call,
    incident: IncidentId,
) -> Result<(), PageError> {
    state
        .nudge
        .tell_incident(call.facility()?, incident, What::Report);
    Ok(())
}

/// Puts a failed decision into words for the reader.
pub(super) fn words(error: ReleaseError, call: &Call) -> PageError {
    match error {
        ReleaseError::Refused(refusal) => refusal_words(refusal, call),
        ReleaseError::Store(error) => error.into(),
        error @ (ReleaseError::Pdf(_) | ReleaseError::Render(_)) => {
            tracing::error!(error = %shirase_shared::error::Chain(&error), "a report could not be rendered");
            PageError::Invalid(call.locale.text("report-not-rendered"))
        }
        ReleaseError::Form(error) => PageError::Invalid(error.to_string()),
        ReleaseError::NoSuchFile { .. } => {
            PageError::Invalid(call.locale.text("report-no-such-file"))
        }
        ReleaseError::Tampered(error) => {
            tracing::error!(%error, "a stored approval does not stand");
            PageError::Invalid(call.locale.text("report-tampered"))
        }
        error @ (ReleaseError::NoProfile(_) | ReleaseError::BrokenOff(_)) => {
            PageError::internal(error)
        }
    }
}

fn refusal_words(refusal: Refusal, call: &Call) -> PageError {
    let key = match refusal {
        Refusal::NotSubmitted(_) | Refusal::NotDraft(_) | Refusal::Stale { .. } => {
            return PageError::Conflict;
        }
        Refusal::OwnAnswers => "report-own-answers",
        Refusal::NoReason => "report-no-reason",
    };
    PageError::Invalid(call.locale.text(key))
}
