//! Speaks HTTP with one collector under mutual TLS, and reads its answers strictly.
//!
//! Always holds: a body becomes an acknowledgement, a refusal or another answer only if all of it parses; it is read up
//! to a limit, whatever its headers say. No authority but ours is trusted.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shirase_shared::error::Chain;
use shirase_shared::ids::BurstId;
use shirase_shared::policy::SignedPolicy;
use shirase_shared::tls::install_crypto_provider;
use shirase_shared::wire::{
    BATCH_CONTENT_TYPE, Batch, Heartbeat, HeartbeatAnswer, ManifestReceipt, Problem, RenewAnswer,
    RenewRequest, WIRE_HEADER, WIRE_VERSION, manifest_header,
};

use super::UplinkConfig;
use super::verdict::Answer;

/// Longest answer that is read. The longest honest one carries a handful of orders.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;
/// Most characters of a foreign answer that are shown to people.
const SHOWN_CHARS: usize = 120;
/// How long an idle connection is kept: longer than the pause between two heartbeats.
const IDLE: Duration = Duration::from_secs(90);

/// Where the host's certificate, key and authority lie, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate the collector issued.
    pub certificate: PathBuf,
    /// Its private key, made on this host.
    pub key: PathBuf,
    /// The authorities that the collector's certificate may come from, the one that certifies hosts first: mostly one.
    pub authority: PathBuf,
}

/// Why there is no client, or no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of the identity cannot be read.
    #[error("failed to read `{}`; restore it or enrol this host again", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files do not make an identity.
    #[error("`{}` and its key do not make a usable identity; enrol this host again", path.display())]
    Identity {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: reqwest::Error,
    },
    /// The address is none.
    #[error("`{url}` is not an https address; correct `uplink.collector_url`")]
    Url {
        /// As configured.
        url: String,
    },
    /// No answer came.
    #[error("the collector at {url} did not answer")]
    NoAnswer {
        /// Who was asked.
        url: Url,
        /// Why.
        source: reqwest::Error,
    },
    /// Something else came.
    #[error("the collector at {url} gave no usable answer: {saw}")]
    Unreadable {
        /// Who was asked.
        url: Url,
        /// What came.
        saw: String,
    },
}

/// A connection to one collector.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// If the identity's files or the address cannot be used.
    pub fn build(
        identity: &Identity,
        base: &str,
        config: &UplinkConfig,
    ) -> Result<Self, ClientError> {
        install_crypto_provider();
        let unusable =
            |source| ClientError::Identity { path: identity.certificate.clone(), source };
        let mut pem = read(&identity.certificate)?;
        pem.push(b'\n');
        pem.extend(read(&identity.key)?);
        let authorities =
            Certificate::from_pem_bundle(&read(&identity.authority)?).map_err(unusable)?;
        let url = Url::parse(base).ok().filter(|url| url.scheme() == "https");
        let base = url.ok_or_else(|| ClientError::Url { url: base.to_owned() })?;
        let http = reqwest::Client::builder()
            .tls_certs_only(authorities)
            .identity(reqwest::Identity::from_pem(&pem).map_err(unusable)?)
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(config.connect_timeout_secs))
            .timeout(Duration::from_secs(config.answer_timeout_secs))
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("shirase-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(unusable)?;

        Ok(Self { http, base })
    }

    /// Returns whom it speaks to.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a batch and returns what came back. Never an error: that nothing came is an answer too.
    pub async fn send(&self, batch: &Batch) -> Answer {
        let body = match batch.encode() {
            Ok(body) => body,
            Err(error) => {
                return Answer::ConnectionLost { why: format!("the batch did not pack: {error}") };
            }
        };
        let request = self
            .post("v1/batches")
            .header(CONTENT_TYPE, BATCH_CONTENT_TYPE)
            .body(body);
        match exchange(request).await {
            Ok(reply) => reply.judge(),
            Err(error) => Answer::ConnectionLost { why: Chain(&error).to_string() },
        }
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// If nothing usable came back.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, ClientError> {
        self.ask("v1/heartbeat", heartbeat).await
    }

    /// Asks for the policy this host should have in force.
    ///
    /// # Errors
    /// If nothing usable came back.
    pub async fn policy(&self) -> Result<SignedPolicy, ClientError> {
        let request = self.http.get(self.url("v1/policy"));
        self.parsed(exchange(request.header(WIRE_HEADER, WIRE_VERSION)).await)
    }

    /// Asks for a new certificate with the present one.
    ///
    /// # Errors
    /// If nothing usable came back.
    pub async fn renew(&self, request: &RenewRequest) -> Result<RenewAnswer, ClientError> {
        self.ask("v1/renew", request).await
    }

    /// Uploads the ciphertext of a damage manifest.
    ///
    /// # Errors
    /// If nothing usable came back.
    pub async fn manifest(
        &self,
        burst: BurstId,
        files: u64,
        ciphertext: Vec<u8>,
    ) -> Result<ManifestReceipt, ClientError> {
        let request = self
            .post("v1/manifests")
            .header(manifest_header::BURST, burst.to_string())
            .header(manifest_header::FILES, files)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(ciphertext);
        self.parsed(exchange(request).await)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ClientError> {
        self.parsed(exchange(self.post(path).json(body)).await)
    }

    fn parsed<T: DeserializeOwned>(
        &self,
        reply: Result<Reply, reqwest::Error>,
    ) -> Result<T, ClientError> {
        let reply =
            reply.map_err(|source| ClientError::NoAnswer { url: self.base.clone(), source })?;
        let parsed = reply
            .status
            .is_success()
            .then(|| serde_json::from_slice(&reply.body));
        match parsed {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(_)) | None => {
                Err(ClientError::Unreadable { url: self.base.clone(), saw: reply.describe() })
            }
        }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http
            .post(self.url(path))
            .header(WIRE_HEADER, WIRE_VERSION)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }
}

/// An answer as it came.
struct Reply {
    status: StatusCode,
    kind: String,
    body: Vec<u8>,
}

impl Reply {
    fn judge(self) -> Answer {
        if self.status.is_success()
            && let Ok(ack) = serde_json::from_slice(&self.body)
        {
            return Answer::Ack(ack);
        }
        if self.status.is_client_error()
            && let Ok(refusal) = serde_json::from_slice(&self.body)
        {
            return Answer::Refused(refusal);
        }
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            return Answer::TooLarge;
        }

        Answer::Unreadable { saw: self.describe() }
    }

    /// Says what came, without trusting any of it.
    fn describe(&self) -> String {
        let problem = serde_json::from_slice::<Problem>(&self.body).map(|problem| problem.error);
        let told = problem.unwrap_or_else(|_| format!("{}, {} bytes", self.kind, self.body.len()));
        let told: String = told
            .chars()
            .filter(|c| !c.is_control())
            .take(SHOWN_CHARS)
            .collect();

        format!("status {}, {told}", self.status.as_u16())
    }
}

async fn exchange(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let mut response: Response = request.send().await?;
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("no content type").to_owned();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_MAX_BYTES - body.len();
        body.extend(chunk.iter().take(room));
        if room <= chunk.len() {
            break;
        }
    }

    Ok(Reply { status: response.status(), kind, body })
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|source| ClientError::Read { path: path.to_owned(), source })
}
