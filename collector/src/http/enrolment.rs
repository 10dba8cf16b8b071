//! The enrolment listener: whoever brings a token, and whoever wants to see the authority's certificate.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shirase_shared::clock::SharedClock;
use shirase_shared::wire::{EnrolAnswer, EnrolRequest};

use super::agent::{read_json, speak_wire};
use super::error::{ApiError, no_such_route, wrong_method};
use super::health;
use super::listener::Peer;
use crate::enrolment::authority::Authority;
use crate::enrolment::{self, Offer};
use crate::store::Store;

/// Attempts one address may make at once.
const BURST: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
/// One more attempt is granted after each such time.
const REFILL: Duration = Duration::from_secs(3);
/// From so many remembered addresses on, those that were quiet are forgotten.
const ADDRESSES_MAX: usize = 10_000;
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
    attempts: Arc<DefaultKeyedRateLimiter<IpAddr>>,
}

impl EnrolmentState {
    /// Shares the parts among requests.
    #[must_use]
    pub fn new(parts: EnrolmentParts) -> Self {
        let quota = Quota::with_period(REFILL)
            .map_or_else(|| Quota::per_second(BURST), |quota| quota.allow_burst(BURST));

        Self { parts: Arc::new(parts), attempts: Arc::new(RateLimiter::keyed(quota)) }
    }
}

/// Everything the enrolment listener answers. Serve it with `into_make_service_with_connect_info::<Peer>()`.
pub fn enrolment_router(state: EnrolmentState) -> Router {
    Router::new()
        .route("/v1/enrol", post(enrol))
        .route("/v1/authority", get(authority))
        .route_layer(middleware::from_fn_with_state(state.clone(), not_too_often))
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

async fn not_too_often(
    State(state): State<EnrolmentState>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if ADDRESSES_MAX < state.attempts.len() {
        state.attempts.retain_recent();
    }
    if state
        .attempts
        .check_key(&household(peer.address.ip()))
        .is_err()
    {
        return Err(ApiError::TooMany);
    }

    Ok(next.run(request).await)
}

/// Counts an IPv6 network of /64 as one address: a single machine owns all of it.
pub(super) fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_cannot_escape_the_limit_with_its_other_addresses() {
        let household = |text: &str| household(text.parse().unwrap()).to_string();
        assert_eq!(household("2001:db8:1:2:3:4:5:6"), household("2001:db8:1:2:ffff::1"));
        assert_ne!(household("2001:db8:1:2::1"), household("2001:db8:1:3::1"));
        assert_eq!(household("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
