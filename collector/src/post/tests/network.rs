//! Whole collectors on loopback: away, killed, replayed at, forged at, cut off.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, Method, StatusCode};
use shirase_shared::clock::{SharedClock, SystemClock};
use shirase_shared::ids::{BootId, FacilityId};
use shirase_shared::testing::eventually::eventually;
use shirase_shared::tls::install_crypto_provider;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{BY, releaser, write_to};
use crate::app::{Collector, make_data_dir};
use crate::config::Config;
use crate::enrolment::authority::Authority;
use crate::exchange::kind::PackageKind;
use crate::exchange::manifest::AckKind;
use crate::exchange::package::{PACKAGE_MAX_BYTES, Unproven};
use crate::exchange::partner::PartnerId;
use crate::exchange::samples::person;
use crate::exchange::{OrganisationKind, PackageId};
use crate::facilities::Facility;
use crate::http::{AgentAccess, EXCHANGE_ROUTES};
use crate::keys::SigningKey;
use crate::post::{Compared, Post};
use crate::store::{Direction, Store, StoredPackage};

/// How long something may take on a busy machine.
pub(super) const DEADLINE: Duration = Duration::from_secs(120);

pub(super) struct House {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) post: Post,
    pub(super) clock: SharedClock,
    pub(super) facility: FacilityId,
    running: Option<(oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
    _dir: tempfile::TempDir,
}

impl House {
    pub(super) async fn new(id: &str, kind: OrganisationKind) -> Self {
        install_crypto_provider();
        let dir = tempfile::tempdir().unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut config = Config {
            data_dir: dir.path().join("data"),
            public_names: vec!["127.0.0.1".to_owned()],
            ..Config::default()
        };
        config.organisation.kind = kind;
        (config.ingest.listen, config.enrolment.listen) = (any, any);
        config.console.listen = any;
        config.exchange.listen = free_address().to_string();
        make_data_dir(&config.data_dir).unwrap();
        let clock: SharedClock = Arc::new(SystemClock::new(BootId::random()));
        let store = Store::open(&config.data_dir).await.unwrap();
        let facility: FacilityId = id.parse().unwrap();
        let mut new = Facility::create(facility.clone(), Default::default(), clock.now());
        id.clone_into(&mut new.facility.master.name);
        store.add_facility(&new.facility).await.unwrap();
        let authority = Authority::open(&config.data_dir, clock.now()).unwrap();
        let key = SigningKey::load_or_create(&config.data_dir.join("report.key")).unwrap();
        let post = Post::new(&config, (&store, &clock), &authority, Arc::new(key));

        Self { config, store, post, clock, facility, running: None, _dir: dir }
    }

    pub(super) async fn start(&mut self) {
        let clock = Arc::clone(&self.clock);
        let collector = Collector::build(self.config.clone(), clock).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        self.running = Some((stop, tokio::spawn(collector.run(shutdown))));
    }

    /// Kills it where it stands.
    async fn kill(&mut self) {
        let (_stop, task) = self.running.take().unwrap();
        task.abort();
        drop(task.await);
    }

    fn url(&self) -> String {
        self.config.exchange_url()
    }

    /// A client that trusts this house, as a partner does.
    pub(super) async fn visitor(&self) -> Client {
        let own = self.store.own_cards().await.unwrap().remove(0);
        let root = Certificate::from_der(&own.card.authority_der()).unwrap();
        Client::builder().tls_certs_only([root]).build().unwrap()
    }

    async fn send(&self, to: &str) -> PackageId {
        let message = write_to(to, &self.facility, PackageKind::Question, self.clock.now());
        self.post.write(&message).await.unwrap();
        self.post
            .release(&self.facility, message.id, releaser())
            .await
            .unwrap()
    }

    async fn package(&self, id: &PackageId) -> StoredPackage {
        self.store.package(&self.facility, id).await.unwrap()
    }

    async fn bytes(&self, id: &PackageId) -> Vec<u8> {
        self.post.file(self.package(id).await).await.unwrap().bytes
    }

    async fn arrived(&self) -> Vec<StoredPackage> {
        let mut all = self.store.packages(&self.facility, None).await.unwrap();
        all.retain(|one| one.direction == Direction::In);
        all
    }
}

pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

async fn pair(one: &House, other: &House) {
    for (here, there) in [(one, other), (other, one)] {
        accept(here, there, "there").await;
    }
}

/// Lets one accept the other's card under a name.
pub(super) async fn accept(here: &House, there: &House, id: &str) {
    let own = there.post.invite(&there.facility, BY).await.unwrap();
    let (text, id): (_, PartnerId) = (own.card.text(), id.parse().unwrap());
    let compared = Compared { card: text.as_bytes(), fingerprint: &own.id, by: "山田" };
    here.post
        .accept((&here.facility, &id), &compared, BY)
        .await
        .unwrap();
}

async fn houses() -> (House, House) {
    let city = House::new("city", OrganisationKind::Municipality).await;
    let hospital = House::new("hospital", OrganisationKind::Hospital).await;
    pair(&city, &hospital).await;

    (city, hospital)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_waits_for_who_is_away_and_arrives_once_with_every_acknowledgement() {
    let (mut city, mut hospital) = houses().await;
    city.start().await;
    let question = city.send("there").await;
    let tried = eventually("an attempt at the absent hospital", DEADLINE, || async {
        Some(city.package(&question).await).filter(|one| 0 < one.attempts)
    });
    let tried = tried.await;
    assert!(tried.last_error.contains("no answer") && tried.done_at.is_none(), "{tried:?}");
    // It dies with the package in its outbox, and comes back.
    city.kill().await;
    hospital.start().await;
    city.start().await;
    eventually("the hospital's word", DEADLINE, || async { city.package(&question).await.done_at })
        .await;
    let arrived = hospital.arrived().await;
    assert_eq!(arrived.iter().map(|one| &one.id).collect::<Vec<_>>(), [&question]);
    hospital
        .post
        .read(&hospital.facility, &question, &person(7, "半田 太郎"))
        .await
        .unwrap();
    let acks = eventually("word of the reading", DEADLINE, || async {
        Some(city.package(&question).await.acks).filter(|acks| acks.len() == 2)
    });
    let acks = acks.await;
    assert_eq!((acks[0].what, acks[1].what), (AckKind::Stored, AckKind::Read));
    assert_eq!(acks[1].by, "半田 太郎");
    city.kill().await;
    hospital.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_forgeries_cut_and_swollen_bodies_leave_nothing_behind() {
    let (city, mut hospital) = houses().await;
    hospital.start().await;
    let question = city.send("there").await;
    let bytes = city.bytes(&question).await;
    let client = hospital.visitor().await;
    let url = format!("{}/v1/packages", hospital.url());
    let post = |body: Vec<u8>| {
        let request = client.post(&url).body(body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status(), answer.bytes().await.unwrap().to_vec())
        }
    };
    let half = bytes.get(..bytes.len() / 2).unwrap().to_vec();
    assert_eq!(post(half.clone()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(Vec::new()).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(vec![0; PACKAGE_MAX_BYTES + 1]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let stranger = House::new("stranger", OrganisationKind::Municipality).await;
    pair_one_way(&stranger, &hospital).await;
    let theirs = stranger.send("there").await;
    let (status, told) = post(stranger.bytes(&theirs).await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(&told).contains("no partner"), "{told:?}");
    cut(&hospital, &half).await;
    assert!(hospital.arrived().await.is_empty());

    let (status, first) = post(bytes.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let (status, again) = post(bytes).await;
    assert_eq!((status, &again), (StatusCode::OK, &first), "a replay gets the same word");
    let said = Unproven::read(&first)
        .unwrap()
        .claims()
        .acknowledges
        .clone()
        .unwrap();
    assert_eq!((said.package, said.what), (question, AckKind::Stored));
    assert_eq!(hospital.arrived().await.len(), 1);
    for (method, path, access) in EXCHANGE_ROUTES {
        assert_eq!(*access, AgentAccess::Anyone);
        let url = format!("{}{path}", hospital.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let status = client.request(method, &url).send().await.unwrap().status();
        let expected = if *path == "/healthz" { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(status, expected, "{path}");
        assert_eq!(
            client.delete(&url).send().await.unwrap().status(),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
    hospital.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_with_another_authority_gets_nothing() {
    let (mut city, hospital) = houses().await;
    // Somebody else took the hospital's address.
    let mut impostor = House::new("impostor", OrganisationKind::Hospital).await;
    impostor.config.exchange.listen = hospital.config.exchange.listen.clone();
    impostor.start().await;
    city.start().await;
    let question = city.send("there").await;
    let tried = eventually("an attempt", DEADLINE, || async {
        Some(city.package(&question).await).filter(|one| 0 < one.attempts)
    });
    let tried = tried.await;
    assert!(tried.last_error.contains("no answer"), "{}", tried.last_error);
    assert!(tried.done_at.is_none() && impostor.arrived().await.is_empty());
    city.kill().await;
    impostor.kill().await;
}

/// One accepts the other, who knows nothing of it.
async fn pair_one_way(one: &House, other: &House) {
    let own = other.store.own_cards().await.unwrap().remove(0);
    let (text, id): (_, PartnerId) = (own.card.text(), "there".parse().unwrap());
    let compared = Compared { card: text.as_bytes(), fingerprint: &own.id, by: "山田" };
    one.post
        .accept((&one.facility, &id), &compared, BY)
        .await
        .unwrap();
    one.post.invite(&one.facility, BY).await.unwrap();
}

/// Announces a whole package, sends half of it and hangs up.
async fn cut(house: &House, half: &[u8]) {
    let own = house.store.own_cards().await.unwrap().remove(0);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.card.authority_der().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = &house.config.exchange.listen;
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut tls = connector.connect(name, tcp).await.unwrap();
    let head = format!(
        "POST /v1/packages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n",
        half.len() * 2
    );
    tls.write_all(head.as_bytes()).await.unwrap();
    tls.write_all(half).await.unwrap();
    tls.flush().await.unwrap();
}
