//! Lets this machine's administrator ask the running service: status, buffer, explain; and release what it suspended.
//!
//! ```text
//! client ── {"ask":"status"}\n ──▶ service
//!        ◀── {"answer":"status",…}\n … {"answer":"end"}\n ──
//! ```
//!
//! Always holds:
//! - only the user the service runs as is answered, which the operating system vouches for; nothing can be changed
//!   through here but to let suspended processes run again, only asked;
//! - connections, the length of a question and the time for it are bounded; a client that does not read is dropped;
//! - an answer that does not finish with `end` is not complete, and the client says so.

mod desk;
mod explain;
mod retold;
mod status;
mod client;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shirase_shared::error::Chain;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use client::{ClientError, ask};
pub(crate) use desk::{Desk, DeskParts};
pub(crate) use platform::Listener;
use platform::Stream;
pub use status::Status;

/// Clients answered at the same time; further ones wait in the socket's own queue.
const CLIENTS_MAX: usize = 4;
/// Longest question in bytes.
const QUESTION_MAX_BYTES: u64 = 4096;
/// How long a client may take for its question.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to read one line.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Answers under way to one client; when full, the desk waits for the client to read.
const ANSWERS_CAPACITY: usize = 64;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// How the service is.
    Status,
    /// Whether every waiting record is whole.
    BufferVerify,
    /// Every waiting record.
    BufferExport,
    /// Let suspended processes run again.
    Release {
        /// Which; all of them without a number.
        id: Option<u32>,
    },
    /// Everything known about one event or burst.
    Explain {
        /// Number, `STREAM/NUMBER`, or id of a burst.
        event: String,
    },
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// How the service is.
    Status(Box<Status>),
    /// A line to print.
    Line {
        /// The line, without its newline.
        line: String,
    },
    /// It could not be answered, or the answer is bad news.
    Failed {
        /// What was wrong and what to do.
        error: String,
    },
    /// The answer is complete.
    End,
}

/// Answers until `stop`.
pub(crate) async fn serve(listener: Listener, desk: Arc<Desk>, stop: CancellationToken) {
    let clients = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok(place) = Arc::clone(&clients).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(error = %Chain(&error), "a control client was turned away");
                continue;
            }
        };
        let (desk, stop) = (Arc::clone(&desk), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = converse(stream, &desk) => {}
            }
            drop(place);
        });
    }
}

async fn converse(stream: Stream, desk: &Desk) {
    let (read, mut write) = tokio::io::split(stream);
    let mut line = String::new();
    let mut limited = BufReader::new(read.take(QUESTION_MAX_BYTES));
    let (answers, mut ready) = mpsc::channel(ANSWERS_CAPACITY);
    let answering = async {
        // The sender moves in here, so that the last answer closes the channel and ends the writing below.
        let answers = answers;
        let error = match timeout(QUESTION_TIMEOUT, limited.read_line(&mut line)).await {
            Ok(Ok(_)) => match serde_json::from_str::<Question>(&line) {
                Ok(question) => return desk.answer(question, &answers).await,
                Err(error) => format!("this question is not understood: {error}"),
            },
            Ok(Err(error)) => format!("the question does not read: {error}"),
            Err(_) => "no question came in time".to_owned(),
        };
        // A client that is gone needs no answer.
        drop(answers.send(Answer::Failed { error }).await);
    };
    let writing = async {
        while let Some(answer) = ready.recv().await {
            let Ok(mut line) = serde_json::to_vec(&answer) else { return };
            line.push(b'\n');
            match timeout(WRITE_TIMEOUT, write.write_all(&line)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    };
    tokio::pin!(answering, writing);
    tokio::select! {
        // The client is gone or does not read: nothing more is worked out for it.
        () = &mut writing => return,
        () = &mut answering => {}
    }
    writing.await;
}
