//! The buffer's directory: who may be in it, which database is in force, and the ballast.
//!
//! ```text
//! <dir>/lock               held while a process uses the buffer
//! <dir>/log-0007/          a database: conf, db, snap.*, and blobs/, which stays empty
//! <dir>/log-0007/complete  written last and synced: this database is whole
//! <dir>/log-0008/          no `complete`: a rewrite that did not finish; removed at the next start
//! <dir>/ballast            bytes given back when the disk is full, so that the database can still be drained
//! <dir>/quarantine-…       databases that did not open, the newest few
//! <dir>/replaced           why one did not open, until an event in the new one has told it
//! ```
//!
//! Always holds: the complete database with the highest number is the one in force. A switch is the creation of one
//! small file, which needs no rename and therefore works the same on every system.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::engine::sync_directory;

/// Databases that did not open are kept for a look, this many.
const QUARANTINES_MAX: usize = 3;
/// Name of the file that makes a database count.
const COMPLETE: &str = "complete";
/// Name of the file that remembers a replacement not told yet.
const REPLACED: &str = "replaced";

/// The directory, locked for this process.
pub(super) struct House {
    dir: PathBuf,
    lock: File,
}

impl Drop for House {
    fn drop(&mut self) {
        // Closing it is not enough: a child this process is just starting has the file open as well.
        drop(self.lock.unlock());
    }
}

impl House {
    /// Enters the directory, making it if need be; `None` if another process is in it.
    pub(super) fn enter(dir: &Path) -> io::Result<Option<Self>> {
        create_private(dir)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }

        Ok(Some(Self { dir: dir.to_owned(), lock }))
    }

    /// Returns the number of the database in force and removes what unfinished or finished rewrites left behind.
    pub(super) fn settle(&self) -> io::Result<Option<u64>> {
        let logs = self.logs()?;
        let whole = |number: &&u64| self.has(**number);
        let live = logs.iter().filter(whole).max().copied();
        for number in logs.into_iter().filter(|number| Some(*number) != live) {
            self.retire(number)?;
        }

        Ok(live)
    }

    /// Returns where the database with this number lives.
    pub(super) fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("log-{number:04}"))
    }

    /// Makes an empty place for a database; it does not count before [`House::seal`].
    pub(super) fn prepare(&self, number: u64) -> io::Result<PathBuf> {
        let path = self.path(number);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        create_private(&path)?;
        Ok(path)
    }

    /// Puts a database in force. Everything in it must be durable before.
    pub(super) fn seal(&self, number: u64) -> io::Result<()> {
        let path = self.path(number);
        sync_directory(&self.dir)?;
        File::create(path.join(COMPLETE))?.sync_all()?;
        sync_directory(&path)
    }

    /// Removes a database that is not in force.
    pub(super) fn retire(&self, number: u64) -> io::Result<()> {
        let path = self.path(number);
        // First the mark: half a database must never count.
        match fs::remove_file(path.join(COMPLETE)) {
            Ok(()) => sync_directory(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::remove_dir_all(path)
    }

    /// Moves a database that does not open out of the way and returns where it is now.
    pub(super) fn quarantine(&self, number: u64, at: Timestamp) -> io::Result<PathBuf> {
        let stamp = at.strftime("%Y%m%dT%H%M%S%3fZ");
        let target = self.dir.join(format!("quarantine-{stamp}-{number:04}"));
        fs::rename(self.path(number), &target)?;
        sync_directory(&self.dir)?;
        let mut old: Vec<_> = self.names("quarantine-")?;
        old.sort();
        for name in old.iter().rev().skip(QUARANTINES_MAX) {
            fs::remove_dir_all(self.dir.join(name))?;
        }

        Ok(target)
    }

    /// Whether there is a whole database with this number.
    pub(super) fn has(&self, number: u64) -> bool {
        self.path(number).join(COMPLETE).exists()
    }

    /// Notes durably that a database is about to be replaced, and why.
    pub(super) fn note_replacement(&self, detail: &str) -> io::Result<()> {
        let mut file = File::create(self.dir.join(REPLACED))?;
        file.write_all(detail.as_bytes())?;
        file.sync_all()?;
        sync_directory(&self.dir)
    }

    /// Returns why a database was replaced, if that has not been told yet.
    pub(super) fn replacement(&self) -> io::Result<Option<String>> {
        match fs::read(self.dir.join(REPLACED)) {
            Ok(detail) => Ok(Some(String::from_utf8_lossy(&detail).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notes that it has been told.
    pub(super) fn forget_replacement(&self) -> io::Result<()> {
        fs::remove_file(self.dir.join(REPLACED))?;
        sync_directory(&self.dir)
    }

    /// Makes the ballast if it is not there.
    pub(super) fn hold_ballast(&self, bytes: u64) -> io::Result<()> {
        let path = self.ballast();
        if path
            .metadata()
            .is_ok_and(|metadata| bytes <= metadata.len())
        {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut file = File::create(&path)?;
            // Not zeros: a file system that compresses or leaves holes must really set the space apart.
            let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
            let mut block = Vec::with_capacity(64 * 1024);
            for _ in 0..bytes.div_ceil(64 * 1024) {
                block.clear();
                while block.len() < 64 * 1024 {
                    noise ^= noise << 13;
                    noise ^= noise >> 7;
                    noise ^= noise << 17;
                    block.extend(noise.to_le_bytes());
                }
                file.write_all(&block)?;
            }
            file.sync_all()
        };
        write().inspect_err(|_| drop(fs::remove_file(&path)))
    }

    /// Returns the size of the ballast; 0 if there is none.
    pub(super) fn ballast_bytes(&self) -> u64 {
        self.ballast()
            .metadata()
            .map_or(0, |metadata| metadata.len())
    }

    /// Gives the ballast's space back; tells whether there was any.
    pub(super) fn release_ballast(&self) -> io::Result<bool> {
        match fs::remove_file(self.ballast()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the free bytes of the disk, where the system tells.
    #[cfg(unix)]
    pub(super) fn free_disk_bytes(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.dir).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Returns the free bytes of the disk, where the system tells.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "the face is the same on every system")]
    pub(super) fn free_disk_bytes(&self) -> Option<u64> {
        None
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join("ballast")
    }

    fn logs(&self) -> io::Result<Vec<u64>> {
        let names = self.names("log-")?;
        let number = |name: String| {
            name.strip_prefix("log-")
                .and_then(|digits| digits.parse().ok())
        };
        Ok(names.into_iter().filter_map(number).collect())
    }

    fn names(&self, start: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(start) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// Makes a directory that only this user can enter: lines hold what a server does, though no patient's name.
fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewrite_counts_only_once_it_is_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let house = House::enter(dir.path()).unwrap().unwrap();
        assert_eq!(house.settle().unwrap(), None);
        house.prepare(1).unwrap();
        house.seal(1).unwrap();
        house.prepare(2).unwrap();
        assert_eq!(house.settle().unwrap(), Some(1));
        assert!(!house.path(2).exists());
        house.prepare(2).unwrap();
        house.seal(2).unwrap();
        assert_eq!(house.settle().unwrap(), Some(2));
        assert!(!house.path(1).exists());
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = House::enter(dir.path()).unwrap().unwrap();
        assert!(House::enter(dir.path()).unwrap().is_none());
        drop(first);
        assert!(House::enter(dir.path()).unwrap().is_some());
    }

    #[test]
    fn only_the_newest_quarantines_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let house = House::enter(dir.path()).unwrap().unwrap();
        for number in 0..5 {
            house.prepare(1).unwrap();
            let at = Timestamp::from_second(1_770_000_000 + number).unwrap();
            house.quarantine(1, at).unwrap();
        }
        let mut names = house.names("quarantine-").unwrap();
        names.sort();
        assert_eq!(names.len(), 3);
        assert!(names[2].contains("20260202T024004"), "{names:?}");
    }
}
