//! A collector's ingest and enrolment listeners on loopback, and agents that talk to them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shirase_collector::enrolment::authority::Authority;
use shirase_collector::enrolment::{Offer, issue_token};
use shirase_collector::facilities::{Facility, Master};
use shirase_collector::http::listener::{ClientCertificates, Peer, TlsListener, TlsSettings};
use shirase_collector::http::{
    AgentParts, AgentState, EnrolmentParts, EnrolmentState, agent_router, enrolment_router,
    prepare_manifests,
};
use shirase_collector::keys::{ORDER_KEY_FILE, SigningKey};
use shirase_collector::store::Store;
use shirase_shared::clock::{Clock, ManualClock, Moment, SharedClock, SystemClock};
use shirase_shared::event::Event;
use shirase_shared::ids::{BootId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::secret::Secret;
use shirase_shared::testing::builders::numbered;
use shirase_shared::tls::install_crypto_provider;
use shirase_shared::wire::{
    Batch, BatchHead, EnrolAnswer, EnrolRequest, Heartbeat, Problem, WIRE_HEADER, WIRE_VERSION,
};
use tokio_util::sync::CancellationToken;

pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) authority: Arc<Authority>,
    pub(crate) order_key: Arc<SigningKey>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ingest: SocketAddr,
    pub(crate) enrolment: SocketAddr,
    pub(crate) stop: CancellationToken,
    tls: TlsSettings,
    woken: Arc<Mutex<Vec<FacilityId>>>,
}

async fn serve(listener: TlsListener, router: axum::Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .unwrap();
}

impl Site {
    pub(crate) async fn start() -> Self {
        install_crypto_provider();
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock::new(BootId::random()).now()));
        let shared: SharedClock = clock.clone();
        let store = Store::open(dir.path()).await.unwrap();
        let authority = Arc::new(Authority::open(dir.path(), clock.now()).unwrap());
        let order_key =
            Arc::new(SigningKey::load_or_create(&dir.path().join(ORDER_KEY_FILE)).unwrap());
        prepare_manifests(dir.path()).unwrap();

        let woken = Arc::new(Mutex::new(Vec::new()));
        let on_stored = woken.clone();
        let agents = AgentState::new(AgentParts {
            store: store.clone(),
            authority: authority.clone(),
            order_key: order_key.clone(),
            clock: shared.clone(),
            data_dir: dir.path().to_owned(),
            on_stored: Arc::new(move |facility: &FacilityId| {
                on_stored.lock().unwrap().push(facility.clone());
            }),
        });
        let listen = async |clients| {
            let names = ["127.0.0.1".to_owned()];
            let settings = TlsSettings::by_authority(&authority, &names, clients, &shared).unwrap();
            let any = "127.0.0.1:0".parse().unwrap();
            (TlsListener::bind(any, settings.clone()).await.unwrap(), settings)
        };
        let (ingest_listener, _) = listen(ClientCertificates::Demanded).await;
        let ingest = ingest_listener.address();
        let (enrolment_listener, tls) = listen(ClientCertificates::NotAsked).await;
        let enrolment = enrolment_listener.address();
        let offer =
            Offer { order_key: order_key.public_base64(), ingest_url: format!("https://{ingest}") };
        let newcomers = EnrolmentState::new(EnrolmentParts {
            store: store.clone(),
            authority: authority.clone(),
            clock: shared.clone(),
            offer,
        });
        let stop = CancellationToken::new();
        tokio::spawn(serve(ingest_listener, agent_router(agents), stop.clone()));
        tokio::spawn(serve(enrolment_listener, enrolment_router(newcomers), stop.clone()));

        Self { tls, stop, dir, store, authority, order_key, clock, ingest, enrolment, woken }
    }

    /// Adds a facility; returns its private manifest key.
    pub(crate) async fn facility(&self, id: &str) -> Secret<String> {
        let made = Facility::create(id.parse().unwrap(), Master::default(), self.clock.now());
        self.store.add_facility(&made.facility).await.unwrap();
        made.manifest_identity
    }

    pub(crate) async fn token(&self, facility: &str) -> Secret<String> {
        let facility = facility.parse().unwrap();
        let ttl = SignedDuration::from_hours(1);
        issue_token(&self.store, &facility, "test", ttl, self.clock.as_ref())
            .await
            .unwrap()
            .1
    }

    /// Sends an enrolment request as an agent would.
    pub(crate) async fn ask(&self, token: &Secret<String>, key: &KeyPair) -> Response {
        let csr = CertificateParams::default().serialize_request(key).unwrap();
        let request = EnrolRequest {
            token: token.clone(),
            csr_pem: csr.pem().unwrap(),
            hostname: "ehr1".to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
        };
        let url = format!("https://{}/v1/enrol", self.enrolment);
        self.stranger()
            .post(url)
            .json(&request)
            .send()
            .await
            .unwrap()
    }

    /// Adds the facility if need be and enrols a new host of it.
    pub(crate) async fn agent(&self, facility: &str) -> Agent {
        let id = facility.parse().unwrap();
        if self.store.facility(&id).await.unwrap().is_none() {
            self.facility(facility).await;
        }
        let key = KeyPair::generate().unwrap();
        let token = self.token(facility).await;
        let answer: EnrolAnswer = read(self.ask(&token, &key).await, StatusCode::OK).await;
        self.agent_of(answer, &key)
    }

    pub(crate) fn agent_of(&self, answer: EnrolAnswer, key: &KeyPair) -> Agent {
        let client = self.client_with(&answer.certificate_pem, key);
        let moment = self.clock.moment();
        Agent {
            client,
            base: format!("https://{}", self.ingest),
            host: answer.host,
            facility: answer.facility.clone(),
            answer,
            moment,
            stream: StreamId::random(),
        }
    }

    pub(crate) fn client_with(&self, certificate_pem: &str, key: &KeyPair) -> Client {
        let pem = format!("{certificate_pem}{}", key.serialize_pem());
        let identity = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
        self.builder().identity(identity).build().unwrap()
    }

    pub(crate) fn stranger(&self) -> Client {
        self.builder().build().unwrap()
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let root = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        Client::builder().tls_certs_only([root])
    }

    /// Makes the enrolment listener's certificate anew.
    pub(crate) fn replace_certificate(&self) {
        let clock: SharedClock = self.clock.clone();
        let names = ["127.0.0.1".to_owned()];
        let clients = ClientCertificates::NotAsked;
        let fresh = TlsSettings::by_authority(&self.authority, &names, clients, &clock).unwrap();
        self.tls.replace(&fresh);
    }

    /// Returns the certificate the enrolment listener shows to a new connection.
    pub(crate) async fn shown_certificate(&self) -> Vec<u8> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = tokio::net::TcpStream::connect(self.enrolment)
            .await
            .unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    /// How often the job after ingest was woken for a facility.
    pub(crate) fn woken(&self, facility: &str) -> usize {
        let woken = self.woken.lock().unwrap();
        woken.iter().filter(|id| id.as_str() == facility).count()
    }

    pub(crate) async fn records(
        &self,
        facility: &str,
    ) -> Vec<shirase_collector::records::SeenRecord> {
        let facility = facility.parse().unwrap();
        self.store
            .records_since(&facility, Timestamp::UNIX_EPOCH)
            .await
            .unwrap()
    }
}

/// An enrolled agent.
pub(crate) struct Agent {
    pub(crate) client: Client,
    pub(crate) base: String,
    pub(crate) host: HostId,
    pub(crate) facility: FacilityId,
    pub(crate) answer: EnrolAnswer,
    pub(crate) moment: Moment,
    pub(crate) stream: StreamId,
}

impl Agent {
    /// Lines of its stream that tell these events, numbered from 1.
    pub(crate) fn lines(&self, events: Vec<Event>) -> Vec<Vec<u8>> {
        let records = numbered(self.stream, events);
        records
            .iter()
            .map(|record| serde_json::to_vec(record).unwrap())
            .collect()
    }

    pub(crate) fn batch(&self, first: u64, lines: Vec<Vec<u8>>) -> Batch {
        let head = BatchHead {
            wire: WIRE_VERSION,
            stream: self.stream,
            first: Sequence(first),
            count: lines.len(),
            sent: self.moment,
        };
        Batch { head, lines }
    }

    pub(crate) async fn send(&self, batch: &Batch) -> Response {
        self.send_body(batch.encode().unwrap()).await
    }

    pub(crate) async fn send_body(&self, body: Vec<u8>) -> Response {
        let url = format!("{}/v1/batches", self.base);
        let request = self.client.post(url).header(WIRE_HEADER, WIRE_VERSION);
        request
            .header("content-encoding", "zstd")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post<T: Serialize>(&self, path: &str, body: &T) -> Response {
        let url = format!("{}{path}", self.base);
        self.client
            .post(url)
            .header(WIRE_HEADER, WIRE_VERSION)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.base));
        let request = request.header(WIRE_HEADER, WIRE_VERSION);
        request.send().await.unwrap()
    }

    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            stream: self.stream,
            last_sequence: Sequence(0),
            buffer_used_bytes: 1,
            buffer_limit_bytes: 2,
            waiting: 0,
            sensors: Vec::new(),
            version: "0.1.0".to_owned(),
            hostname: "ehr1".to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            sent: self.moment,
            config_problems: Vec::new(),
            maintenance_until: None,
            policy: None,
            authorities: Vec::new(),
            posture: None,
        }
    }
}

/// Reads an answer that must have this status; every answer names the protocol's version.
#[track_caller]
pub(crate) fn read<T: DeserializeOwned>(
    answer: Response,
    status: StatusCode,
) -> impl Future<Output = T> {
    let found = answer.status();
    assert_eq!(answer.headers()[WIRE_HEADER], WIRE_VERSION.to_string());
    async move {
        let text = answer.text().await.unwrap();
        assert_eq!(found, status, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// Reads an error answer: its text for people.
#[track_caller]
pub(crate) fn problem(answer: Response, status: StatusCode) -> impl Future<Output = String> {
    let read = read::<Problem>(answer, status);
    async move { read.await.error }
}
