//! `POST /v1/batches`: takes records and answers after they are on disk.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shirase_shared::wire::BATCH_MAX_COMPRESSED_BYTES;

use super::agent::{AgentState, Identity};
use super::error::ApiError;
use crate::ingest::limits::read_limited;
use crate::ingest::{Taken, take_batch};

pub(super) async fn receive(
    State(state): State<AgentState>,
    identity: Identity,
    request: Request,
) -> Result<Response, ApiError> {
    // The semaphore is never closed; if it were, serving on would still be right.
    let _in_hand = state.in_hand.acquire().await.ok();
    let body = request.into_body().into_data_stream();
    let body = read_limited(body, BATCH_MAX_COMPRESSED_BYTES).await?;
    let intake = identity.intake();
    let taken = take_batch(&state.parts.store, &intake, body).await?;

    Ok(match taken {
        Taken::Stored(ack, stored) => {
            tracing::debug!(
                host.id = %intake.host, stream.id = %ack.stream, batch.new = stored.new,
                batch.known = stored.known, "stored a batch"
            );
            if 0 < stored.new {
                (state.parts.on_stored)(&intake.facility);
            }
            Json(ack).into_response()
        }
        Taken::Refused(refusal) => {
            tracing::warn!(
                host.id = %intake.host, stream.id = %refusal.stream,
                record.sequence = refusal.sequence.0, refusal.reason = ?refusal.refused,
                "refused record {} of host {}", refusal.sequence, intake.host
            );
            (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal)).into_response()
        }
    })
}
