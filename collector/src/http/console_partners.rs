//! Partners: our own card, theirs, and what two people compared.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::console::{ConsoleState, page};
use super::console_exchange::words;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::audit::Actor;
use crate::console::Tab;
use crate::console::exchange::{PartnerPage, PartnersPage};
use crate::exchange::CardId;
use crate::exchange::incoming::OwnCard;
use crate::exchange::partner::PartnerId;
use crate::post::{Compared, OldUntil};

type Answer = Result<Response, PageError>;
type Place = Path<(String, PartnerId)>;

/// Shows the partners.
pub(super) async fn list(State(state): State<ConsoleState>, call: Call) -> Answer {
    page(&partners(&state, &call, None).await?)
}

async fn partners(
    state: &ConsoleState,
    call: &Call,
    problem: Option<String>,
) -> Result<PartnersPage, PageError> {
    let facility = facility(state, call).await?;
    let partners = state.store.partners(&facility.id).await?;
    let own = own_card(state, call).await?;
    let said = |name| call.form.field(name).to_owned();
    // Browsers send line ends as two characters, of which a page would write the first out.
    let sent = (said("partner"), said("card").replace('\r', ""), said("fingerprint"));
    let f = place_frame(call, state, &facility, ("title-partners", Tab::Exchange))?;
    let now = state.clock.now();

    Ok(PartnersPage::of(f, (&partners, own.as_ref()), now, (sent, problem)))
}

async fn own_card(state: &ConsoleState, call: &Call) -> Result<Option<OwnCard>, PageError> {
    let here = call.facility()?;
    let own = state.store.own_cards().await?;

    Ok(own.into_iter().find(|own| own.facility == *here))
}

/// Makes our own card as things stand.
pub(super) async fn invite(State(state): State<ConsoleState>, call: Call) -> Answer {
    let made = state.post.invite(call.facility()?, who(&call)?).await;
    made.map_err(|error| words(error, &call))?;

    Ok(done(&list_path(&call)?, "done-card-made"))
}

/// Hands our own card out.
pub(super) async fn card(State(state): State<ConsoleState>, call: Call) -> Answer {
    let own = own_card(&state, &call).await?.ok_or(PageError::NotFound)?;
    let name = format!("attachment; filename=\"{}.shirase-card.json\"", own.facility);
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)];

    Ok((headers, own.card.text()).into_response())
}

/// Accepts a partner's card. What is wrong with it is said on the filled form.
pub(super) async fn accept(State(state): State<ConsoleState>, call: Call) -> Answer {
    let here = call.facility()?;
    let id: Result<PartnerId, _> = call.form.field("partner").parse();
    let (Ok(id), Ok(fingerprint)) = (id, CardId::typed(call.form.field("fingerprint"))) else {
        return refused(&state, &call, call.locale.text("exchange-refused-card")).await;
    };
    let by = call.caller()?.user.name.clone();
    let card = call.form.raw("card").as_bytes();
    let compared = Compared { card, fingerprint: &fingerprint, by: &by };
    let at = (here, &id);
    let accepted = state.post.accept(at, &compared, who(&call)?).await;
    match accepted.map_err(|error| words(error, &call)) {
        Ok(_) => Ok(done(&list_path(&call)?, "done-partner-accepted")),
        Err(PageError::Invalid(said)) => refused(&state, &call, said).await,
        Err(other) => Err(other),
    }
}

async fn refused(state: &ConsoleState, call: &Call, problem: String) -> Answer {
    let shown = partners(state, call, Some(problem)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&shown)?).into_response())
}

/// Shows one partner.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    one(&state, &call, &id, None).await
}

async fn one(state: &ConsoleState, call: &Call, id: &PartnerId, problem: Option<String>) -> Answer {
    let facility = facility(state, call).await?;
    let partner = state.store.partner(&facility.id, id).await?;
    let f = place_frame(call, state, &facility, ("title-partner", Tab::Exchange))?;
    page(&PartnerPage::of(f, &partner, state.clock.now(), problem))
}

/// Replaces a partner's card.
pub(super) async fn rotate(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let until = match call.form.field("old_until") {
        "" => OldUntil::Now,
        day => OldUntil::EndOf(day.parse().map_err(|_| PageError::BadForm)?),
    };
    let Ok(fingerprint) = CardId::typed(call.form.field("fingerprint")) else {
        return Err(PageError::Invalid(call.locale.text("exchange-refused-card")));
    };
    let by = call.caller()?.user.name.clone();
    let card = call.form.raw("card").as_bytes();
    let compared = Compared { card, fingerprint: &fingerprint, by: &by };
    let rotated = state
        .post
        .rotate((here, &id), &compared, until, who(&call)?)
        .await;
    rotated.map_err(|error| words(error, &call))?;

    Ok(done(&format!("{}/{id}", list_path(&call)?), "done-partner-rotated"))
}

/// Trusts a partner no more.
pub(super) async fn revoke(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let reason = call.form.field("reason");
    let revoked = state.post.revoke((here, &id), reason, who(&call)?).await;
    revoked.map_err(|error| words(error, &call))?;

    Ok(done(&format!("{}/{id}", list_path(&call)?), "done-partner-revoked"))
}

fn who(call: &Call) -> Result<Actor, PageError> {
    Ok(Actor::User(call.user_id()?))
}

fn list_path(call: &Call) -> Result<String, PageError> {
    Ok(format!("/facilities/{}/partners", call.facility()?))
}
