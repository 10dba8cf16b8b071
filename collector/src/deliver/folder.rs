//! Writes a released report into a folder the addressee can read: a share, a mount, a directory a transfer job watches.
//!
//! ```text
//! <deliver.folder>/<addressee>/.part-<delivery>/…  ──every file synced──▶  renamed to  <addressee>/<report>-<delivery>/
//! ```
//!
//! Always holds:
//! - a reader sees all files or none: they become visible by one rename, after every byte is on disk;
//! - the addressee's folder must be there before: a share that is not mounted is an error, not a new folder beside it;
//! - writing the same delivery twice changes nothing, so that a broken-off attempt is simply repeated;
//! - every name is made of our own letters and digits.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use shirase_shared::tls::sha256_hex;

use super::address::is_folder;
use super::parcel::{File, Mismatch};
use super::{Delivery, Parcel};
use crate::approval::Format;
use crate::keys::sync_directory;

/// Lists the files' hashes in the form `sha256sum -c` reads.
const SUMS_FILE: &str = "SHA256SUMS";
/// Digits of the delivery's id in the folder's name.
const ID_CHARS: usize = 8;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is no folder to write to.
    #[error(
        "no folder is configured; set `folder` in the table [deliver] and start the collector anew"
    )]
    NotConfigured,
    /// The name leads elsewhere.
    #[error(
        "`{0}` is no folder's name; stop this delivery and make one with a name such as `mhlw`"
    )]
    Name(String),
    /// It is not there.
    #[error("there is no folder `{}`; mount the share, or make the folder and let the collector's account write to it", .0.display())]
    Missing(PathBuf),
    /// It is there and is not a directory.
    #[error("`{}` is not a directory; put a directory there", .0.display())]
    NotADirectory(PathBuf),
    /// It is not ours to write to.
    #[error("the collector's account may not write to `{}`; change the folder's owner or mode", .0.display())]
    NotWritable(PathBuf),
    /// There is no room.
    #[error("`{}` is full; make room there", .0.display())]
    Full(PathBuf),
    /// Something else lies where the files would go.
    #[error("`{}` holds other files than this delivery's; look at them and move them away", .0.display())]
    Taken(PathBuf),
    /// The report is not the one the delivery was chosen for.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// Anything else.
    #[error("failed to write to `{}`", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FolderError {
    fn of(path: &Path, source: io::Error) -> Self {
        const CLOSED: [io::ErrorKind; 2] =
            [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
        const FULL: [io::ErrorKind; 2] = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        let path = path.to_owned();
        if CLOSED.contains(&source.kind()) {
            Self::NotWritable(path)
        } else if FULL.contains(&source.kind()) {
            Self::Full(path)
        } else {
            Self::Io { path, source }
        }
    }

    /// Whether trying again can help: somebody mounts the share or makes room.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Missing(_)
            | Self::NotADirectory(_)
            | Self::NotWritable(_)
            | Self::Full(_)
            | Self::Io { .. } => true,
            Self::NotConfigured | Self::Name(_) | Self::Taken(_) | Self::Mismatch(_) => false,
        }
    }
}

/// Writes every file of the report with its hashes and signatures, and returns where; blocks.
///
/// # Errors
/// Says what is wrong with the folder and what to do.
pub fn write(base: &Path, delivery: &Delivery, parcel: &Parcel) -> Result<PathBuf, FolderError> {
    parcel.check(delivery)?;
    if base.as_os_str().is_empty() {
        return Err(FolderError::NotConfigured);
    }
    let name = &delivery.addressee.address;
    if !is_folder(name) {
        return Err(FolderError::Name(name.chars().take(80).collect()));
    }
    let folder = base.join(name);
    match fs::metadata(&folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(FolderError::NotADirectory(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FolderError::Missing(folder));
        }
        Err(error) => return Err(FolderError::of(&folder, error)),
    }
    let files = contents(parcel);
    let id = delivery.id.as_uuid().simple().to_string();
    let short: String = id.chars().take(ID_CHARS).collect();
    let whole = folder.join(format!("{}-{short}", parcel.stem));
    if whole.exists() {
        return if holds(&whole, &files) { Ok(whole) } else { Err(FolderError::Taken(whole)) };
    }
    let part = folder.join(format!(".part-{id}"));
    let written = put(&part, &whole, &files);
    if written.is_err() {
        // What is left of a failed attempt is no delivery; the next one begins with removing it as well.
        drop(fs::remove_dir_all(&part));
    }
    written?;

    Ok(whole)
}

/// Returns everything that lies in the folder afterwards: the mail, which is a shape of its own, is not among it.
fn contents(parcel: &Parcel) -> Vec<File> {
    let mut files = parcel.files(|format| format != Format::Eml);
    files.push(parcel.proof());
    let sums: Vec<String> = files
        .iter()
        .map(|file| format!("{}  {}\n", sha256_hex(&file.bytes), file.name))
        .collect();
    files.push(File { name: SUMS_FILE.to_owned(), bytes: sums.concat().into_bytes() });
    files
}

fn put(part: &Path, whole: &Path, files: &[File]) -> Result<(), FolderError> {
    match fs::remove_dir_all(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FolderError::of(part, error));
        }
        Ok(()) | Err(_) => {}
    }
    let parent = part.parent().unwrap_or(part);
    fs::create_dir(part).map_err(|error| FolderError::of(parent, error))?;
    for file in files {
        let path = part.join(&file.name);
        write_one(&path, &file.bytes).map_err(|error| FolderError::of(&path, error))?;
    }
    sync_directory(part).map_err(|error| FolderError::of(part, error))?;
    fs::rename(part, whole).map_err(|error| FolderError::of(whole, error))?;
    sync_directory(parent).map_err(|error| FolderError::of(parent, error))
}

fn write_one(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether a folder holds exactly these files.
fn holds(folder: &Path, files: &[File]) -> bool {
    let count = fs::read_dir(folder).map_or(0, Iterator::count);
    let same = |file: &File| fs::read(folder.join(&file.name)).is_ok_and(|b| b == file.bytes);
    count == files.len() && files.iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_closed_place_is_named_with_what_to_do() {
        let told = |kind: io::ErrorKind| {
            let error = FolderError::of(Path::new("/srv/out/mhlw"), io::Error::from(kind));
            assert!(error.is_transient(), "somebody can mend it");
            error.to_string()
        };
        assert_eq!(told(io::ErrorKind::StorageFull), "`/srv/out/mhlw` is full; make room there");
        assert_eq!(told(io::ErrorKind::QuotaExceeded), told(io::ErrorKind::StorageFull));
        assert!(told(io::ErrorKind::ReadOnlyFilesystem).contains("may not write"));
        assert!(told(io::ErrorKind::ConnectionReset).contains("failed to write"));
    }
}
