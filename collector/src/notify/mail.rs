//! Sends a letter through the hospital's mail server.
//!
//! Always holds: passwords travel encrypted or not at all (`tls = "none"` is for loopback only); what a foreign name holds
//! cannot become a header or a second recipient.

mod conversation;
mod outgoing;

use std::future::{Future, ready};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;
use shirase_shared::error::Chain;
use shirase_shared::secret::Secret;

use super::SendError;
use super::letter::Letter;
use crate::audit::Head;
use conversation::{Protection, Server};

pub use conversation::{HandOverError, Patience};
pub use outgoing::{Around, EnvelopeError, Outgoing, envelope};

/// Most of a server's answer that is kept.
const ANSWER_MAX_CHARS: usize = 400;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// Not at all; only for a server on this machine.
    None,
    /// The connection begins plain and must become encrypted before anything is said.
    #[default]
    Starttls,
    /// Encrypted from the first byte.
    Tls,
}

/// How alerts reach staff by mail.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// Name or address of the mail server. Empty: no mail leaves.
    pub host: String,
    /// Its port: 587 for `starttls`, 465 for `tls`, often 25 for `none`.
    pub port: u16,
    /// `starttls`, `tls`, or `none` for a server on this machine.
    pub tls: MailTls,
    /// PEM file of the authority that signed the server's certificate. Empty: the system's authorities.
    pub ca_file: PathBuf,
    /// User name at the mail server. Empty: no sign-in.
    pub user: String,
    /// File that holds the password and nothing else.
    pub password_file: PathBuf,
    /// Sender of every mail.
    pub from: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: MailTls::Starttls,
            ca_file: PathBuf::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
        }
    }
}

impl MailConfig {
    fn is_loopback(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }

    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.host.is_empty() && self.tls == MailTls::None && !self.is_loopback() {
            problems.push(Problem::of(
                "mail.tls",
                format!("`none` would send alerts in the clear to `{}`", self.host),
                "use \"starttls\" or \"tls\"; \"none\" is for 127.0.0.1, ::1 and localhost only",
            ));
        }
        if !self.host.is_empty() && self.from.is_empty() {
            problems.push(Problem::of(
                "mail.from",
                "is empty",
                "give the sender, for example \"Shirase <shirase@example.jp>\"",
            ));
        }
        if !self.from.is_empty() && self.from.parse::<Mailbox>().is_err() {
            problems.push(Problem::of(
                "mail.from",
                format!("`{}` is no mail address", self.from),
                "write \"name@example.jp\" or \"Name <name@example.jp>\"",
            ));
        }
        if self.user.is_empty() != self.password_file.as_os_str().is_empty() {
            problems.push(Problem::of(
                "mail.password_file",
                "`user` and `password_file` go together, but only one is given",
                "give both or neither",
            ));
        }
        if self.port == 0 {
            problems.push(Problem::of("mail.port", "0 is no port", "587, 465 or 25 are usual"));
        }
        problems
    }
}

/// Checks that a text is one mail address and nothing else.
pub(crate) fn check_address(text: &str) -> Result<(), String> {
    text.parse::<Address>()
        .map(|_| ())
        .map_err(|error| format!("{error}; give one address such as tantou@example.jp"))
}

/// Whether a text is a sender as a configuration names one, with or without a name.
pub(crate) fn is_mailbox(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Why mail cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No server is configured.
    #[error("no mail server is configured; set `host` and `from` in the table [mail]")]
    NotConfigured,
    /// The sender is no address.
    #[error("`mail.from` is no mail address")]
    From(#[from] lettre::address::AddressError),
    /// A file cannot be read.
    #[error("failed to read `{}`, named by `mail.{key}`", path.display())]
    File {
        /// Which key names it.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("failed to set up TLS for the mail server")]
    Tls(#[from] lettre::transport::smtp::Error),
}

/// Sends letters.
#[derive(Clone)]
pub struct Mailer {
    server: Server,
    from: Mailbox,
}

impl Mailer {
    /// Reads the password and the authority's certificate and gets ready; connects to nothing.
    ///
    /// # Errors
    /// When no server is configured or a file does not read.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        if config.host.is_empty() {
            return Err(MailError::NotConfigured);
        }
        let protection = match config.tls {
            MailTls::None => Protection::None,
            MailTls::Starttls => Protection::Starttls(Self::tls_parameters(config)?),
            MailTls::Tls => Protection::Tls(Self::tls_parameters(config)?),
        };
        let mut credentials = None;
        if !config.user.is_empty() {
            let password = Secret::new(read("password_file", &config.password_file)?);
            let line = password.reveal().trim_end_matches(['\r', '\n']).to_owned();
            credentials = Some(Credentials::new(config.user.clone(), line));
        }
        let server = Server {
            host: config.host.clone(),
            port: config.port,
            protection,
            credentials,
            patience: Patience::default(),
        };

        Ok(Self { server, from: config.from.parse()? })
    }

    /// Waits as long as this instead.
    #[must_use]
    pub const fn with_patience(mut self, patience: Patience) -> Self {
        self.server.patience = patience;
        self
    }

    fn tls_parameters(config: &MailConfig) -> Result<TlsParameters, MailError> {
        let mut parameters = TlsParameters::builder(config.host.clone());
        if !config.ca_file.as_os_str().is_empty() {
            let pem = read("ca_file", &config.ca_file)?;
            parameters = parameters.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
        }

        Ok(parameters.build_rustls()?)
    }

    /// Sends one letter to one address and returns the server's answer.
    ///
    /// # Errors
    /// Says what the server answered, or that it does not.
    pub async fn send(&self, to: &str, letter: &Letter) -> Result<String, SendError> {
        let message = self.message(to, letter)?;
        let (envelope, bytes) = (message.envelope(), message.formatted());
        let sending = self.server.hand_over(envelope, &bytes, ready(Ok(())));
        sending.await.map_err(|error| match error {
            HandOverError::Later(why) | HandOverError::Refused(why) => SendError::Refused(why),
            // An alert that arrives twice carries the same id; one that does not arrive may cost a night.
            HandOverError::NotYet(why) | HandOverError::Unknown(why) => SendError::Unreachable(why),
        })
    }

    /// Hands a mail over and returns the server's answer. `before_text` runs when the server is ready for the text.
    ///
    /// # Errors
    /// Says how far it came.
    pub async fn hand_over(
        &self,
        outgoing: &Outgoing,
        before_text: impl Future<Output = Result<(), String>>,
    ) -> Result<String, HandOverError> {
        self.server
            .hand_over(&outgoing.envelope, &outgoing.bytes, before_text)
            .await
    }

    fn message(&self, to: &str, letter: &Letter) -> Result<Message, SendError> {
        let refused = |error: &(dyn std::error::Error + 'static)| {
            SendError::Refused(format!("the mail cannot be made: {}", Chain(error)))
        };
        let to: Address = to
            .parse()
            .map_err(|error: lettre::address::AddressError| refused(&error))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        // As a header it can be read from a stored mail whose text is encoded.
        let audit = HeaderName::new_from_ascii_str("X-Shirase-Audit");
        let heads = Head::find_all(&letter.body);
        let mut message = Message::builder();
        if let Some(head) = heads.last() {
            message = message.raw_header(HeaderValue::new(audit, head.to_string()));
        }

        message
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(SystemTime::from(letter.created_at))
            .message_id(Some(letter.message_id.clone()))
            .references(letter.thread_id.clone())
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .subject(letter.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone())
            .map_err(|error| refused(&error))
    }
}

fn read(key: &'static str, path: &std::path::Path) -> Result<String, MailError> {
    std::fs::read_to_string(path).map_err(|source| MailError::File {
        key,
        path: path.to_owned(),
        source,
    })
}

fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(ANSWER_MAX_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        let config = MailConfig {
            host: "127.0.0.1".to_owned(),
            tls: MailTls::None,
            from: "Shirase <shirase@example.jp>".to_owned(),
            ..MailConfig::default()
        };
        Mailer::new(&config).unwrap()
    }

    #[test]
    fn hostile_text_in_subject_and_ids_cannot_add_a_header() {
        let hostile = "x\r\nBcc: thief@example.com\r\n\r\nbody";
        let letter = Letter {
            subject: hostile.to_owned(),
            body: "あ\r\n.\r\nQUIT\r\n".to_owned(),
            message_id: "<1@alerts.shirase.invalid>".to_owned(),
            thread_id: "<2@alerts.shirase.invalid>".to_owned(),
            created_at: "2026-02-09T01:50:00Z".parse().unwrap(),
        };
        let message = mailer().message("a@example.jp", &letter).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(
            !head
                .lines()
                .any(|line| line.to_lowercase().starts_with("bcc")),
            "{head}"
        );
        assert_eq!(message.envelope().to().len(), 1);
    }

    #[test]
    fn a_password_file_that_is_not_there_is_named() {
        let config = MailConfig {
            host: "127.0.0.1".to_owned(),
            tls: MailTls::None,
            from: "a@b.jp".to_owned(),
            user: "u".to_owned(),
            password_file: "/nowhere/password".into(),
            ..MailConfig::default()
        };
        let error = Mailer::new(&config).err().unwrap().to_string();
        assert!(error.contains("/nowhere/password") && error.contains("password_file"), "{error}");
    }
}
