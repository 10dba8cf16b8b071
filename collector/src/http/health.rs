//! Whether the collector can do its work, for whoever watches it. Says nothing else.

use axum::Json;
use serde::Serialize;

use super::error::ApiError;
use crate::store::Store;

/// The answer of `/healthz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    status: &'static str,
}

/// Asks the store a small question.
///
/// # Errors
/// When the store does not answer.
pub async fn health(store: &Store) -> Result<Json<Health>, ApiError> {
    store.ping().await?;

    Ok(Json(Health { status: "ok" }))
}
