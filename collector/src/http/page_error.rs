//! What a page answers when it cannot do what was asked: a public face, and a cause that goes to the log alone.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use shirase_shared::error::Chain;

use crate::console::{Frame, Message, StaticPage, Tab, html};
use crate::locale::Locale;
use crate::store::StoreError;

/// Why a page was not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// There is nothing here, or nothing for this person.
    #[error("no such page")]
    NotFound,
    /// It is not theirs to do.
    #[error("not allowed")]
    Forbidden,
    /// The form did not come from a page of this console, or its page was too old.
    #[error("the form is not from this session")]
    ForeignForm,
    /// The form does not read.
    #[error("the form cannot be read")]
    BadForm,
    /// The form is too large.
    #[error("the form is too large")]
    TooLarge,
    /// Somebody else changed it in the meantime, or it is not in a state for this.
    #[error("it changed in the meantime")]
    Conflict,
    /// A value is not legal; the words are for the reader.
    #[error("{0}")]
    Invalid(String),
    /// The cause goes to the log, never to the reader.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PageError {
    /// Wraps a cause.
    pub(super) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// Returns the status of the answer.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Shows it as a page in a language.
    pub(super) fn page(self, locale: Locale) -> Response {
        let status = self.status();
        let text = match &self {
            Self::NotFound => locale.text("error-not-found"),
            Self::Forbidden => locale.text("error-forbidden"),
            Self::ForeignForm => locale.text("error-foreign-form"),
            Self::BadForm | Self::TooLarge => locale.text("error-bad-form"),
            Self::Conflict => locale.text("error-conflict"),
            Self::Invalid(words) => words.clone(),
            Self::Internal(cause) => {
                tracing::error!(error = %Chain(cause.as_ref()), "a page could not be shown");
                locale.text("error-internal")
            }
        };
        let frame = Frame {
            locale,
            title: "title-error",
            user: None,
            csrf: String::new(),
            facility: None,
            tab: Tab::Nowhere,
            flash: None,
            path: "/".to_owned(),
            now: String::new(),
        };
        let page =
            StaticPage { f: frame, message: Message::Text(text.clone()), back: "/".to_owned() };
        match html(&page) {
            Ok(body) => (status, Html(body)).into_response(),
            Err(_) => (status, text).into_response(),
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(_) => Self::NotFound,
            StoreError::Stale(_) | StoreError::Exists(_) => Self::Conflict,
            StoreError::Open { .. }
            | StoreError::Migrate(_)
            | StoreError::Query(_)
            | StoreError::Unreadable { .. }
            | StoreError::Anchors { .. } => Self::internal(error),
        }
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.page(Locale::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_never_reaches_the_reader() {
        let error = PageError::internal("disk /dev/sda1 is on fire");
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!error.to_string().contains("sda1"));
    }
}
