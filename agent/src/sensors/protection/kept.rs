//! How the watched files were at the last look, kept over restarts of the agent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::durable;

/// How old what is on disk may become while nothing but growth happens.
const KEEP_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// What tells a file from another, and one state of it from an earlier one. Only compared, never computed with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Which file it is, whatever its name.
    pub(super) file: String,
    /// Its size.
    pub(super) bytes: u64,
    /// When it was last written.
    pub(super) written: String,
    /// When anything about it last changed.
    pub(super) changed: String,
    /// Who may do what with it.
    pub(super) rights: String,
}

/// An own file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnMark {
    /// Its state.
    pub(super) mark: Mark,
    /// SHA-256 of its content, in hexadecimal.
    pub(super) digest: String,
}

/// What is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// When the last look was.
    pub(super) at: Option<Timestamp>,
    /// Version of the agent that looked.
    pub(super) version: String,
    /// Each log.
    pub(super) logs: BTreeMap<PathBuf, Mark>,
    /// Size of each directory of the journal.
    pub(super) journal: BTreeMap<PathBuf, u64>,
    /// Each own file.
    pub(super) own: BTreeMap<PathBuf, OwnMark>,
}

/// Keeps it.
pub(super) struct Keeping {
    file: PathBuf,
    pub(super) now: Kept,
    /// Version of the agent that looked before this start.
    pub(super) version_before: String,
    last: Option<Timestamp>,
    pub(super) urgent: Urgency,
}

/// Whether something other than growth happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    None,
    Write,
}

impl Keeping {
    pub(super) fn open(file: PathBuf) -> Self {
        let mut now: Kept = match durable::read_json(&file) {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "how the watched files were does not read; they are looked at anew");
                Kept::default()
            }
        };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let version_before = std::mem::replace(&mut now.version, version);

        Self { file, now, version_before, last: None, urgent: Urgency::Write }
    }

    /// Writes it down, if that is worth it.
    pub(super) fn keep(&mut self, now: Timestamp) {
        self.now.at = Some(now);
        let old = self
            .last
            .is_none_or(|last| KEEP_EVERY <= now.duration_since(last));
        if old || self.urgent == Urgency::Write {
            self.close(now);
        }
    }

    /// Writes it down.
    pub(super) fn close(&mut self, now: Timestamp) {
        (self.last, self.urgent) = (Some(now), Urgency::None);
        if let Err(error) = durable::replace_json(&self.file, &self.now) {
            tracing::warn!(%error, "how the watched files are was not written down");
        }
    }
}
