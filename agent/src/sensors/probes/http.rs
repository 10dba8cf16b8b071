//! Whether a web address answers as it should.

use reqwest::{Client, redirect};
use shirase_shared::error::Chain;
use shirase_shared::tls::install_crypto_provider;

use super::{Asked, Certificate, ProbeConfig};

/// Bytes of an answer searched for the expected text.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// Returns whether a text is a web address.
pub(super) fn is_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
}

/// Makes the client: no proxy, no redirects, each question on a connection of its own.
pub(super) fn client(certificate: Certificate) -> Result<Client, String> {
    install_crypto_provider();
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .user_agent("shirase-probe");
    let builder = match certificate {
        Certificate::Any => builder.tls_danger_accept_invalid_certs(true),
        Certificate::Trusted => builder,
    };

    builder
        .build()
        .map_err(|error| format!("no HTTP client: {}", Chain(&error)))
}

/// Asks once.
pub(super) async fn ask(client: &Client, url: &str, probe: &ProbeConfig) -> Asked {
    let answer = client.get(url).send().await;
    let mut answer =
        answer.map_err(|error| format!("no answer: {}", Chain(&error.without_url())))?;
    let status = answer.status();
    let expected = probe
        .expect_status
        .map_or(status.as_u16() < 400, |wanted| status == wanted);
    if !expected {
        return Err(format!("answered with status {}", status.as_u16()));
    }
    let Some(text) = &probe.expect_text else {
        return Ok(format!("answered with status {}", status.as_u16()));
    };
    let mut body = Vec::new();
    while body.len() < BODY_MAX_BYTES {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                return Err(format!("the answer broke off: {}", Chain(&error.without_url())));
            }
        }
    }
    if String::from_utf8_lossy(&body).contains(text.as_str()) {
        Ok(format!("answered with status {} and the expected text", status.as_u16()))
    } else {
        Err(format!("answered with status {} without the expected text", status.as_u16()))
    }
}
