//! Names of files and texts that come from elsewhere: what may stand in them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::locale::is_hidden;

/// Longest name of a file, in bytes: less than any file system of today takes.
const NAME_MAX_BYTES: usize = 150;
/// Names Windows keeps for devices, whatever their ending.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "com", "lpt"];
/// Characters that lead elsewhere or mean something to a shell or a file system.
const ILLEGAL: &str = "/\\:*?\"<>|";

/// A plain name of a file: no folder, no hidden character, the same on every system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// Why a name is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the file name `{shown}` {reason}; use a plain name of letters, digits, spaces and - _ . with at most 150 bytes"
)]
pub struct FileNameError {
    shown: String,
    reason: &'static str,
}

impl FileName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what two names must not share: file systems of Windows do not tell capitals apart.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for FileName {
    type Err = FileNameError;

    fn from_str(text: &str) -> Result<Self, FileNameError> {
        let refused = |reason| FileNameError { shown: shown(text), reason };
        if text.is_empty() || NAME_MAX_BYTES < text.len() {
            return Err(refused("is empty or too long"));
        }
        if text.chars().any(|c| is_hidden(c) || ILLEGAL.contains(c)) {
            return Err(refused("holds a character that leads elsewhere or cannot be seen"));
        }
        if text.starts_with(['.', ' ', '-', '~']) || text.ends_with(['.', ' ']) {
            return Err(refused("begins or ends with a character that hides it"));
        }
        let stem = text.split('.').next().unwrap_or_default().to_lowercase();
        let stem = stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim();
        if DEVICES.contains(&stem) {
            return Err(refused("is a device of Windows"));
        }

        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for FileName {
    type Error = FileNameError;

    fn try_from(text: String) -> Result<Self, FileNameError> {
        text.parse()
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns what is wrong with a text of one line, if anything is.
#[must_use]
pub fn line_problem(text: &str, most_chars: usize) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("is empty");
    }
    if most_chars < text.chars().count() {
        return Some("is too long");
    }
    text.chars()
        .any(is_hidden)
        .then_some("holds characters that cannot be seen, or more than one line")
}

/// Returns what is wrong with a text of several lines, if anything is. It may be empty.
#[must_use]
pub fn text_problem(text: &str, most_chars: usize) -> Option<&'static str> {
    if most_chars < text.chars().count() {
        return Some("is too long");
    }
    text.chars()
        .any(|c| is_hidden(c) && c != '\n' && c != '\t')
        .then_some("holds characters that cannot be seen")
}

fn shown(text: &str) -> String {
    crate::locale::visible(text).chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass_and_paths_devices_and_hidden_ones_do_not() {
        for good in ["報告書 第1報.pdf", "a", "report-1_2.tar.gz", "console.txt", "commit.txt"]
        {
            assert!(good.parse::<FileName>().is_ok(), "{good}");
        }
        let long = "あ".repeat(51);
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "C:x",
            "/etc/passwd",
            ".bashrc",
            "x.",
            "x ",
            "-rf",
            "~x",
            "nul",
            "CON.txt",
            "com1.pdf",
            "LPT9",
            "a\u{202e}fdp.exe",
            "a\nb",
            "a\0",
            "a*",
            &long,
        ] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?} passed");
        }
        assert_eq!("A.PDF".parse::<FileName>().unwrap().folded(), "a.pdf");
    }

    #[test]
    fn texts_keep_their_lines_and_nothing_hidden() {
        assert_eq!(line_problem("照会 第1号", 10), None);
        assert!(line_problem(" ", 10).is_some() && line_problem("a\nb", 10).is_some());
        assert!(line_problem("あいう", 2).is_some() && line_problem("a\u{202e}", 9).is_some());
        assert_eq!(text_problem("a\n\tb", 10), None);
        assert!(text_problem("a\u{200b}", 10).is_some() && text_problem("abc", 2).is_some());
    }
}
