//! Hands a package to a partner's collector, whose authority its card names.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode};
use shirase_shared::error::Chain;
use shirase_shared::wire::Problem;

use crate::exchange::card::Card;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a package may take to its answer.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest answer that is read. An acknowledgement has less than 4 KiB.
const ANSWER_MAX_BYTES: usize = 256 * 1024;
/// Most characters of a foreign answer that are shown.
const SHOWN_CHARS: usize = 300;

/// Sends a package and returns the body of the answer where its status is 200; else says what came instead.
pub(super) async fn send(card: &Card, package: Vec<u8>) -> Result<Vec<u8>, String> {
    let authority = Certificate::from_der(&card.authority_der())
        .map_err(|error| format!("the partner's authority is unusable: {}", Chain(&error)))?;
    let client = Client::builder()
        .tls_certs_only([authority])
        .https_only(true)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(SEND_TIMEOUT)
        .user_agent(concat!("shirase-collector/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("TLS could not be set up: {}", Chain(&error)))?;
    let url = format!("{}/v1/packages", card.address);
    let no_answer = |error: reqwest::Error| format!("no answer: {}", Chain(&error.without_url()));
    let mut answer = client
        .post(url)
        .body(package)
        .send()
        .await
        .map_err(no_answer)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(no_answer)? {
        if ANSWER_MAX_BYTES - body.len() < piece.len() {
            return Err("the answer is longer than any of a collector".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    if status == StatusCode::OK {
        return Ok(body);
    }
    let said = serde_json::from_slice(&body).map(|Problem { error }| error);
    let said = said.unwrap_or_else(|_| "not the answer of a collector".to_owned());
    let said: String = crate::locale::visible(&said)
        .chars()
        .take(SHOWN_CHARS)
        .collect();

    Err(format!("{} {said}", status.as_u16()))
}
