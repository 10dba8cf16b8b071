//! Puts a backup in the place of a data directory's content.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::files::{self, LEFT_BY_RESTORE};
use super::{BackupError, List, read_list, verify_copy};
use crate::app::SERVE_LOCK_FILE;
use crate::keys::sync_directory;
use crate::store::DATABASE_FILE;

/// Stands in the data directory from the first moved file of a restore to the last.
const MARKER_FILE: &str = "restore-unfinished";

/// A backup that is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What it held.
    pub list: List,
    /// Where what was there before lies now, if anything was.
    pub before: Option<PathBuf>,
}

/// Refuses a data directory whose restore was cut off.
///
/// # Errors
/// Says what to do.
pub fn refuse_half_restored(data_dir: &Path) -> anyhow::Result<()> {
    let marker = data_dir.join(MARKER_FILE);
    anyhow::ensure!(
        !marker.exists(),
        "a restore into `{}` was cut off; run `shirase-collector restore … --replace` again, then start the collector",
        data_dir.display()
    );

    Ok(())
}

/// Checks a backup and puts it in place. No collector may serve `data_dir`; the caller holds its lock.
///
/// # Errors
/// When the backup is damaged or not sound, nothing was moved; when a move fails, the marker stays and the restore can
/// be run again.
pub async fn restore(
    backup: &Path,
    data_dir: &Path,
    replace: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let list = read_list(backup)?;
    files::read_back(backup, &list)?;
    let old = content(data_dir)?;
    if !old.is_empty() && !replace {
        return Err(BackupError::InUse(data_dir.to_owned()));
    }

    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let [restoring, before] =
        LEFT_BY_RESTORE.map(|prefix| data_dir.join(format!("{prefix}{stamp}")));
    files::make_private_dir(&restoring)?;
    for entry in &list.files {
        files::copy(backup, &restoring, &entry.path)?;
    }
    verify_copy(&restoring).await?;

    let marker = data_dir.join(MARKER_FILE);
    File::create(&marker)
        .and_then(|file| file.sync_all())
        .map_err(BackupError::io("write", &marker))?;
    let before = if old.is_empty() {
        None
    } else {
        files::make_private_dir(&before)?;
        move_all(data_dir, &before, &old)?;
        Some(before)
    };
    // The database comes last: without it there is nothing anybody could take for a collector's data.
    let mut new = content(&restoring)?;
    new.sort_by_key(|name| name == DATABASE_FILE);
    move_all(&restoring, data_dir, &new)?;
    fs::remove_dir(&restoring).map_err(BackupError::io("remove", &restoring))?;
    fs::remove_file(&marker).map_err(BackupError::io("remove", &marker))?;
    sync_directory(data_dir).map_err(BackupError::io("sync", data_dir))?;

    Ok(Restored { list, before })
}

fn move_all(from: &Path, to: &Path, names: &[String]) -> Result<(), BackupError> {
    for name in names {
        let source = from.join(name);
        fs::rename(&source, to.join(name)).map_err(BackupError::io("move", &source))?;
    }

    sync_directory(to).map_err(BackupError::io("sync", to))
}

/// What a data directory holds, but for its lock and what restores left in it.
fn content(dir: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(BackupError::Io {
                doing: "read the directory",
                path: dir.to_owned(),
                source,
            });
        }
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BackupError::io("read the directory", dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let left = LEFT_BY_RESTORE
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if !left && name != SERVE_LOCK_FILE && name != MARKER_FILE {
            names.push(name);
        }
    }
    names.sort();

    Ok(names)
}
