//! The address book: shown, changed, verified, exported, imported; and the emergency chart.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use shirase_shared::ids::ContactId;

use super::console::{ConsoleState, page};
use super::console_decision;
use super::form::Form;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::contacts::{ChartPage, ContactPage, ContactsPage};
use crate::contacts::{
    Column, Contact, Filled, Flaw, from_master, parse_table, plan, read, read_verification,
    to_table, today,
};

type Answer = Result<Response, PageError>;
type Place = Path<(String, ContactId)>;

/// Shows the book.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    page(&book(&state, &call, (&Filled::new(), Vec::new())).await?)
}

async fn book(
    state: &ConsoleState,
    call: &Call,
    sent: (&Filled, Vec<String>),
) -> Result<ContactsPage, PageError> {
    let facility = facility(state, call).await?;
    let contacts = state.store.contacts(&facility.id).await?;
    let chart = state.releases.contact_chart(&facility.id).await?;
    let f = place_frame(call, state, &facility, ("title-contacts", Tab::Contacts))?;
    Ok(ContactsPage::of(f, (&contacts, &chart), state.clock.now(), sent))
}

async fn refused(state: &ConsoleState, call: &Call, sent: (&Filled, Vec<String>)) -> Answer {
    let shown = book(state, call, sent).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

/// Enters a contact. What is wrong with it is said on the filled form.
pub(super) async fn add(State(state): State<ConsoleState>, call: Call) -> Answer {
    let filled = read_form(&state, &call)?;
    match read(&filled, today(state.clock.now())) {
        Ok(entry) => {
            let who = who(&state, &call)?;
            state
                .store
                .add_contact(call.facility()?, &entry, who)
                .await?;
            Ok(done(&book_path(&call)?, "done-contact-added"))
        }
        Err(flaws) => refused(&state, &call, (&filled, words(&flaws, &call))).await,
    }
}

/// Shows one contact with its history.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    page(&contact_page(&state, &call, id, (None, Vec::new())).await?)
}

async fn contact_page(
    state: &ConsoleState,
    call: &Call,
    id: ContactId,
    sent: (Option<&Filled>, Vec<String>),
) -> Result<ContactPage, PageError> {
    let facility = facility(state, call).await?;
    let history = state.store.contact_history(&facility.id, id).await?;
    let names = state.store.user_names().await?;
    let f = place_frame(call, state, &facility, ("title-contact", Tab::Contacts))?;
    ContactPage::of(f, &history, (state.clock.now(), &names), sent).ok_or(PageError::NotFound)
}

/// Changes a contact. What is wrong with the change is said on the filled form.
pub(super) async fn change(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let known = newest(&state, &call, id).await?;
    let filled = read_form(&state, &call)?;
    match read(&filled, today(state.clock.now())) {
        Ok(entry) => {
            let place = (call.facility()?, id, seen(&call)?);
            let who = who(&state, &call)?;
            state.store.change_contact(place, &entry, who).await?;
            Ok(done(&format!("{}/{}", book_path(&call)?, known.id), "done-contact-changed"))
        }
        Err(flaws) => {
            let sent = (Some(&filled), words(&flaws, &call));
            let shown = contact_page(&state, &call, id, sent).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
        }
    }
}

/// Records that somebody made sure of a contact: without day and person the caller, today.
pub(super) async fn verify(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let day = today(state.clock.now());
    let or = |text: &str, other: String| if text.is_empty() { other } else { text.to_owned() };
    let by = or(call.form.field("verified_by"), call.caller()?.user.name.clone());
    let on = or(call.form.field("verified_on"), day.to_string());
    let cells = [(Column::VerifiedOn, on), (Column::VerifiedBy, by)].into();
    let verified = read_verification(&cells, day)
        .map_err(|flaws| PageError::Invalid(words(&flaws, &call).join(" ")))?;
    let verified = verified.ok_or(PageError::BadForm)?;
    let place = (call.facility()?, id, seen(&call)?);
    state
        .store
        .verify_contact(place, &verified, who(&state, &call)?)
        .await?;

    Ok(done(&book_path(&call)?, "done-contact-verified"))
}

/// Takes a contact out of use.
pub(super) async fn retire(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let place = (call.facility()?, id, seen(&call)?);
    state
        .store
        .retire_contact(place, who(&state, &call)?)
        .await?;

    Ok(done(&book_path(&call)?, "done-contact-retired"))
}

/// Sends the book as CSV.
pub(super) async fn export(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = call.facility()?;
    let contacts = state.store.contacts(facility).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{facility}-contacts.csv\"")),
    ];
    Ok((headers, to_table(&contacts, call.locale)).into_response())
}

/// Takes a CSV in, whole or not at all. What is wrong with it is said with line and column.
pub(super) async fn import(State(state): State<ConsoleState>, call: Call) -> Answer {
    let Some(upload) = call.upload.clone() else {
        let problem = vec![call.locale.text("contacts-no-file")];
        return refused(&state, &call, (&Filled::new(), problem)).await;
    };
    let facility = call.facility()?;
    let known = state.store.contacts(facility).await?;
    let day = today(state.clock.now());
    let planned = parse_table(&upload.bytes).and_then(|lines| plan(&lines, &known, day));
    match planned {
        Ok(plans) => {
            let who = who(&state, &call)?;
            state.store.import_contacts(facility, &plans, who).await?;
            Ok(done(&book_path(&call)?, "done-contacts-imported"))
        }
        Err(faults) => {
            let mut problems = vec![call.locale.text("table-refused")];
            problems.extend(faults.iter().map(|fault| fault.words(call.locale)));
            refused(&state, &call, (&Filled::new(), problems)).await
        }
    }
}

/// Adds the people and companies of the master data that the book does not have.
pub(super) async fn take_over(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let known = state.store.contacts(&facility.id).await?;
    let taken = from_master(&facility.master, &known, today(state.clock.now()));
    let who = who(&state, &call)?;
    state
        .store
        .import_contacts(&facility.id, &taken.new, who)
        .await?;
    if taken.left_out.is_empty() {
        return Ok(done(&book_path(&call)?, "done-contacts-taken"));
    }
    let names = taken.left_out.join(", ");
    let said = call
        .locale
        .text_with("contacts-taken-without", &[("names", &names)]);
    refused(&state, &call, (&Filled::new(), vec![said])).await
}

/// Shows the emergency chart.
pub(super) async fn chart(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let sheet = state
        .releases
        .chart_sheet(&facility, call.locale.lang())
        .await?;
    let f = place_frame(&call, &state, &facility, ("title-contact-chart", Tab::Contacts))?;
    page(&ChartPage { f, sheet })
}

/// Sends the emergency chart as PDF.
pub(super) async fn chart_pdf(State(state): State<ConsoleState>, call: Call) -> Answer {
    let facility = facility(&state, &call).await?;
    let bytes = state
        .releases
        .chart_pdf(&facility, call.locale.lang())
        .await
        .map_err(|error| console_decision::words(error, &call))?;
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, format!("inline; filename=\"{}-emergency-chart.pdf\"", facility.id)),
    ];
    Ok((headers, bytes).into_response())
}

/// Reads the inputs of a contact. A tick says that the caller made sure of it today.
fn read_form(state: &ConsoleState, call: &Call) -> Result<Filled, PageError> {
    let form = &call.form;
    let mut filled: Filled = Column::ALL
        .iter()
        .filter(|column| !matches!(column, Column::Id | Column::VerifiedOn | Column::VerifiedBy))
        .map(|column| (*column, said(form, *column)))
        .collect();
    if form.field("confirmed") == "yes" {
        filled.insert(Column::VerifiedOn, today(state.clock.now()).to_string());
        filled.insert(Column::VerifiedBy, call.caller()?.user.name.clone());
    }
    Ok(filled)
}

fn said(form: &Form, column: Column) -> String {
    form.field(column.as_str()).to_owned()
}

fn words(flaws: &[Flaw], call: &Call) -> Vec<String> {
    flaws.iter().map(|flaw| flaw.words(call.locale)).collect()
}

fn who(state: &ConsoleState, call: &Call) -> Result<(Actor, jiff::Timestamp), PageError> {
    Ok((Actor::User(call.user_id()?), state.clock.now()))
}

/// Returns the version the caller looked at.
fn seen(call: &Call) -> Result<u32, PageError> {
    call.form
        .field("revision")
        .parse()
        .map_err(|_| PageError::BadForm)
}

async fn newest(state: &ConsoleState, call: &Call, id: ContactId) -> Result<Contact, PageError> {
    let history = state.store.contact_history(call.facility()?, id).await?;
    history.into_iter().next().ok_or(PageError::NotFound)
}

fn book_path(call: &Call) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/contacts", call.facility()?))
}
