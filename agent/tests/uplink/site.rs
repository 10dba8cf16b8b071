//! An authority, a host with a certificate, a buffer and a running uplink.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa,
    KeyPair,
};
use rustls::pki_types::CertificateDer;
use shirase_agent::buffer::{Buffer, BufferConfig};
use shirase_agent::uplink::{
    self, Identity, UplinkBoard, UplinkConfig, UplinkParts, UplinkState, Vitals,
};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::event::{Event, Phase};
use shirase_shared::ids::{BootId, BurstId};
use shirase_shared::policy::{PolicyName, PolicyReport, SignedPolicy};
use shirase_shared::posture::Posture;
use shirase_shared::testing::builders::mass_change;
use shirase_shared::testing::eventually;
use shirase_shared::wire::{HeartbeatAnswer, SignedOrder};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::{Reply, Request, Script, Server};

const DEADLINE: Duration = Duration::from_secs(20);

/// A private authority, as the collector has one.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Starts a server with a certificate of this authority that lets its hosts in.
    pub(crate) fn serve(&self, script: Script) -> Server {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &*self.0).unwrap();
        Server::start((certificate.der().clone(), key.serialize_der()), self.der(), script)
    }

    /// Certifies a request as `/v1/renew` does.
    pub(crate) fn certify(&self, csr_pem: &str) -> String {
        let request = CertificateSigningRequestParams::from_pem(csr_pem).unwrap();
        request.signed_by(&*self.0).unwrap().pem()
    }

    fn issue(&self, dir: &std::path::Path, expires: Option<(i32, u8, u8)>) -> Identity {
        let identity = Identity {
            certificate: dir.join("host.crt"),
            key: dir.join("host.key"),
            authority: dir.join("authority.crt"),
        };
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        if let Some((year, month, day)) = expires {
            params.not_after = rcgen::date_time_ymd(year, month, day);
        }
        let certificate = params.signed_by(&key, &*self.0).unwrap();
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        std::fs::write(&identity.authority, self.0.pem()).unwrap();
        identity
    }
}

/// A host with its uplink.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) buffer: Buffer,
    pub(crate) board: UplinkBoard,
    pub(crate) identity: Identity,
    pub(crate) orders: mpsc::Receiver<SignedOrder>,
    pub(crate) policies: mpsc::Receiver<(PolicyName, SignedPolicy)>,
    pub(crate) system_log: Arc<Mutex<Vec<String>>>,
    /// What the host's sensor saw last.
    pub(crate) posture: Arc<Mutex<Option<Posture>>>,
    parts: Option<UplinkParts>,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<Result<(), uplink::ClientError>>>,
}

pub(crate) fn clock() -> SharedClock {
    Arc::new(SystemClock::new(BootId::random()))
}

/// Quick to give up and to try again.
pub(crate) fn config(url: &str) -> UplinkConfig {
    UplinkConfig {
        collector_url: url.to_owned(),
        answer_timeout_secs: 1,
        connect_timeout_secs: 1,
        retry_first_ms: 50,
        retry_longest_secs: 1,
        heartbeat_secs: 1,
        ..UplinkConfig::default()
    }
}

impl Site {
    pub(crate) fn new(authority: &Authority, config: UplinkConfig) -> Self {
        Self::expiring(authority, config, None)
    }

    pub(crate) fn expiring(
        authority: &Authority,
        config: UplinkConfig,
        expires: Option<(i32, u8, u8)>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let identity = authority.issue(dir.path(), expires);
        let buffer_config = BufferConfig { ballast_bytes: 0, ..BufferConfig::default() };
        let buffer = Buffer::open(&dir.path().join("buffer"), &buffer_config, clock())
            .unwrap()
            .buffer;
        let board = UplinkBoard::default();
        let (take, orders) = mpsc::channel(1);
        let (given, policies) = mpsc::channel(1);
        let system_log = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&system_log);
        let posture = Arc::new(Mutex::new(None));
        let told = Arc::clone(&posture);
        let parts = UplinkParts {
            config,
            identity: identity.clone(),
            buffer: buffer.clone(),
            clock: clock(),
            vitals: Arc::new(move || vitals(told.lock().unwrap().clone())),
            orders: take,
            policies: given,
            manifests: dir.path().join("outbox"),
            system_log: Arc::new(move |line: &str| written.lock().unwrap().push(line.to_owned())),
            board: board.clone(),
        };
        std::fs::create_dir(dir.path().join("outbox")).unwrap();

        Self {
            dir,
            buffer,
            board,
            identity,
            orders,
            policies,
            system_log,
            posture,
            parts: Some(parts),
            stop: CancellationToken::new(),
            running: None,
        }
    }

    /// Keeps `count` events.
    pub(crate) fn append(&self, count: u64) {
        for files in 0..count {
            self.keep(mass_change(BurstId::random(), Phase::Once, files, 0));
        }
    }

    pub(crate) fn keep(&self, event: Event) {
        self.buffer.append(event).unwrap();
    }

    pub(crate) fn start(&mut self) {
        let parts = self.parts.take().expect("started once");
        self.running = Some(tokio::spawn(uplink::run(parts, self.stop.clone())));
    }

    /// Stops the uplink, which must not take long whatever it is doing.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let running = self.running.take().expect("it was started");
        tokio::time::timeout(Duration::from_millis(500), running)
            .await
            .expect("it stops at once")
            .unwrap()
            .unwrap();
    }

    pub(crate) async fn eventually(
        &self,
        what: &str,
        reached: impl Fn(&UplinkState, &Buffer) -> bool,
    ) {
        let look = async || reached(&self.board.read(), &self.buffer).then_some(());
        eventually(what, DEADLINE, look).await;
    }
}

fn vitals(posture: Option<Posture>) -> Vitals {
    Vitals {
        sensors: Vec::new(),
        version: "0.1.0".to_owned(),
        hostname: "ehr-1".to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
        config_problems: Vec::new(),
        maintenance_until: None,
        policy: PolicyReport { taking: true, ..PolicyReport::default() },
        posture,
    }
}

/// Answers heartbeats like a collector that knows nothing yet, and batches as `batches` says.
pub(crate) fn script(mut batches: impl FnMut(&Request) -> Reply + Send + 'static) -> Script {
    Box::new(move |request| match request.path.as_str() {
        "/v1/batches" => batches(request),
        "/v1/heartbeat" => Reply::json(200, &heartbeat_answer()),
        other => panic!("nobody asked for {other}"),
    })
}

pub(crate) fn heartbeat_answer() -> HeartbeatAnswer {
    HeartbeatAnswer {
        now: clock().now(),
        stored_through: None,
        orders: Vec::new(),
        desired_policy: None,
        authorities_pem: None,
    }
}
