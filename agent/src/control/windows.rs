//! The control socket on Windows: a named pipe for the system and administrators, on this machine alone.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

use crate::service::Descriptor;

/// Who may use the pipe: the system, administrators, and the user the service runs as.
const ALLOWED: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";

/// A connection in either direction.
pub(super) enum Stream {
    /// As the service holds it.
    Server(NamedPipeServer),
    /// As the command line holds it.
    Client(NamedPipeClient),
}

/// The service's end.
pub(crate) struct Listener {
    name: String,
    /// The pipe the next client finds.
    next: Mutex<Option<NamedPipeServer>>,
}

impl Listener {
    /// Listens for the service whose socket would be at `path`.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let name = name_of(path);
        let first = open(&name, true)?;

        Ok(Self { name, next: Mutex::new(Some(first)) })
    }

    /// Waits for the next client.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        let waiting = self.take()?;
        waiting.connect().await?;
        // The next client must find a pipe at any time.
        let next = open(&self.name, false)?;
        *self
            .next
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(next);

        Ok(Stream::Server(waiting))
    }

    fn take(&self) -> io::Result<NamedPipeServer> {
        let taken = self
            .next
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        taken.map_or_else(|| open(&self.name, false), Ok)
    }
}

/// Connects to the service.
#[expect(clippy::unused_async, reason = "the other systems wait here")]
pub(super) async fn connect(path: &Path) -> io::Result<Stream> {
    ClientOptions::new().open(name_of(path)).map(Stream::Client)
}

#[expect(unsafe_code, reason = "the access list is given as a pointer")]
fn open(name: &str, first: bool) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::parse(ALLOWED)?;
    let mut attributes = descriptor.attributes();
    let mut options = ServerOptions::new();
    options
        .first_pipe_instance(first)
        .reject_remote_clients(true);
    // SAFETY: the attributes and what they point to live until the call returns.
    unsafe { options.create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Pipes have names and no places: each state directory has its own.
fn name_of(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.to_string_lossy().to_lowercase().hash(&mut hasher);

    format!(r"\\.\pipe\shirase-agent-{:016x}", hasher.finish())
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_read(context, buffer),
            Self::Client(pipe) => Pin::new(pipe).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_write(context, bytes),
            Self::Client(pipe) => Pin::new(pipe).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_flush(context),
            Self::Client(pipe) => Pin::new(pipe).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_shutdown(context),
            Self::Client(pipe) => Pin::new(pipe).poll_shutdown(context),
        }
    }
}
