//! A server with an agent, as the collector knows one: a key, a certificate, numbered records, signs of life.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Client;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Record, SCHEMA};
use shirase_shared::ids::{BootId, BurstId, Sequence, StreamId};
use shirase_shared::secret::Secret;
use shirase_shared::wire::{
    Ack, Batch, BatchHead, EnrolAnswer, EnrolRequest, Heartbeat, WIRE_HEADER, WIRE_VERSION,
};
use uuid::Uuid;

use super::script::{Saw, Server, moment};
use crate::set_clock::SetClock;
use crate::site::{FACILITY, Site};
use crate::tls::config;

/// How long before the first moment of the rehearsal every machine was started: thirty days.
const UP_SECS: i64 = 30 * 86_400;

/// One enrolled host.
pub(super) struct PlayedHost {
    pub(super) name: String,
    os: String,
    client: Client,
    base: String,
    clock: SetClock,
    boot: BootId,
    booted_at: Timestamp,
    stream: StreamId,
    last: u64,
}

impl PlayedHost {
    /// Enrols with a fresh token and key, and has an administrator say what the server does.
    pub(super) async fn enrol(site: &Site, server: &Server, clock: &SetClock) -> Result<Self> {
        let token = site.collector(&["token", "issue", FACILITY, "--bare"], b"")?;
        let key = KeyPair::generate().context("no key")?;
        let csr = CertificateParams::default()
            .serialize_request(&key)
            .and_then(|csr| csr.pem())
            .context("no signing request")?;
        let request = EnrolRequest {
            token: Secret::new(token.trim().to_owned()),
            csr_pem: csr,
            hostname: server.name.clone(),
            os: server.os.clone(),
        };
        let stranger = client(site, clock, None)?;
        let url = format!("https://127.0.0.1:{}/v1/enrol", site.ports.enrolment);
        let answer = stranger.post(url).json(&request).send().await;
        let answer = answer.context("failed to enrol")?.text().await?;
        let answer: EnrolAnswer =
            serde_json::from_str(&answer).with_context(|| format!("not an enrolment: {answer}"))?;
        let host = answer.host.to_string();
        let mut set = vec!["host", "set", FACILITY, &host];
        for role in &server.roles {
            set.extend(["--role", role]);
        }
        site.collector(&set, b"")?;
        let identity = (answer.certificate_pem.as_str(), key.serialize_pem());

        Ok(Self {
            name: server.name.clone(),
            os: server.os.clone(),
            client: client(site, clock, Some(identity))?,
            base: format!("https://127.0.0.1:{}", site.ports.ingest),
            clock: clock.clone(),
            boot: BootId::random(),
            booted_at: clock.now() - jiff::SignedDuration::from_secs(UP_SECS),
            stream: StreamId::random(),
            last: 0,
        })
    }

    /// Gives a sign of life.
    pub(super) async fn beat(&self) -> Result<()> {
        let beat = Heartbeat {
            stream: self.stream,
            last_sequence: Sequence(self.last),
            buffer_used_bytes: 4096,
            buffer_limit_bytes: 64 << 20,
            waiting: 0,
            sensors: Vec::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: self.name.clone(),
            os: self.os.clone(),
            sent: self.moment(self.clock.now()),
            config_problems: Vec::new(),
            maintenance_until: None,
            policy: None,
            authorities: Vec::new(),
            posture: None,
        };
        let answer = self.post("heartbeat").json(&beat).send().await;
        let answer = answer.with_context(|| format!("no heartbeat from {}", self.name))?;
        if !answer.status().is_success() {
            bail!("{}'s heartbeat was answered {}", self.name, answer.status());
        }

        Ok(())
    }

    /// Sends what its agent saw as one batch, and takes nothing for kept that was not acknowledged.
    pub(super) async fn tell(&mut self, saw: &[&Saw], hour: Timestamp) -> Result<()> {
        let first = self.last + 1;
        let mut lines = Vec::new();
        for saw in saw {
            self.last += 1;
            let record = Record {
                stream: self.stream,
                sequence: Sequence(self.last),
                event: self.event(saw, hour)?,
            };
            lines.push(serde_json::to_vec(&record)?);
        }
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: self.stream,
            first: Sequence(first),
            count: lines.len(),
            sent: self.moment(self.clock.now()),
        };
        let body = Batch { head, lines }.encode().context("no batch")?;
        let request = self.post("batches").header("content-encoding", "zstd");
        let answer = request.body(body).send().await;
        let answer = answer.with_context(|| format!("no batch from {}", self.name))?;
        let text = answer.text().await?;
        let ack: Ack = serde_json::from_str(&text)
            .with_context(|| format!("{}'s batch was answered {text}", self.name))?;
        if ack.stored_through != Sequence(self.last) {
            bail!("of {}'s batch up to {} only {ack:?} is stored", self.name, self.last);
        }

        Ok(())
    }

    fn event(&self, saw: &Saw, hour: Timestamp) -> Result<Event> {
        let at = saw.at.as_deref().map_or(Ok(hour), moment)?;
        let first = saw.first.as_deref().map_or(Ok(at), moment)?;
        let phase = match (saw.phase, &saw.burst) {
            (Some(phase), _) => phase,
            (None, Some(_)) => Phase::Opened,
            (None, None) => Phase::Once,
        };
        Ok(Event {
            schema: SCHEMA,
            anomaly: saw.anomaly.clone(),
            phase,
            burst: saw.burst.as_deref().map(burst),
            severity: saw.severity,
            detected_at: at,
            first_change_at: Some(first),
            moment: self.moment(at),
            root: saw.root.clone(),
            files_affected: saw.files,
            reason: saw.reason.clone(),
            drill: None,
        })
    }

    /// The machine's clocks at a moment: its wall clock is right, it has run since it was started.
    fn moment(&self, at: Timestamp) -> Moment {
        let up = at.duration_since(self.booted_at).as_millis();
        Moment { wall: at, boot: self.boot, monotonic_ms: u64::try_from(up).unwrap_or(0) }
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/{path}", self.base);
        self.client.post(url).header(WIRE_HEADER, WIRE_VERSION)
    }
}

/// The same name is the same burst.
fn burst(name: &str) -> BurstId {
    let number = name
        .bytes()
        .fold(7_u128, |sum, byte| sum.wrapping_mul(257).wrapping_add(u128::from(byte)));
    BurstId::from_uuid(Uuid::from_u128(number))
}

fn client(site: &Site, clock: &SetClock, identity: Option<(&str, String)>) -> Result<Client> {
    let tls = config(&site.authority()?, Arc::new(clock.clone()));
    let tls = match identity {
        None => tls?.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .context("not a certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("not a key")?;
            tls?.with_client_auth_cert(chain, key)
                .context("the certificate does not fit the key")?
        }
    };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .build()
        .context("failed to build a client")
}
