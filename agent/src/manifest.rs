//! The damage manifest: every file touched during a burst, for the hospital alone.
//!
//! ```text
//! touched file ─▶ <burst>.jsonl (0600, plain, on this host) ─burst ended▶ age ─▶ outbox/<burst>.json, <burst>.age
//! ```
//!
//! Each line is one JSON object: a touched file (`at`, `root`, `path`, `operation`, `evidence`), a ransom note with
//! its text (`note`), and at the end a count (`files`, `omitted`).
//!
//! Always holds:
//! - what leaves the directory for the outbox is ciphertext to the facility's key, complete before it has its name;
//! - the plain file is removed only after the ciphertext is on disk; one left over by a crash is finished at start;
//! - a manifest is bounded in bytes; what does not fit is counted in its last line.
//!
//! Not here: sending it (see `uplink`).

mod plain;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use age::x25519::Recipient;
use serde::Serialize;
use shirase_shared::error::Chain;
use shirase_shared::ids::BurstId;

use crate::detectors::mass_change::Touched;
use plain::{Plain, count_files};

/// Directory below the manifests from which the uplink sends.
const OUTBOX: &str = "outbox";
/// Extension of a plain manifest.
const PLAIN: &str = "jsonl";

/// Why a manifest was not written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The facility's key is none.
    #[error(
        "`{text}` is not an age recipient: {reason}; expected `age1…` as the collector gave it"
    )]
    Recipient {
        /// What was given.
        text: String,
        /// Why it is none.
        reason: &'static str,
    },
    /// A file or directory cannot be made, written or read.
    #[error("failed to {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The cipher failed.
    #[error("failed to encrypt the manifest of burst {burst}")]
    Encrypt {
        /// The burst.
        burst: BurstId,
        /// Why.
        source: age::EncryptError,
    },
}

/// Returns a function that says what was tried when an I/O error comes.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ManifestError {
    let path = path.to_owned();
    move |source| ManifestError::Io { action, path, source }
}

/// Writes manifests. Blocking: call it where blocking is allowed.
pub struct Recorder {
    directory: PathBuf,
    recipient: Recipient,
    open: BTreeMap<BurstId, Plain>,
}

/// What the uplink has to know beside the ciphertext.
#[derive(Serialize)]
struct Sidecar {
    burst: BurstId,
    files: u64,
}

impl Recorder {
    /// Opens the directory of manifests, making it if need be, and finishes what a crash left behind.
    ///
    /// # Errors
    /// When the recipient is none or the directory cannot be made. What cannot be finished is logged and kept.
    pub fn open(directory: &Path, recipient: &str) -> Result<Self, ManifestError> {
        let recipient = Recipient::from_str(recipient)
            .map_err(|reason| ManifestError::Recipient { text: recipient.to_owned(), reason })?;
        make_directory(&directory.join(OUTBOX))?;
        let directory = directory.to_owned();
        let mut recorder = Self { directory, recipient, open: BTreeMap::new() };
        for burst in recorder.left_over()? {
            if let Err(error) = recorder.finish(burst) {
                tracing::warn!(error = %Chain(&error), "the manifest of burst {burst} stays plain");
            }
        }

        Ok(recorder)
    }

    fn left_over(&self) -> Result<Vec<BurstId>, ManifestError> {
        let listed = fs::read_dir(&self.directory).map_err(failed("list", &self.directory))?;
        let burst = |path: PathBuf| {
            let plain = path.extension().is_some_and(|extension| extension == PLAIN);
            let stem = path.file_stem().filter(|_| plain)?.to_str()?.to_owned();
            stem.parse().ok()
        };

        Ok(listed
            .flatten()
            .filter_map(|entry| burst(entry.path()))
            .collect())
    }

    /// Adds touched files to the manifests of their bursts.
    ///
    /// # Errors
    /// When a manifest cannot be written; the others are written nevertheless.
    pub fn record(&mut self, touched: &[Touched]) -> Result<(), ManifestError> {
        let mut buffers = BTreeMap::<BurstId, Vec<u8>>::new();
        let mut result = Ok(());
        for touch in touched {
            if let Err(error) = self.begin(touch.burst) {
                result = Err(error);
                continue;
            }
            let Some(plain) = self.open.get_mut(&touch.burst) else { continue };
            let buffer = buffers.entry(touch.burst).or_default();
            plain.add(touch, buffer);
        }
        for (burst, buffer) in buffers {
            let path = self.plain_path(burst);
            let Some(plain) = self.open.get_mut(&burst) else { continue };
            if let Err(source) = plain.write(&buffer) {
                result = Err(failed("write", &path)(source));
            }
        }
        result
    }

    fn begin(&mut self, burst: BurstId) -> Result<(), ManifestError> {
        if self.open.contains_key(&burst) {
            return Ok(());
        }
        let path = self.plain_path(burst);
        let file = private()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed("make", &path))?;
        self.open.insert(burst, Plain::new(file));

        Ok(())
    }

    fn plain_path(&self, burst: BurstId) -> PathBuf {
        self.directory.join(format!("{burst}.{PLAIN}"))
    }

    /// Encrypts a burst's manifest into the outbox and removes the plain one. Call it when the burst has ended.
    ///
    /// Returns where the ciphertext lies; `None` if no file of that burst was recorded.
    ///
    /// # Errors
    /// When it cannot be encrypted or written; the plain one stays and is tried again at the next start.
    pub fn finish(&mut self, burst: BurstId) -> Result<Option<PathBuf>, ManifestError> {
        let path = self.plain_path(burst);
        let files = match self.open.remove(&burst) {
            Some(plain) => plain.end().map_err(failed("write", &path))?,
            None if path.exists() => count_files(&path).map_err(failed("open", &path))?,
            None => return Ok(None),
        };
        let outbox = self.directory.join(OUTBOX);
        let sealed = outbox.join(format!("{burst}.age"));
        let sidecar = Sidecar { burst, files };
        let told = serde_json::to_vec(&sidecar).unwrap_or_default();
        // The sidecar first: the uplink looks at nothing but `*.age`.
        write_whole(&outbox.join(format!("{burst}.json")), |file| file.write_all(&told))?;
        let mut plain = File::open(&path).map_err(failed("open", &path))?;
        let recipient: &dyn age::Recipient = &self.recipient;
        let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient))
            .map_err(|source| ManifestError::Encrypt { burst, source })?;
        write_whole(&sealed, |file| {
            let mut sealing = encryptor.wrap_output(file)?;
            io::copy(&mut plain, &mut sealing)?;
            sealing.finish().map(drop)
        })?;
        fs::remove_file(&path).map_err(failed("remove", &path))?;

        Ok(Some(sealed))
    }
}

/// Writes a file so that it has its name only when it is whole and on disk.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), ManifestError> {
    let unfinished = path.with_extension("tmp");
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)
        .map_err(failed("make", &unfinished))?;
    write(&mut file).map_err(failed("write", &unfinished))?;
    file.sync_all().map_err(failed("sync", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("rename", path))?;
    sync_directory(path);

    Ok(())
}

/// Makes a rename last through a power cut, where the system can.
fn sync_directory(path: &Path) {
    let synced = path
        .parent()
        .map(|directory| File::open(directory).and_then(|d| d.sync_all()));
    if let Some(Err(error)) = synced {
        tracing::debug!(%error, "a directory cannot be synced here");
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    OpenOptions::new()
}

fn make_directory(path: &Path) -> Result<(), ManifestError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(path)
        .map_err(failed("make", path))
}
