//! Keeps patients at home: what may be said of a path once it leaves the host.
//!
//! By default a path leaves as root label, depth, extension and keyed hash. The key never leaves the host, so nobody
//! outside can try names against the hash; the hospital can, with the host's key at hand.

use std::path::Path;

use ring::hmac;
use serde::{Deserialize, Serialize};

/// Longest extension that is shown. Longer or odd ones could carry a name and become [`OTHER_EXTENSION`].
pub const EXTENSION_MAX_CHARS: usize = 16;

/// Stands for an extension or suffix that is not shown.
pub const OTHER_EXTENSION: &str = "(other)";

/// What may be said of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathFacts {
    /// Label of the watched root.
    pub root: String,
    /// Directories between root and file; 0 for a file directly in it.
    pub depth: u32,
    /// Extension, as [`shown_extension`] lets it pass.
    #[serde(default)]
    pub extension: Option<String>,
    /// Keyed hash of the path below the root, 16 hex digits.
    pub hash: String,
    /// The path below the root, only for roots declared free of patient data.
    #[serde(default)]
    pub path: Option<String>,
}

/// Whether names below a root may leave the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Names may hold patient data: only facts leave.
    Hidden,
    /// The administrator declared the root free of patient data.
    Clear,
}

/// Turns paths into facts with a key that stays on the host.
pub struct Redactor {
    key: hmac::Key,
}

impl Redactor {
    /// Takes the host's redaction key: 32 random bytes.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Returns what may be said of `below`, a path relative to the root called `root`.
    #[must_use]
    pub fn facts(&self, root: &str, below: &Path, names: Names) -> PathFacts {
        let depth = u32::try_from(below.components().count().saturating_sub(1)).unwrap_or(u32::MAX);

        PathFacts {
            root: root.to_owned(),
            depth,
            extension: below
                .extension()
                .map(|e| shown_extension(&e.to_string_lossy())),
            hash: self.hash(below.as_os_str().as_encoded_bytes()),
            path: match names {
                Names::Hidden => None,
                Names::Clear => Some(below.to_string_lossy().into_owned()),
            },
        }
    }

    /// Returns what may be said of a person's account: a keyed hash, 16 hex digits.
    #[must_use]
    pub fn account(&self, name: &str) -> String {
        self.hash(name.as_bytes())
    }

    fn hash(&self, bytes: &[u8]) -> String {
        let tag = hmac::sign(&self.key, bytes);
        let mut hash = hex::encode(tag.as_ref());
        hash.truncate(16);

        hash
    }
}

/// Returns an extension or suffix in the form in which it may be shown.
///
/// That is: ASCII letters, digits, `-`, `_`, at most [`EXTENSION_MAX_CHARS`]. One with six digits and more could be a
/// patient number and is hidden too.
#[must_use]
pub fn shown_extension(extension: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let digits = extension.chars().filter(char::is_ascii_digit).count();
    if extension.is_empty()
        || EXTENSION_MAX_CHARS < extension.len()
        || !extension.chars().all(legal)
        || 6 <= digits
    {
        return OTHER_EXTENSION.to_owned();
    }

    extension.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_path_shows_neither_patient_nor_name() {
        let redactor = Redactor::new(&[7; 32]);
        let below = Path::new("123/456/1234567890/20260209/ADT-00/山田太郎.locked");
        let facts = redactor.facts("ssmix2", below, Names::Hidden);
        let text = serde_json::to_string(&facts).unwrap();
        assert!(!text.contains("1234567890") && !text.contains("山田"), "{text}");
        assert_eq!((facts.depth, facts.extension.as_deref()), (5, Some("locked")));
        assert_eq!(facts, redactor.facts("ssmix2", below, Names::Hidden));
    }

    #[test]
    fn odd_suffixes_are_not_shown() {
        for odd in ["0001234567", "yamada-taro-1960-01-01", "<script>", "山田", "a\nb", ""] {
            assert_eq!(shown_extension(odd), OTHER_EXTENSION, "{odd:?}");
        }
        assert_eq!(shown_extension("LOCKED"), "locked");
        assert_eq!(shown_extension("id_7fa3"), "id_7fa3");
    }
}
