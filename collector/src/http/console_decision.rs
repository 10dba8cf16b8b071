//! What is decided on a report: submitted, approved, sent or taken back, released alone and looked at afterwards.

use axum::extract::{Path, State};
use axum::response::Response;

use shirase_shared::ids::{IncidentId, ReportId};

use super::console::ConsoleState;
use super::console_report::{Place, named, read_revision, report_path};
use super::console_sign_in::second_factor_again;
use super::page_error::PageError;
use super::place::done;
use super::session::Call;
use crate::approval::{Refusal, ReviewOutcome, Verdict, WithdrawalAsked};
use crate::console::report::refusal_words;
use crate::jobs::What;
use crate::people::Role;
use crate::release::ReleaseError;
use crate::reports::answer::Revision;
use crate::store::Wish;

type Answer = Result<Response, PageError>;

/// Submits a draft: its answers are frozen and await a decision.
pub(super) async fn submit(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let done = state.releases.submit(&verdict).await;
    finish(&state, &call, (id, done), "done-submitted").await
}

/// Approves what was submitted.
pub(super) async fn approve(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    was_seen(&state, &call, &Wish::approve(verdict.clone())).await?;
    let released = state.releases.approve(&verdict).await;
    let key = if matches!(released, Ok(None)) { "done-approval-given" } else { "done-approved" };
    finish(&state, &call, (id, released), key).await
}

/// Releases what was submitted alone: with a reason, and with the second factor entered again.
pub(super) async fn approve_alone(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let reason = call.form.field("reason");
    was_seen(&state, &call, &Wish::emergency(verdict.clone(), reason)).await?;
    // A code is good once: it is asked for last, so that a refusal above does not use it up.
    if let Err(key) = second_factor_again(&state, &call).await? {
        return Err(PageError::Invalid(call.locale.text(key)));
    }
    let done = state.releases.approve_in_emergency(&verdict, reason).await;
    finish(&state, &call, (id, done), "done-approved-alone").await
}

/// Refuses what the rules refuse, and a decision on answers the person has not seen.
async fn was_seen(state: &ConsoleState, call: &Call, wish: &Wish) -> Result<(), PageError> {
    let weighed = state.store.weigh_decision(wish, state.clock.now()).await;
    let weighed = weighed.map_err(|error| words(error.into(), call))?;
    if weighed.submission.answers_sha256 != call.form.field("answers_sha256") {
        return Err(PageError::Conflict);
    }

    Ok(())
}

/// Takes a report back before anybody outside has it.
pub(super) async fn withdraw(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let asked = WithdrawalAsked {
        revision: verdict.revision,
        reason: call.form.field("reason").to_owned(),
        approver: call
            .caller()?
            .grants
            .allow(&verdict.facility, Role::Approver),
    };
    let done = state.releases.withdraw(&verdict, &asked).await;
    finish(&state, &call, (id, done), "done-withdrawn").await
}

/// Records the look at an emergency release.
pub(super) async fn review(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    // Whether there is such a report is told before anything else.
    state.store.report(call.facility()?, id).await?;
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let outcome = ReviewOutcome::parse(call.form.field("outcome")).ok_or(PageError::BadForm)?;
    let done = state
        .releases
        .review(&verdict, (outcome, call.form.field("note")))
        .await;
    finish(&state, &call, (id, done), "done-reviewed").await
}

/// Sends what was submitted back to its authors.
pub(super) async fn reject(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let verdict = verdict(&call, id, read_revision(&call)?)?;
    let reason = call.form.field("reason");
    let done = state.releases.reject(&verdict, reason).await;
    finish(&state, &call, (id, done), "done-rejected").await
}

/// Leads back to the report after an act that went well, and says in words why one did not.
async fn finish<T>(
    state: &ConsoleState,
    call: &Call,
    (id, act): (ReportId, Result<T, ReleaseError>),
    key: &'static str,
) -> Answer {
    act.map_err(|error| words(error, call))?;
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
        ReleaseError::Refused(refusal) => refused(refusal, call),
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
        ReleaseError::Product(error) => PageError::Invalid(error.words(call.locale).join(" ")),
        error @ (ReleaseError::NoProfile(_) | ReleaseError::BrokenOff(_)) => {
            PageError::internal(error)
        }
    }
}

fn refused(refusal: Refusal, call: &Call) -> PageError {
    match refusal.text_key() {
        None => PageError::Conflict,
        Some(_) => PageError::Invalid(refusal_words(refusal, call.locale)),
    }
}
