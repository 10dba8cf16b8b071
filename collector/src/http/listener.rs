//! TLS for axum: handshakes beside each other, certificates replaced while running, peers known to the handlers.
//!
//! ```text
//! accept ─▶ handshake in a task of its own (10 s, at most 256 at once) ─▶ queue (64) ─▶ axum::serve
//! ```
//!
//! Always holds:
//! - a peer that does not finish its handshake keeps nobody else out for longer than its time limit;
//! - replacing the certificate concerns new connections; who is let in is asked on every request (see `http::agent`).

mod connection;
mod settings;

pub use connection::{Peer, PeerCertificate, TlsConnection};
pub use settings::{ClientCertificates, TlsError, TlsSettings, keep_fresh};

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How long a peer may take for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes at once. Further connections wait in the kernel's backlog.
const HANDSHAKES_MAX: usize = 256;
/// Open connections of one listener. Further ones wait in the kernel's backlog.
const CONNECTIONS_MAX: usize = 2048;
/// Finished handshakes waiting to be served. When full, they wait and keep their place among the connections.
const READY_CAPACITY: usize = 64;
/// Pause after accepting failed, mostly because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// A listener for [`axum::serve()`] whose connections speak TLS.
pub struct TlsListener {
    ready: mpsc::Receiver<TlsConnection>,
    address: SocketAddr,
    acceptor: JoinHandle<()>,
}

impl TlsListener {
    /// Listens at `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, settings: TlsSettings) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        let (done, ready) = mpsc::channel(READY_CAPACITY);
        let acceptor = tokio::spawn(accept_all(tcp, settings, done));

        Ok(Self { ready, address, acceptor })
    }

    /// Returns where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsConnection, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => {
                let address = connection.peer().address;
                (connection, address)
            }
            // The task ends only together with the runtime; until then nobody comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept_all(tcp: TcpListener, settings: TlsSettings, done: mpsc::Sender<TlsConnection>) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let (Ok(place), Ok(connection)) = (
            Arc::clone(&handshakes).acquire_owned().await,
            Arc::clone(&connections).acquire_owned().await,
        ) else {
            return;
        };
        match tcp.accept().await {
            Ok((stream, address)) => {
                let acceptor = TlsAcceptor::from(settings.current());
                let done = done.clone();
                tokio::spawn(async move {
                    let arrived = Arrived { stream, address, place: connection };
                    if let Some(connection) = shake_hands(acceptor, arrived).await {
                        // Fails only when nobody serves any more: then the connection is dropped.
                        drop(done.send(connection).await);
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Arrived {
    stream: TcpStream,
    address: SocketAddr,
    place: OwnedSemaphorePermit,
}

async fn shake_hands(acceptor: TlsAcceptor, arrived: Arrived) -> Option<TlsConnection> {
    let Arrived { stream, address, place } = arrived;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(TlsConnection::new(stream, address, place)),
        Ok(Err(error)) => {
            tracing::debug!(peer.address = %address, %error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(peer.address = %address, "TLS handshake took too long");
            None
        }
    }
}
