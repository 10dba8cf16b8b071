//! One conversation with the mail server, step by step, so that it is certain how far it came.
//!
//! ```text
//! connect ─ TLS ─ sign in ─ MAIL ─ RCPT ─ DATA ─(the caller notes: handing over)─ text ─▶ final dot ─ answer
//!  └──────────── nothing was handed over: try later ─────────────────────────────────┘└─ no answer: unknown ─┘
//! ```
//!
//! Always holds: a failure before the final dot is no delivery; a 4xx or 5xx is the server's own word that it did not take
//! the text; after the final dot anything but an answer is unknown.

use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use shirase_shared::error::Chain;
use tokio::time::timeout;

use super::shortened;

/// How long a server may take for the goodbye.
const GOODBYE_LIMIT: Duration = Duration::from_secs(3);

/// How long a server may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For everything before the text, together: connecting, TLS, signing in, the addresses.
    pub before: Duration,
    /// For taking the text and answering.
    pub text: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { before: Duration::from_secs(30), text: Duration::from_secs(60) }
    }
}

/// How the connection is protected, ready for use.
#[derive(Clone)]
pub(super) enum Protection {
    None,
    Starttls(TlsParameters),
    Tls(TlsParameters),
}

/// A mail server to talk to.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) credentials: Option<Credentials>,
    pub(super) patience: Patience,
}

/// Why a mail is not known to have arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// It did not come to the text: the server is not there, is not who it should be, or does not let us in.
    #[error("{0}")]
    NotYet(String),
    /// The server said: later.
    #[error("{0}")]
    Later(String),
    /// The server said: no.
    #[error("{0}")]
    Refused(String),
    /// The text was handed over and no answer came.
    #[error("{0}")]
    Unknown(String),
}

/// How far a conversation came, for judging an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// Not yet at the addresses: whatever is wrong, the addressee has no part in it.
    Door,
    /// At the addresses or in the text, before its end.
    Mail,
    /// At the final dot or behind it.
    FinalDot,
}

impl Server {
    /// Hands one message over and returns the server's answer. `before_text` runs once the server is ready for the
    /// text; its error ends the conversation before anything was handed over.
    ///
    /// # Errors
    /// Says how far it came.
    pub(super) async fn hand_over(
        &self,
        envelope: &Envelope,
        message: &[u8],
        before_text: impl Future<Output = Result<(), String>>,
    ) -> Result<String, HandOverError> {
        let Patience { before, text } = self.patience;
        let opening = self.open(envelope, message);
        let mut connection = timeout(before, opening).await.unwrap_or_else(|_| {
            let why = format!("the mail server did not get ready within {before:?}");
            Err(HandOverError::NotYet(why))
        })?;
        before_text.await.map_err(HandOverError::NotYet)?;

        let at_dot = AtomicBool::new(false);
        let reached = || {
            if at_dot.load(Ordering::SeqCst) { Reached::FinalDot } else { Reached::Mail }
        };
        let said = timeout(text, connection.message_iter(Text { message, at_dot: &at_dot }));
        let answer = match said.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(judged(&error, reached())),
            Err(_) => {
                let why = format!("the mail server did not answer within {text:?}");
                return Err(match reached() {
                    Reached::FinalDot => HandOverError::Unknown(why),
                    Reached::Door | Reached::Mail => HandOverError::NotYet(why),
                });
            }
        };
        // The answer counts; how the goodbye goes does not.
        drop(timeout(GOODBYE_LIMIT, connection.quit()).await);

        Ok(words(&answer))
    }

    /// Comes as far as the server's readiness for the text.
    async fn open(
        &self,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<AsyncSmtpConnection, HandOverError> {
        let mut connection = self
            .connect()
            .await
            .map_err(|e| judged(&e, Reached::Door))?;
        let options = options(&connection, envelope, message)?;
        let from = Mail::new(envelope.from().cloned(), options);
        say(&mut connection, from).await?;
        for to in envelope.to() {
            say(&mut connection, Rcpt::new(to.clone(), Vec::new())).await?;
        }
        say(&mut connection, Data).await?;

        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let hello = ClientId::default();
        let (wrapper, starttls) = match &self.protection {
            Protection::None => (None, None),
            Protection::Starttls(parameters) => (None, Some(parameters.clone())),
            Protection::Tls(parameters) => (Some(parameters.clone()), None),
        };
        let place = (self.host.as_str(), self.port);
        let limit = Some(self.patience.before);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(place, limit, &hello, wrapper, None).await?;
        if let Some(parameters) = starttls {
            connection.starttls(parameters, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }

        Ok(connection)
    }
}

async fn say(
    connection: &mut AsyncSmtpConnection,
    command: impl Display,
) -> Result<(), HandOverError> {
    match connection.command(command).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let judged = judged(&error, Reached::Mail);
            connection.abort().await;
            Err(judged)
        }
    }
}

/// Says what the server must be able to do for this message.
fn options(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    message: &[u8],
) -> Result<Vec<MailParameter>, HandOverError> {
    let server = connection.server_info();
    let mut options = Vec::new();
    let addresses = envelope.to().iter().chain(envelope.from());
    if addresses
        .map(AsRef::<str>::as_ref)
        .any(|address: &str| !address.is_ascii())
    {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            let why = "the mail server takes no address with letters beyond ASCII (SMTPUTF8)";
            return Err(HandOverError::Refused(why.to_owned()));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() {
        if !server.supports_feature(Extension::EightBitMime) {
            let why = "the mail server takes no text beyond ASCII (8BITMIME)";
            return Err(HandOverError::Refused(why.to_owned()));
        }
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

/// The message as one piece; asked for another, it notes that the final dot comes next: lettre has written and flushed
/// everything before it then.
struct Text<'a> {
    message: &'a [u8],
    at_dot: &'a AtomicBool,
}

impl<'a> Iterator for Text<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.message.is_empty() {
            self.at_dot.store(true, Ordering::SeqCst);
            return None;
        }
        Some(std::mem::take(&mut self.message))
    }
}

fn judged(error: &Error, reached: Reached) -> HandOverError {
    let why = shortened(&Chain(error).to_string());
    match reached {
        // A sign-in that is refused is for the administrator to mend, not an addressee's refusal.
        Reached::Door => HandOverError::NotYet(why),
        Reached::Mail | Reached::FinalDot if error.is_permanent() => HandOverError::Refused(why),
        Reached::Mail | Reached::FinalDot if error.is_transient() => HandOverError::Later(why),
        Reached::Mail => HandOverError::NotYet(why),
        Reached::FinalDot => HandOverError::Unknown(why),
    }
}

fn words(answer: &Response) -> String {
    let lines: Vec<_> = answer.message().collect();
    shortened(&format!("{} {}", answer.code(), lines.join(" ")))
}
