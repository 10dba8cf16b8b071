//! The entries of a case: the forms they are written and corrected in, and the file kept beside one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use shirase_shared::ids::CaseId;

use super::console::{ConsoleState, page};
use super::console_cases::{Answer, Place, case_page};
use super::console_exchange::{person, saved, upload};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::cases::{CaseFile, EntryKind, Heading, Source, Statement};
use crate::console::Tab;
use crate::console::cases::EntryPage;
use crate::contacts::today;
use crate::facilities::FacilityKind;
use crate::store::CaseError;

/// Shows the form in which an entry is corrected.
pub(super) async fn edit(
    State(state): State<ConsoleState>,
    Path((_, id, n)): Path<(String, CaseId, u32)>,
    call: Call,
) -> Answer {
    let file = state.store.case_file(call.facility()?, id).await?;
    page(&entry_page(&state, &call, (&file, n), (None, None)).await?)
}

async fn entry_page(
    state: &ConsoleState,
    call: &Call,
    (file, n): (&CaseFile, u32),
    sent: (Option<&Statement>, Option<String>),
) -> Result<EntryPage, PageError> {
    let facility = facility(state, call).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let institution = institutions
        .iter()
        .find(|one| one.id == file.case.institution);
    let kind = institution.map_or(FacilityKind::Unknown, |one| one.details.kind);
    let f = place_frame(call, state, &facility, ("title-case-entry", Tab::Cases))?;
    EntryPage::of(f, (file, kind, n), today(state.clock.now()), sent).ok_or(PageError::NotFound)
}

/// Adds an entry: new, or instead of another one. What is wrong with it is said on the filled form.
pub(super) async fn enter(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let now = state.clock.now();
    let said = statement(&call, now)?;
    let by = (&person(&call)?, now);
    let files = upload(&call)?;
    let entered = state
        .store
        .add_case_entry((here, id), (&said, files.first()), by)
        .await;
    let refusal = match entered {
        Ok(_) => return Ok(done(&format!("/facilities/{here}/cases/{id}"), "done-case-entered")),
        Err(CaseError::Refused(refusal)) => refusal,
        Err(CaseError::Store(error)) => return Err(error.into()),
    };
    let problem = Some(call.locale.text(refusal.text_key()));
    let file = state.store.case_file(here, id).await?;
    let correctable = said.corrects.filter(|n| file.may_be_corrected(*n));
    let shown = match correctable {
        Some(n) => page(&entry_page(&state, &call, (&file, n), (Some(&said), problem)).await?)?,
        None => page(&case_page(&state, &call, &file, (Some(&said), problem)).await?)?,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

/// Hands out the file kept beside an entry.
pub(super) async fn file(
    State(state): State<ConsoleState>,
    Path((_, id, n)): Path<(String, CaseId, u32)>,
    call: Call,
) -> Answer {
    let file = state.store.case_entry_file(call.facility()?, id, n).await?;

    Ok(saved(&file))
}

/// Reads the inputs of an entry. What closes or reopens a case carries its text alone.
fn statement(call: &Call, now: Timestamp) -> Result<Statement, PageError> {
    let form = &call.form;
    let kind = EntryKind::parse(form.field("kind")).ok_or(PageError::BadForm)?;
    let text = form.field("text").replace("\r\n", "\n");
    let turns = matches!(kind, EntryKind::Close | EntryKind::Reopen);
    let bare = turns || kind == EntryKind::Void;
    if turns {
        return Ok(Statement {
            heading: Heading::General,
            kind,
            text,
            source: Source::Own,
            legal_basis: String::new(),
            on: today(now),
            follow_up: None,
            corrects: None,
            settles: None,
        });
    }
    let day = |name| match form.field(name) {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| PageError::BadForm),
    };
    let named = form.field("source_text").to_owned();
    let source = match form.field("source") {
        "told" => Source::Told { by: named },
        "page" => Source::Page { at: named },
        "own" => Source::Own,
        "package" => Source::Package {
            id: form
                .field("source_package")
                .parse()
                .map_err(|_| PageError::BadForm)?,
        },
        _ => return Err(PageError::BadForm),
    };
    let optional = |name| Some(form.field(name)).filter(|text| !text.is_empty());
    let corrects = optional("corrects").map(str::parse).transpose();
    let settles = optional("settles")
        .filter(|_| !bare)
        .map(str::parse)
        .transpose();
    Ok(Statement {
        heading: Heading::parse(form.field("heading")).ok_or(PageError::BadForm)?,
        kind,
        text,
        source,
        legal_basis: form.field("legal_basis").to_owned(),
        on: day("on")?.unwrap_or_else(|| today(now)),
        follow_up: day("follow_up")?.filter(|_| !bare),
        corrects: corrects.map_err(|_| PageError::BadForm)?,
        settles: settles.map_err(|_| PageError::BadForm)?,
    })
}
