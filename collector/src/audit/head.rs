//! The head of the audit log as it leaves the machine: printed on reports, in mails, in the system log.
//!
//! ```text
//! shirase-audit[9f86…0a08@1234]        hash of entry 1234, which stands for everything before it
//! ```
//!
//! Always holds: the mark is found again in a text however its lines were broken, as paper, mail and PDF break them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Begins the mark.
const OPENING: &str = "shirase-audit[";
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 64;
/// Most digits of a number.
const NUMBER_DIGITS: usize = 19;

/// The number and the hash of an entry: whoever knows them can tell whether the log up to there is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Head {
    /// Number of the entry.
    pub n: u64,
    /// Its hash.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPENING}{}@{}]", self.hash, self.n)
    }
}

/// Why a text is no head.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no head of an audit log; write it as HASH@NUMBER, the hash with its 64 digits")]
pub struct HeadError(String);

impl FromStr for Head {
    type Err = HeadError;

    /// Reads `HASH@NUMBER`, with or without the mark around it.
    fn from_str(text: &str) -> Result<Self, HeadError> {
        let inner = text.trim();
        let inner = inner
            .strip_prefix(OPENING)
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(inner);
        head(inner).ok_or_else(|| HeadError(text.chars().take(100).collect()))
    }
}

fn head(text: &str) -> Option<Head> {
    let (hash, number) = text.split_once('@')?;
    let hash = hash.to_ascii_lowercase();
    let sound = hash.len() == HASH_DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit());
    let digits = number.len() <= NUMBER_DIGITS && number.chars().all(|c| c.is_ascii_digit());
    let n = number.parse().ok().filter(|n| 0 < *n)?;
    (sound && digits).then_some(Head { n, hash })
}

impl Head {
    /// Returns every head in a text, in its order, each once.
    ///
    /// White space and characters without width do not count; in a mail, neither do the ends of broken lines (`=`).
    #[must_use]
    pub fn find_all(text: &str) -> Vec<Self> {
        let soft = text.replace("=\r\n", "").replace("=\n", "");
        let dense: String = soft
            .chars()
            .filter(|c| !c.is_whitespace() && !crate::locale::is_hidden(*c))
            .collect();
        let mut found = Vec::new();
        for rest in dense.split(OPENING).skip(1) {
            let inner = rest.split_once(']').map(|(inner, _)| inner);
            if let Some(head) = inner.and_then(head)
                && !found.contains(&head)
            {
                found.push(head);
            }
        }
        found
    }
}

/// A head that somebody noted outside, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHead {
    /// The head.
    pub head: Head,
    /// A file, or what the command line said.
    pub source: String,
}

/// What carries a head away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// A report that was approved.
    Report,
    /// A mail to staff.
    Mail,
}

impl Carrier {
    /// Every carrier.
    pub const ALL: [Self; 2] = [Self::Report, Self::Mail];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Mail => "mail",
        }
    }

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Report => "audit-carrier-report",
            Self::Mail => "audit-carrier-mail",
        }
    }
}

/// The last head a carrier took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// What carried it.
    pub carrier: Carrier,
    /// The head.
    pub head: Head,
    /// When it left.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_head() -> Head {
        Head { n: 1234, hash: "9f".repeat(32) }
    }

    #[test]
    fn a_head_reads_back_from_its_mark_and_from_its_short_form() {
        let head = a_head();
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!(format!("{}@1234", head.hash.to_uppercase()).parse(), Ok(head));
        for bad in ["", "1234", "9f@1", "x@1"] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
        let zero = format!("{}@0", "ab".repeat(32));
        assert!(zero.parse::<Head>().is_err(), "there is no entry 0");
    }

    #[test]
    fn it_is_found_however_a_text_breaks_its_lines() {
        let mark = a_head().to_string();
        let (left, right) = mark.split_at(40);
        let spaced: String = mark.chars().flat_map(|c| [c, '\u{200b}']).collect();
        for text in [
            format!("監査記録 {mark} 第3報"),
            format!("{left}\n   {right}2026-11-25"),
            format!("{left}=\r\n{right}"),
            format!("X-Shirase-Audit: {left}\r\n {right}\r\n"),
            spaced,
        ] {
            assert_eq!(Head::find_all(&text), [a_head()], "{text}");
        }
        assert_eq!(Head::find_all(&format!("{mark}{mark}")).len(), 1);
        assert!(Head::find_all("shirase-audit[abc@1] shirase-audit[").is_empty());
    }
}
