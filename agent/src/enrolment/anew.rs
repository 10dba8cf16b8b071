//! A new identity for a host that has one: a copied machine, or one whose key may have been read.
//!
//! ```text
//! <state>/anew/: key ─▶ enrolment ─▶ old identity and what belongs to it set aside ─▶ the new one in its place
//! ```
//!
//! Always holds:
//! - until the collector has let the new one in, the old identity stays as it is;
//! - nothing is deleted: what belonged to the old identity lies in `<state>/set-aside-…`, and `enrolment.json` leaves
//!   first and comes last, so that the host is one or the other or, after a crash, none until the same command ends it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::EnrolError;
use crate::paths::StateDir;
use crate::service;

/// Where the new identity is made.
const DIR: &str = "anew";

/// Returns where the new identity is made.
pub(super) fn place(state: &StateDir) -> StateDir {
    StateDir::new(state.dir().join(DIR))
}

/// Keeps every service away from the state directory for as long as the file is held.
pub(super) fn lock(state: &StateDir) -> Result<File, EnrolError> {
    let path = state.lock();
    service::lock_file(&path).map_err(|source| {
        if source.kind() == io::ErrorKind::WouldBlock {
            EnrolError::Running { state: state.dir().to_owned() }
        } else {
            EnrolError::Replace { path, source }
        }
    })
}

/// Puts the new identity in the place of the old one. Returns where that lies now, if there was one.
pub(super) fn take_over(state: &StateDir, now: Timestamp) -> Result<Option<PathBuf>, EnrolError> {
    let aside = state
        .dir()
        .join(now.strftime("set-aside-%Y%m%dT%H%M%SZ").to_string());
    let new = place(state);
    let brought = [new.key(), new.certificate(), new.authority(), new.enrolment()];
    // What an earlier attempt put in its place already is the new identity's, and stays.
    let replaced = |path: &PathBuf| {
        brought
            .iter()
            .any(|new| new.exists() && new.file_name() == path.file_name())
    };
    // The enrolment first: from then on this host is nobody, until the new enrolment comes last.
    let identity = [state.enrolment(), state.certificate(), state.key(), state.authority()];
    let belongings = [
        state.redaction_key(),
        state.buffer(),
        state.manifests(),
        state.policy(),
        state.policy_floor(),
        state.orders_seen(),
        state.maintenance(),
        // It knows the old identity's files, and would miss them.
        state.watched_files(),
    ];
    let mut had_one = false;
    let old = identity.iter().filter(|path| replaced(path));
    for path in old.chain(&belongings).filter(|path| path.exists()) {
        if !had_one {
            service::create_private_dir(&aside).map_err(failed(&aside))?;
            had_one = true;
        }
        move_into(path, &aside)?;
    }
    for path in &brought {
        move_into(path, state.dir())?;
    }
    std::fs::remove_dir_all(new.dir()).map_err(failed(new.dir()))?;
    state.prepare()?;

    Ok(had_one.then_some(aside))
}

/// Moves a file or directory into a directory. One that was moved already by an earlier attempt is left out.
fn move_into(path: &Path, dir: &Path) -> Result<(), EnrolError> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let to = dir.join(name);
    match std::fs::rename(path, &to) {
        Ok(()) => service::sync_dir(dir).map_err(failed(&to)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && to.exists() => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> EnrolError {
    let path = path.to_owned();
    move |source| EnrolError::Replace { path: path.clone(), source }
}
