//! The enrolment listener: whoever brings a token, and whoever wants to see the authority's certificate.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use shirase_shared::clock::SharedClock;
use shirase_shared::wire::{EnrolAnswer, EnrolRequest};

use super::agent::{read_json, speak_wire};
use super::error::{ApiError, no_such_route, wrong_method};
use super::health;
use super::throttle::{Throttle, not_too_often};
use crate::enrolment::authority::Authority;
use crate::enrolment::{self, Offer};
use crate::store::Store;

/// Attempts one address may make at once.
const BURST: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
/// One more attempt is granted after each such time.
const REFILL: Duration = Duration::from_secs(3);
/// How long an enrolment may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the enrolment listener works with.
pub struct EnrolmentParts {
    /// Where hosts are remembered.
    pub store: Store,
    /// Issues certificates.
    pub authority: Arc<Authority>,
    /// The collector's clock.
    pub clock: SharedClock,
    /// What every enrolled agent is told.
    pub offer: Offer,
}

/// [`EnrolmentParts`], shared by all requests.
#[derive(Clone)]
pub struct EnrolmentState {
    parts: Arc<EnrolmentParts>,
    throttle: Throttle,
}

impl EnrolmentState {
    /// Shares the parts among requests.
    #[must_use]
    pub fn new(parts: EnrolmentParts) -> Self {
        Self { parts: Arc::new(parts), throttle: Throttle::new(BURST, REFILL) }
    }
}

/// Everything the enrolment listener answers. Serve it with `into_make_service_with_connect_info::<Peer>()`.
pub fn enrolment_router(state: EnrolmentState) -> Router {
    Router::new()
        .route("/v1/enrol", post(enrol))
        .route("/v1/authority", get(authority))
        .route_layer(middleware::from_fn_with_state(state.throttle.clone(), not_too_often))
        .route("/healthz", get(healthz))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(speak_wire))
        .with_state(state)
}

async fn enrol(
    State(state): State<EnrolmentState>,
    request: Request,
) -> Result<Json<EnrolAnswer>, ApiError> {
    let wanted: EnrolRequest = tokio::time::timeout(REQUEST_TIMEOUT, read_json(request))
        .await
        .map_err(|_| ApiError::TooSlow)??;
    let EnrolmentParts { store, authority, clock, offer } = state.parts.as_ref();
    let answer = enrolment::enrol((store, authority), &wanted, offer, clock.now()).await?;

    Ok(Json(answer))
}

async fn authority(State(state): State<EnrolmentState>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-pem-file")];
    (content_type, state.parts.authority.pem().to_owned()).into_response()
}

async fn healthz(State(state): State<EnrolmentState>) -> Result<Json<health::Health>, ApiError> {
    health::health(&state.parts.store).await
}
