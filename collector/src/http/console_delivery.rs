//! Deliveries of a report: chosen, looked at, told by hand, decided on.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use shirase_shared::ids::{DeliveryId, FacilityId, ReportId};

use super::console::{ConsoleState, page};
use super::console_decision::words;
use super::console_report::{named, profile};
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::delivery::{
    CallSheetPage, DeliveriesPage, DeliveryPage, DeliveryRow, HandForm, Looked, OfferView,
    OfficeView, TypedWish,
};
use crate::console::incident::{read_time_field, time_field};
use crate::console::report::round_words;
use crate::contacts::{ContactKind, today};
use crate::deliver::address::AddressProblem;
use crate::deliver::book::{self, Line, offers};
use crate::deliver::by_hand::call_sheet;
use crate::deliver::{
    Addressee, Carrier, Choice, Decided, Delivery, Outcome, Purpose, Record, Refusal, State as At,
    Way, Wish,
};
use crate::jobs::What;
use crate::people::Role;
use crate::reports::official::FormId;
use crate::reports::{Report, ReportStatus};
use crate::store::DeliveryError;

type Answer = Result<Response, PageError>;
type ReportPlace = Path<(String, ReportId)>;
type Place = Path<(String, DeliveryId)>;

/// Shows the deliveries of a report with a form for another.
pub(super) async fn list(
    State(state): State<ConsoleState>,
    Path((_, id)): ReportPlace,
    call: Call,
) -> Answer {
    page(&deliveries_page(&state, &call, id, None).await?)
}

async fn deliveries_page(
    state: &ConsoleState,
    call: &Call,
    id: ReportId,
    refused: Option<(TypedWish, String)>,
) -> Result<DeliveriesPage, PageError> {
    let facility = facility(state, call).await?;
    let report = state.store.report(&facility.id, id).await?;
    let deliveries = state.store.deliveries_of_report(&facility.id, id).await?;
    let profile = profile(state, &report.profile)?;
    let locale = call.locale;
    let office = OfficeView::of(profile, state.clock.now(), locale);
    let (typed, problem) = refused.unzip();
    let first = || TypedWish {
        way: if office.phone.is_empty() { Way::Mail } else { Way::Phone }
            .as_str()
            .to_owned(),
        organisation: office.name.clone(),
        ..TypedWish::default()
    };
    let typed = typed.unwrap_or_else(first);
    let day = today(state.clock.now());
    let kind = ContactKind::of(profile.body.addressee);
    let contacts = state.store.contacts(&facility.id).await?;
    let found = offers(&contacts, kind, report.drill.is_some(), day);
    let forms = state.store.official_forms(&facility.id).await?;
    let mapped = forms
        .into_iter()
        .filter(|form| !form.mapping.place.is_empty());

    Ok(DeliveriesPage {
        f: place_frame(call, state, &facility, ("title-deliveries", Tab::Incidents))?,
        report: id,
        title: title(state, call, &report)?,
        drill: report.drill.is_some(),
        released: report.status == ReportStatus::Approved,
        rows: DeliveryRow::all(&deliveries, locale),
        offers: found
            .iter()
            .map(|offer| OfferView::of(offer, &typed.entry, locale))
            .collect(),
        typed,
        office,
        forms: mapped.map(|form| form.id.to_string()).collect(),
        problem,
    })
}

fn title(state: &ConsoleState, call: &Call, report: &Report) -> Result<String, PageError> {
    let title = profile(state, &report.profile)?
        .body
        .title
        .in_lang(call.locale.lang());
    Ok(format!("{title} {}", round_words(report, call.locale)))
}

/// Stores a wish to deliver. What is wrong with it is said on the filled form.
pub(super) async fn choose(
    State(state): State<ConsoleState>,
    Path((_, id)): ReportPlace,
    call: Call,
) -> Answer {
    let typed = typed(&call);
    let wish = match wish(&state, &call, id, &typed).await? {
        Ok(wish) => wish,
        Err(problem) => return refused(&state, &call, id, typed, problem).await,
    };
    // A form that cannot be filled or a record that does not stand is said now, not at the first attempt.
    let report = state.store.report(call.facility()?, id).await?;
    if report.status == ReportStatus::Approved {
        let packed = state
            .releases
            .parcel(call.facility()?, id, wish.form.as_ref())
            .await;
        if let Err(error) = packed {
            let error = words(error, &call);
            let PageError::Invalid(problem) = error else { return Err(error) };
            return refused(&state, &call, id, typed, problem).await;
        }
    }
    match state.store.create_delivery(&wish, state.clock.now()).await {
        Ok(delivery) => {
            tell(&state, &delivery);
            Ok(done(&delivery_path(&delivery), "done-delivery-chosen"))
        }
        Err(DeliveryError::Refused(refusal)) => {
            let problem = refusal_words(&refusal, &call);
            refused(&state, &call, id, typed, problem).await
        }
        Err(DeliveryError::Store(error)) => Err(error.into()),
    }
}

async fn refused(
    state: &ConsoleState,
    call: &Call,
    id: ReportId,
    typed: TypedWish,
    problem: String,
) -> Answer {
    let shown = deliveries_page(state, call, id, Some((typed, problem))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

fn typed(call: &Call) -> TypedWish {
    let form = &call.form;
    TypedWish {
        entry: form.field("entry").to_owned(),
        way: form.field("way").to_owned(),
        copy: form.field("purpose") == Purpose::Copy.as_str(),
        organisation: form.field("organisation").to_owned(),
        person: form.field("person").to_owned(),
        address: form.field("address").to_owned(),
        drill_partner: !form.field("drill_partner").is_empty(),
        form: form.field("form").to_owned(),
        again: !form.field("again").is_empty(),
    }
}

/// Reads a wish; the inner error is words for the reader.
async fn wish(
    state: &ConsoleState,
    call: &Call,
    report: ReportId,
    typed: &TypedWish,
) -> Result<Result<Wish, String>, PageError> {
    let chosen = if typed.entry.is_empty() {
        Way::parse(&typed.way).map(|way| (way, typed_in(typed)))
    } else {
        from_book(state, call, &typed.entry).await?
    };
    let Some((way, addressee)) = chosen else {
        let key = if typed.entry.is_empty() { "delivery-no-way" } else { "delivery-no-entry" };
        return Ok(Err(call.locale.text(key)));
    };
    let form: Option<FormId> = match typed.form.as_str() {
        "" => None,
        name => match name.parse() {
            Ok(form) => Some(form),
            Err(_) => return Ok(Err(call.locale.text("delivery-no-form"))),
        },
    };

    Ok(Ok(Wish {
        facility: call.facility()?.clone(),
        report,
        way,
        purpose: if typed.copy { Purpose::Copy } else { Purpose::Report },
        addressee,
        form,
        again: typed.again,
        by: named(call)?,
    }))
}

fn typed_in(typed: &TypedWish) -> Addressee {
    Addressee {
        organisation: typed.organisation.clone(),
        person: typed.person.clone(),
        address: typed.address.clone(),
        drill_partner: typed.drill_partner,
        contact: None,
        verified_on: None,
    }
}

/// Reads an entry of the address book as it is now.
async fn from_book(
    state: &ConsoleState,
    call: &Call,
    entry: &str,
) -> Result<Option<(Way, Addressee)>, PageError> {
    let Some((id, line)) = entry.split_once('/') else { return Ok(None) };
    let contacts = state.store.contacts(call.facility()?).await?;
    let contact = contacts.iter().find(|contact| contact.id.to_string() == id);
    let (Some(contact), Some(line)) = (contact, Line::parse(line)) else { return Ok(None) };
    let addressee = book::addressee(contact, line, today(state.clock.now()));

    Ok(addressee.map(|addressee| (line.way(), addressee)))
}

/// Shows one delivery with its attempts and what can be done about it.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let delivery = state.store.delivery(&facility.id, id).await?;
    let attempts = state.store.delivery_attempts(&facility.id, id).await?;
    let report = state.store.report(&facility.id, delivery.report).await?;
    let looked = Looked {
        delivery: &delivery,
        attempts: &attempts,
        status: report.status,
        title: &title(&state, &call, &report)?,
        names: &state.store.user_names().await?,
        author: call.caller()?.grants.allow(&facility.id, Role::Author),
        now: state.clock.now(),
    };
    let f = place_frame(&call, &state, &facility, ("title-delivery", Tab::Incidents))?;

    page(&DeliveryPage::of(f, looked))
}

/// Shows the call sheet of a delivery.
pub(super) async fn sheet(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let delivery = state.store.delivery(&facility.id, id).await?;
    let report = state.store.report(&facility.id, delivery.report).await?;
    if report.status != ReportStatus::Approved {
        let refusal = Refusal::NotApproved(report.status);
        return Err(PageError::Invalid(refusal_words(&refusal, &call)));
    }
    let parcel = state
        .releases
        .parcel(&facility.id, delivery.report, delivery.form.as_ref())
        .await
        .map_err(|error| words(error, &call))?;
    let made = call_sheet(&delivery, &parcel);
    let made = made.map_err(|error| PageError::Invalid(error.to_string()))?;
    let author = call.caller()?.grants.allow(&facility.id, Role::Author);
    let to_do = delivery.state == At::Waiting && delivery.way.carrier() == Carrier::Person;
    let by_hand =
        (to_do && author).then(|| HandForm { id: delivery.id, now: time_field(state.clock.now()) });
    let f = place_frame(&call, &state, &facility, ("title-call-sheet", Tab::Incidents))?;

    page(&CallSheetPage::of(f, &delivery, &made, by_hand))
}

/// Stores what a person did by hand.
pub(super) async fn record(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let form = &call.form;
    let outcome = Outcome::parse(form.field("outcome"))
        .filter(|outcome| *outcome != Outcome::Unknown)
        .ok_or(PageError::BadForm)?;
    let at = read_time_field(form.field("at"))
        .ok_or_else(|| PageError::Invalid(call.locale.text("step-time-wrong")))?;
    let record = Record {
        facility: call.facility()?.clone(),
        delivery: id,
        outcome,
        at,
        spoke_with: form.field("spoke_with").to_owned(),
        answer: form.field("answer").to_owned(),
        receipt: form.field("receipt").to_owned(),
        by: call.user_id()?,
    };
    let stored = state
        .store
        .record_delivery(&record, state.clock.now())
        .await;
    finish(&state, &call, stored, "done-delivery-recorded")
}

/// Stores a person's decision.
pub(super) async fn decide(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let form = &call.form;
    let decided = Decided {
        facility: call.facility()?.clone(),
        delivery: id,
        choice: Choice::parse(form.field("choice")).ok_or(PageError::BadForm)?,
        note: form.field("note").to_owned(),
        receipt: form.field("receipt").to_owned(),
        by: call.user_id()?,
    };
    let stored = state
        .store
        .decide_delivery(&decided, state.clock.now())
        .await;
    finish(&state, &call, stored, "done-delivery-decided")
}

/// Stores the addressee's 受付番号.
pub(super) async fn receipt(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility: &FacilityId = call.facility()?;
    let receipt = call.form.field("receipt");
    let (by, now) = (call.user_id()?, state.clock.now());
    let stored = state
        .store
        .note_receipt((facility, id), receipt, by, now)
        .await;
    finish(&state, &call, stored, "done-receipt-noted")
}

fn finish(
    state: &ConsoleState,
    call: &Call,
    stored: Result<Delivery, DeliveryError>,
    key: &'static str,
) -> Answer {
    match stored {
        Ok(delivery) => {
            tell(state, &delivery);
            Ok(done(&delivery_path(&delivery), key))
        }
        Err(DeliveryError::Refused(Refusal::NotNow(_) | Refusal::Running)) => {
            Err(PageError::Conflict)
        }
        Err(DeliveryError::Refused(refusal)) => {
            Err(PageError::Invalid(refusal_words(&refusal, call)))
        }
        Err(DeliveryError::Store(error)) => Err(error.into()),
    }
}

/// Wakes the job that delivers, and the one that looks at deadlines.
fn tell(state: &ConsoleState, delivery: &Delivery) {
    let (facility, incident) = (&delivery.facility, delivery.incident);
    state.nudge.tell_incident(facility, incident, What::Report);
}

fn delivery_path(delivery: &Delivery) -> String {
    format!("/facilities/{}/deliveries/{}", delivery.facility, delivery.id)
}

/// Puts a refusal into words for the reader.
fn refusal_words(refusal: &Refusal, call: &Call) -> String {
    let key = match refusal {
        Refusal::NotApproved(_) => "delivery-not-approved",
        Refusal::DrillToOthers => "delivery-drill-to-others",
        Refusal::Address(problem) => AddressProblem::text_key(problem),
        Refusal::UnderWay(_) => "delivery-under-way",
        Refusal::HasIt => "delivery-has-it",
        Refusal::NotNow(_) | Refusal::Running => "error-conflict",
        Refusal::NotByHand => "delivery-not-by-hand",
        Refusal::Time => "delivery-time-wrong",
        Refusal::Text("spoke_with") => "delivery-no-person",
        Refusal::Text("note") => "delivery-no-note",
        Refusal::Text(_) => "delivery-text-wrong",
    };
    call.locale.text(key)
}
