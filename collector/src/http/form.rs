//! The forms pages send: text fields, and at most one file.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};

use super::page_error::PageError;

/// Largest form.
const FORM_MAX_BYTES: usize = 256 * 1024;

/// The fields of a form, in the order sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    /// Returns a field without space around it; empty if it was not sent.
    pub(super) fn field(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// Returns a field as typed.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value)
    }

    /// Returns the inputs whose names begin with `p-`, without that beginning.
    pub(super) fn parts(&self) -> BTreeMap<String, String> {
        let parts = self.0.iter();
        parts
            .filter_map(|(name, value)| Some((name.strip_prefix("p-")?.to_owned(), value.clone())))
            .collect()
    }

    /// Returns every value sent under a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.trim())
    }
}

/// A file that was sent with a form.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    /// The name the browser gives it.
    pub(super) name: String,
    /// Its content.
    pub(super) bytes: Bytes,
}

/// Whether a request carries a form with a file.
pub(super) fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

/// Reads a form that carries one file of at most `most` bytes.
pub(super) async fn read_multipart(
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<(Form, Option<Upload>), PageError> {
    let mut request = Request::new(body);
    request.headers_mut().extend(
        headers
            .get(CONTENT_TYPE)
            .map(|kind| (CONTENT_TYPE, kind.clone())),
    );
    DefaultBodyLimit::max(most + FORM_MAX_BYTES).apply(&mut request);
    let read = Multipart::from_request(request, &()).await;
    let mut parts = read.map_err(|_| PageError::BadForm)?;
    let (mut fields, mut upload) = (Vec::new(), None);
    while let Some(part) = parts.next_field().await.map_err(multipart_failed)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(multipart_failed)?;
        match file {
            Some(_) if bytes.is_empty() => {}
            Some(file) => upload = Some(Upload { name: file, bytes }),
            None => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| PageError::BadForm)?;
                fields.push((name, text));
            }
        }
    }

    Ok((Form(fields), upload))
}

fn multipart_failed(error: MultipartError) -> PageError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        PageError::TooLarge
    } else {
        PageError::BadForm
    }
}

/// Reads a form of text fields.
pub(super) async fn read_form(body: Body) -> Result<Form, PageError> {
    let bytes = to_bytes(body, FORM_MAX_BYTES)
        .await
        .map_err(|_| PageError::TooLarge)?;
    let request = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(bytes))
        .map_err(PageError::internal)?;
    let read = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
    read.map(|axum::Form(fields)| Form(fields))
        .map_err(|_| PageError::BadForm)
}
