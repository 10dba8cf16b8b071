//! The control socket on Unix: a path in the state directory, mode 0600, peers vouched for by the kernel.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::service;

/// A connection in either direction.
pub(super) type Stream = UnixStream;

/// The service's end.
pub(crate) struct Listener {
    inner: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens at `path`. What an earlier service left there is replaced: the caller holds the state directory's lock.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // The directory is 0700, so nobody gets in between the two calls.
        let inner = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;

        Ok(Self { inner, path: path.to_owned() })
    }

    /// Waits for the next client of this user.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        let (stream, _) = self.inner.accept().await?;
        let (peer, own) = (stream.peer_cred()?.uid(), service::own_user());
        if peer != own {
            let message = format!("user {peer} is not user {own} the service runs as");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }

        Ok(stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A leftover is replaced at the next start.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Connects to the service.
pub(super) async fn connect(path: &Path) -> io::Result<Stream> {
    UnixStream::connect(path).await
}
