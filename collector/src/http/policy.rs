//! `GET /v1/policy`: the policy a host should have in force, signed, its own and no other's.

use axum::Json;
use axum::extract::State;
use shirase_shared::policy::SignedPolicy;

use super::agent::{AgentState, Identity};
use super::error::ApiError;
use crate::policy::sign;

pub(super) async fn give(
    State(state): State<AgentState>,
    identity: Identity,
) -> Result<Json<SignedPolicy>, ApiError> {
    let (facility, host) = (&identity.facility, identity.host);
    let desired = state.parts.store.desired_policy(facility, host).await?;
    let desired = desired.ok_or(ApiError::NotFound("policy for this host"))?;

    Ok(Json(sign((facility, host), &desired, &state.parts.order_key)))
}
