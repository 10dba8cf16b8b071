//! Walks a tree of backup files: names, sizes and times, no content, no link followed, no other file system entered.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::compare::{Item, hash, row};
use super::platform;

/// Most files one look takes in.
const FILES_MAX: usize = 30_000;
/// Most names looked at for the newest file of a job.
const NAMES_MAX: usize = 500_000;
/// Longest time one look takes.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Where a tree lies.
pub(super) struct Place {
    /// On which file system.
    pub(super) filesystem: String,
    /// Whether that file system begins here.
    pub(super) mounted: bool,
}

/// Why there is no tree.
pub(super) enum NoPlace {
    /// There is a directory above it, but not itself.
    Removed,
    /// It, or what is above it, cannot be looked at.
    Unreadable(String),
}

/// What a walk found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    pub(super) extent: Extent,
}

/// How much a walk saw.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Extent {
    #[default]
    Whole,
    Limited,
}

/// Looks where a tree lies.
pub(super) fn place(root: &Path) -> Result<Place, NoPlace> {
    let unreadable = |error: io::Error| NoPlace::Unreadable(error.kind().to_string());
    let metadata = match root.metadata() {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Err(NoPlace::Unreadable("it is no directory".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = root.parent().is_some_and(Path::is_dir);
            let missing = || NoPlace::Unreadable("the directory above it is not there".to_owned());
            return Err(if above { NoPlace::Removed } else { missing() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let filesystem = platform::filesystem(root).map_err(unreadable)?;

    Ok(Place { filesystem, mounted: platform::is_mounted(root, &metadata) })
}

/// Returns every file of a tree.
pub(super) fn walk(root: &Path) -> Result<Found, String> {
    let mut items = Vec::new();
    let extent = visit(root, FILES_MAX, |path, metadata| {
        let below = path.strip_prefix(root).unwrap_or(path);
        let name = below.as_os_str().as_encoded_bytes();
        let path = hash(name);
        items.push(Item {
            id: platform::file_id(metadata, path),
            path,
            row: row(name),
            born: born(metadata),
            written: written(metadata),
            bytes: metadata.len(),
        });
    })?;
    // Several names of one file are one file.
    items.sort_unstable();
    items.dedup_by_key(|item| (item.id, item.born));

    Ok(Found { items, extent })
}

/// Returns when the newest file was written: the file itself, or the newest in a directory. `None` if there is none.
pub(super) fn newest(path: &Path) -> Result<Option<i64>, String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => return Ok(Some(written(&metadata))),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.kind().to_string()),
    }
    let mut newest = None;
    visit(path, NAMES_MAX, |_, metadata| {
        if 0 < metadata.len() {
            newest = newest.max(Some(written(metadata)));
        }
    })?;

    Ok(newest)
}

/// Shows every regular file below a directory on its file system.
fn visit(
    root: &Path,
    most: usize,
    mut show: impl FnMut(&Path, &Metadata),
) -> Result<Extent, String> {
    let begun = Instant::now();
    let failed = |error: io::Error| error.kind().to_string();
    let top = root.metadata().map_err(failed)?;
    // Fails for the root, and passes over what goes while it is looked at below it.
    drop(std::fs::read_dir(root).map_err(failed)?);
    let mut open = vec![root.to_owned()];
    let mut left = most;
    while let Some(dir) = open.pop() {
        if TIME_MAX <= begun.elapsed() {
            return Ok(Extent::Limited);
        }
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && platform::same_filesystem(&top, &metadata) {
                open.push(entry.path());
            }
            if !metadata.is_file() {
                continue;
            }
            let Some(rest) = left.checked_sub(1) else { return Ok(Extent::Limited) };
            left = rest;
            show(&entry.path(), &metadata);
        }
    }

    Ok(Extent::Whole)
}

pub(super) fn born(metadata: &Metadata) -> i64 {
    metadata
        .created()
        .map_or_else(|_| written(metadata), millis)
}

fn written(metadata: &Metadata) -> i64 {
    metadata.modified().map_or(0, millis)
}

fn millis(at: SystemTime) -> i64 {
    jiff::Timestamp::try_from(at).map_or(0, jiff::Timestamp::as_millisecond)
}
