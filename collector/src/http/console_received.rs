//! Sharing products that were received: shown, looked for here, accepted for detection.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::response::Response;
use shirase_shared::tls::sha256_hex;

use super::console::{ConsoleState, page};
use super::console_exchange::person;
use super::page_error::PageError;
use super::place::{done, facility, place_frame};
use super::session::Call;
use crate::console::Tab;
use crate::console::sharing::{ReceivedPage, ReceivedParts};
use crate::exchange::PackageId;
use crate::sharing::{Body, Indicator};

type Answer = Result<Response, PageError>;
type Place = Path<(String, PackageId)>;

/// Shows a product that was received, with the last search for its indicators.
pub(super) async fn show(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let facility = facility(&state, &call).await?;
    let received = state.store.received_product(&facility.id, &id).await?;
    let searched = state.store.findings(&facility.id, &id).await?;
    let accepted = state.store.accepted_indicators(&facility.id).await?;
    let hosts = state.store.hosts(&facility.id).await?;
    let hosts: BTreeMap<_, _> = hosts.into_iter().map(|host| (host.id, host.name)).collect();
    let text = received.body.as_ref().ok().map(Body::text);
    let text = text.transpose().map_err(PageError::internal)?;
    let parts = ReceivedParts {
        received: &received,
        sha256: &sha256_hex(text.unwrap_or_default().as_bytes()),
        searched: searched.as_ref(),
        accepted: &accepted,
        hosts: &hosts,
    };
    let f = place_frame(&call, &state, &facility, ("title-sharing-received", Tab::Sharing))?;
    page(&ReceivedPage::of(f, &parts))
}

/// Looks for its indicators in what is stored, and keeps what came of it.
pub(super) async fn search(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let here = call.facility()?;
    let body = body(&state, &call, &id).await?;
    let wanted: BTreeSet<Indicator> = body
        .indicators
        .iter()
        .map(|shared| shared.what.clone())
        .collect();
    let found = state.store.look_for(here, &wanted, body.drill).await?;
    let (by, now) = (person(&call)?, state.clock.now());
    state
        .store
        .keep_findings((here, &id), &found, (&by, now))
        .await?;

    Ok(done(&format!("/facilities/{here}/sharing/received/{id}"), "done-sharing-searched"))
}

/// Accepts one of its indicators for detection.
pub(super) async fn accept(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let (here, what) = (call.facility()?, named(&state, &call, &id).await?);
    let (by, now) = (person(&call)?, state.clock.now());
    state
        .store
        .accept_indicator((here, &id), &what, (&by, now))
        .await?;

    Ok(done(&format!("/facilities/{here}/sharing/received/{id}"), "done-sharing-accepted"))
}

/// Accepts one of its indicators no more.
pub(super) async fn drop_it(
    State(state): State<ConsoleState>,
    Path((_, id)): Place,
    call: Call,
) -> Answer {
    let (here, what) = (call.facility()?, named(&state, &call, &id).await?);
    let (by, now) = (person(&call)?, state.clock.now());
    state.store.drop_indicator(here, &what, (&by, now)).await?;

    Ok(done(&format!("/facilities/{here}/sharing/received/{id}"), "done-sharing-dropped"))
}

async fn body(state: &ConsoleState, call: &Call, id: &PackageId) -> Result<Body, PageError> {
    let received = state.store.received_product(call.facility()?, id).await?;
    received
        .body
        .map_err(|error| PageError::Invalid(call.locale.text(error.label_key())))
}

/// Returns the indicator the form names, if it stands in the product.
async fn named(state: &ConsoleState, call: &Call, id: &PackageId) -> Result<Indicator, PageError> {
    let what = Indicator::from_key(call.form.field("indicator")).ok_or(PageError::BadForm)?;
    let body = body(state, call, id).await?;
    let stands = body.indicators.iter().any(|shared| shared.what == what);
    if stands { Ok(what) } else { Err(PageError::NotFound) }
}
