//! Plays a collector's enrolment listener: one thread, one request a connection, behaviour as asked for.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa,
    KeyPair,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use shirase_shared::ids::HostId;
use shirase_shared::tls::{Fingerprint, install_crypto_provider};
use shirase_shared::wire::{EnrolAnswer, EnrolRequest, Problem};

/// How the collector behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// As it should.
    Enrol,
    /// Cuts the connection instead of the first answer to an enrolment.
    LoseFirstAnswer,
    /// Refuses with this status and these words.
    Refuse(u16, &'static str),
    /// Answers everything with a page.
    Html(u16),
    /// Answers the enrolment alone with a page.
    HtmlToEnrol,
    /// Shows a server certificate for another name.
    OtherHostsCertificate,
    /// Certifies another key than the one in the request.
    CertificateForAnotherKey,
}

pub(crate) struct FakeCollector {
    address: SocketAddr,
    fingerprint: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    behaviour: Behaviour,
    authority: CertifiedIssuer<'static, KeyPair>,
    tls: Arc<ServerConfig>,
    tokens: Mutex<Vec<String>>,
    stopping: Mutex<bool>,
}

impl FakeCollector {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        install_crypto_provider();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let other = behaviour == Behaviour::OtherHostsCertificate;
        let name = if other { "other.example" } else { "127.0.0.1" };
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            behaviour,
            tls: Arc::new(tls),
            tokens: Mutex::default(),
            stopping: Mutex::new(false),
            authority,
        });
        let thread = {
            let shared = Arc::clone(&shared);
            let address = listener.local_addr().unwrap();
            let thread = std::thread::spawn(move || shared.listen(&listener));
            (address, thread)
        };
        Self {
            address: thread.0,
            fingerprint: Fingerprint::of(shared.authority.der()).to_string(),
            shared,
            thread: Some(thread.1),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Tokens that arrived, in order.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shared.tokens.lock().unwrap().clone()
    }

    /// Stops listening and returns the address where nobody is any more.
    pub(crate) fn stop(mut self) -> String {
        self.end();
        self.url()
    }

    fn end(&mut self) {
        *self.shared.stopping.lock().unwrap() = true;
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for FakeCollector {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn listen(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if *self.stopping.lock().unwrap() {
                return;
            }
            // A client that turns away in the handshake is part of the test.
            drop(self.serve(stream.unwrap()));
        }
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let Some((status, answer)) = self.answer(&first, &body) else { return Ok(()) };
        let stream = reader.get_mut();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(answer.as_bytes())?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    /// Returns status and body; `None` cuts the connection.
    fn answer(&self, first: &str, body: &[u8]) -> Option<(u16, String)> {
        const PAGE: &str = "<!doctype html><title>Sign in to the network</title>";
        if let Behaviour::Html(status) = self.behaviour {
            return Some((status, PAGE.to_owned()));
        }
        if first.starts_with("GET /v1/authority ") {
            return Some((200, self.authority.pem()));
        }
        assert!(first.starts_with("POST /v1/enrol "), "{first}");
        let request: EnrolRequest = serde_json::from_slice(body).unwrap();
        let seen = {
            let mut tokens = self.tokens.lock().unwrap();
            tokens.push(request.token.reveal().clone());
            tokens.len()
        };
        match self.behaviour {
            Behaviour::LoseFirstAnswer if seen == 1 => None,
            Behaviour::HtmlToEnrol => Some((200, PAGE.to_owned())),
            Behaviour::Refuse(status, words) => {
                let problem = Problem { error: words.to_owned() };
                Some((status, serde_json::to_string(&problem).unwrap()))
            }
            Behaviour::Enrol
            | Behaviour::LoseFirstAnswer
            | Behaviour::Html(_)
            | Behaviour::OtherHostsCertificate
            | Behaviour::CertificateForAnotherKey => {
                Some((200, serde_json::to_string(&self.enrol(&request)).unwrap()))
            }
        }
    }

    fn enrol(&self, request: &EnrolRequest) -> EnrolAnswer {
        let certificate = if self.behaviour == Behaviour::CertificateForAnotherKey {
            let other = KeyPair::generate().unwrap();
            CertificateParams::default()
                .signed_by(&other, &self.authority)
                .unwrap()
        } else {
            let csr = CertificateSigningRequestParams::from_pem(&request.csr_pem).unwrap();
            csr.signed_by(&self.authority).unwrap()
        };
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        EnrolAnswer {
            host: HostId::random(),
            facility: "handa-hp".parse().unwrap(),
            certificate_pem: certificate.pem(),
            authority_pem: self.authority.pem(),
            order_key: BASE64.encode([7; 32]),
            manifest_recipient: recipient,
            ingest_url: "https://127.0.0.1:1".to_owned(),
        }
    }
}
