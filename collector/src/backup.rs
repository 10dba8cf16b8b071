//! Backup and restore of everything a collector keeps, while it runs.
//!
//! ```text
//! data directory ─▶ anchors ─▶ database (one consistent copy) ─▶ keys, manifests, profiles ─▶ backup.json ─▶ verify
//! backup ─▶ verify ─▶ copy into <data>/restoring-… ─▶ open, check, verify ─▶ old content into <data>/before-… ─▶ in place
//! ```
//!
//! Always holds:
//! - a backup has its `backup.json`, with the SHA-256 of every file, written last: one without it was cut off and is
//!   refused;
//! - anchors are copied before the database and manifests after it, so that the database of a backup is never behind its
//!   anchors and never names a manifest that is not there;
//! - a restore removes nothing: what was there lies beside it until somebody takes it away;
//! - while a restore is not finished a marker stands in the data directory and no collector serves it.
//!
//! Not here: encryption. A backup holds the collector's keys and is made readable by its owner alone.

mod files;
mod restore;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{ANCHORS_FILE, AuditFault, Verified, verify};
use crate::keys::{sync_directory, write_secret_file};
use crate::store::{DATABASE_FILE, Store, StoreError};

pub use restore::{Restored, refuse_half_restored, restore};

/// Name of a backup's list of files.
const LIST_FILE: &str = "backup.json";
/// How a backup's directory begins; the time follows.
const NAME: &str = "shirase-collector-";
/// Layout of a backup; a later one is refused by this program.
const LAYOUT: u32 = 1;

/// Why a backup was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or directory could not be used.
    #[error("failed to {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The list of files is missing: the backup was cut off while it was made.
    #[error("`{}` has no {LIST_FILE}: it is no backup, or one that was cut off; take another", .0.display())]
    NoList(PathBuf),
    /// The list of files does not read.
    #[error("the list of files of the backup, `{}`, does not read; take another backup", path.display())]
    BadList {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It was made by a newer program.
    #[error(
        "the backup has layout {found}, this program reads {LAYOUT}; install the version that made it: {version}"
    )]
    NewerLayout {
        /// Its layout.
        found: u32,
        /// What made it.
        version: String,
    },
    /// A file is not what was written.
    #[error("`{}` is not what was backed up: it was changed or damaged since; take another backup", .0.display())]
    Damaged(PathBuf),
    /// The list names a file outside the backup.
    #[error(
        "the list of files names `{0}`, which is no plain path below the backup; nothing was restored"
    )]
    Outside(String),
    /// The copy of the database is not sound.
    #[error("the copied database is not sound: {0}; nothing was replaced")]
    Unsound(String),
    /// The audit log of the copy is not whole.
    #[error("the audit log of the copy is not whole; nothing was replaced")]
    Audit(#[from] AuditFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a collector's data already.
    #[error(
        "`{}` holds a collector's data already; with --replace it is moved into a directory beside the restored data",
        .0.display()
    )]
    InUse(PathBuf),
}

impl BackupError {
    /// Makes the error of something that failed on a path.
    fn io<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Layout of the backup.
    pub layout: u32,
    /// Version of the collector that made it.
    pub version: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// How many entries its audit log holds.
    pub audit_entries: u64,
    /// Hash of the last one.
    pub audit_head: String,
    /// Its files.
    pub files: Vec<Entry>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where it lies below the backup and below the data directory, with `/`.
    pub path: String,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A backup that was made and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub list: List,
}

/// Makes a backup below `into` and reads it back. The collector may be running.
///
/// # Errors
/// When something cannot be read or written; what was written of the backup stays, without its list.
pub async fn make(
    store: &Store,
    data_dir: &Path,
    into: &Path,
    now: Timestamp,
) -> Result<Made, BackupError> {
    let name = format!("{NAME}{}", now.strftime("%Y%m%dT%H%M%SZ"));
    let path = into.join(name);
    files::make_private_dir(into)?;
    fs::DirBuilder::new()
        .create(&path)
        .map_err(BackupError::io("make the directory", &path))?;

    let anchors = data_dir.join(ANCHORS_FILE);
    let mut entries = Vec::new();
    if anchors.exists() {
        entries.push(files::copy(data_dir, &path, ANCHORS_FILE)?);
    }
    let database = path.join(DATABASE_FILE);
    store.copy_to(&database).await?;
    let verified = verify_copy(&path).await?;
    entries.push(files::describe(&path, DATABASE_FILE)?);
    for relative in files::plain_files(data_dir)? {
        if relative != ANCHORS_FILE && relative != DATABASE_FILE {
            entries.push(files::copy(data_dir, &path, &relative)?);
        }
    }
    let list = List {
        layout: LAYOUT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        audit_entries: verified.entries,
        audit_head: verified.head,
        files: entries,
    };
    files::read_back(&path, &list)?;
    write_list(&path, &list)?;
    sync_directory(into).map_err(BackupError::io("sync", into))?;

    Ok(Made { path, list })
}

fn write_list(backup: &Path, list: &List) -> Result<(), BackupError> {
    let path = backup.join(LIST_FILE);
    let text = serde_json::to_vec_pretty(list)
        .map_err(|source| BackupError::BadList { path: path.clone(), source })?;

    write_secret_file(&path, &text).map_err(|error| BackupError::Io {
        doing: "write",
        path,
        source: io::Error::other(error),
    })
}

/// Reads a backup's list of files.
///
/// # Errors
/// When there is none, or this program does not understand it.
pub fn read_list(backup: &Path) -> Result<List, BackupError> {
    let path = backup.join(LIST_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackupError::NoList(backup.to_owned()));
        }
        Err(source) => return Err(BackupError::Io { doing: "read", path, source }),
    };
    let list: List =
        serde_json::from_slice(&text).map_err(|source| BackupError::BadList { path, source })?;
    if list.layout != LAYOUT {
        return Err(BackupError::NewerLayout { found: list.layout, version: list.version });
    }

    Ok(list)
}

/// Opens a copy as a collector would, asks the database whether it is sound and verifies its audit log.
async fn verify_copy(copy: &Path) -> Result<Verified, BackupError> {
    let store = Store::open(copy).await?;
    let faults = store.integrity_faults().await?;
    let verified = verify(&store, store.anchors_path(), &[]).await;
    store.close().await;
    if !faults.is_empty() {
        return Err(BackupError::Unsound(faults.join("; ")));
    }

    Ok(verified?)
}

#[cfg(test)]
mod tests;
