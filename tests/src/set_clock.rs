//! A clock that stands where a rehearsal puts it: the collector and its commands read it as the machine's own.
//!
//! libfaketime stands between the program and the system's clock, so that not a line of the collector knows about it:
//! what it stores are the moments it lived through. Time goes on at its own pace from wherever the clock was put, and
//! durations are measured by the real clock, so that nothing has to wait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use shirase_shared::clock::{Clock, SystemClock};
use shirase_shared::ids::BootId;

/// Where Debian keeps the library, below `/usr/lib`.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// A clock that can be put forward. Clones are one.
#[derive(Clone, Debug)]
pub struct SetClock {
    library: PathBuf,
    file: PathBuf,
    offset_secs: Arc<AtomicI64>,
}

impl SetClock {
    /// Makes a clock that is kept in `file` and stands at `at`.
    ///
    /// # Errors
    /// When libfaketime is not installed or the file cannot be written.
    pub fn at(at: Timestamp, file: &Path) -> Result<Self> {
        let clock =
            Self { library: library()?, file: file.to_owned(), offset_secs: Arc::default() };
        clock.put(at)?;

        Ok(clock)
    }

    /// Puts the clock to a moment, or less than a second after it.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn put(&self, at: Timestamp) -> Result<()> {
        let ahead = at.duration_since(real_now());
        let offset = ahead.as_secs() + i64::from(0 < ahead.subsec_nanos());
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{offset:+}\n"))
            .and_then(|()| std::fs::rename(&fresh, &self.file))
            .with_context(|| format!("failed to put the clock in `{}`", self.file.display()))?;
        self.offset_secs.store(offset, Ordering::SeqCst);

        Ok(())
    }

    /// Returns what it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        real_now() + SignedDuration::from_secs(self.ahead_secs())
    }

    /// Returns how many seconds it is ahead of the machine's own clock.
    #[must_use]
    pub fn ahead_secs(&self) -> i64 {
        self.offset_secs.load(Ordering::SeqCst)
    }

    /// Returns what a program needs in its environment to read it.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }
}

impl TimeProvider for SetClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn real_now() -> Timestamp {
    SystemClock::new(BootId::random()).now()
}

/// Finds the library in the folder of whatever architecture this is.
fn library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").context("failed to list /usr/lib")?;
    folders
        .filter_map(|folder| Some(folder.ok()?.path().join(LIBRARY)))
        .find(|library| library.is_file())
        .context("no libfaketime; install the Debian package `faketime`")
}
