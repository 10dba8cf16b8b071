//! Remembers just enough of names to tell harm from ordinary work, of all roots together.
//!
//! - *fresh*: appeared within the last minute; what happens to a fresh file is work in progress;
//! - *unfinished*: appeared within the last hour and was not written to its end since;
//! - *companions*: new files that carry another file's name inside (`a.pdf.xyz` carries `a.pdf`);
//! - *gone*: files deleted that were there before, so that a file put back is taken back;
//! - *locked*: directories in which a new archive lies that opens with a password alone;
//! - *origins*: what a renamed file was called when it was well, however often it was renamed since.
//!
//! Always holds: each has a cap and a time; names are kept as keyed hashes where the name itself is not needed.

mod keys;
mod recent;

use std::path::{Path, PathBuf};

use crate::observation::Verdict;

use keys::name_of;
pub(super) use keys::{Carried, Carries, Keys};
pub(super) use recent::ByKey;
use recent::Recent;

/// A file that appeared this long ago was not there before.
const FRESH_MS: u64 = 60_000;
/// How long a new file may be written before it is closed.
const UNFINISHED_MS: u64 = 3600 * 1000;
/// How long a new file may be written before the old one is deleted.
const COMPANION_MS: u64 = 600_000;
/// How long a deleted file may be put back.
const GONE_MS: u64 = 60_000;
/// How long after an archive was locked what goes may lie in it.
const LOCKED_MS: u64 = 120_000;
/// How long a renamed file is known by its old name.
const ORIGIN_MS: u64 = 600_000;
/// Names kept of those that appeared: a copy of a thousand files a second for a minute.
const FRESH_MAX: usize = 65_536;
const UNFINISHED_MAX: usize = 16_384;
const COMPANIONS_MAX: usize = 16_384;
const GONE_MAX: usize = 32_768;
const LOCKED_MAX: usize = 4096;
/// Old names kept, in full.
const ORIGINS_MAX: usize = 8192;

/// A new file that carries another file's name.
#[derive(Clone, Debug)]
pub(super) struct Companion {
    /// How much of it.
    pub(super) carries: Carries,
    /// What it has after that name.
    pub(super) suffix: Box<str>,
    /// Whether its content fits its own name, as far as known.
    pub(super) verdict: Verdict,
    /// The new file.
    file: u64,
}

/// What is remembered.
pub(super) struct Memory {
    fresh: Recent<()>,
    unfinished: Recent<()>,
    companions: Recent<Companion>,
    gone: Recent<()>,
    away: Recent<()>,
    locked: Recent<()>,
    origins: Recent<PathBuf>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            fresh: Recent::new(FRESH_MS, FRESH_MAX),
            unfinished: Recent::new(UNFINISHED_MS, UNFINISHED_MAX),
            companions: Recent::new(COMPANION_MS, COMPANIONS_MAX),
            gone: Recent::new(GONE_MS, GONE_MAX),
            away: Recent::new(ORIGIN_MS, ORIGINS_MAX),
            locked: Recent::new(LOCKED_MS, LOCKED_MAX),
            origins: Recent::new(ORIGIN_MS, ORIGINS_MAX),
        }
    }

    /// Forgets what is too old.
    pub(super) fn tick(&mut self, now_ms: u64) {
        self.fresh.tick(now_ms);
        self.unfinished.tick(now_ms);
        self.companions.tick(now_ms);
        self.gone.tick(now_ms);
        self.away.tick(now_ms);
        self.locked.tick(now_ms);
        self.origins.tick(now_ms);
    }

    // === Fresh and unfinished ===

    /// A file or directory appeared.
    pub(super) fn note_fresh(&mut self, key: u64, now_ms: u64) {
        self.fresh.insert(key, now_ms, ());
    }

    /// A file appeared that will be written.
    pub(super) fn note_unfinished(&mut self, key: u64, now_ms: u64) {
        self.unfinished.insert(key, now_ms, ());
    }

    /// A file was written to its end. Returns whether it is new: it appeared just now, or nobody ended it before.
    pub(super) fn finish(&mut self, key: u64, now_ms: u64) -> bool {
        self.unfinished.remove(key, now_ms).is_some() || self.appeared(key, now_ms)
    }

    pub(super) fn forget_fresh(&mut self, key: u64, now_ms: u64) -> bool {
        self.unfinished.remove(key, now_ms);
        self.fresh.remove(key, now_ms).is_some()
    }

    /// Whether exactly this file appeared just now.
    pub(super) fn appeared(&self, key: u64, now_ms: u64) -> bool {
        self.fresh.get(key, now_ms).is_some()
    }

    /// Whether a file, or a directory it lies in, appeared within the last minute.
    pub(super) fn is_fresh(&self, keys: &Keys, path: &Path, now_ms: u64) -> bool {
        !self.fresh.is_empty() && keys.ancestors(path).any(|key| self.appeared(key, now_ms))
    }

    // === Companions ===

    /// Notes which names a new file carries inside its own.
    pub(super) fn note_companion(&mut self, file: u64, carried: &Carried, now_ms: u64) {
        let pairs = [(carried.whole, Carries::Whole), (carried.stem, Carries::Stem)];
        for (key, carries) in pairs {
            let suffix = carried.suffix.as_str().into();
            let companion = Companion { carries, suffix, verdict: Verdict::Unknown, file };
            self.companions.insert(key, now_ms, companion);
        }
    }

    /// Notes whether a companion's content fits its name.
    pub(super) fn vouch(&mut self, file: u64, carried: &Carried, verdict: Verdict, now_ms: u64) {
        for key in [carried.whole, carried.stem] {
            let companion = self.companions.get_mut(key, now_ms);
            if let Some(companion) = companion.filter(|companion| companion.file == file) {
                companion.verdict = verdict;
            }
        }
    }

    /// Returns the new file that carries the name of this one, or its stem.
    pub(super) fn companion(&self, keys: &Keys, path: &Path, now_ms: u64) -> Option<&Companion> {
        if self.companions.is_empty() {
            return None;
        }
        let whole = self.companions.get(keys.key(path), now_ms);
        whole.or_else(|| {
            let name = name_of(path);
            let (stem, _) = name.rsplit_once('.')?;
            self.companions.get(keys.stem(path, stem), now_ms)
        })
    }

    // === Gone and away ===

    pub(super) fn note_gone(&mut self, key: u64, now_ms: u64) {
        self.gone.insert(key, now_ms, ());
    }

    /// Whether a file of this key was deleted and is put back by this.
    pub(super) fn put_back(&mut self, key: u64, now_ms: u64) -> bool {
        let gone = self.gone.remove(key, now_ms).is_some();
        let away = self.away.remove(key, now_ms).is_some();
        gone || away
    }

    pub(super) fn is_gone(&self, key: u64, now_ms: u64) -> bool {
        self.gone.get(key, now_ms).is_some()
    }

    /// Whether nothing has taken the place of a file that was renamed away.
    pub(super) fn is_away(&self, key: u64, now_ms: u64) -> bool {
        self.away.get(key, now_ms).is_some()
    }

    // === Locked away ===

    /// A new archive at `path` is locked.
    pub(super) fn note_locked(&mut self, keys: &Keys, path: &Path, now_ms: u64) {
        self.locked.insert(keys.directory(path), now_ms, ());
    }

    /// Whether a locked archive lies in the directory of a file, or beside that directory.
    pub(super) fn is_beside_locked(&self, keys: &Keys, path: &Path, now_ms: u64) -> bool {
        if self.locked.is_empty() {
            return false;
        }
        let near = [Some(path), path.parent().filter(|above| !above.as_os_str().is_empty())];
        let locked = |path: &Path| self.locked.get(keys.directory(path), now_ms).is_some();

        near.into_iter().flatten().any(locked)
    }

    // === Origins ===

    /// Returns what a file was called when it was well, if it was renamed since.
    pub(super) fn origin(&mut self, key: u64, now_ms: u64) -> Option<PathBuf> {
        self.origins.remove(key, now_ms)
    }

    /// Returns what the file was called when it was well, and keeps remembering it.
    pub(super) fn well_name(&self, key: u64, now_ms: u64) -> Option<&Path> {
        self.origins.get(key, now_ms).map(PathBuf::as_path)
    }

    pub(super) fn is_renamed(&self, key: u64, now_ms: u64) -> bool {
        self.origins.get(key, now_ms).is_some()
    }

    pub(super) fn note_origin(&mut self, keys: &Keys, key: u64, origin: PathBuf, now_ms: u64) {
        self.away.insert(keys.key(&origin), now_ms, ());
        self.origins.insert(key, now_ms, origin);
    }
}
