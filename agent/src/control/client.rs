//! The command line's end of the control socket.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::platform;
use super::{Answer, Question};
use crate::paths::StateDir;

/// How long the service may take for one line.
const LINE_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest line of an answer in bytes: a record, escaped, with room.
const LINE_MAX_BYTES: u64 = 1024 * 1024;

/// A question could not be put to the service.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No service listens.
    #[error(
        "the service does not run with the state directory `{}` (nothing listens there); start it, or name the right \
         directory with --state or --config",
        state.display()
    )]
    NotRunning {
        /// Where it was looked for.
        state: PathBuf,
    },
    /// Another user's service.
    #[error(
        "the service at `{}` answers only the user it runs as; use that user, usually root",
        state.display()
    )]
    NotAllowed {
        /// Where it is.
        state: PathBuf,
    },
    /// The conversation broke off.
    #[error("the conversation with the service broke off")]
    Broken(#[source] io::Error),
    /// The answer is not complete.
    #[error("the service's answer ended before it was complete; it may be stopping, so ask again")]
    Incomplete,
    /// The service answered that it cannot, or that something is wrong.
    #[error("{0}")]
    Failed(String),
}

/// Puts one question to the service of `state` and hands each line of the answer to `each`.
///
/// # Errors
/// If no service runs there, if it answers only another user, or if it says itself that something is wrong.
pub async fn ask(
    state: &StateDir,
    question: &Question,
    mut each: impl FnMut(Answer) -> io::Result<()>,
) -> Result<(), ClientError> {
    let dir = || state.dir().to_owned();
    let connected = platform::connect(&state.control_socket()).await;
    let stream = connected.map_err(|error| refusal(error, dir()))?;
    let (read, mut write) = tokio::io::split(stream);
    let mut line = serde_json::to_vec(question).map_err(|e| ClientError::Broken(e.into()))?;
    line.push(b'\n');
    // A service that turns this user away closes at once; reading tells.
    drop(write.write_all(&line).await);
    let mut reader = BufReader::new(read);
    let mut first = true;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(LINE_MAX_BYTES);
        let read = timeout(LINE_TIMEOUT, limited.read_until(b'\n', &mut line))
            .await
            .map_err(|_| ClientError::Incomplete)?;
        match read {
            Ok(0) if first => return Err(ClientError::NotAllowed { state: dir() }),
            Ok(0) => return Err(ClientError::Incomplete),
            Ok(_) => first = false,
            Err(error) if first && error.kind() == io::ErrorKind::ConnectionReset => {
                return Err(ClientError::NotAllowed { state: dir() });
            }
            Err(error) => return Err(ClientError::Broken(error)),
        }
        match serde_json::from_slice(&line).map_err(|e| ClientError::Broken(e.into()))? {
            Answer::End => return Ok(()),
            Answer::Failed { error } => return Err(ClientError::Failed(error)),
            answer @ (Answer::Status(_) | Answer::Line { .. }) => {
                each(answer).map_err(ClientError::Broken)?;
            }
        }
    }
}

fn refusal(error: io::Error, state: PathBuf) -> ClientError {
    let kind = error.kind();
    if kind == io::ErrorKind::PermissionDenied {
        ClientError::NotAllowed { state }
    } else if [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused].contains(&kind) {
        ClientError::NotRunning { state }
    } else {
        ClientError::Broken(error)
    }
}
