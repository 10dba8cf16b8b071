//! Whether a PostgreSQL server takes sessions.
//!
//! ```text
//! ──▶ SSLRequest (tls = "on")   ◀── S: go on over TLS    N: down
//! ──▶ startup packet            ◀── asked for a password: up (no password file: hang up, the server logs nothing)
//!                               ◀── AuthenticationOk ... ReadyForQuery ──▶ SELECT 1 ◀── answered: up
//!                               ◀── ERROR: down in its own words; but who is refused by pg_hba.conf or by role
//!                                   was answered by a server that takes sessions: up
//! ```
//!
//! Being asked for a password proves that the server forks and reads its files. It does not prove that a slot is free
//! for an ordinary role, which the server looks at after the password: for that, give the probe a role of its own,
//! with `password_file` or without a password (`CREATE ROLE shirase LOGIN` and a line in `pg_hba.conf`).

mod messages;
mod scram;

use std::path::PathBuf;

use super::net::{Peer, Progress, Stage, Talk};
use super::{Asked, Failure};
use messages::{Authentication, Message};
use scram::Scram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longest message taken, in bytes.
const MESSAGE_MAX_BYTES: usize = 16 * 1024;
/// Messages taken in one exchange; a server sends about twenty.
const MESSAGES_MAX: usize = 200;
/// Longest password file, in bytes.
const PASSWORD_MAX_BYTES: usize = 1024;

/// A server and the session asked for.
pub(super) struct Server {
    pub(super) peer: Peer,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) password_file: Option<PathBuf>,
}

impl Server {
    /// Asks once.
    pub(super) async fn ask(&self, progress: &Progress) -> Asked {
        let password = match &self.password_file {
            Some(path) => Some(scram::password(path, PASSWORD_MAX_BYTES).map_err(Failure::Unable)?),
            None => None,
        };
        let mut talk = self.connect(progress).await?;
        talk.send(&messages::startup(&self.user, &self.database))
            .await?;
        let answer = self.session(&mut talk, password.as_deref()).await?;
        // The server ends the session whether or not it reads this.
        drop(talk.send(messages::TERMINATE).await);

        Ok(answer)
    }

    async fn connect(&self, progress: &Progress) -> Result<Talk, String> {
        let mut stream = self.peer.reach(progress).await?;
        if self.peer.secured.is_some() {
            progress.enter(Stage::Waiting);
            let asked = async {
                stream.write_all(messages::TLS_REQUEST).await?;
                stream.read_u8().await
            };
            let answer = asked
                .await
                .map_err(|error| format!("no answer to the wish for TLS: {error}"))?;
            match answer {
                b'S' => {}
                b'N' => return Err("does not speak TLS, which the probe asks for".to_owned()),
                // Before it can speak TLS, a server in need says so in the clear.
                b'E' => {
                    let mut rest = Talk::plain(stream, progress);
                    return match read_rest(&mut rest, b'E').await? {
                        Message::Error(error) => Err(error.to_string()),
                        other @ (Message::Authentication(_)
                        | Message::Ready
                        | Message::Row
                        | Message::Aside) => Err(unexpected(&other)),
                    };
                }
                other => return Err(format!("answered the wish for TLS with byte {other:02X}H")),
            }
        }

        self.peer.secure(stream, progress).await
    }

    /// Follows what the server says until it is clear whether it takes sessions.
    async fn session(&self, talk: &mut Talk, password: Option<&str>) -> Asked {
        let mut scram = None;
        let mut state = State::Authenticating;
        for _ in 0..MESSAGES_MAX {
            match (read(talk).await?, state) {
                // A role that is not there is found out only after AuthenticationOk.
                (Message::Error(error), State::Authenticating | State::Starting)
                    if password.is_none() && error.proves_life() =>
                {
                    return Ok(format!("takes sessions, though not this one: {error}"));
                }
                (Message::Error(error), _) => return Err(error.to_string().into()),
                (Message::Authentication(Authentication::Ok), State::Authenticating) => {
                    if scram
                        .as_ref()
                        .is_some_and(|scram: &Scram| !scram.is_proven())
                    {
                        return Err("took the password without proof of knowing it"
                            .to_owned()
                            .into());
                    }
                    state = State::Starting;
                }
                (Message::Authentication(wanted), State::Authenticating) => {
                    let Some(password) = password else {
                        return Ok(format!("takes sessions, asks for {}", wanted.name()));
                    };
                    let answer = scram::answer(&wanted, password, &mut scram)?;
                    talk.send(&answer).await?;
                }
                (Message::Ready, State::Starting) => {
                    talk.send(messages::SELECT_ONE).await?;
                    state = State::Asking;
                }
                (Message::Row, State::Asking) => state = State::Answered,
                (Message::Ready, State::Answered) => {
                    return Ok("began a session and answered SELECT 1".to_owned());
                }
                (Message::Aside, _) => {}
                (other, _) => return Err(unexpected(&other).into()),
            }
        }

        Err("sent messages without end".to_owned().into())
    }
}

/// How far a session came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Authenticating,
    Starting,
    Asking,
    Answered,
}

async fn read(talk: &mut Talk) -> Result<Message, String> {
    let kind = talk.read_exactly(1).await?;
    read_rest(talk, kind.first().copied().unwrap_or(0)).await
}

/// Reads a message whose first byte is known.
async fn read_rest(talk: &mut Talk, kind: u8) -> Result<Message, String> {
    if !kind.is_ascii_alphabetic() {
        return Err(format!("does not speak PostgreSQL; its answer begins with byte {kind:02X}H"));
    }
    let length = talk.read_exactly(4).await?;
    let length = messages::content_length(&length)
        .filter(|length| *length <= MESSAGE_MAX_BYTES)
        .ok_or_else(|| {
            let said = String::from_utf8_lossy(&length).into_owned();
            format!(
                "does not speak PostgreSQL; its answer begins with `{}{said}`",
                char::from(kind)
            )
        })?;

    Message::read(kind, &talk.read_exactly(length).await?)
}

fn unexpected(message: &Message) -> String {
    format!("answered with {} where it makes no sense", message.name())
}
