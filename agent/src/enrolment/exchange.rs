//! The two requests of an enrolment, and what each way of going wrong is called.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, StatusCode, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use shirase_shared::tls::{Fingerprint, install_crypto_provider};
use shirase_shared::wire::{EnrolAnswer, EnrolRequest, Problem, WIRE_HEADER, WIRE_VERSION};

use super::EnrolError;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Largest answer read.
const ANSWER_MAX_BYTES: usize = 256 * 1024;
/// How much of a foreign answer is shown.
const SHOWN_CHARS: usize = 60;
/// How much of the collector's own words is shown.
const WORDS_CHARS: usize = 400;

/// The authority a person vouched for with its fingerprint.
pub(super) struct Authority {
    pub(super) pem: String,
    pub(super) der: CertificateDer<'static>,
}

/// Returns the base address without a trailing slash.
pub(super) fn base(url: &str) -> Result<String, EnrolError> {
    let unusable = || EnrolError::Url { url: url.to_owned() };
    let parsed = reqwest::Url::parse(url).map_err(|_| unusable())?;
    if parsed.scheme() != "https" || parsed.host_str().is_none() {
        return Err(unusable());
    }

    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// Fetches the authority without verifying anyone and holds its fingerprint against the given one.
pub(super) async fn fetch_authority(
    base: &str,
    given: Fingerprint,
) -> Result<Authority, EnrolError> {
    let url = format!("{base}/v1/authority");
    // Whoever answers is not trusted for it: only the fingerprint below decides, before anything secret is sent.
    let client = build(client().tls_danger_accept_invalid_certs(true), base)?;
    let unreachable = |source| EnrolError::Unreachable { url: base.to_owned(), source };
    let answer = client.get(&url).send().await.map_err(unreachable)?;
    let status = answer.status();
    let body = body_of(answer).await.map_err(unreachable)?;
    let pem = String::from_utf8(body).unwrap_or_default();
    let foreign =
        || EnrolError::NotACollector { url: url.clone(), status: status.as_u16(), saw: seen(&pem) };
    if !status.is_success() {
        return Err(foreign());
    }
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| foreign())?;
    let found = Fingerprint::of(&der);
    if found != given {
        return Err(EnrolError::Fingerprint { url: base.to_owned(), given, found });
    }

    Ok(Authority { pem, der })
}

/// Sends the token and the signing request over TLS verified against exactly that authority.
pub(super) async fn ask(
    base: &str,
    authority: &Authority,
    request: &EnrolRequest,
) -> Result<EnrolAnswer, EnrolError> {
    let url = format!("{base}/v1/enrol");
    let trusted = Certificate::from_pem(authority.pem.as_bytes())
        .map_err(|source| EnrolError::Untrusted { url: base.to_owned(), source })?;
    let client = build(client().tls_certs_only([trusted]), base)?;
    let failed = |source: reqwest::Error| {
        let url = base.to_owned();
        if is_certificate_trouble(&source) {
            EnrolError::Untrusted { url, source }
        } else {
            EnrolError::Unreachable { url, source }
        }
    };
    let answer = client
        .post(&url)
        .header(WIRE_HEADER, WIRE_VERSION)
        .json(request)
        .send()
        .await
        .map_err(failed)?;
    let status = answer.status();
    let body = body_of(answer).await.map_err(failed)?;

    judge(&url, status, &body)
}

/// Turns an answer into an enrolment or into the reason why there is none.
fn judge(url: &str, status: StatusCode, body: &[u8]) -> Result<EnrolAnswer, EnrolError> {
    if status.is_success()
        && let Ok(answer) = serde_json::from_slice(body)
    {
        return Ok(answer);
    }
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let (false, Some(problem)) = (status.is_success(), problem) else {
        let saw = seen(&String::from_utf8_lossy(body));
        return Err(EnrolError::NotACollector {
            url: url.to_owned(),
            status: status.as_u16(),
            saw,
        });
    };
    let words = shown(&problem.error, WORDS_CHARS);
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(EnrolError::CollectorTrouble { status: status.as_u16(), words });
    }

    Err(EnrolError::Refused { words, remedy: remedy(status) })
}

/// What helps, by the status the collector gives to each kind of refusal.
fn remedy(status: StatusCode) -> &'static str {
    match status {
        StatusCode::GONE => {
            "tokens are short-lived: issue a new one on the collector with `token issue`"
        }
        StatusCode::CONFLICT => {
            "a token works for one host: issue another on the collector with `token issue`; if this host used it before, \
             run the command with the state directory it had then"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            "copy it again completely, or issue a new one on the collector with `token issue`"
        }
        _ => {
            "issue a new one on the collector with `token issue`, and check that agent and collector have the same version"
        }
    }
}

fn client() -> ClientBuilder {
    install_crypto_provider();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .https_only(true)
}

fn build(builder: ClientBuilder, base: &str) -> Result<Client, EnrolError> {
    builder
        .build()
        .map_err(|source| EnrolError::Untrusted { url: base.to_owned(), source })
}

/// Reads an answer up to [`ANSWER_MAX_BYTES`]; what lies beyond is cut off and does not parse.
async fn body_of(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if ANSWER_MAX_BYTES < body.len() {
            body.truncate(ANSWER_MAX_BYTES);
            break;
        }
    }

    Ok(body)
}

/// Whether TLS failed because of the other side's certificate, rather than the network.
fn is_certificate_trouble(error: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    // An I/O error does not name what it wraps as its source.
    let wrapped = error.downcast_ref().and_then(io::Error::get_ref);

    wrapped.is_some_and(|inner| is_certificate_trouble(inner))
        || error.source().is_some_and(is_certificate_trouble)
}

/// Describes a body that is not what was asked for.
fn seen(body: &str) -> String {
    let text = body.trim_start();
    let start: String = text
        .chars()
        .take(15)
        .collect::<String>()
        .to_ascii_lowercase();
    if text.is_empty() {
        "an empty answer".to_owned()
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        "an HTML page, as a proxy or another web server sends it".to_owned()
    } else {
        format!("a text beginning `{}`", shown(text, SHOWN_CHARS))
    }
}

/// A foreign text, cut and without control characters, so that it cannot play with a terminal.
fn shown(text: &str, chars: usize) -> String {
    text.chars()
        .take(chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_used() {
        assert_eq!(base("https://c.example:8445/").unwrap(), "https://c.example:8445");
        for bad in ["http://c:8445", "c:8445", "", "ftp://c", "https://"] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_refusal_has_words_and_a_remedy_of_its_own() {
        let body = br#"{"error":"the token has expired\u001b[2J"}"#;
        let refused = |status| judge("u", status, body).unwrap_err().to_string();
        let gone = refused(StatusCode::GONE);
        assert!(gone.contains("has expired") && gone.contains("short-lived"), "{gone}");
        assert!(!gone.contains('\u{1b}'));
        assert!(refused(StatusCode::CONFLICT).contains("one host"));
        assert!(refused(StatusCode::UNAUTHORIZED).contains("copy it again"));
        assert!(refused(StatusCode::INTERNAL_SERVER_ERROR).contains("again later"));
    }

    #[test]
    fn a_proxys_page_is_called_what_it_is() {
        for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
            let error = judge("u", status, b"<!DOCTYPE html><p>login")
                .unwrap_err()
                .to_string();
            assert!(error.contains("HTML page") && error.contains("8445"), "{error}");
        }
        let odd = judge("u", StatusCode::OK, br#"{"error":"x"}"#).unwrap_err();
        assert!(matches!(odd, EnrolError::NotACollector { status: 200, .. }), "{odd}");
    }
}
