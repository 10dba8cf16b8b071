//! The one file that knows sled, and the rules under which sled 0.34.7 keeps a promise.
//!
//! Always holds:
//! - [`Engine::commit`] returns `Ok` only after `flush` **and** our own `sync_data` on `db`: sled's flush calls
//!   `sync_file_range`, which a disk with a volatile write cache may ignore;
//! - a value is at most [`VALUE_MAX_BYTES`]: sled keeps up to about twenty values in one node, and writes a node of
//!   more than 128 KiB to `blobs/`, which it never syncs;
//! - a panic inside sled comes out as an error, and after any error the engine must be dropped and opened again:
//!   sled refuses everything once a write failed, and a failed fsync may have thrown dirty pages away;
//! - no sled type appears in a signature.
//!
//! Not here: what keys and values mean (see `record`), which directory is in force (see `house`).

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shirase_shared::error::Chain;

/// Memory sled may use for its cache: the agent shares the server with an EHR.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// How often sled writes and tidies up by itself. Our own commits do not wait for it, and what is only applied may be
/// forgotten by a crash; each time costs a sync of the file, whether there is something to write or not.
const FLUSH_EVERY_MS: u64 = 5000;
/// Largest value: twenty of them stay well below the 128 KiB at which sled turns to unsynced blob files.
pub(super) const VALUE_MAX_BYTES: usize = 4096;
/// `db` grows in steps of this size (sled's segment).
pub(super) const GROWTH_STEP_BYTES: u64 = 512 * 1024;
/// How long to wait until sled's threads have let go of a database that was just dropped.
const LOCK_DEADLINE: Duration = Duration::from_secs(10);
/// Pause between two looks at that lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A file operation failed.
    #[error("file operation failed in `{}`", path.display())]
    Io {
        /// Directory of the database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The files do not make a database any more.
    #[error("the database in `{}` is damaged: {detail}", path.display())]
    Damaged {
        /// Directory of the database.
        path: PathBuf,
        /// What sled said, or panicked with.
        detail: String,
    },
    /// `fsync` failed: what was written since the last one may be gone although it still reads back.
    #[error("fsync failed in `{}`", path.display())]
    Sync {
        /// Directory of the database.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl EngineError {
    /// Whether the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } | Self::Sync { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Damaged { .. } => false,
        }
    }

    /// Whether the files themselves are bad, so that waiting or making room will not help.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
            }
            Self::Sync { .. } => false,
        }
    }
}

/// One change of a commit.
pub(super) enum Change {
    /// Writes a value, replacing what was there.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; nothing happens if it is not there.
    Remove(Vec<u8>),
}

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// An open database in one directory.
pub(super) struct Engine {
    database: sled::Db,
    /// Our own handle of `db`, for `sync_data`.
    file: File,
    path: PathBuf,
}

impl Engine {
    /// Opens the database in `path`, or begins one there, healing what a crash during an earlier open leaves.
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        let io = |source| EngineError::Io { path: path.to_owned(), source };
        remove_snapshots(path, ".generating").map_err(io)?;
        let first = match Self::try_open(path) {
            Ok(engine) => return Ok(engine),
            Err(error) if error.is_full() => return Err(error),
            Err(error) => error,
        };
        tracing::warn!(error = %Chain(&first), "buffer did not open; trying again without its snapshots");
        remove_snapshots(path, "").map_err(io)?;

        Self::try_open(path)
    }

    fn try_open(path: &Path) -> Result<Self, EngineError> {
        wait_until_unlocked(&path.join("db"))
            .map_err(|source| EngineError::Io { path: path.to_owned(), source })?;
        let database = guarded(path, || {
            sled::Config::new()
                .path(path)
                .cache_capacity(CACHE_BYTES)
                .flush_every_ms(Some(FLUSH_EVERY_MS))
                .mode(sled::Mode::LowSpace)
                .open()
        })?;
        let io = |source| EngineError::Io { path: path.to_owned(), source };
        let file = File::options()
            .read(true)
            .write(true)
            .open(path.join("db"))
            .map_err(io)?;
        // sled wrote a new snapshot and removed the one before without making either durable. Found again later beside
        // a log that went on, an old snapshot makes sled cut off what it does not expect.
        sync_directory(path).map_err(io)?;

        Ok(Self { database, file, path: path.to_owned() })
    }

    /// Applies all changes or none, and returns once they are on disk.
    pub(super) fn commit(&self, changes: &[Change]) -> Result<(), EngineError> {
        self.apply(changes)?;
        guarded(&self.path, || self.database.flush())?;
        self.file
            .sync_data()
            .map_err(|source| EngineError::Sync { path: self.path.clone(), source })
    }

    /// Applies all changes or none; they reach the disk within a few seconds.
    pub(super) fn apply(&self, changes: &[Change]) -> Result<(), EngineError> {
        let mut batch = sled::Batch::default();
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    debug_assert!(value.len() <= VALUE_MAX_BYTES);
                    batch.insert(key.as_slice(), value.as_slice());
                }
                Change::Remove(key) => batch.remove(key.as_slice()),
            }
        }
        guarded(&self.path, || self.database.apply_batch(batch))
    }

    /// Reads one value.
    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let found = guarded(&self.path, || self.database.get(key))?;

        Ok(found.map(|value| value.to_vec()))
    }

    /// Reads up to `most` pairs with `from <= key < to`, in order.
    pub(super) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        most: usize,
    ) -> Result<Vec<Pair>, EngineError> {
        guarded(&self.path, || {
            let pairs = self.database.range(from..to).take(most);
            pairs
                .map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect()
        })
    }

    /// Returns the bytes `db` takes on disk.
    pub(super) fn disk_bytes(&self) -> Result<u64, EngineError> {
        let metadata = self.file.metadata();
        metadata
            .map(|metadata| metadata.len())
            .map_err(|source| EngineError::Io { path: self.path.clone(), source })
    }

    /// Makes the files of a database that was just begun durable: sled never syncs `conf` nor its directories.
    pub(super) fn sync_new(&self) -> Result<(), EngineError> {
        let sync = || -> io::Result<()> {
            self.file.sync_all()?;
            // Windows flushes only through a handle that may write.
            File::options()
                .read(true)
                .write(true)
                .open(self.path.join("conf"))?
                .sync_all()?;
            sync_directory(&self.path.join("blobs"))?;
            sync_directory(&self.path)
        };
        sync().map_err(|source| EngineError::Sync { path: self.path.clone(), source })
    }
}

/// Makes the names in a directory durable. Windows has no such call; there the file system's own journal orders them.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(path)?.sync_all()
}

/// Runs a call into sled and turns both of its ways to fail, errors and panics, into ours.
fn guarded<T>(path: &Path, call: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
    let damaged = |detail| EngineError::Damaged { path: path.to_owned(), detail };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(source))) => Err(EngineError::Io { path: path.to_owned(), source }),
        Ok(Err(
            error @ (sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. }),
        )) => Err(damaged(error.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(damaged(format!("sled panicked: {}", text.unwrap_or("without a message"))))
        }
    }
}

/// Removes `snap.*` files whose name ends in `ending`. A leftover `.generating` one makes sled refuse to open for ever;
/// without any snapshot it reads the whole log again, which loses nothing.
fn remove_snapshots(path: &Path, ending: &str) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(ending) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Waits until nobody holds sled's own lock: its threads let go of a dropped database a moment later.
fn wait_until_unlocked(database: &Path) -> io::Result<()> {
    let started = Instant::now();
    loop {
        let file = match File::options().read(true).write(true).open(database) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {
                // Closing it unlocks it too; Wine calls the second unlocking, which Rust tries, a violation.
                drop(file.unlock());
                return Ok(());
            }
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < LOCK_DEADLINE => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "the database is still in use",
                ));
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_of_a_snapshot_in_the_making_does_not_stop_an_open() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        engine
            .commit(&[Change::Put(b"k".to_vec(), b"v".to_vec())])
            .unwrap();
        drop(engine);
        fs::write(dir.path().join("snap.00000000000000FF.generating"), b"half").unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        assert_eq!(engine.read(b"k").unwrap().as_deref(), Some(&b"v"[..]));
    }

    #[test]
    fn a_torn_snapshot_heals_and_keeps_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        engine
            .commit(&[Change::Put(b"k".to_vec(), b"v".to_vec())])
            .unwrap();
        drop(engine);
        drop(Engine::open(dir.path()).unwrap());
        let snapshots: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("snap."))
            .collect();
        assert!(!snapshots.is_empty());
        for snapshot in snapshots {
            fs::write(snapshot, b"torn").unwrap();
        }
        let engine = Engine::open(dir.path()).unwrap();
        assert_eq!(engine.read(b"k").unwrap().as_deref(), Some(&b"v"[..]));
    }

    #[test]
    fn values_at_the_limit_never_reach_the_unsynced_blob_files() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        for number in 0..400_u32 {
            let key = number.to_be_bytes().to_vec();
            engine
                .commit(&[Change::Put(key, vec![7; VALUE_MAX_BYTES])])
                .unwrap();
        }
        for number in (0..400_u32).filter(|number| number % 7 != 0) {
            engine
                .apply(&[Change::Remove(number.to_be_bytes().to_vec())])
                .unwrap();
        }
        engine.commit(&[]).unwrap();
        drop(engine);
        assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0);
    }

    #[test]
    fn garbage_in_place_of_the_log_is_damage_and_not_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path()).unwrap();
        engine
            .commit(&[Change::Put(b"k".to_vec(), b"v".to_vec())])
            .unwrap();
        drop(engine);
        fs::write(dir.path().join("conf"), b"this is no configuration of a database at all")
            .unwrap();
        assert!(Engine::open(dir.path()).err().unwrap().is_damage());
    }
}
