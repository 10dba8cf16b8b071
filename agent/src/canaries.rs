//! Decoys: small files nobody has a reason to touch, in roots whose configuration asks for them.
//!
//! ```text
//! configuration ─▶ keeper ─▶ shape (refuses trees that programs read) ─▶ places ─▶ documents ─▶ files in the root
//!                   │  ▲                                                                          │
//!                   │  └── plan (what is missing, harmed, not wanted any more) ◀── once a minute ─┘
//!                   ├─▶ ledger and a note for people, in the state directory
//!                   └─▶ watchlist ─▶ files sensor: a change of one is `Role::Canary`
//! ```
//!
//! Always holds:
//! - none stands in a tree that looks like an SS-MIX2 or DICOM storage: it would be taken in as a patient's;
//! - each is in the ledger on disk before it exists, and removed only while it is as it was made;
//! - what the agent does to them itself is nobody's touch, and neither is reading them;
//! - whoever opens one reads what it is.

mod documents;
mod shape;
mod places;
mod plan;
mod watchlist;
mod files;
mod ledger;
mod note;
mod keeper;

use std::io;
use std::path::PathBuf;

use crate::paths::StateDir;
use crate::service;

pub(crate) use keeper::Keeper;
pub use watchlist::Watchlist;

/// Most decoys in one root.
pub const COUNT_MAX: u32 = 32;
/// Name of the keeper on the board.
pub const NAME: &str = "canaries";

/// Decoys could not be listed or removed.
#[derive(Debug, thiserror::Error)]
pub enum CanariesError {
    /// The list does not read or cannot be written.
    #[error("failed to keep the list of decoys at `{}`", path.display())]
    Ledger {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A service runs.
    #[error(
        "the service runs with the state directory `{}` and would make them again; set `canaries = 0` in its \
         configuration, which removes them, or stop it first",
        state.display()
    )]
    Running {
        /// Where its state lies.
        state: PathBuf,
    },
}

/// Returns what people are told about the decoys of a host: which there are, and what they are for.
///
/// # Errors
/// If the list does not read.
pub fn tell(state: &StateDir) -> Result<String, CanariesError> {
    Ok(note::write(&ledger::Ledger::open(state)?.canaries))
}

/// Removes every decoy that is as it was made, for the end of the agent on this host. Returns how many, and those that
/// were left because they are not.
///
/// # Errors
/// If a service runs, or the list cannot be read or written.
pub fn remove_all(state: &StateDir) -> Result<(usize, Vec<PathBuf>), CanariesError> {
    let path = state.canaries();
    let failed = |source| CanariesError::Ledger { path: path.clone(), source };
    if !path.exists() {
        return Ok((0, Vec::new()));
    }
    let _lock = match service::lock_file(&state.lock()) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(CanariesError::Running { state: state.dir().to_owned() });
        }
        Err(error) => return Err(failed(error)),
    };
    let mut ledger = ledger::Ledger::open(state)?;
    let (mut removed, mut left) = (0, Vec::new());
    for canary in std::mem::take(&mut ledger.canaries) {
        match files::find(&canary) {
            plan::Found::Whole if std::fs::remove_file(&canary.path).is_ok() => removed += 1,
            plan::Found::Missing => {}
            plan::Found::Whole | plan::Found::Harmed | plan::Found::Unseen => {
                left.push(canary.path);
            }
        }
    }
    ledger.write().map_err(failed)?;

    Ok((removed, left))
}
