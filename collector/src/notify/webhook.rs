//! Posts an alert as JSON to one URL, for chat systems and the hospital's own tools.
//!
//! Always holds: encrypted, or on this machine; no redirect is followed; the receiver can tell a repeated message by
//! `message_id`, which is also the header `Idempotency-Key`.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Serialize;
use shirase_shared::error::Chain;

use super::SendError;

/// How long one POST may take, connection included.
const POST_TIMEOUT: Duration = Duration::from_secs(10);
/// Most of a server's answer that is read.
const ANSWER_MAX_CHARS: usize = 200;

/// Checks that a URL is one alerts may be posted to.
pub(super) fn check_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; give a URL with https://"))?;
    let loopback = match url.host_str() {
        Some("localhost" | "127.0.0.1" | "[::1]") => true,
        Some(_) | None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err("give a URL with https://; http:// is for this machine only".to_owned()),
    }
}

/// Returns scheme, host and port of a URL; the rest can hold a token.
pub(super) fn shown_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => format!("{}/…", url.origin().ascii_serialization()),
        Err(_) => "(not a URL)".to_owned(),
    }
}

/// Why no alert can be posted at all.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up TLS for webhooks")]
pub struct PosterError(#[from] reqwest::Error);

/// Posts alerts.
#[derive(Clone)]
pub struct Poster {
    client: Client,
}

impl Poster {
    /// Gets ready; connects to nothing.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, PosterError> {
        let client = Client::builder()
            .timeout(POST_TIMEOUT)
            .redirect(Policy::none())
            .user_agent(concat!("shirase-collector/", env!("CARGO_PKG_VERSION")))
            .build()?;

        Ok(Self { client })
    }

    /// Posts one alert and returns the server's answer; anything but 2xx is a refusal.
    ///
    /// # Errors
    /// Says what the server answered, or that it does not. The URL is left out: it can hold a token.
    pub async fn send(
        &self,
        url: &str,
        message_id: &str,
        body: &impl Serialize,
    ) -> Result<String, SendError> {
        let request = self
            .client
            .post(url)
            .header("Idempotency-Key", message_id)
            .json(body);
        let mut answer = request.send().await.map_err(|error| {
            SendError::Unreachable(format!("no answer: {}", Chain(&error.without_url())))
        })?;
        let status = answer.status();
        let first = answer.chunk().await.ok().flatten().unwrap_or_default();
        let text: String = String::from_utf8_lossy(&first)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(ANSWER_MAX_CHARS)
            .collect();
        let told = format!("{} {text}", status.as_u16()).trim_end().to_owned();
        if !status.is_success() {
            return Err(SendError::Refused(told));
        }

        Ok(told)
    }
}
