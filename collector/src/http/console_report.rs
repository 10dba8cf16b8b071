//! A report: read, corrected, downloaded.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};

use shirase_shared::ids::{FacilityId, ReportId, UserId};

use super::console::{ConsoleState, page};
use super::console_decision::{tell, words};
use super::page_error::PageError;
use super::place::{facility, place_frame};
use super::session::Call;
use crate::approval::{Decision, DecisionRecord, Format, Outlook};
use crate::console::Tab;
use crate::console::delivery::DeliveryRow;
use crate::console::report::{
    AnswerPage, ApprovalView, ChangesView, DecisionView, Looking, NextRound, ReportPage, Typed,
    answer_views, badge, duty_words, round_words, submitted_words,
};
use crate::locale::Locale;
use crate::people::Role;
use crate::reports::answer::{AnswerProblem, AnswerStatus, NamedPerson, Revision, RoundKind};
use crate::reports::fields::{Entered, Field};
use crate::reports::profile::Profile;
use crate::reports::{AnswerChange, Report, ReportStatus, Sheet};
use crate::store::{AnswerError, ApprovalState};

type Answer = Result<Response, PageError>;
pub(super) type Place = Path<(String, ReportId)>;
type FieldPlace = Path<(String, ReportId, u8)>;
type FilePlace = Path<(String, ReportId, String)>;

/// Shows a report with what may be done now.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let locale = call.locale;
    let sheet = state.store.sheet(&facility.id, id).await?;
    let report = &sheet.report;
    let profile = profile(&state, &report.profile)?;
    let names = state.store.user_names().await?;
    let name = |user| {
        names
            .get(&user)
            .cloned()
            .unwrap_or_else(|| locale.text("who-gone"))
    };
    let frozen = state
        .store
        .submission(&facility.id, id, report.revision)
        .await?;
    let frozen = frozen
        .filter(|_| matches!(report.status, ReportStatus::Submitted | ReportStatus::Approved));
    let now = state.clock.now();
    let key = (&facility.id, id);
    let file = &profile.body.approval;
    let approval = state.store.approval_state(key, file, now).await?;
    let outlook = Outlook::of(&approval.standing, &approval.in_role, now);
    let looking = looking(&call, &approval, &outlook, &name)?;
    let changes = changes(&state, &call, &sheet, &approval.decisions).await?;
    let all = state
        .store
        .reports_of_incident(&facility.id, report.incident)
        .await?;
    let deliveries = state.store.deliveries_of_report(&facility.id, id).await?;
    let answers = answer_views(&with_own(&state, &sheet, &call)?, profile, locale);

    page(&ReportPage {
        forms: form_names(&state, &facility.id).await?,
        kinds: kinds(&state, &facility.id, id).await,
        f: place_frame(&call, &state, &facility, ("title-report", Tab::Incidents))?,
        id,
        title: profile.body.title.in_lang(locale.lang()).to_owned(),
        duty: duty_words(profile, state.clock.now(), locale),
        status: badge(report.status, locale),
        revision: report.revision.0,
        incident: report.incident,
        drill: report.drill.is_some(),
        updated: crate::locale::japan_time(report.updated_at),
        open: answers
            .iter()
            .filter(|answer| answer.editable && answer.lines.is_empty())
            .count(),
        answers,
        round: round_words(report, locale),
        changes,
        later: later(&state, report, &all, locale),
        next: next_rounds(&state, report, &all, locale),
        released: report.status == ReportStatus::Approved,
        deliveries: DeliveryRow::all(&deliveries, locale),
        ask: looking.ask(),
        approval: ApprovalView::of(&looking),
        answers_sha256: frozen
            .as_ref()
            .map(|f| f.answers_sha256.clone())
            .unwrap_or_default(),
        submitted: frozen
            .as_ref()
            .map(|f| submitted_words(f, name, locale))
            .unwrap_or_default(),
        decisions: approval
            .decisions
            .iter()
            .rev()
            .map(|record| DecisionView::of(record, &name(record.decided_by), locale))
            .collect(),
    })
}

/// Adds the answers the collector gives by itself, as long as they are not frozen.
fn with_own(state: &ConsoleState, sheet: &Sheet, call: &Call) -> Result<Sheet, PageError> {
    let mut shown = sheet.clone();
    if matches!(sheet.report.status, ReportStatus::Draft | ReportStatus::Withdrawn) {
        let own = state.releases.own(&sheet.report);
        shown
            .answers
            .extend(own.map_err(|error| words(error, call))?);
    }

    Ok(shown)
}

/// The kinds of file the report can be had as. What is wrong with one is said when it is asked for.
async fn kinds(state: &ConsoleState, facility: &FacilityId, id: ReportId) -> Vec<Format> {
    let kinds = state.releases.kinds(facility, id).await;
    kinds.unwrap_or_else(|_| Format::DOCUMENTS.to_vec())
}

/// Names of the official forms that can be filled.
async fn form_names(state: &ConsoleState, facility: &FacilityId) -> Result<Vec<String>, PageError> {
    let forms = state.store.official_forms(facility).await?;
    let mapped = forms
        .into_iter()
        .filter(|form| !form.mapping.place.is_empty());

    Ok(mapped.map(|form| form.id.to_string()).collect())
}

/// Gathers who looks at the approval, and what there is to see.
fn looking<'a>(
    call: &Call,
    approval: &'a ApprovalState,
    outlook: &'a Outlook,
    name: &'a (dyn Fn(UserId) -> String + Sync),
) -> Result<Looking<'a>, PageError> {
    let caller = call.caller()?;
    let allow = |role| {
        let facility = call.facility();
        facility.is_ok_and(|facility| caller.grants.allow(facility, role))
    };
    Ok(Looking {
        reader: caller.user.id,
        author: allow(Role::Author),
        approver: allow(Role::Approver),
        administrator: allow(Role::Administrator),
        standing: &approval.standing,
        outlook,
        emergency: approval.emergency.as_ref(),
        name,
        locale: call.locale,
    })
}

/// Returns what reads otherwise than in the report before, and than when this one was last sent or taken back.
async fn changes(
    state: &ConsoleState,
    call: &Call,
    sheet: &Sheet,
    decisions: &[DecisionRecord],
) -> Result<Vec<ChangesView>, PageError> {
    let (report, answers, locale) = (&sheet.report, &sheet.answers, call.locale);
    let former = state.releases.former(report, answers).await;
    let former = former.map_err(|error| words(error, call))?;
    let mut views: Vec<ChangesView> = former
        .map(|former| ChangesView::of(&former, answers, locale))
        .into_iter()
        .collect();
    let open = matches!(report.status, ReportStatus::Draft | ReportStatus::Submitted);
    let back = decisions
        .iter()
        .rfind(|record| record.decision != Decision::Approved);
    if let (true, Some(back)) = (open, back) {
        let since = state.releases.since(report, back.revision, answers).await;
        let since = since.map_err(|error| words(error, call))?;
        views.extend(since.map(|since| ChangesView::since_sent_back(&since, answers, locale)));
    }

    Ok(views)
}

/// Returns later reports to the same addressee.
fn later(
    state: &ConsoleState,
    report: &Report,
    all: &[Report],
    locale: Locale,
) -> Vec<(String, String)> {
    let follows = |other: &&Report| {
        other.round.series == report.round.series && report.round.number < other.round.number
    };
    let shown = |other: &Report| {
        let profile = state.releases.profiles().profile(&other.profile);
        let title = profile.map_or("", |profile| profile.body.title.in_lang(locale.lang()));
        let status = badge(other.status, locale).text;
        let words = format!("{} {title} · {status}", round_words(other, locale));
        (words, format!("/facilities/{}/reports/{}", other.facility, other.id))
    };
    all.iter().filter(follows).map(shown).collect()
}

/// Shows one answer as a form.
pub(super) async fn edit(
    State(state): State<ConsoleState>,
    Path((_, id, number)): FieldPlace,
    call: Call,
) -> Answer {
    let shown = answer_page(&state, &call, (id, number), None).await?;
    page(&shown)
}

async fn answer_page(
    state: &ConsoleState,
    call: &Call,
    (id, number): (ReportId, u8),
    typed: Option<Typed>,
) -> Result<AnswerPage, PageError> {
    let facility = facility(state, call).await?;
    let field = answered_field(number)?;
    let sheet = state.store.sheet(&facility.id, id).await?;
    let profile = profile(state, &sheet.report.profile)?;
    let incident = sheet.report.incident;
    let history = state
        .store
        .answer_history(&facility.id, incident, field)
        .await?;
    let label = profile.label(field, call.locale.lang());
    let label = label.map_or_else(|| call.locale.text(&field.label_key()), str::to_owned);
    let takes_proposal = call.path.ends_with("?take=proposal");
    let proposed = sheet.proposals.get(&field).filter(|_| takes_proposal);
    let typed = typed.unwrap_or_else(|| Typed::of(proposed.or(sheet.answers.get(&field))));
    let f = place_frame(call, state, &facility, ("title-answer", Tab::Incidents))?;

    Ok(AnswerPage::of(f, &sheet, (field, label), typed, &history))
}

/// Stores a person's answer. What is wrong with it is said on the filled form.
pub(super) async fn answer(
    State(state): State<ConsoleState>,
    Path((_, id, number)): FieldPlace,
    call: Call,
) -> Answer {
    let field = answered_field(number)?;
    let form = &call.form;
    let entered = Entered {
        text: form.raw("text").to_owned(),
        chosen: form.all("choice").map(str::to_owned).collect(),
        parts: form.parts(),
    };
    let status = AnswerStatus::parse(form.field("status")).ok_or(PageError::BadForm)?;
    let (basis, reason) = (form.field("basis").to_owned(), form.field("reason").to_owned());
    let typed = Typed { entered, status, basis, reason };
    let value = match field.read(&typed.entered) {
        Ok(value) => value,
        Err(problem) => return refused(&state, &call, (id, number), typed, &problem).await,
    };
    let incident = state.store.report(call.facility()?, id).await?.incident;
    let change = AnswerChange {
        facility: call.facility()?.clone(),
        incident,
        report: Some(id),
        field,
        value,
        status,
        basis: typed.basis.clone(),
        reason: typed.reason.clone(),
        by: named(&call)?,
        expected: read_revision(&call)?,
    };
    match state.store.set_answer(&change, state.clock.now()).await {
        Ok(_) => {}
        Err(AnswerError::Problem(problem)) => {
            return refused(&state, &call, (id, number), typed, &problem).await;
        }
        Err(AnswerError::Store(error)) => return Err(error.into()),
    }
    tell(&state, &call, incident)?;
    let path = format!("{}?done=saved#field-{number}", report_path(&call, id)?);

    Ok(Redirect::to(&path).into_response())
}

async fn refused(
    state: &ConsoleState,
    call: &Call,
    place: (ReportId, u8),
    typed: Typed,
    problem: &AnswerProblem,
) -> Answer {
    let words = call.locale.text(problem.text_key());
    let mut shown = answer_page(state, call, place, Some(typed)).await?;
    // The revision the person was looking at stays the one the answer is weighed against.
    shown.revision = read_revision(call)?.0;
    shown.problem = Some(words);

    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

/// Sends the report as a PDF: the released one once it is approved, a marked draft before.
pub(super) async fn pdf(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    send(&state, &call, id, Format::Pdf).await
}

/// Sends the report, or a file that goes with it, in the kind the path names.
pub(super) async fn file(
    State(state): State<ConsoleState>,
    Path((_, id, format)): FilePlace,
    call: Call,
) -> Answer {
    let format = Format::parse(&format).ok_or(PageError::NotFound)?;
    send(&state, &call, id, format).await
}

async fn send(state: &ConsoleState, call: &Call, id: ReportId, format: Format) -> Answer {
    let file = state
        .releases
        .file_as(call.facility()?, id, format)
        .await
        .map_err(|error| words(error, call))?;
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)),
    ];
    Ok((headers, file.bytes).into_response())
}

/// Returns the reports that can follow one that is out: the profiles of its series with the kinds they serve.
fn next_rounds(
    state: &ConsoleState,
    report: &Report,
    all: &[Report],
    locale: Locale,
) -> Vec<NextRound> {
    let last = all
        .iter()
        .rfind(|other| other.round.series == report.round.series);
    if report.status != ReportStatus::Approved || last.is_none_or(|last| last.id != report.id) {
        return Vec::new();
    }
    let profiles = state.releases.profiles().of_series(&report.round.series);
    profiles
        .filter(|profile| profile.body.enabled)
        .flat_map(|profile| NextRound::all(profile, locale))
        .filter(|next| next.kind != RoundKind::Preliminary)
        .collect()
}

pub(super) fn profile<'a>(state: &'a ConsoleState, id: &str) -> Result<&'a Profile, PageError> {
    let found = state.releases.profiles().profile(id);
    found.ok_or_else(|| PageError::internal(format!("there is no profile `{id}`")))
}

fn answered_field(number: u8) -> Result<Field, PageError> {
    Field::from_number(number)
        .filter(|field| field.is_answered_by_people())
        .ok_or(PageError::NotFound)
}

pub(super) fn read_revision(call: &Call) -> Result<Revision, PageError> {
    call.form
        .field("revision")
        .parse()
        .map(Revision)
        .map_err(|_| PageError::BadForm)
}

pub(super) fn named(call: &Call) -> Result<NamedPerson, PageError> {
    let user = &call.caller()?.user;
    Ok(NamedPerson { user: user.id, name: user.name.clone() })
}

pub(super) fn report_path(call: &Call, id: ReportId) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/reports/{id}", call.facility()?))
}
