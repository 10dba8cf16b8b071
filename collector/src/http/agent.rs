//! The agents' own listener: who asks is settled before any handler runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use shirase_shared::clock::SharedClock;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::wire::{WIRE_HEADER, WIRE_VERSION};
use tokio::sync::Semaphore;

use super::error::{ApiError, no_such_route, wrong_method};
use super::listener::Peer;
use super::{batches, health, heartbeat, manifests, policy, renewal};
use crate::enrolment::authority::Authority;
use crate::ingest::Intake;
use crate::ingest::limits::read_limited;
use crate::keys::SigningKey;
use crate::store::Store;

/// Batches being read and unpacked at once: each may take some 10 MiB. Further ones wait.
const BATCHES_IN_HAND: usize = 16;
/// How long a request may take from its head to its answer, a manifest excepted.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Largest body of a small JSON request.
const JSON_MAX_BYTES: usize = 256 * 1024;

/// Called with the facility after something of it was stored.
pub type OnStored = Arc<dyn Fn(&FacilityId) + Send + Sync>;

/// What the agents' listener works with.
pub struct AgentParts {
    /// Where everything goes.
    pub store: Store,
    /// Renews certificates.
    pub authority: Arc<Authority>,
    /// Signs policies, as it signs orders.
    pub order_key: Arc<SigningKey>,
    /// The collector's clock.
    pub clock: SharedClock,
    /// Where manifests lie, below `manifests/`.
    pub data_dir: PathBuf,
    /// Wakes whoever works on what was stored. Must return at once.
    pub on_stored: OnStored,
}

/// [`AgentParts`], shared by all requests.
#[derive(Clone)]
pub struct AgentState {
    pub(super) parts: Arc<AgentParts>,
    pub(super) in_hand: Arc<Semaphore>,
}

/// An enrolled host whose certificate is in force, at the time of this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// Its facility, by the database.
    pub facility: FacilityId,
    /// The host, by certificate and database alike.
    pub host: HostId,
    /// When the head of the request came.
    pub received_at: Timestamp,
}

impl AgentState {
    /// Shares the parts among requests.
    #[must_use]
    pub fn new(parts: AgentParts) -> Self {
        Self { parts: Arc::new(parts), in_hand: Arc::new(Semaphore::new(BATCHES_IN_HAND)) }
    }
}

impl AgentIdentity {
    pub(super) fn intake(&self) -> Intake {
        let Self { facility, host, received_at } = self;
        Intake { facility: facility.clone(), host: *host, received_at: *received_at }
    }
}

/// Everything the ingest listener answers. Serve it with `into_make_service_with_connect_info::<Peer>()`.
pub fn agent_router(state: AgentState) -> Router {
    let timed = Router::new()
        .route("/v1/batches", post(batches::receive))
        .route("/v1/heartbeat", post(heartbeat::receive))
        .route("/v1/renew", post(renewal::renew))
        .route("/v1/policy", get(policy::give))
        .layer(middleware::from_fn(in_time));
    timed
        .route("/v1/manifests", post(manifests::receive))
        .route_layer(middleware::from_fn_with_state(state.clone(), identify))
        .route("/healthz", get(healthz))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(speak_wire))
        .with_state(state)
}

async fn healthz(State(state): State<AgentState>) -> Result<axum::Json<health::Health>, ApiError> {
    health::health(&state.parts.store).await
}

/// Looks the certificate up on every request, so that a revocation takes effect on the next one.
async fn identify(
    State(state): State<AgentState>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let received_at = state.parts.clock.now();
    let certificate = peer.certificate.ok_or_else(|| {
        ApiError::Forbidden("this connection showed no certificate of a host; enrol it".to_owned())
    })?;
    let unknown = || {
        ApiError::Forbidden(
            "this certificate is not one this collector knows; enrol the host anew".to_owned(),
        )
    };
    let holder = state
        .parts
        .store
        .certificate_holder(&certificate.serial)
        .await?
        .filter(|holder| holder.host == certificate.host)
        .ok_or_else(unknown)?;
    if holder.revoked_at.is_some() {
        return Err(ApiError::Forbidden(format!(
            "host {} was revoked; enrol it anew if that was a mistake",
            holder.host
        )));
    }
    if holder.expires_at <= received_at {
        return Err(ApiError::Forbidden(format!(
            "the certificate of host {} ended at {}; enrol the host anew",
            holder.host, holder.expires_at
        )));
    }
    let identity = AgentIdentity { facility: holder.facility, host: holder.host, received_at };
    request.extensions_mut().insert(identity);

    Ok(next.run(request).await)
}

/// Ends requests that do not arrive.
async fn in_time(request: Request, next: Next) -> Result<Response, ApiError> {
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request))
        .await
        .map_err(|_| ApiError::TooSlow)
}

/// Refuses requests that name another version of the protocol, and names ours in every answer.
pub(super) async fn speak_wire(request: Request, next: Next) -> Response {
    use axum::response::IntoResponse;

    let named = request
        .headers()
        .get(WIRE_HEADER)
        .map(|value| value.as_bytes().to_vec());
    let ours = WIRE_VERSION.to_string();
    let mut answer = match named {
        Some(named) if named != ours.as_bytes() => {
            let named: String = String::from_utf8_lossy(&named).chars().take(20).collect();
            ApiError::BadRequest(format!(
                "the request speaks version {named} of the protocol, this collector speaks {ours}; update whichever of the two is older"
            ))
            .into_response()
        }
        Some(_) | None => next.run(request).await,
    };
    answer
        .headers_mut()
        .insert(WIRE_HEADER, HeaderValue::from(WIRE_VERSION));
    answer
}

/// Reads a small JSON body.
pub(super) async fn read_json<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    let body = read_limited(request.into_body().into_data_stream(), JSON_MAX_BYTES).await?;
    serde_json::from_slice(&body).map_err(|error| {
        ApiError::BadRequest(format!("the body is not what is expected here: {error}"))
    })
}

/// The identity [`identify`] put into a request.
pub(super) type Identity = Extension<AgentIdentity>;
