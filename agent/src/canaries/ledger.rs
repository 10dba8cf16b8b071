//! The list of the decoys that were made, on disk.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::documents::Kind;
use super::places::Place;
use super::{CanariesError, note};
use crate::durable;
use crate::paths::StateDir;
use crate::trace::forms;

/// One decoy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Canary {
    /// The root it stands in.
    #[serde(with = "forms::path")]
    pub(super) root: PathBuf,
    /// Where it is.
    #[serde(with = "forms::path")]
    pub(super) path: PathBuf,
    /// Where in its directory it stands.
    pub(super) place: Place,
    /// What it is.
    pub(super) kind: Kind,
    /// What it was made from.
    pub(super) seed: u64,
    /// SHA-256 of its content.
    pub(super) digest: String,
    /// Whether it looks older than the rest; else it is kept newer.
    pub(super) old: bool,
}

/// All of them.
pub(super) struct Ledger {
    pub(super) canaries: Vec<Canary>,
    path: PathBuf,
    note: PathBuf,
}

impl Ledger {
    /// Reads the list; there need not be one.
    pub(super) fn open(state: &StateDir) -> Result<Self, CanariesError> {
        let path = state.canaries();
        let failed = |source| CanariesError::Ledger { path: path.clone(), source };
        let canaries = durable::read_json(&path)
            .map_err(failed)?
            .unwrap_or_default();

        Ok(Self { canaries, note: state.canaries_note(), path })
    }

    /// Writes list and note; without any decoy left, neither.
    pub(super) fn write(&self) -> io::Result<()> {
        if self.canaries.is_empty() {
            remove(&self.note)?;
            return remove(&self.path);
        }
        durable::replace_json(&self.path, &self.canaries)?;
        durable::replace(&self.note, note::write(&self.canaries).as_bytes())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
