//! `POST /v1/heartbeat`: a sign of life in, orders and the name of the policy out.

use axum::Json;
use axum::extract::{Request, State};
use shirase_shared::wire::{Heartbeat, HeartbeatAnswer};

use super::agent::{AgentState, Identity, read_json};
use super::error::ApiError;
use crate::enrolment::label;
use crate::ingest::note_clock;
use crate::orders::confirmed_by;

pub(super) async fn receive(
    State(state): State<AgentState>,
    identity: Identity,
    request: Request,
) -> Result<Json<HeartbeatAnswer>, ApiError> {
    let heartbeat: Heartbeat = read_json(request).await?;
    let store = &state.parts.store;
    let intake = identity.intake();
    let host = (&intake.facility, intake.host);
    note_clock(store, &intake, heartbeat.sent).await?;
    store
        .save_heartbeat(host, &heartbeat, intake.received_at)
        .await?;
    let (name, os) = (label(&heartbeat.hostname), label(&heartbeat.os));
    let known = store.host(&intake.facility, intake.host).await?;
    if known.is_none_or(|known| known.name != name || known.os != os) {
        store.set_host_label(host, &name, &os).await?;
    }

    let now = state.parts.clock.now();
    let mut orders = store
        .open_orders(&intake.facility, intake.host, now)
        .await?;
    orders.retain(|issued| !confirmed_by(&issued.order, &heartbeat));
    let unsent: Vec<_> = orders
        .iter()
        .filter(|issued| issued.sent_at.is_none())
        .map(|issued| issued.order.id)
        .collect();
    if !unsent.is_empty() {
        store.note_orders_sent(host, &unsent, now).await?;
    }
    let stored_through = store
        .stored_through(&intake.facility, intake.host, heartbeat.stream)
        .await?;
    let orders = orders.into_iter().map(|issued| issued.signed).collect();

    let desired = store.desired_policy(&intake.facility, intake.host).await?;
    let desired_policy = desired.map(|desired| desired.name);

    let authority = &state.parts.authority;
    let is_news =
        !heartbeat.authorities.is_empty() && heartbeat.authorities != authority.trusted_prints();
    let authorities_pem = is_news.then(|| authority.trusted_pem());

    Ok(Json(HeartbeatAnswer { now, stored_through, orders, desired_policy, authorities_pem }))
}
