//! `POST /v1/renew`: a new certificate for whoever still has a good one.

use axum::Json;
use axum::extract::{Request, State};
use shirase_shared::wire::{RenewAnswer, RenewRequest};

use super::agent::{AgentState, Identity, read_json};
use super::error::ApiError;
use crate::enrolment;

pub(super) async fn renew(
    State(state): State<AgentState>,
    identity: Identity,
    request: Request,
) -> Result<Json<RenewAnswer>, ApiError> {
    let wanted: RenewRequest = read_json(request).await?;
    let certificate_pem = enrolment::renew(
        (&state.parts.store, &state.parts.authority),
        (&identity.facility, identity.host),
        &wanted.csr_pem,
        state.parts.clock.now(),
    )
    .await?;

    Ok(Json(RenewAnswer { certificate_pem }))
}
