//! The messages of PostgreSQL's protocol, version 3, that begin a session. Pure.

use std::fmt;

/// `SSLRequest`.
pub(super) const TLS_REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// A simple query.
pub(super) const SELECT_ONE: &[u8] = b"Q\0\0\0\x0dSELECT 1\0";
/// Terminate.
pub(super) const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// What `pg_stat_activity` shows the probe as.
const APPLICATION: &str = "shirase-probe";

/// Class of the SQLSTATEs with which a server that takes sessions refuses one: by `pg_hba.conf`, or for its role or
/// password.
const ALIVE_CLASS: &str = "28";

/// Returns a startup packet.
pub(super) fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut content = 0x0003_0000_u32.to_be_bytes().to_vec();
    let settings = [("user", user), ("database", database), ("application_name", APPLICATION)];
    for (name, value) in settings {
        content.extend_from_slice(name.as_bytes());
        content.push(0);
        content.extend_from_slice(value.as_bytes());
        content.push(0);
    }
    content.push(0);

    [length_before(&content).as_slice(), &content].concat()
}

/// Returns a message that answers an authentication request.
pub(super) fn authentication_answer(content: &[u8]) -> Vec<u8> {
    [b"p", length_before(content).as_slice(), content].concat()
}

fn length_before(content: &[u8]) -> [u8; 4] {
    u32::try_from(content.len() + 4)
        .unwrap_or(u32::MAX)
        .to_be_bytes()
}

/// Reads the length of a message's content, which is counted with its own four bytes.
pub(super) fn content_length(bytes: &[u8]) -> Option<usize> {
    let bytes: [u8; 4] = bytes.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes))
        .ok()?
        .checked_sub(4)
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// It asks who we are, or is content.
    Authentication(Authentication),
    /// It refuses.
    Error(ServerError),
    /// It waits for a query.
    Ready,
    /// A row of an answer.
    Row,
    /// What does not matter here: notices, settings, ends of answers.
    Aside,
}

/// What a server wants to know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// Nothing more.
    Ok,
    /// A password in the clear, or its MD5.
    Password,
    /// A proof, by one of these mechanisms.
    Sasl(Vec<String>),
    /// The next step of the proof.
    SaslContinue(String),
    /// The server's own proof.
    SaslFinal(String),
    /// Kerberos and its like.
    Other(u32),
}

impl Authentication {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Ok => "nothing".to_owned(),
            Self::Password => "a password".to_owned(),
            Self::Sasl(mechanisms) => format!("a password ({})", mechanisms.join(", ")),
            Self::SaslContinue(_) | Self::SaslFinal(_) => "the rest of a proof".to_owned(),
            Self::Other(kind) => format!("authentication of kind {kind}"),
        }
    }
}

/// A refusal in the server's own words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerError {
    severity: String,
    code: String,
    words: String,
}

impl ServerError {
    /// Whether only a server that takes sessions refuses one in this way.
    pub(super) fn proves_life(&self) -> bool {
        self.code.starts_with(ALIVE_CLASS)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity, self.code, self.words)
    }
}

impl Message {
    /// # Errors
    /// If the bytes are none of the messages that can come.
    pub(super) fn read(kind: u8, content: &[u8]) -> Result<Self, String> {
        match kind {
            b'R' => authentication(content)
                .map(Self::Authentication)
                .ok_or_else(|| "asked who is there in a way that does not read".to_owned()),
            b'E' => Ok(Self::Error(error(content))),
            b'Z' => Ok(Self::Ready),
            b'D' => Ok(Self::Row),
            // Notice, setting, key, description, end of a command, protocol version.
            b'N' | b'S' | b'K' | b'T' | b'C' | b'v' => Ok(Self::Aside),
            other => Err(format!("sent a message of the unknown kind `{}`", char::from(other))),
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Authentication(wanted) => format!("the wish for {}", wanted.name()),
            Self::Error(error) => error.to_string(),
            Self::Ready => "its readiness".to_owned(),
            Self::Row => "a row".to_owned(),
            Self::Aside => "a remark".to_owned(),
        }
    }
}

fn authentication(content: &[u8]) -> Option<Authentication> {
    let (kind, rest) = content.split_first_chunk::<4>()?;
    let text = || String::from_utf8_lossy(rest).into_owned();
    Some(match u32::from_be_bytes(*kind) {
        0 => Authentication::Ok,
        3 | 5 => Authentication::Password,
        10 => {
            let names = rest.split(|byte| *byte == 0);
            let names = names.filter(|name| !name.is_empty());
            Authentication::Sasl(
                names
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .collect(),
            )
        }
        11 => Authentication::SaslContinue(text()),
        12 => Authentication::SaslFinal(text()),
        other => Authentication::Other(other),
    })
}

fn error(content: &[u8]) -> ServerError {
    let mut error = ServerError::default();
    for field in content.split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            // The severity that is never translated, where the server has it.
            b'V' => error.severity = text,
            b'S' if error.severity.is_empty() => error.severity = text,
            b'C' => error.code = text,
            b'M' => error.words = text,
            _ => {}
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_startup_packet_says_its_own_length() {
        let packet = startup("shirase", "postgres");
        assert_eq!(content_length(packet.get(..4).unwrap()), Some(packet.len() - 4));
        assert!(packet.ends_with(b"application_name\0shirase-probe\0\0"));
        assert_eq!(content_length(&[0, 0, 0, 3]), None);
    }

    #[test]
    fn an_error_keeps_the_servers_words() {
        let content =
            b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0Fpostmaster.c\0\0";
        let Ok(Message::Error(error)) = Message::read(b'E', content) else { panic!("no error") };
        assert_eq!(error.to_string(), "FATAL 57P03: the database system is starting up");
        assert!(!error.proves_life());
        for (code, alive) in
            [("28000", true), ("28P01", true), ("3D000", false), ("53300", false), ("57P01", false)]
        {
            let error = ServerError { code: code.to_owned(), ..ServerError::default() };
            assert_eq!(error.proves_life(), alive, "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_peer_break_the_reader(
            kind in any::<u8>(),
            content in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            match Message::read(kind, &content) {
                Ok(message) => prop_assert!(!message.name().is_empty()),
                Err(why) => prop_assert!(!why.is_empty()),
            }
        }
    }
}
