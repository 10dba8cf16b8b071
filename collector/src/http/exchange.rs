//! The exchange listener: packages of partners, believed by their signature alone.
//!
//! Always holds: what is answered with 200 is on the disk; whoever is no partner costs a bounded body and leaves nothing.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use shirase_shared::error::Chain;
use tokio::sync::Semaphore;

use super::error::{ApiError, no_such_route, wrong_method};
use super::health;
use super::throttle::{Throttle, not_too_often};
use crate::audit::Actor;
use crate::exchange::incoming::Refusal;
use crate::exchange::package::{PACKAGE_MAX_BYTES, PackageError};
use crate::ingest::limits::read_limited;
use crate::jobs::{Nudge, What};
use crate::post::{Post, PostError, Stored};
use crate::store::{Carrier, Store, TakeError, Taken};

/// Packages read and judged at once: each may take some 60 MiB. Further ones wait.
const IN_HAND: usize = 2;
/// Packages one address may send at once.
const BURST: NonZeroU32 = NonZeroU32::new(60).expect("sixty is not zero");
/// One more is granted after each such time.
const REFILL: Duration = Duration::from_secs(1);
/// How long a package may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What the exchange listener works with.
#[derive(Clone)]
pub struct ExchangeState {
    store: Store,
    post: Post,
    nudge: Nudge,
    in_hand: Arc<Semaphore>,
    throttle: Throttle,
}

impl ExchangeState {
    /// Gathers what the listener works with.
    #[must_use]
    pub fn new(store: Store, post: Post, nudge: Nudge) -> Self {
        let in_hand = Arc::new(Semaphore::new(IN_HAND));

        Self { store, post, nudge, in_hand, throttle: Throttle::new(BURST, REFILL) }
    }
}

/// Everything the exchange listener answers. Serve it with `into_make_service_with_connect_info::<Peer>()`.
pub fn exchange_router(state: ExchangeState) -> Router {
    Router::new()
        .route("/v1/packages", post(receive))
        .route_layer(middleware::from_fn_with_state(state.throttle.clone(), not_too_often))
        .route("/healthz", get(healthz))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(state)
}

async fn healthz(State(state): State<ExchangeState>) -> Result<Json<health::Health>, ApiError> {
    health::health(&state.store).await
}

async fn receive(
    State(state): State<ExchangeState>,
    request: Request,
) -> Result<Response, ApiError> {
    // The semaphore is never closed; if it were, serving on would still be right.
    let _in_hand = state.in_hand.acquire().await.ok();
    let body = read_limited(request.into_body().into_data_stream(), PACKAGE_MAX_BYTES);
    let body = tokio::time::timeout(REQUEST_TIMEOUT, body)
        .await
        .map_err(|_| ApiError::TooSlow)??;
    let receipt = state
        .post
        .take(body, Carrier::Network, Actor::Machine)
        .await
        .map_err(refused)?;
    if receipt.taken == Taken::New {
        tracing::info!(
            package.id = %receipt.id, package.kind = %receipt.kind, partner.id = %receipt.partner,
            "took a {} of `{}` in: {}", receipt.kind, receipt.partner, receipt.id
        );
        state.nudge.tell_of(&receipt.facility, What::Exchange);
    }
    match receipt.ack {
        Some(ack) => {
            let bytes = ack
                .to_file()
                .map_err(|error| ApiError::Internal(error.into()))?;
            Ok(([(CONTENT_TYPE, "application/zip")], bytes).into_response())
        }
        None => Ok(Json(Stored { stored: receipt.id }).into_response()),
    }
}

fn refused(error: PostError) -> ApiError {
    let told = Chain(&error).to_string();
    match error {
        PostError::Refused(Refusal::Package(PackageError::TooLarge)) => ApiError::TooLarge(told),
        PostError::Refused(Refusal::Package(PackageError::Forged)) => ApiError::Forbidden(told),
        PostError::Refused(Refusal::Package(_)) => ApiError::BadRequest(told),
        PostError::Refused(_) => ApiError::Forbidden(told),
        PostError::Take(TakeError::Store(error)) | PostError::Store(error) => error.into(),
        PostError::Take(TakeError::Fork { .. } | TakeError::NothingToAcknowledge) => {
            ApiError::Conflict(told)
        }
        error @ (PostError::Card(_)
        | PostError::OwnCard
        | PostError::Accepted(_)
        | PostError::Nameless(_)
        | PostError::NoCard(_)
        | PostError::Revoked(_)
        | PostError::Rotation(_)
        | PostError::Text { .. }
        | PostError::Message(_)
        | PostError::Package(_)) => ApiError::Internal(error.into()),
    }
}
