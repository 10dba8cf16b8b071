//! A municipality's cases: opened, recorded, linked to threads of the exchange, all at a glance.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shirase_shared::ids::{CaseId, FacilityId};

use super::console::{ConsoleState, page};
use super::console_checklist::workbook;
use super::console_decision;
use super::console_exchange::person;
use super::page_error::PageError;
use super::place::{done, facility, place_frame, query};
use super::session::Call;
use crate::cases::{
    CaseFile, Heard, HeardWay, NewCase, Refusal, Statement, conclusion_of, institutions_of,
    overview, propose,
};
use crate::console::Tab;
use crate::console::cases::{
    CaseInputs, CaseNewPage, CasePage, CasesPage, FiguresPage, Reporting, ThreadCase, title_of,
};
use crate::console::incident::{ReportLink, read_time_field, time_field};
use crate::console::overview::CaseCounts;
use crate::contacts::today;
use crate::exchange::PackageId;
use crate::jobs::What;
use crate::store::{CaseError, StoredPackage};

pub(super) type Answer = Result<Response, PageError>;
pub(super) type Place = Path<(String, CaseId)>;

/// Shows all cases.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let files = state.store.case_files(&facility.id).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let f = place_frame(&call, &state, &facility, ("title-cases", Tab::Cases))?;
    page(&CasesPage::of(f, &files, &institutions, today(state.clock.now())))
}

/// Shows the figures of every year.
pub(super) async fn figures(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let files = state.store.case_files(&facility.id).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let f = place_frame(&call, &state, &facility, ("title-case-figures", Tab::Cases))?;
    page(&FiguresPage::of(f, crate::cases::figures(&files, &institutions)))
}

/// Hands the figures of every year out as a workbook.
pub(super) async fn figures_xlsx(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let files = state.store.case_files(&facility.id).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let years = crate::cases::figures(&files, &institutions);
    let name = facility.display_name().to_owned();
    let made = state.releases.figures_xlsx(name, years, call.locale).await;
    let bytes = made.map_err(|error| console_decision::words(error, &call))?;

    Ok(workbook(&format!("{}-cases", facility.id), bytes))
}

/// Shows the form of a new case: empty, for an institution, or for a package it is born from.
pub(super) async fn new(State(state): State<ConsoleState>, call: Call) -> Answer {
    let now = state.clock.now();
    let mut sent = CaseInputs {
        institution: query(&call, "institution").to_owned(),
        way: HeardWay::Telephone.to_string(),
        at: time_field(now),
        taken_by: call.caller()?.user.name.clone(),
        ..CaseInputs::default()
    };
    if !query(&call, "package").is_empty() {
        let id: PackageId = query(&call, "package")
            .parse()
            .map_err(|_| PageError::NotFound)?;
        let package = state.store.package(call.facility()?, &id).await?;
        sent = born_from(&state, &call, package).await?;
    }
    page(&form(&state, &call, (sent, None)).await?)
}

/// Fills the form with what a package says.
async fn born_from(
    state: &ConsoleState,
    call: &Call,
    package: StoredPackage,
) -> Result<CaseInputs, PageError> {
    let institutions = state.store.institutions(call.facility()?).await?;
    let there = institutions_of(&package.partner, &institutions);
    let institution = match there.as_slice() {
        [only] => only.id.to_string(),
        [] | [_, _, ..] => String::new(),
    };
    let manifest = package.manifest;
    let from = manifest
        .released
        .map_or_else(String::new, |people| people.released_by);
    let text = if manifest.text.trim().is_empty() { &manifest.subject } else { &manifest.text };
    Ok(CaseInputs {
        institution,
        subject: manifest.subject.clone(),
        way: HeardWay::Report.to_string(),
        from: if from.is_empty() { package.partner.to_string() } else { from },
        at: time_field(package.stored_at),
        what: text.clone(),
        taken_by: call.caller()?.user.name.clone(),
        drill: manifest.drill,
        package: package.id.to_string(),
    })
}

async fn form(
    state: &ConsoleState,
    call: &Call,
    (sent, problem): (CaseInputs, Option<String>),
) -> Result<CaseNewPage, PageError> {
    let facility = facility(state, call).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let now_field = time_field(state.clock.now());
    let f = place_frame(call, state, &facility, ("title-case-new", Tab::Cases))?;
    Ok(CaseNewPage::of(f, &institutions, sent, (now_field, problem)))
}

/// Opens a case. What is wrong with it is said on the filled form.
pub(super) async fn open(State(state): State<ConsoleState>, call: Call) -> Answer {
    let sent = inputs(&call);
    let here = call.facility()?;
    let opened = match new_case(&state, &call, &sent).await? {
        Ok(new) => {
            let by = (&person(&call)?, state.clock.now());
            state.store.open_case(here, &new, by).await
        }
        Err(refusal) => Err(refusal.into()),
    };
    match opened {
        Ok(case) => Ok(done(&format!("/facilities/{here}/cases/{}", case.id), "done-case-opened")),
        Err(CaseError::Refused(refusal)) => {
            let problem = call.locale.text(refusal.text_key());
            let shown = form(&state, &call, (sent, Some(problem))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
        }
        Err(CaseError::Store(error)) => Err(error.into()),
    }
}

fn inputs(call: &Call) -> CaseInputs {
    let field = |name| call.form.field(name).to_owned();
    CaseInputs {
        institution: field("institution"),
        subject: field("subject"),
        way: field("way"),
        from: field("from"),
        at: field("at"),
        what: field("what").replace("\r\n", "\n"),
        taken_by: field("taken_by"),
        drill: call.form.field("drill") == "yes",
        package: field("package"),
    }
}

async fn new_case(
    state: &ConsoleState,
    call: &Call,
    sent: &CaseInputs,
) -> Result<Result<NewCase, Refusal>, PageError> {
    let thread = match sent.package.as_str() {
        "" => None,
        id => {
            let id: PackageId = id.parse().map_err(|_| PageError::BadForm)?;
            Some(state.store.package(call.facility()?, &id).await?.thread)
        }
    };
    let Ok(institution) = sent.institution.parse() else { return Ok(Err(Refusal::Line)) };
    let Some(at) = read_time_field(&sent.at) else { return Ok(Err(Refusal::Ahead)) };
    let heard = Heard {
        way: HeardWay::parse(&sent.way).ok_or(PageError::BadForm)?,
        from: sent.from.clone(),
        at,
        what: sent.what.clone(),
        taken_by: sent.taken_by.clone(),
    };
    let (subject, drill) = (sent.subject.clone(), sent.drill);

    Ok(Ok(NewCase { institution, subject, drill, heard, thread }))
}

/// Shows one case.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let file = state.store.case_file(call.facility()?, id).await?;
    page(&case_page(&state, &call, &file, (None, None)).await?)
}

pub(super) async fn case_page(
    state: &ConsoleState,
    call: &Call,
    file: &CaseFile,
    sent: (Option<&Statement>, Option<String>),
) -> Result<CasePage, PageError> {
    let facility = facility(state, call).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let f = place_frame(call, state, &facility, ("title-case", Tab::Cases))?;
    let incident = state
        .store
        .incident_holding(&facility.id, &conclusion_of(file.case.id))
        .await?;
    let reporting = match incident {
        None => None,
        Some(incident) => {
            let reports = state
                .store
                .reports_of_incident(&facility.id, incident.id)
                .await?;
            let profiles = state.releases.profiles();
            let link = |report| ReportLink::of(report, profiles, call.locale);
            Some(Reporting {
                incident: incident.id,
                number: incident.number,
                reports: reports.iter().map(link).collect(),
            })
        }
    };
    let today = today(state.clock.now());
    Ok(CasePage { reporting, ..CasePage::of(f, (file, &institutions), today, sent) })
}

/// Opens the incident over which the municipality reports, or leads to the one that is there.
pub(super) async fn report(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let file = state.store.case_file(here, id).await?;
    let opened = state
        .store
        .open_incident(file.conclude(), call.user_id()?, state.clock.now())
        .await?;
    state.nudge.tell_incident(here, opened, What::Incident);

    Ok(done(&format!("/facilities/{here}/incidents/{opened}"), "done-case-report"))
}

/// Says which case the thread of a package belongs to, or takes it out again.
pub(super) async fn link(
    State(state): State<ConsoleState>,
    Path((_, id)): Path<(String, PackageId)>,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let package = state.store.package(here, &id).await?;
    let case: Option<CaseId> = match call.form.field("case") {
        "" => None,
        id => Some(id.parse().map_err(|_| PageError::BadForm)?),
    };
    let by = (&person(&call)?, state.clock.now());
    match state
        .store
        .link_thread((here, &package.thread), case, by)
        .await
    {
        Ok(()) => {}
        Err(CaseError::Refused(refusal)) => {
            return Err(PageError::Invalid(call.locale.text(refusal.text_key())));
        }
        Err(CaseError::Store(error)) => return Err(error.into()),
    }
    let key = if case.is_some() { "done-case-linked" } else { "done-case-unlinked" };
    Ok(done(&format!("/facilities/{here}/exchange/packages/{id}"), key))
}

/// Counts what is open; none where the organisation keeps no cases.
pub(super) async fn counts(
    state: &ConsoleState,
    facility: &FacilityId,
) -> Result<Option<CaseCounts>, PageError> {
    if !state.post.organisation().supervises() {
        return Ok(None);
    }
    let files = state.store.case_files(facility).await?;
    let standings = overview(&files, today(state.clock.now()));
    let due = standings.iter().filter(|standing| standing.due).count();
    let questions = standings.iter().map(|standing| standing.questions).sum();

    Ok(Some(CaseCounts { open: standings.len(), due, questions }))
}

/// Returns what the case of each linked thread is called; none where the organisation keeps no cases.
pub(super) async fn titles(
    state: &ConsoleState,
    call: &Call,
) -> Result<Option<BTreeMap<PackageId, (String, String)>>, PageError> {
    if !state.post.organisation().supervises() {
        return Ok(None);
    }
    let files = state.store.case_files(call.facility()?).await?;
    let links = state.store.thread_cases(call.facility()?).await?;
    let titled = links.into_iter().filter_map(|(thread, id)| {
        let file = files.iter().find(|file| file.case.id == id)?;
        Some((thread, (id.to_string(), title_of(file, call.locale))))
    });

    Ok(Some(titled.collect()))
}

/// Returns where a thread belongs or could; none where the organisation keeps no cases.
pub(super) async fn of_thread(
    state: &ConsoleState,
    call: &Call,
    first: Option<&StoredPackage>,
) -> Result<Option<ThreadCase>, PageError> {
    let Some(first) = first.filter(|_| state.post.organisation().supervises()) else {
        return Ok(None);
    };
    let here = call.facility()?;
    let files = state.store.case_files(here).await?;
    let institutions = state.store.institutions(here).await?;
    let links = state.store.thread_cases(here).await?;
    let linked = links.get(&first.thread);
    let linked = linked.and_then(|id| files.iter().find(|file| file.case.id == *id));
    let drill = first.manifest.drill;
    let began = (&first.partner, first.manifest.made_at, drill);
    let proposals = propose(began, &files, &institutions);
    Ok(Some(ThreadCase::of(
        (&first.thread, drill),
        linked,
        (&files, &proposals),
        (&institutions, call.locale),
    )))
}
