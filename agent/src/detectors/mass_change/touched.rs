//! A file touched during a burst, for the damage manifest.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use shirase_shared::ids::BurstId;

use super::evidence::Evidence;
use crate::observation::{Actor, FileChange, Operation};

/// A file touched during a burst, with its clear name: for the damage manifest alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The burst.
    pub burst: BurstId,
    /// When.
    pub at: Timestamp,
    /// Label of the root.
    pub root: String,
    /// The file as it is called now.
    pub path: PathBuf,
    /// What was done to it.
    pub operation: Touch,
    /// What speaks for harm; empty for a change that looks ordinary.
    pub evidence: Vec<Evidence>,
    /// Who did it, where the system told.
    pub actor: Option<Arc<Actor>>,
}

/// What was done to a touched file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It appeared.
    Created,
    /// It was written.
    Written,
    /// It was deleted.
    Deleted,
    /// It was moved out of the root.
    MovedOut,
    /// It was renamed.
    Renamed {
        /// What it was called.
        from: PathBuf,
    },
    /// The directory was renamed, with so many files in it.
    DirectoryRenamed {
        /// What it was called.
        from: PathBuf,
        /// Files in it.
        files: u64,
    },
    /// A rescan found it; what was done is not known.
    Found,
}

impl Touch {
    /// What a change did.
    pub(super) fn of(change: &FileChange) -> Self {
        match &change.operation {
            Operation::Created => Self::Created,
            Operation::Written => Self::Written,
            Operation::Deleted => Self::Deleted,
            Operation::MovedOut => Self::MovedOut,
            Operation::Renamed { from } => Self::Renamed { from: change.root.path.join(from) },
            Operation::DirectoryRenamed { from, files } => {
                Self::DirectoryRenamed { from: change.root.path.join(from), files: *files }
            }
        }
    }
}
