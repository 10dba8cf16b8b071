//! The way to a peer: its name, a connection, TLS; and how far a question came.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::tls::Secured;

pub(super) use shirase_shared::settings::address::Address;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// Head start of an address before the next one is tried beside it: one family that leads nowhere is no outage.
const HEAD_START: Duration = Duration::from_millis(250);

/// How far a question came; what a person needs to know when it was not answered in time.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Mutex<Stage>>);

/// What is being waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Any answer at all.
    #[default]
    Asking,
    /// The addresses of the name.
    Resolving,
    /// A connection.
    Connecting,
    /// The end of the TLS handshake.
    Securing,
    /// The first byte of an answer.
    Waiting,
    /// The rest of an answer.
    Reading,
}

impl Progress {
    pub(super) fn enter(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// Returns the words for a question that took too long.
    pub(super) fn late(&self, secs: u64) -> String {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Asking => format!("no answer within {secs} s"),
            Stage::Resolving => format!("its name was not resolved within {secs} s"),
            Stage::Connecting => format!("no connection within {secs} s"),
            Stage::Securing => {
                format!("accepts connections but did not finish the TLS handshake within {secs} s")
            }
            Stage::Waiting => format!("accepts connections but did not answer within {secs} s"),
            Stage::Reading => format!("began an answer but did not finish it within {secs} s"),
        }
    }
}

/// Looks names up, one at a time: a resolver that hangs longer than a question holds one thread and no more.
#[derive(Clone, Debug)]
pub(super) struct Resolver(Arc<Semaphore>);

/// A name without an address.
#[derive(Debug, thiserror::Error)]
#[error("its name `{host}` does not resolve: {source}")]
pub(super) struct Unresolved {
    host: String,
    source: io::Error,
}

impl Default for Resolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Resolver {
    pub(super) async fn resolve(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, Unresolved> {
        let failed = |source| Unresolved { host: host.to_owned(), source };
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let wanted = (host.to_owned(), port);
        let found = tokio::task::spawn_blocking(move || {
            let found = (wanted.0.as_str(), wanted.1).to_socket_addrs();
            drop(turn);
            found.map(Vec::from_iter)
        });
        let mut found = found
            .await
            .map_err(io::Error::other)
            .and_then(|found| found)
            .map_err(failed)?;
        found.truncate(ADDRESSES_MAX);
        if found.is_empty() {
            return Err(failed(io::Error::other("it has no address")));
        }

        Ok(found)
    }
}

/// What can be read and written, encrypted or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// Where a probe asks, and how it gets there.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: Address,
    pub(super) secured: Option<Secured>,
    resolver: Resolver,
}

impl Peer {
    pub(super) fn new(address: Address, secured: Option<Secured>) -> Self {
        Self { address, secured, resolver: Resolver::default() }
    }

    /// Connects, without TLS.
    pub(super) async fn reach(&self, progress: &Progress) -> Result<TcpStream, String> {
        progress.enter(Stage::Resolving);
        let Address { host, port } = &self.address;
        let addresses = self
            .resolver
            .resolve(host, *port)
            .await
            .map_err(|error| error.to_string())?;
        progress.enter(Stage::Connecting);
        let stream = first_connection(addresses).await?;
        progress.enter(Stage::Waiting);

        Ok(stream)
    }

    /// Connects, with TLS where that is configured.
    pub(super) async fn connect(&self, progress: &Progress) -> Result<Talk, String> {
        let stream = self.reach(progress).await?;
        self.secure(stream, progress).await
    }

    /// Speaks TLS over a connection, where that is configured.
    pub(super) async fn secure(
        &self,
        stream: TcpStream,
        progress: &Progress,
    ) -> Result<Talk, String> {
        let stream: Box<dyn Duplex> = match &self.secured {
            None => Box::new(stream),
            Some(secured) => {
                progress.enter(Stage::Securing);
                Box::new(secured.handshake(stream, &self.address.host).await?)
            }
        };
        progress.enter(Stage::Waiting);

        Ok(Talk { stream, progress: progress.clone() })
    }
}

/// Connects to whichever address answers first, the earlier ones with a head start.
async fn first_connection(addresses: Vec<SocketAddr>) -> Result<TcpStream, String> {
    let mut attempts = JoinSet::new();
    let mut head_start = Duration::ZERO;
    for address in addresses {
        attempts.spawn(async move {
            tokio::time::sleep(head_start).await;
            TcpStream::connect(address).await
        });
        head_start += HEAD_START;
    }
    let mut refused = "no address to connect to".to_owned();
    while let Some(attempt) = attempts.join_next().await {
        match attempt.map_err(io::Error::other).and_then(|stream| stream) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = format!("no connection: {error}"),
        }
    }

    Err(refused)
}

/// A connection on which one question is asked.
pub(super) struct Talk {
    stream: Box<dyn Duplex>,
    progress: Progress,
}

impl Talk {
    /// Goes on without TLS.
    pub(super) fn plain(stream: TcpStream, progress: &Progress) -> Self {
        Self { stream: Box::new(stream), progress: progress.clone() }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| broken(&error))
    }

    /// Reads what is there, at most `most` bytes, into `buffer`; 0 means that the peer hung up.
    pub(super) async fn read_some(
        &mut self,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Result<usize, String> {
        let mut limited = (&mut self.stream).take(u64::try_from(most).unwrap_or(u64::MAX));
        let read = limited.read_buf(buffer).await;
        let count = read.map_err(|error| broken(&error))?;
        if 0 < count {
            self.progress.enter(Stage::Reading);
        }

        Ok(count)
    }

    /// Reads exactly this many bytes; the caller bounds them.
    pub(super) async fn read_exactly(&mut self, wanted: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(wanted.min(4096));
        while bytes.len() < wanted {
            let missing = wanted - bytes.len();
            if self.read_some(&mut bytes, missing).await? == 0 {
                return Err("closed the connection before its answer was complete".to_owned());
            }
        }

        Ok(bytes)
    }
}

fn broken(error: &io::Error) -> String {
    format!("the connection broke: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_without_an_address_has_its_own_words() {
        let peer = Peer::new("no-such-host.invalid:1".parse().unwrap(), None);
        let error = peer.reach(&Progress::default()).await.unwrap_err();
        assert!(error.starts_with("its name `no-such-host.invalid` does not resolve"), "{error}");
    }
}
