//! Whether a web address answers as it should.

use std::error::Error;
use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, redirect};
use shirase_shared::error::Chain;

use super::Asked;
use super::net::{Progress, Resolver, Stage, Unresolved};
use super::tls::{Certificate, Secured};

/// Bytes of an answer searched for the expected text.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// A web address and what it must answer.
pub(super) struct Web {
    pub(super) secured: Secured,
    client: Client,
    url: String,
    expect_status: Option<u16>,
    expect_text: Option<String>,
}

/// What is asked of a web address.
pub(super) struct Wanted<'a> {
    pub(super) url: &'a str,
    pub(super) status: Option<u16>,
    pub(super) text: Option<&'a str>,
    pub(super) certificate: Certificate,
}

impl Web {
    /// Makes the client: no proxy, no redirects, each question on a connection of its own.
    pub(super) fn new(wanted: &Wanted<'_>, progress: &Progress) -> Result<Self, String> {
        let secured = Secured::new(wanted.certificate)?;
        let mut tls = secured.config();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let names = Names { resolver: Resolver::default(), progress: progress.clone() };
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .user_agent("shirase-probe")
            .dns_resolver(Arc::new(names))
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| format!("no HTTP client: {}", Chain(&error)))?;

        Ok(Self {
            secured,
            client,
            url: wanted.url.to_owned(),
            expect_status: wanted.status,
            expect_text: wanted.text.map(str::to_owned),
        })
    }

    /// Asks once.
    pub(super) async fn ask(&self, progress: &Progress) -> Asked {
        let answer = self.client.get(&self.url).send().await;
        let mut answer = answer.map_err(words)?;
        progress.enter(Stage::Reading);
        let status = answer.status();
        let expected = self
            .expect_status
            .map_or(status.as_u16() < 400, |wanted| status == wanted);
        if !expected {
            return Err(format!("answered with status {}", status.as_u16()).into());
        }
        let Some(text) = &self.expect_text else {
            return Ok(format!("answered with status {}", status.as_u16()));
        };
        if body(&mut answer).await?.contains(text.as_str()) {
            Ok(format!("answered with status {} and the expected text", status.as_u16()))
        } else {
            let status = status.as_u16();
            Err(format!("answered with status {status} without the expected text").into())
        }
    }
}

/// Reads the beginning of an answer, in the encoding it declares.
async fn body(answer: &mut Response) -> Result<String, String> {
    let declared = answer
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split_once("charset="))
        .and_then(|(_, label)| Encoding::for_label(label.trim_matches(['"', ' ']).as_bytes()));
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
    body.truncate(BODY_MAX_BYTES);
    let (text, _, _) = declared.unwrap_or(UTF_8).decode(&body);

    Ok(text.into_owned())
}

/// Says why there is no answer; a name that does not resolve in its own words.
fn words(error: reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(found) = cause {
        if let Some(unresolved) = found.downcast_ref::<Unresolved>() {
            return unresolved.to_string();
        }
        cause = found.source();
    }

    format!("no answer: {}", Chain(&error.without_url()))
}

/// Looks names up the way the other probes do.
#[derive(Clone)]
struct Names {
    resolver: Resolver,
    progress: Progress,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            names.progress.enter(Stage::Resolving);
            // The client puts the port of the address in place of 0.
            let found = names.resolver.resolve(name.as_str(), 0).await?;
            names.progress.enter(Stage::Asking);
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}
