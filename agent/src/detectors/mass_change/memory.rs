//! Remembers just enough of names to tell harm from ordinary work.
//!
//! - *fresh*: appeared within the last minute; what happens to a fresh file is work in progress;
//! - *companions*: new files that carry another file's name inside (`a.pdf.xyz` carries `a.pdf`);
//! - *gone*: files deleted that were there before, so that a file put back is taken back;
//! - *origins*: what a renamed file was called when it was well, however often it was renamed since.
//!
//! Always holds: each has a cap and a time; names are kept as keyed hashes where the name itself is not needed.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use crate::observation::{Verdict, file_name};

/// A file that appeared this long ago was not there before.
const FRESH_MS: u64 = 60_000;
/// How long a new file may be written before the old one is deleted.
const COMPANION_MS: u64 = 600_000;
/// How long a deleted file may be put back.
const GONE_MS: u64 = 60_000;
/// How long a renamed file is known by its old name.
const ORIGIN_MS: u64 = 600_000;
/// Names kept of each sort.
const NAMES_MAX: usize = 65_536;
/// Old names kept in full.
const ORIGINS_MAX: usize = 16_384;

/// Entries that expire by time and by number, the oldest first.
struct Recent<T> {
    entries: HashMap<u64, (u64, T)>,
    order: VecDeque<(u64, u64)>,
    keep_ms: u64,
    most: usize,
}

impl<T> Recent<T> {
    fn new(keep_ms: u64, most: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), keep_ms, most }
    }

    fn insert(&mut self, key: u64, at_ms: u64, value: T) {
        self.entries.insert(key, (at_ms, value));
        self.order.push_back((key, at_ms));
        while self
            .order
            .front()
            .is_some_and(|(_, at)| self.most < self.order.len() || at + self.keep_ms < at_ms)
        {
            let Some((old, at)) = self.order.pop_front() else { return };
            // The entry may have been renewed or removed since.
            if self
                .entries
                .get(&old)
                .is_some_and(|(since, _)| *since == at)
            {
                self.entries.remove(&old);
            }
        }
    }

    fn get(&self, key: u64, now_ms: u64) -> Option<&T> {
        let (at, value) = self.entries.get(&key)?;
        (now_ms <= at + self.keep_ms).then_some(value)
    }

    fn get_mut(&mut self, key: u64, now_ms: u64) -> Option<&mut T> {
        let (at, value) = self.entries.get_mut(&key)?;
        (now_ms <= *at + self.keep_ms).then_some(value)
    }

    fn remove(&mut self, key: u64, now_ms: u64) -> Option<T> {
        let (at, value) = self.entries.remove(&key)?;
        (now_ms <= at + self.keep_ms).then_some(value)
    }
}

/// How much of another file's name a new one carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    /// All of it, with something after it.
    Whole,
    /// What stands before the extension.
    Stem,
}

/// A new file that carries another file's name.
#[derive(Clone, Debug)]
pub(super) struct Companion {
    /// How much of it.
    pub(super) carries: Carries,
    /// What it has after that name.
    pub(super) suffix: String,
    /// Whether its content fits its own name, as far as known.
    pub(super) verdict: Verdict,
    /// The new file.
    file: u64,
}

/// What is remembered of one scope.
pub(super) struct Memory {
    hasher: RandomState,
    fresh: Recent<()>,
    companions: Recent<Companion>,
    gone: Recent<()>,
    away: Recent<()>,
    origins: Recent<PathBuf>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            fresh: Recent::new(FRESH_MS, NAMES_MAX),
            companions: Recent::new(COMPANION_MS, NAMES_MAX),
            gone: Recent::new(GONE_MS, NAMES_MAX),
            away: Recent::new(ORIGIN_MS, ORIGINS_MAX),
            origins: Recent::new(ORIGIN_MS, ORIGINS_MAX),
        }
    }

    /// Returns the key of a path.
    pub(super) fn key(&self, path: &Path) -> u64 {
        self.beside(path, &file_name(path))
    }

    /// Returns the key of a name in the directory of `path`.
    pub(super) fn beside(&self, path: &Path, name: &str) -> u64 {
        self.hasher.hash_one((self.directory(path), name))
    }

    /// Returns the key of the directory a path is in.
    pub(super) fn directory(&self, path: &Path) -> u64 {
        self.hasher.hash_one(path.parent())
    }

    /// Returns the key of a text.
    pub(super) fn text(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    // === Fresh ===

    pub(super) fn note_fresh(&mut self, key: u64, now_ms: u64) {
        self.fresh.insert(key, now_ms, ());
    }

    pub(super) fn forget_fresh(&mut self, key: u64, now_ms: u64) -> bool {
        self.fresh.remove(key, now_ms).is_some()
    }

    /// Whether exactly this file appeared just now.
    pub(super) fn appeared(&self, key: u64, now_ms: u64) -> bool {
        self.fresh.get(key, now_ms).is_some()
    }

    /// Whether a file, or a directory it lies in, appeared within the last minute.
    pub(super) fn is_fresh(&self, path: &Path, now_ms: u64) -> bool {
        let named = |path: &&Path| !path.as_os_str().is_empty();
        path.ancestors()
            .take_while(named)
            .any(|path| self.appeared(self.key(path), now_ms))
    }

    // === Companions ===

    /// Notes which names a new file carries inside its own.
    pub(super) fn note_companion(&mut self, path: &Path, now_ms: u64) {
        let file = self.key(path);
        for (carried, suffix, carries) in self.carried(path) {
            let companion = Companion { carries, suffix, verdict: Verdict::Unknown, file };
            self.companions.insert(carried, now_ms, companion);
        }
    }

    /// Notes whether a companion's content fits its name.
    pub(super) fn vouch(&mut self, path: &Path, verdict: Verdict, now_ms: u64) {
        let file = self.key(path);
        for (carried, _, _) in self.carried(path) {
            let companion = self.companions.get_mut(carried, now_ms);
            if let Some(companion) = companion.filter(|companion| companion.file == file) {
                companion.verdict = verdict;
            }
        }
    }

    /// Returns the new file that carries the name of this one, or its stem.
    pub(super) fn companion(&self, path: &Path, now_ms: u64) -> Option<&Companion> {
        let name = file_name(path);
        let whole = self.companions.get(self.beside(path, &name), now_ms);
        whole.or_else(|| {
            let (stem, _) = name.rsplit_once('.')?;
            self.companions
                .get(self.beside(path, &stem_name(stem)), now_ms)
        })
    }

    /// The keys of the names a name carries: all but its last part, and its bare stem.
    pub(super) fn carried(&self, path: &Path) -> Vec<(u64, String, Carries)> {
        let name = file_name(path);
        let Some((before, suffix)) = name.rsplit_once('.') else { return Vec::new() };
        if before.is_empty() || suffix.is_empty() {
            return Vec::new();
        }
        let suffix = suffix.to_lowercase();
        let stem = stem_name(before);

        vec![
            (self.beside(path, before), suffix.clone(), Carries::Whole),
            (self.beside(path, &stem), suffix, Carries::Stem),
        ]
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

    pub(super) fn note_origin(&mut self, key: u64, origin: PathBuf, now_ms: u64) {
        let old = self.key(&origin);
        self.away.insert(old, now_ms, ());
        self.origins.insert(key, now_ms, origin);
    }
}

/// The form under which a bare stem is kept, different from every file name.
fn stem_name(stem: &str) -> String {
    format!("{stem}/")
}
