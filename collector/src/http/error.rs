//! Errors of the HTTP interfaces: a public face, a private cause, one table of statuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shirase_shared::error::Chain;
use shirase_shared::wire::Problem;

use crate::enrolment::authority::AuthorityError;
use crate::enrolment::{EnrolError, TokenRefusal};
use crate::ingest::IntakeError;
use crate::ingest::limits::BodyError;
use crate::store::StoreError;

/// A cause that is logged and never sent.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What a client is told when a request fails.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no such thing, or none this client may know of.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The path exists, but not with this method.
    #[error("this address does not take that method")]
    WrongMethod,
    /// The request is not understood.
    #[error("{0}")]
    BadRequest(String),
    /// Whoever asks is not let in.
    #[error("{0}")]
    Forbidden(String),
    /// It clashes with what is there.
    #[error("{0}")]
    Conflict(String),
    /// It was there once.
    #[error("{0}")]
    Gone(String),
    /// Send less at once.
    #[error("{0}")]
    TooLarge(String),
    /// Ask less often.
    #[error("too many requests from this address; wait a minute and try again")]
    TooMany,
    /// The request did not arrive in time.
    #[error("the request took too long to arrive; send it again")]
    TooSlow,
    /// The connection broke while the request was read.
    #[error("the request broke off; send it again")]
    BrokenOff(#[source] Cause),
    /// The disk is full.
    #[error("the collector's disk is full; nothing was stored, keep it and send it again later")]
    DiskFull(#[source] Cause),
    /// The store does not answer.
    #[error("the collector cannot store at the moment; nothing was stored, send it again later")]
    Unavailable(#[source] Cause),
    /// A mistake of the collector.
    #[error("internal error; the collector's log says more")]
    Internal(#[source] Cause),
}

impl ApiError {
    /// Returns the status it is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadRequest(_) | Self::BrokenOff(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Gone(_) => StatusCode::GONE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::DiskFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Wraps a failure of the file system while something was to be stored.
    pub fn of_disk(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};

        if matches!(error.kind(), StorageFull | QuotaExceeded) {
            return Self::DiskFull(error.into());
        }
        Self::Unavailable(error.into())
    }

    fn log(&self) {
        let status = self.status().as_u16();
        match self {
            Self::DiskFull(_) => {
                tracing::error!(http.status = status, error = %Chain(self), "request failed: disk full");
            }
            Self::Unavailable(_) | Self::Internal(_) => {
                tracing::error!(http.status = status, error = %Chain(self), "request failed");
            }
            Self::Forbidden(_) | Self::TooMany | Self::Conflict(_) | Self::Gone(_) => {
                tracing::warn!(http.status = status, error = %self, "request refused");
            }
            Self::NotFound(_)
            | Self::WrongMethod
            | Self::BadRequest(_)
            | Self::TooLarge(_)
            | Self::TooSlow
            | Self::BrokenOff(_) => {
                tracing::debug!(http.status = status, error = %Chain(self), "request not understood");
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        (self.status(), Json(Problem { error: self.to_string() })).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_disk_full() {
            return Self::DiskFull(error.into());
        }
        match error {
            StoreError::Missing(what) => Self::NotFound(what),
            StoreError::Exists(_) | StoreError::Stale(_) => Self::Conflict(error.to_string()),
            StoreError::Query(_) | StoreError::Open { .. } => Self::Unavailable(error.into()),
            StoreError::Migrate(_) | StoreError::Unreadable { .. } | StoreError::Anchors { .. } => {
                Self::Internal(error.into())
            }
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        use shirase_shared::wire::BatchError;

        match error {
            IntakeError::Store(error) => error.into(),
            IntakeError::Batch(BatchError::TooLarge) | IntakeError::TooMany(_) => {
                Self::TooLarge(Chain(&error).to_string())
            }
            IntakeError::Batch(_) | IntakeError::Version(_) | IntakeError::Empty => {
                Self::BadRequest(Chain(&error).to_string())
            }
            IntakeError::BrokenOff => Self::Internal(error.into()),
        }
    }
}

impl<E: Into<Cause>> From<BodyError<E>> for ApiError {
    fn from(error: BodyError<E>) -> Self {
        match error {
            BodyError::TooLarge { limit } => {
                Self::TooLarge(format!("the body is larger than {limit} bytes; send less at once"))
            }
            BodyError::Broken(cause) => Self::BrokenOff(cause.into()),
        }
    }
}

impl From<EnrolError> for ApiError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Refused(refusal) => refusal.into(),
            EnrolError::Authority(
                refused @ (AuthorityError::Request(_) | AuthorityError::KeyKind),
            ) => Self::BadRequest(Chain(&refused).to_string()),
            EnrolError::Store(error) => error.into(),
            EnrolError::Authority(_) | EnrolError::NoRandomness => Self::Internal(error.into()),
        }
    }
}

impl From<TokenRefusal> for ApiError {
    fn from(refusal: TokenRefusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            TokenRefusal::Unknown | TokenRefusal::Revoked | TokenRefusal::HostRevoked => {
                Self::Forbidden(text)
            }
            TokenRefusal::Expired => Self::Gone(text),
            TokenRefusal::OtherKey => Self::Conflict(text),
        }
    }
}

/// Answers requests for paths that do not exist.
pub(crate) async fn no_such_route() -> ApiError {
    ApiError::NotFound("address on this listener")
}

/// Answers requests with a method the path does not take.
pub(crate) async fn wrong_method() -> ApiError {
    ApiError::WrongMethod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause() -> Cause {
        "secret path /var/lib".into()
    }

    #[test]
    fn every_error_has_its_status_and_no_cause_in_its_face() {
        let text = || "text".to_owned();
        for (error, status) in [
            (ApiError::NotFound("host"), 404),
            (ApiError::WrongMethod, 405),
            (ApiError::BadRequest(text()), 400),
            (ApiError::Forbidden(text()), 403),
            (ApiError::Conflict(text()), 409),
            (ApiError::Gone(text()), 410),
            (ApiError::TooLarge(text()), 413),
            (ApiError::TooMany, 429),
            (ApiError::TooSlow, 408),
            (ApiError::BrokenOff(cause()), 400),
            (ApiError::DiskFull(cause()), 507),
            (ApiError::Unavailable(cause()), 503),
            (ApiError::Internal(cause()), 500),
        ] {
            assert_eq!(error.status().as_u16(), status, "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert!(matches!(ApiError::of_disk(full), ApiError::DiskFull(_)));
        let other = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert!(matches!(ApiError::of_disk(other), ApiError::Unavailable(_)));
        let missing = StoreError::Missing("host");
        assert!(matches!(ApiError::from(missing), ApiError::NotFound("host")));
    }

    #[test]
    fn each_refusal_of_a_token_says_something_else() {
        let refusals = [
            TokenRefusal::Unknown,
            TokenRefusal::Expired,
            TokenRefusal::Revoked,
            TokenRefusal::OtherKey,
            TokenRefusal::HostRevoked,
        ];
        let told: std::collections::BTreeSet<String> = refusals
            .iter()
            .map(|refusal| ApiError::from(*refusal).to_string())
            .collect();
        assert_eq!(told.len(), refusals.len());
        assert!(
            refusals
                .iter()
                .all(|r| ApiError::from(*r).status().is_client_error())
        );
    }
}
