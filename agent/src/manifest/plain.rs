//! A manifest while its burst lasts: plain lines in a file for its owner alone.
//!
//! Always holds: bounded in bytes and notes; what does not fit is counted.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use shirase_shared::tls::sha256_hex;

use crate::detectors::mass_change::{Evidence, Touch, Touched};
use crate::observation::Actor;

/// Bytes of one plain manifest at the most; encrypted it stays below what the collector takes.
const PLAIN_MAX_BYTES: u64 = 48 << 20;
/// Largest text taken into a manifest as a ransom note, in bytes.
const NOTE_MAX_BYTES: u64 = 32 * 1024;
/// Different ransom notes taken into one manifest.
const NOTES_MAX: usize = 8;

/// A manifest being written.
pub(super) struct Plain {
    file: File,
    bytes: u64,
    files: u64,
    omitted: u64,
    notes: BTreeSet<String>,
}

/// A touched file as it stands in the manifest.
#[derive(Serialize)]
struct Line<'a> {
    at: jiff::Timestamp,
    root: &'a str,
    path: String,
    /// The path's bytes, only where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Files in a renamed directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    evidence: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a Actor>,
}

/// A ransom note as it stands in the manifest.
#[derive(Serialize)]
struct NoteLine {
    path: String,
    note: String,
}

/// The last line.
#[derive(Serialize)]
struct EndLine {
    files: u64,
    omitted: u64,
}

impl Plain {
    /// Begins one in a file that is there already.
    pub(super) const fn new(file: File) -> Self {
        Self { file, bytes: 0, files: 0, omitted: 0, notes: BTreeSet::new() }
    }

    /// Writes lines that were added.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)
    }

    /// Writes the last line. Returns how many files were told.
    pub(super) fn end(mut self) -> io::Result<u64> {
        let end = EndLine { files: self.files, omitted: self.omitted };
        let mut line = serde_json::to_vec(&end).unwrap_or_default();
        line.push(b'\n');
        self.file.write_all(&line)?;

        Ok(self.files)
    }

    /// Puts a touched file into lines, with the text of a note.
    pub(super) fn add(&mut self, touched: &Touched, buffer: &mut Vec<u8>) {
        let (operation, from) = match &touched.operation {
            Touch::Created => ("created", None),
            Touch::Written => ("written", None),
            Touch::Deleted => ("deleted", None),
            Touch::MovedOut => ("moved_out", None),
            Touch::Renamed { from } => ("renamed", Some(from.to_string_lossy().into_owned())),
            Touch::DirectoryRenamed { from, .. } => {
                ("directory_renamed", Some(from.to_string_lossy().into_owned()))
            }
            Touch::Found => ("found", None),
        };
        let bytes = touched.path.as_os_str().as_encoded_bytes();
        let line = Line {
            at: touched.at,
            root: &touched.root,
            path: touched.path.to_string_lossy().into_owned(),
            path_hex: touched.path.to_str().is_none().then(|| hex::encode(bytes)),
            operation,
            from,
            evidence: touched
                .evidence
                .iter()
                .map(|evidence| evidence.as_str())
                .collect(),
            files: match touched.operation {
                Touch::DirectoryRenamed { files, .. } => Some(files),
                Touch::Created
                | Touch::Written
                | Touch::Deleted
                | Touch::MovedOut
                | Touch::Renamed { .. }
                | Touch::Found => None,
            },
            actor: touched.actor.as_deref(),
        };
        if self.push(&line, buffer) {
            self.files += 1;
        } else {
            self.omitted += 1;
        }
        let is_note = |kind: &Evidence| matches!(kind, Evidence::Note | Evidence::RansomNote);
        if touched.evidence.iter().any(is_note) && self.notes.len() < NOTES_MAX {
            self.add_note(&touched.path, buffer);
        }
    }

    fn add_note(&mut self, path: &Path, buffer: &mut Vec<u8>) {
        let regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        let Some(file) = regular.then(|| File::open(path).ok()).flatten() else { return };
        let mut text = Vec::new();
        if file.take(NOTE_MAX_BYTES).read_to_end(&mut text).is_err() || text.is_empty() {
            return;
        }
        if !self.notes.insert(sha256_hex(&text)) {
            return;
        }
        let note = String::from_utf8_lossy(&text).into_owned();
        self.push(&NoteLine { path: path.to_string_lossy().into_owned(), note }, buffer);
    }

    /// Adds a line if it fits. Returns whether it did.
    fn push(&mut self, line: &impl Serialize, buffer: &mut Vec<u8>) -> bool {
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let bytes = self.bytes + u64::try_from(text.len()).unwrap_or(u64::MAX);
        if PLAIN_MAX_BYTES < bytes {
            return false;
        }
        self.bytes = bytes;
        buffer.append(&mut text);
        true
    }
}

/// Counts the touched files of a manifest that a crash left behind.
pub(super) fn count_files(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let touched = lines.filter(|line| line.windows(12).any(|part| part == b"\"operation\":"));

    Ok(u64::try_from(touched.count()).unwrap_or(u64::MAX))
}
