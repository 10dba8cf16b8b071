//! Names that are the SHA-256 of what they name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shirase_shared::tls::sha256_hex;

/// Digits of such a name.
const DIGITS: usize = 64;
/// Digits between two gaps, where people read it aloud.
const GROUP: usize = 4;
/// Digits by which people tell packages apart.
const SHORT: usize = 12;

/// Why a text is no such name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: it has 64 of the digits 0-9 and a-f")]
pub struct HashIdError {
    what: &'static str,
    text: String,
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Names some bytes.
            #[must_use]
            pub fn of(bytes: &[u8]) -> Self {
                Self(sha256_hex(bytes))
            }

            /// Returns all digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the digits by which people tell it from others.
            #[must_use]
            pub fn short(&self) -> &str {
                self.0.get(..SHORT).unwrap_or(&self.0)
            }

            /// Returns all digits in groups, to be read aloud.
            #[must_use]
            pub fn grouped(&self) -> String {
                grouped(&self.0)
            }

            /// Reads what a person typed: capitals, spaces, colons and hyphens do no harm.
            ///
            /// # Errors
            /// When digits are missing or others are in it.
            pub fn typed(text: &str) -> Result<Self, HashIdError> {
                tidied(text).parse()
            }
        }

        impl FromStr for $name {
            type Err = HashIdError;

            fn from_str(text: &str) -> Result<Self, HashIdError> {
                if is_hash(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(HashIdError { what: $what, text: text.chars().take(DIGITS + SHORT).collect() })
            }
        }

        impl TryFrom<String> for $name {
            type Error = HashIdError;

            fn try_from(text: String) -> Result<Self, HashIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hash_id!(
    /// The fingerprint of a card: what two people compare, and what a manifest calls sender and addressee.
    CardId,
    "fingerprint of a card"
);
hash_id!(
    /// A package, named by its manifest.
    PackageId,
    "id of a package"
);

/// Whether a text is a SHA-256 in lower-case hexadecimal.
pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == DIGITS
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(DIGITS + DIGITS / GROUP);
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && index % GROUP == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn tidied(text: &str) -> String {
    let digits = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-'));
    digits.map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_as_people_type_it_and_only_as_one_in_files() {
        let id = CardId::of(b"card");
        let typed = id.grouped().to_uppercase().replace(' ', ":");
        assert_eq!(CardId::typed(&typed).unwrap(), id);
        assert_eq!(CardId::typed(&id.grouped()).unwrap(), id);
        assert!(typed.parse::<CardId>().is_err());
        assert!(CardId::typed(&format!("{id}0")).is_err());
        assert!(serde_json::from_str::<PackageId>("\"../../etc/passwd\"").is_err());
        assert_eq!(id.short().len(), 12);
    }
}
