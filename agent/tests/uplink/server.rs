//! A server that does what a script says, behind TLS that demands a client certificate.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use shirase_shared::ids::Sequence;
use shirase_shared::wire::{Ack, Batch, batch_digest, record_hash};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// The client's certificate.
    pub(crate) peer: Vec<u8>,
}

impl Request {
    pub(crate) fn batch(&self) -> Batch {
        Batch::decode(&self.body).expect("a batch")
    }

    pub(crate) fn sequences(&self) -> Vec<u64> {
        let number = |line: &Vec<u8>| {
            serde_json::from_slice::<serde_json::Value>(line).unwrap()["sequence"]
                .as_u64()
                .unwrap()
        };
        self.batch().lines.iter().map(number).collect()
    }

    /// What an honest collector answers that stored all of it.
    pub(crate) fn ack(&self) -> Ack {
        let batch = self.batch();
        let hashes: Vec<_> = batch.lines.iter().map(|line| record_hash(line)).collect();
        let through = Sequence(*self.sequences().last().unwrap());
        let digest = batch_digest(hashes.iter().map(String::as_str));
        Ack { stream: batch.head.stream, stored_through: through, digest }
    }
}

/// What the server does with a request.
pub(crate) enum Reply {
    Answer(u16, &'static str, Vec<u8>),
    /// Closes the connection without a word.
    Cut,
    /// Says nothing until the client gives up.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, value: &impl serde::Serialize) -> Self {
        Self::Answer(status, "application/json", serde_json::to_vec(value).unwrap())
    }
}

pub(crate) type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Mutex<Receiver<Request>>,
}

impl Server {
    pub(crate) fn start(
        certificate: (CertificateDer<'static>, Vec<u8>),
        authority: CertificateDer<'static>,
        script: Script,
    ) -> Self {
        shirase_shared::tls::install_crypto_provider();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .unwrap();
        let config = ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.0], PrivatePkcs8KeyDer::from(certificate.1).into())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (tell, seen) = mpsc::channel();
        let script = Arc::new(Mutex::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = StreamOwned::new(connection, stream.unwrap());
                let (script, tell) = (Arc::clone(&script), tell.clone());
                std::thread::spawn(move || serve(stream, &script, &tell));
            }
        });

        Self { url, seen: Mutex::new(seen) }
    }

    /// Returns the next request to a path, skipping others.
    pub(crate) fn next(&self, path: &str) -> Request {
        let deadline = std::time::Duration::from_secs(20);
        loop {
            let request = self.seen.lock().unwrap().recv_timeout(deadline);
            let request = request.unwrap_or_else(|_| panic!("waited in vain for {path}"));
            if request.path == path {
                return request;
            }
        }
    }

    /// Returns the requests to a path that came so far.
    pub(crate) fn so_far(&self, path: &str) -> Vec<Request> {
        self.seen
            .lock()
            .unwrap()
            .try_iter()
            .filter(|request| request.path == path)
            .collect()
    }
}

fn serve(
    stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    script: &Mutex<Script>,
    tell: &Sender<Request>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let reply = script.lock().unwrap()(&request);
        // A test that has ended hears no more.
        drop(tell.send(request));
        match reply {
            Reply::Answer(status, kind, body) => {
                let head = format!(
                    "HTTP/1.1 {status} Told\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let answer = [head.as_bytes(), &body].concat();
                if reader
                    .get_mut()
                    .write_all(&answer)
                    .and_then(|()| reader.get_mut().flush())
                    .is_err()
                {
                    return;
                }
            }
            Reply::Cut => return,
            Reply::Silence => {
                // Ends when the client closes the connection.
                drop(reader.read(&mut [0]));
                return;
            }
        }
    }
}

fn read(
    reader: &mut BufReader<StreamOwned<ServerConnection, std::net::TcpStream>>,
) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| 0 < *length)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![
        0;
        headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap())
    ];
    reader.read_exact(&mut body).ok()?;
    let peer = reader
        .get_ref()
        .conn
        .peer_certificates()
        .and_then(|chain| chain.first().cloned());

    Some(Request { path, headers, body, peer: peer?.to_vec() })
}
