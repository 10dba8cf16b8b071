//! Copies files with their hashes and reads them back.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use ring::digest::{Context, SHA256};

use super::{BackupError, Entry, List};
use crate::app::SERVE_LOCK_FILE;
use crate::store::DATABASE_FILE;

/// How what an earlier restore left in the data directory begins, and how a restore's own directories do.
pub(super) const LEFT_BY_RESTORE: [&str; 2] = ["restoring-", "before-restore-"];
/// Bytes copied at once.
const PIECE: usize = 64 * 1024;

/// Makes a directory, with those above it, for its owner alone.
pub(super) fn make_private_dir(path: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);

    builder
        .create(path)
        .map_err(BackupError::io("make the directory", path))
}

/// Lists what a backup takes besides the database: every plain file but those that mean something to a running
/// collector alone. Symbolic links are followed by nobody.
pub(super) fn plain_files(data_dir: &Path) -> Result<Vec<String>, BackupError> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let dir = data_dir.join(&below);
        for entry in fs::read_dir(&dir).map_err(BackupError::io("read the directory", &dir))? {
            let entry = entry.map_err(BackupError::io("read the directory", &dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let relative = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            let kind = entry
                .file_type()
                .map_err(BackupError::io("look at", &entry.path()))?;
            if kind.is_dir() && !is_left_by_restore(&name) {
                open.push(relative);
            } else if kind.is_file() && is_kept(&name) {
                found.push(relative);
            }
        }
    }
    found.sort();

    Ok(found)
}

fn is_left_by_restore(name: &str) -> bool {
    LEFT_BY_RESTORE
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn is_kept(name: &str) -> bool {
    let of_database = name.starts_with(DATABASE_FILE);
    // Files that are still arriving, or were about to be moved into place.
    let unfinished = name.starts_with("incoming-") || name.ends_with(".new");

    name != SERVE_LOCK_FILE && !of_database && !unfinished
}

/// Copies one file, for its owner alone, onto the disk.
pub(super) fn copy(from: &Path, to: &Path, relative: &str) -> Result<Entry, BackupError> {
    let (source, target) = (from.join(relative), to.join(relative));
    if let Some(dir) = target.parent() {
        make_private_dir(dir)?;
    }
    let mut reading = File::open(&source).map_err(BackupError::io("read", &source))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writing = options
        .open(&target)
        .map_err(BackupError::io("write", &target))?;
    let (bytes, sha256) =
        pump(&mut reading, &mut writing).map_err(BackupError::io("copy", &source))?;
    writing
        .sync_all()
        .map_err(BackupError::io("sync", &target))?;

    Ok(Entry { path: relative.to_owned(), bytes, sha256 })
}

/// Describes a file that is there.
pub(super) fn describe(dir: &Path, relative: &str) -> Result<Entry, BackupError> {
    let path = dir.join(relative);
    let mut file = File::open(&path).map_err(BackupError::io("read", &path))?;
    file.sync_all().map_err(BackupError::io("sync", &path))?;
    let (bytes, sha256) =
        pump(&mut file, &mut io::sink()).map_err(BackupError::io("read", &path))?;

    Ok(Entry { path: relative.to_owned(), bytes, sha256 })
}

/// Reads every file of a backup and compares it with the list.
pub(super) fn read_back(backup: &Path, list: &List) -> Result<(), BackupError> {
    for entry in &list.files {
        refuse_outside(&entry.path)?;
        let path = backup.join(&entry.path);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Damaged(path));
            }
            Err(source) => return Err(BackupError::Io { doing: "read", path, source }),
        };
        let (_, sha256) =
            pump(&mut file, &mut io::sink()).map_err(BackupError::io("read", &path))?;
        if sha256 != entry.sha256 {
            return Err(BackupError::Damaged(path));
        }
    }

    Ok(())
}

fn refuse_outside(relative: &str) -> Result<(), BackupError> {
    let path = Path::new(relative);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if plain && !relative.is_empty() {
        Ok(())
    } else {
        Err(BackupError::Outside(relative.to_owned()))
    }
}

fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let mut hash = Context::new(&SHA256);
    let mut piece = vec![0; PIECE];
    let mut bytes: u64 = 0;
    loop {
        let read = from.read(&mut piece)?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        hash.update(piece);
        to.write_all(piece)?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }

    Ok((bytes, hex::encode(hash.finish())))
}
