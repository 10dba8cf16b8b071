//! What the last look at a backup saw, on disk: one file for each file system the backup was seen on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::compare::Baseline;
use crate::durable;

/// File systems remembered of one backup; the one that has not been seen for longest is forgotten for another.
const FILESYSTEMS_MAX: usize = 8;
/// How old what is on disk may become while nothing happens.
const KEEP_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Where the looks at one backup are kept.
#[derive(Clone)]
pub(super) struct Shelf {
    dir: PathBuf,
    name: String,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    /// The last looks, by file system; `None` until they were read.
    looks: Option<BTreeMap<String, Baseline>>,
    written: BTreeMap<String, Timestamp>,
}

/// Whether a look is worth a write to the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// It saw something new.
    Writing,
    /// It saw the same as before.
    Little,
}

impl Shelf {
    pub(super) fn new(dir: &Path, name: &str) -> Self {
        Self { dir: dir.to_owned(), name: name.to_owned(), held: Arc::default() }
    }

    /// Returns the last look, whatever file system it saw.
    pub(super) fn last(&self) -> Result<Option<Baseline>, String> {
        self.with_looks(|looks| looks.values().max_by_key(|look| look.at).cloned())
    }

    /// Returns the last look at a file system.
    pub(super) fn of_filesystem(&self, filesystem: &str) -> Result<Option<Baseline>, String> {
        self.with_looks(|looks| looks.get(filesystem).cloned())
    }

    /// Puts a look in the place of the last one at its file system.
    pub(super) fn keep(&self, fresh: &Baseline, worth: Worth) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let filesystem = &fresh.filesystem;
        let looks = held.looks.get_or_insert_default();
        looks.insert(filesystem.clone(), fresh.clone());
        if FILESYSTEMS_MAX < looks.len() {
            let oldest = looks
                .iter()
                .min_by_key(|(_, look)| look.at)
                .map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                looks.remove(&oldest);
                // What cannot be removed is read again at the next start, and does no harm.
                drop(std::fs::remove_file(self.file(&oldest)));
            }
        }
        let written = held.written.get(filesystem);
        let old = written.is_none_or(|at| KEEP_EVERY <= fresh.at.duration_since(*at));
        if worth == Worth::Little && !old {
            return;
        }
        held.written.insert(filesystem.clone(), fresh.at);
        let text = serde_json::to_vec(fresh).map_err(std::io::Error::from);
        let kept = text.and_then(|text| durable::replace(&self.file(filesystem), &text));
        if let Err(error) = kept {
            tracing::warn!(%error, "how backup `{}` was seen was not written down", self.name);
        }
    }

    fn with_looks<T>(
        &self,
        ask: impl FnOnce(&BTreeMap<String, Baseline>) -> T,
    ) -> Result<T, String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looks.is_none() {
            held.looks = Some(self.read()?);
        }

        Ok(ask(held.looks.get_or_insert_default()))
    }

    fn read(&self) -> Result<BTreeMap<String, Baseline>, String> {
        let failed = |error: std::io::Error| format!("what was seen before does not read: {error}");
        let mut looks = BTreeMap::new();
        std::fs::create_dir_all(&self.dir).map_err(failed)?;
        for entry in std::fs::read_dir(&self.dir).map_err(failed)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name
                .strip_prefix(&self.name)
                .and_then(|rest| rest.strip_prefix('.'));
            if ours.is_none_or(|rest| !rest.ends_with("json")) {
                continue;
            }
            match durable::read_json::<Baseline>(&entry.path()) {
                Ok(Some(look)) => drop(looks.insert(look.filesystem.clone(), look)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a look at backup `{}` does not read and is forgotten", self.name);
                }
            }
        }

        Ok(looks)
    }

    fn file(&self, filesystem: &str) -> PathBuf {
        match filesystem {
            "" => self.dir.join(format!("{}.json", self.name)),
            _ => self.dir.join(format!("{}.{filesystem}.json", self.name)),
        }
    }
}
