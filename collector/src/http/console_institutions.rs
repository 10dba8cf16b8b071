//! The register of institutions: shown, added to, changed, noted, closed, imported, exported.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use shirase_shared::ids::InstitutionId;

use super::console::{ConsoleState, page};
use super::console_exchange::{person, trusted};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::cases::title_of;
use crate::console::institutions::{Around, InstitutionPage, InstitutionsPage};
use crate::contacts::today;
use crate::exchange::partner::{Partner, PartnerId};
use crate::exchange::{line_problem, text_problem};
use crate::institutions::{Column, Details, Filled, Institution, Known, plan, read, to_table};
use crate::store::InstitutionChange;
use crate::tables::{Flaw, TableColumn, parse_table};

type Answer = Result<Response, PageError>;
type Place = Path<(String, InstitutionId)>;

/// Longest note.
const NOTE_MAX_CHARS: usize = 4000;
/// Longest reason.
const REASON_MAX_CHARS: usize = 500;

/// Shows the register.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    page(&register(&state, &call, (&Filled::new(), Vec::new())).await?)
}

async fn register(
    state: &ConsoleState,
    call: &Call,
    sent: (&Filled, Vec<String>),
) -> Result<InstitutionsPage, PageError> {
    let facility = facility(state, call).await?;
    let institutions = state.store.institutions(&facility.id).await?;
    let partners = trusted(state, call).await?;
    let f = place_frame(call, state, &facility, ("title-institutions", Tab::Institutions))?;
    Ok(InstitutionsPage::of(f, (&institutions, &partners), sent))
}

async fn refused(state: &ConsoleState, call: &Call, sent: (&Filled, Vec<String>)) -> Answer {
    let shown = register(state, call, sent).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

/// What a form is read against.
struct Register {
    institutions: Vec<Institution>,
    partners: Vec<PartnerId>,
}

impl Register {
    async fn of(state: &ConsoleState, call: &Call) -> Result<Self, PageError> {
        let institutions = state.store.institutions(call.facility()?).await?;
        let partners = trusted(state, call).await?.into_iter();
        Ok(Self { institutions, partners: partners.map(|partner: Partner| partner.id).collect() })
    }

    fn known(&self) -> Known<'_> {
        Known { institutions: &self.institutions, partners: &self.partners }
    }

    fn read(&self, call: &Call, id: Option<InstitutionId>) -> Result<Details, Refused> {
        let inputs = Column::ALL.iter().filter(|column| **column != Column::Id);
        let filled: Filled = inputs
            .map(|column| (*column, call.form.field(column.as_str()).to_owned()))
            .collect();
        read(&filled, id, self.known())
            .map_err(|flaws| Refused { filled, problems: words(&flaws, call) })
    }
}

/// What was sent, and what is wrong with it.
struct Refused {
    filled: Filled,
    problems: Vec<String>,
}

fn words<C: TableColumn>(flaws: &[Flaw<C>], call: &Call) -> Vec<String> {
    flaws.iter().map(|flaw| flaw.words(call.locale)).collect()
}

/// Enters an institution. What is wrong with it is said on the filled form.
pub(super) async fn add(State(state): State<ConsoleState>, call: Call) -> Answer {
    match Register::of(&state, &call).await?.read(&call, None) {
        Ok(details) => {
            let who = who(&state, &call)?;
            let here = call.facility()?;
            let added = state.store.add_institution(here, &details, who).await?;
            Ok(done(&format!("{}/{}", register_path(&call)?, added.id), "done-institution-added"))
        }
        Err(Refused { filled, problems }) => refused(&state, &call, (&filled, problems)).await,
    }
}

/// Shows one institution.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    page(&institution_page(&state, &call, id, (None, Vec::new())).await?)
}

async fn institution_page(
    state: &ConsoleState,
    call: &Call,
    id: InstitutionId,
    sent: (Option<&Filled>, Vec<String>),
) -> Result<InstitutionPage, PageError> {
    let facility = facility(state, call).await?;
    let history = state.store.institution_history(&facility.id, id).await?;
    let notes = state.store.institution_notes(&facility.id, id).await?;
    let names = state.store.user_names().await?;
    let partners = trusted(state, call).await?;
    let files = state.store.case_files(&facility.id).await?;
    let here = files.iter().filter(|file| file.case.institution == id);
    let cases = here
        .map(|file| (file.case.id.to_string(), title_of(file, call.locale)))
        .collect();
    let around = Around { notes: &notes, cases, partners: &partners, names: &names };
    let f = place_frame(call, state, &facility, ("title-institution", Tab::Institutions))?;
    InstitutionPage::of(f, (&history, around), state.clock.now(), sent).ok_or(PageError::NotFound)
}

async fn refused_one(
    state: &ConsoleState,
    call: &Call,
    id: InstitutionId,
    sent: (Option<&Filled>, Vec<String>),
) -> Answer {
    let shown = institution_page(state, call, id, sent).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

/// Changes an institution. What is wrong with the change is said on the filled form.
pub(super) async fn change(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let register = Register::of(&state, &call).await?;
    match register.read(&call, Some(id)) {
        Ok(details) => {
            let change = InstitutionChange::Details(details);
            changed(&state, &call, (id, change), "done-institution-changed").await
        }
        Err(Refused { filled, problems }) => {
            refused_one(&state, &call, id, (Some(&filled), problems)).await
        }
    }
}

/// Marks an institution closed.
pub(super) async fn close(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    turn(&state, &call, id, (InstitutionChange::Closed, "done-institution-closed")).await
}

/// Takes an institution into the register again.
pub(super) async fn reopen(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    turn(&state, &call, id, (InstitutionChange::Reopened, "done-institution-reopened")).await
}

/// Closes or reopens an institution for the reason given.
async fn turn(
    state: &ConsoleState,
    call: &Call,
    id: InstitutionId,
    (change, key): (fn(String) -> InstitutionChange, &'static str),
) -> Answer {
    match reason(call) {
        Ok(reason) => changed(state, call, (id, change(reason)), key).await,
        Err(problem) => refused_one(state, call, id, (None, vec![problem])).await,
    }
}

fn reason(call: &Call) -> Result<String, String> {
    let reason = call.form.field("reason");
    match line_problem(reason, REASON_MAX_CHARS) {
        None => Ok(reason.to_owned()),
        Some(_) => Err(call.locale.text("institution-reason-missing")),
    }
}

async fn changed(
    state: &ConsoleState,
    call: &Call,
    (id, change): (InstitutionId, InstitutionChange),
    key: &'static str,
) -> Answer {
    let seen = call
        .form
        .field("revision")
        .parse()
        .map_err(|_| PageError::BadForm)?;
    let place = (call.facility()?, id, seen);
    state
        .store
        .change_institution(place, &change, who(state, call)?)
        .await?;

    Ok(done(&format!("{}/{id}", register_path(call)?), key))
}

/// Keeps a note about an institution.
pub(super) async fn note(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let text = call.form.field("text").replace("\r\n", "\n");
    let day = today(state.clock.now());
    let on = match call.form.field("on") {
        "" => Some(day),
        text => text.parse().ok().filter(|on| *on <= day),
    };
    let sound = !text.is_empty() && text_problem(&text, NOTE_MAX_CHARS).is_none();
    let (Some(on), true) = (on, sound) else {
        let problem = call.locale.text("institution-note-refused");
        return refused_one(&state, &call, id, (None, vec![problem])).await;
    };
    let by = (&person(&call)?, state.clock.now());
    state
        .store
        .note_institution((call.facility()?, id), (on, &text), by)
        .await?;

    Ok(done(&format!("{}/{id}", register_path(&call)?), "done-institution-noted"))
}

/// Sends the register as CSV.
pub(super) async fn export(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = call.facility()?;
    let institutions = state.store.institutions(facility).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{facility}-institutions.csv\"")),
    ];
    Ok((headers, to_table(&institutions, call.locale)).into_response())
}

/// Takes a CSV in, whole or not at all. What is wrong with it is said with line and column.
pub(super) async fn import(State(state): State<ConsoleState>, call: Call) -> Answer {
    let Some(upload) = call.upload.clone() else {
        let problem = vec![call.locale.text("contacts-no-file")];
        return refused(&state, &call, (&Filled::new(), problem)).await;
    };
    let register = Register::of(&state, &call).await?;
    match parse_table(&upload.bytes).and_then(|lines| plan(&lines, register.known())) {
        Ok(plans) => {
            let who = who(&state, &call)?;
            state
                .store
                .import_institutions(call.facility()?, &plans, who)
                .await?;
            Ok(done(&register_path(&call)?, "done-institutions-imported"))
        }
        Err(faults) => {
            let mut problems = vec![call.locale.text("table-refused")];
            problems.extend(faults.iter().map(|fault| fault.words(call.locale)));
            refused(&state, &call, (&Filled::new(), problems)).await
        }
    }
}

fn who(state: &ConsoleState, call: &Call) -> Result<(Actor, jiff::Timestamp), PageError> {
    Ok((Actor::User(call.user_id()?), state.clock.now()))
}

fn register_path(call: &Call) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/institutions", call.facility()?))
}
