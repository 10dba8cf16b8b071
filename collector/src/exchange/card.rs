//! A card: how an organisation introduces itself to a partner, all under one fingerprint.
//!
//! A card is a small JSON text. Its fingerprint is the SHA-256 of its canonical form, so that spaces and line ends that a
//! mail program adds change nothing and every word of it counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{CardId, OrganisationKind, line_problem};
use crate::approval::canonical::canonical;

/// Names the layout, so that a later one can never be taken for this.
const LAYOUT: &str = "shirase-card-1";
/// Largest card that is read.
pub const CARD_MAX_BYTES: usize = 16 * 1024;
/// Longest name of an organisation, in characters.
const NAME_MAX_CHARS: usize = 120;
/// Longest address.
const ADDRESS_MAX_CHARS: usize = 300;
/// Length of an Ed25519 public key.
const KEY_BYTES: usize = 32;

/// How an organisation introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    layout: String,
    /// What it is called.
    pub name: String,
    /// What kind of organisation it is.
    pub kind: OrganisationKind,
    /// Base URL its collector takes packages at; empty where it takes files alone.
    pub address: String,
    /// Certificate of the authority its collector's TLS certificate comes from, DER in base64.
    pub authority: String,
    /// Public half of the key that signs its packages and reports, base64.
    pub report_key: String,
}

/// Why a card is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// It is larger than a card is.
    #[error(
        "the file has more than {CARD_MAX_BYTES} bytes, so it is no card; ask for the file `partner invite` wrote"
    )]
    TooLarge,
    /// It does not read.
    #[error(
        "this is no card of this version ({0}); ask for the file `partner invite` wrote, whole and unchanged"
    )]
    Unreadable(String),
    /// A part of it cannot stand.
    #[error("the card's `{part}` {reason}; ask the partner to make a new one")]
    Part {
        /// Which part.
        part: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The fingerprint heard is another one.
    #[error(
        "the fingerprint that was compared is not this card's: it is {found}. Do not accept it; call the partner on a number you know"
    )]
    OtherFingerprint {
        /// What the card's fingerprint is.
        found: String,
    },
}

/// What a card says, before it is one.
#[derive(Clone, Debug)]
pub struct Introduction<'a> {
    /// What the organisation is called.
    pub name: &'a str,
    /// What kind it is.
    pub kind: OrganisationKind,
    /// Base URL for packages; empty for files alone.
    pub address: &'a str,
    /// Certificate of its authority, DER.
    pub authority: &'a [u8],
    /// Public half of its report key.
    pub report_key: &'a [u8],
}

impl Card {
    /// Makes a card.
    ///
    /// # Errors
    /// Names the part that cannot stand on one.
    pub fn make(said: &Introduction<'_>) -> Result<Self, CardError> {
        let card = Self {
            layout: LAYOUT.to_owned(),
            name: said.name.trim().to_owned(),
            kind: said.kind,
            address: said.address.trim_end_matches('/').to_owned(),
            authority: STANDARD.encode(said.authority),
            report_key: STANDARD.encode(said.report_key),
        };
        card.check()?;

        Ok(card)
    }

    /// Reads a card.
    ///
    /// # Errors
    /// Says what is wrong with it and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, CardError> {
        if CARD_MAX_BYTES < bytes.len() {
            return Err(CardError::TooLarge);
        }
        // A mail program or an editor may put a byte order mark before it.
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let card: Self = serde_json::from_slice(bytes)
            .map_err(|error| CardError::Unreadable(error.to_string()))?;
        if card.layout != LAYOUT {
            return Err(CardError::Unreadable(format!("its layout is not {LAYOUT}")));
        }
        card.check()?;

        Ok(card)
    }

    /// Reads a card whose fingerprint two people have compared.
    ///
    /// # Errors
    /// As [`Self::read`], or when the fingerprint is another one.
    pub fn read_compared(bytes: &[u8], compared: &CardId) -> Result<Self, CardError> {
        let card = Self::read(bytes)?;
        let found = card.id();
        if found != *compared {
            return Err(CardError::OtherFingerprint { found: found.grouped() });
        }

        Ok(card)
    }

    /// Returns its fingerprint.
    #[must_use]
    pub fn id(&self) -> CardId {
        // A card holds texts alone, which always have a canonical form.
        CardId::of(canonical(self).unwrap_or_default().as_bytes())
    }

    /// Returns the text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns the authority's certificate in DER.
    #[must_use]
    pub fn authority_der(&self) -> Vec<u8> {
        STANDARD.decode(&self.authority).unwrap_or_default()
    }

    /// Whether packages can be sent to it over the network.
    #[must_use]
    pub const fn is_reachable(&self) -> bool {
        !self.address.is_empty()
    }

    fn check(&self) -> Result<(), CardError> {
        let wrong = |part, reason: &str| CardError::Part { part, reason: reason.to_owned() };
        if let Some(reason) = line_problem(&self.name, NAME_MAX_CHARS) {
            return Err(wrong("name", reason));
        }
        if !self.address.is_empty() && !is_base_url(&self.address) {
            return Err(wrong("address", "is not of the form https://host:port"));
        }
        match STANDARD.decode(&self.authority) {
            Ok(der)
                if x509_parser::parse_x509_certificate(&der)
                    .is_ok_and(|(rest, _)| rest.is_empty()) => {}
            Ok(_) | Err(_) => return Err(wrong("authority", "is no certificate")),
        }
        match STANDARD.decode(&self.report_key) {
            Ok(key) if key.len() == KEY_BYTES => Ok(()),
            Ok(_) | Err(_) => Err(wrong("report_key", "is no Ed25519 public key")),
        }
    }
}

/// Whether a text is `https://host[:port]` and nothing more.
fn is_base_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !rest.is_empty() && text.len() <= ADDRESS_MAX_CHARS && rest.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::super::samples::card;
    use super::*;

    #[test]
    fn a_card_keeps_its_fingerprint_through_mail_and_loses_it_with_any_change() {
        let made = card("半田市", OrganisationKind::Municipality);
        let mailed = format!("\u{feff}{}", made.text().replace('\n', "\r\n  "));
        let read = Card::read_compared(mailed.as_bytes(), &made.id()).unwrap();
        assert_eq!(read, made);
        for (from, to) in [("半田市", "半田帀"), ("municipality", "ceptoar"), ("8446", "8447")]
        {
            let changed = made.text().replace(from, to);
            assert_ne!(changed, made.text());
            let error = Card::read_compared(changed.as_bytes(), &made.id()).unwrap_err();
            assert!(matches!(error, CardError::OtherFingerprint { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_no_card_is_refused_with_words() {
        let text = card("半田市", OrganisationKind::Municipality).text();
        let check = |changed: String, expected: &str| {
            let error = Card::read(changed.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("x".repeat(CARD_MAX_BYTES + 1), "more than");
        check(text.chars().take(200).collect(), "no card");
        check(text.replace("shirase-card-1", "shirase-card-2"), "layout");
        check(text.replace("\"name\"", "\"run\": \"x\", \"name\""), "unknown field");
        check(text.replace("半田市", "半田\u{202e}市"), "`name`");
        check(text.replace("半田市", " "), "`name`");
        check(text.replace("https://", "http://"), "`address`");
        check(text.replace(":8446", ":8446/@evil"), "`address`");
        check(text.replace("\"authority\": \"", "\"authority\": \"AAAA"), "`authority`");
        check(text.replace("\"report_key\": \"", "\"report_key\": \"AAAA"), "`report_key`");
        check(text.replace("\"municipality\"", "\"ministry\""), "ministry");
    }
}
