//! Makes, checks and removes the files themselves.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};

use super::ledger::Canary;
use super::plan::Found;

/// Largest file that can be a decoy, in bytes.
const SIZE_MAX: u64 = 1024 * 1024;
/// When the oldest decoy was last changed: 1 January 2009.
const OLD_SECS: u64 = 1_230_768_000;
/// Over how many seconds those of old decoys are spread: two years.
const OLD_SPREAD_SECS: u64 = 2 * 365 * 86_400;
/// Age from which a new decoy is made new again.
const NEW_FOR: Duration = Duration::from_secs(3600);
/// Harmed decoys kept for whoever looks into the attack.
const HARMED_MAX: usize = 16;

/// Returns what content is known by.
pub(super) fn fingerprint(content: &[u8]) -> String {
    hex::encode(digest(&SHA256, content).as_ref())
}

/// Whether a file still has the content it is known by.
pub(super) fn is_as_made(path: &Path, digest: &str) -> bool {
    let small = std::fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_file() && found.len() <= SIZE_MAX);

    small && std::fs::read(path).is_ok_and(|content| fingerprint(&content) == digest)
}

/// Looks how a decoy is.
pub(super) fn find(canary: &Canary) -> Found {
    match std::fs::symlink_metadata(&canary.path) {
        Ok(found) if !found.is_file() || SIZE_MAX < found.len() => Found::Harmed,
        Ok(_) => match std::fs::read(&canary.path) {
            Ok(content) if fingerprint(&content) == canary.digest => Found::Whole,
            Ok(_) => Found::Harmed,
            Err(_) => Found::Unseen,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && canary.root.is_dir() => {
            Found::Missing
        }
        Err(_) => Found::Unseen,
    }
}

/// Makes a decoy where nothing is yet, with the owner and the rights of its directory: whoever may write there may
/// write to it as well.
pub(super) fn make(canary: &Canary, content: &[u8], now: SystemTime) -> io::Result<()> {
    let directory = canary.path.parent().ok_or(io::ErrorKind::NotFound)?;
    let around = std::fs::metadata(directory)?;
    let mut options = OpenOptions::new();
    hide(options.write(true).create_new(true));
    let mut file = options.open(&canary.path)?;
    let made = file
        .write_all(content)
        .and_then(|()| file.set_modified(changed_at(canary, now)));
    if let Err(error) = made {
        // What is half made is no use; the disk may be full.
        drop(std::fs::remove_file(&canary.path));
        return Err(error);
    }
    if let Err(error) = fit_in(&file, &around) {
        tracing::debug!(%error, "a decoy did not get the rights of its directory");
    }

    Ok(())
}

fn changed_at(canary: &Canary, now: SystemTime) -> SystemTime {
    match canary.old {
        true => {
            SystemTime::UNIX_EPOCH + Duration::from_secs(OLD_SECS + canary.seed % OLD_SPREAD_SECS)
        }
        false => now,
    }
}

/// Whether a decoy that should look new does not any more.
pub(super) fn looks_old(canary: &Canary, now: SystemTime) -> bool {
    let changed = std::fs::metadata(&canary.path).and_then(|found| found.modified());
    let age = changed.map(|changed| now.duration_since(changed).unwrap_or_default());

    !canary.old && age.is_ok_and(|age| NEW_FOR <= age)
}

/// Makes it look new again.
pub(super) fn renew(canary: &Canary, now: SystemTime) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(&canary.path)?
        .set_modified(now)
}

/// Copies a harmed decoy aside: what it was is known, which helps whoever looks into the attack.
pub(super) fn set_aside(canary: &Canary, aside: &Path) -> io::Result<()> {
    crate::service::create_private_dir(aside)?;
    let mut kept: Vec<PathBuf> = std::fs::read_dir(aside)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    kept.sort();
    let surplus = (kept.len() + 1).saturating_sub(HARMED_MAX);
    for old in kept.iter().take(surplus) {
        std::fs::remove_file(old)?;
    }
    let number = kept
        .last()
        .and_then(|last| last.file_stem()?.to_str()?.parse::<u64>().ok())
        .unwrap_or_default();
    let name = format!("{:08}.{}", number + 1, canary.kind.extension());
    let mut content = Vec::new();
    File::open(&canary.path)?
        .take(SIZE_MAX)
        .read_to_end(&mut content)?;

    crate::service::create_private_file(&aside.join(name))?.write_all(&content)
}

/// Of several names, returns the one the directory lists first.
pub(super) fn listed_first(directory: &Path, names: &[PathBuf]) -> Option<PathBuf> {
    std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| names.contains(path))
}

#[cfg(unix)]
fn fit_in(file: &File, around: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let mode = (around.mode() & 0o666) | 0o600;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    // Samba shows it hidden to its clients by this, whatever it is called.
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::fs::fsetxattr(file, "user.DOSATTRIB", b"0x22\0", rustix::fs::XattrFlags::empty())
    {
        tracing::debug!(%error, "a decoy did not get Samba's attributes");
    }

    fchown(file, Some(around.uid()), Some(around.gid()))
}

#[cfg(unix)]
const fn hide(_: &mut OpenOptions) {}

#[cfg(windows)]
fn fit_in(_: &File, _: &Metadata) -> io::Result<()> {
    // Rights are inherited from the directory.
    Ok(())
}

#[cfg(windows)]
fn hide(options: &mut OpenOptions) {
    use std::os::windows::fs::OpenOptionsExt as _;

    /// `FILE_ATTRIBUTE_HIDDEN`.
    const HIDDEN: u32 = 2;
    options.attributes(HIDDEN);
}
