//! One thing others can look for, in the one form it is written in.
//!
//! Always holds: an [`Indicator`] passed the rule of its kind, so that it holds no path, no address inside a house and no
//! run of digits that could be a patient's number; equal things are written equally.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::tables::{choices, half_width};

/// Longest name of a ransom note or a tool.
const NAME_MAX_CHARS: usize = 64;
/// Longest suffix, as agents show one (see `shared::redact`).
const SUFFIX_MAX_CHARS: usize = 16;
/// From so many digits in a row on, they could be a patient's number.
pub(super) const DIGITS_MAX: usize = 6;
/// Endings of what can be a note.
const NOTE_ENDINGS: &[&str] =
    &["txt", "html", "htm", "hta", "rtf", "png", "jpg", "bmp", "pdf", "md"];

choices! {
    /// What kind of thing it is.
    IndicatorKind {
        /// What an encryptor puts behind the names of files.
        Suffix "suffix" "sharing-kind-suffix";
        /// The name of the file with the demand.
        NoteName "note_name" "sharing-kind-note-name";
        /// A hash of a file: MD5, SHA-1 or SHA-256.
        Hash "hash" "sharing-kind-hash";
        /// An address on the Internet.
        Address "address" "sharing-kind-address";
        /// A program that was used.
        Tool "tool" "sharing-kind-tool";
    }
}

/// One thing others can look for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Indicator {
    kind: IndicatorKind,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    kind: IndicatorKind,
    value: String,
}

/// Why a text is no indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndicatorError {
    /// It is no suffix.
    #[error("a suffix has 1 to 16 letters, digits, - and _, fewer than 6 of them digits")]
    Suffix,
    /// It is no name of a note.
    #[error("the name of a note is a plain file name such as README.txt, without a directory")]
    NoteName,
    /// It is no hash.
    #[error("a hash is MD5, SHA-1 or SHA-256 in hexadecimal digits")]
    Hash,
    /// It is no address, or one that the Internet does not carry.
    #[error("an address is an IP address of the Internet, never one inside a house")]
    Address,
    /// It is no name of a program.
    #[error("a tool is the plain name of a program such as rclone.exe, without a directory")]
    Tool,
    /// It is not written the one way it is.
    #[error("it is not written the way Shirase writes it")]
    OtherForm,
}

impl IndicatorError {
    /// Returns the key of its words.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Suffix => "sharing-wrong-suffix",
            Self::NoteName => "sharing-wrong-note-name",
            Self::Hash => "sharing-wrong-hash",
            Self::Address => "sharing-wrong-address",
            Self::Tool => "sharing-wrong-tool",
            Self::OtherForm => "sharing-wrong-form",
        }
    }
}

impl Indicator {
    /// Reads what a person or an event says.
    ///
    /// # Errors
    /// Says what such a thing looks like.
    pub fn new(kind: IndicatorKind, text: &str) -> Result<Self, IndicatorError> {
        let text = half_width(text);
        let text = text.trim();
        let value = match kind {
            IndicatorKind::Suffix => suffix(text).ok_or(IndicatorError::Suffix),
            IndicatorKind::NoteName => note_name(text).ok_or(IndicatorError::NoteName),
            IndicatorKind::Hash => hash(text).ok_or(IndicatorError::Hash),
            IndicatorKind::Address => address(text).ok_or(IndicatorError::Address),
            IndicatorKind::Tool => tool(text).ok_or(IndicatorError::Tool),
        };

        Ok(Self { kind, value: value? })
    }

    /// Returns what kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> IndicatorKind {
        self.kind
    }

    /// Returns it as it is written down: a suffix without its dot.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns it as people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.kind {
            IndicatorKind::Suffix => format!(".{}", self.value),
            IndicatorKind::NoteName
            | IndicatorKind::Hash
            | IndicatorKind::Address
            | IndicatorKind::Tool => self.value.clone(),
        }
    }

    /// Returns the name by which forms tell it from others.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.kind, self.value)
    }

    /// Reads that name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let (kind, value) = key.split_once(':')?;
        Self::new(IndicatorKind::parse(kind)?, value).ok()
    }
}

impl TryFrom<Raw> for Indicator {
    type Error = IndicatorError;

    fn try_from(raw: Raw) -> Result<Self, IndicatorError> {
        let read = Self::new(raw.kind, &raw.value)?;
        if read.value == raw.value { Ok(read) } else { Err(IndicatorError::OtherForm) }
    }
}

/// Reads a list as a person types it: one a line.
///
/// # Errors
/// Names the first line that is none, and why.
pub fn typed(kind: IndicatorKind, text: &str) -> Result<Vec<Indicator>, (String, IndicatorError)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| Indicator::new(kind, line).map_err(|error| (line.to_owned(), error)))
        .collect()
}

fn suffix(text: &str) -> Option<String> {
    let bare = text.strip_prefix('.').unwrap_or(text).to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    let sound = !bare.is_empty()
        && bare.len() <= SUFFIX_MAX_CHARS
        && bare.chars().all(legal)
        && digits < DIGITS_MAX;
    sound.then_some(bare)
}

fn note_name(text: &str) -> Option<String> {
    let (stem, ending) = text.rsplit_once('.')?;
    let ends = NOTE_ENDINGS
        .iter()
        .any(|one| ending.eq_ignore_ascii_case(one));
    (!stem.is_empty() && ends && is_plain_name(text)).then(|| text.to_owned())
}

fn tool(text: &str) -> Option<String> {
    let sound = 2 <= text.len() && is_plain_name(text);
    sound.then(|| text.to_ascii_lowercase())
}

/// A file's bare name in characters every system and every search takes.
fn is_plain_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-+!#() ".contains(c);
    text.len() <= NAME_MAX_CHARS
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || "_!#+".contains(c))
        && text.chars().all(legal)
        && longest_run(text) < DIGITS_MAX
}

/// Returns the length of the longest run of digits.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or(0)
}

fn hash(text: &str) -> Option<String> {
    let sound = matches!(text.len(), 32 | 40 | 64) && text.chars().all(|c| c.is_ascii_hexdigit());
    sound.then(|| text.to_ascii_lowercase())
}

fn address(text: &str) -> Option<String> {
    let text = text.replace("[.]", ".");
    let address: IpAddr = text.parse().ok()?;
    let address = address.to_canonical();
    is_of_the_internet(address).then(|| address.to_string())
}

/// Whether the Internet carries an address: none of a house, of the machine itself, or of many.
pub(super) fn is_of_the_internet(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let shared = first == 100 && (second & 0xc0) == 64;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || shared
                || first == 0
                || 240 <= first)
        }
        IpAddr::V6(v6) => {
            let [first, ..] = v6.segments();
            (first & 0xe000) == 0x2000
        }
    }
}
