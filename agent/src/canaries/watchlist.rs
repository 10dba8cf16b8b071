//! What the keeper of the decoys and the files sensor tell each other: which files are decoys, and what the keeper does
//! to them itself.
//!
//! Always holds: bounded by the number of decoys; a change the keeper makes is nobody's touch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files;
use crate::observation::Role;

/// How long after the keeper's own act a change that does not say who made it may still be told.
const OWN_ACT_MS: u64 = 3000;
/// Renamed directories remembered until the keeper comes round.
const MOVED_MAX: usize = 1024;

/// Shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct Watchlist(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether there is anything to ask for: most changes on most hosts need no lock.
    in_use: AtomicBool,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    /// Each with what its content is known by.
    decoys: BTreeMap<PathBuf, String>,
    /// Files the keeper is at work on, until when that may still be seen.
    own: BTreeMap<PathBuf, u64>,
    touched_ms: Option<u64>,
    moved: Vec<(PathBuf, PathBuf)>,
}

impl Watchlist {
    /// Returns what a changed file is there for; a decoy counts as touched.
    pub(crate) fn role(&self, paths: &[&Path], now_ms: u64) -> Role {
        if !self.0.in_use.load(Ordering::Relaxed) {
            return Role::Ordinary;
        }
        let mut facts = self.facts();
        if !paths.iter().any(|path| facts.decoys.contains_key(*path)) {
            return Role::Ordinary;
        }
        facts.touched_ms = facts.touched_ms.max(Some(now_ms));

        Role::Canary
    }

    /// Returns what a file is there for that somebody had open for writing. A decoy that is still as it was made was only
    /// looked at: office programs open what they show for writing as well.
    pub(crate) fn role_of_written(&self, path: &Path, now_ms: u64) -> Role {
        if !self.0.in_use.load(Ordering::Relaxed) {
            return Role::Ordinary;
        }
        let Some(digest) = self.facts().decoys.get(path).cloned() else {
            return Role::Ordinary;
        };
        if files::is_as_made(path, &digest) {
            return Role::Ordinary;
        }

        self.role(&[path], now_ms)
    }

    /// Whether a change is the keeper's own, for a backend that does not tell who made it.
    pub(crate) fn is_own_act(&self, path: &Path, at_ms: u64) -> bool {
        self.0.in_use.load(Ordering::Relaxed)
            && self
                .facts()
                .own
                .get(path)
                .is_some_and(|until_ms| at_ms <= *until_ms)
    }

    /// Notes that a directory has another name, with what is in it.
    pub(crate) fn note_moved(&self, from: &Path, to: &Path) {
        if !self.0.in_use.load(Ordering::Relaxed) {
            return;
        }
        let mut facts = self.facts();
        if facts.moved.len() < MOVED_MAX && facts.decoys.keys().any(|path| path.starts_with(from)) {
            facts.moved.push((from.to_owned(), to.to_owned()));
            let decoys = std::mem::take(&mut facts.decoys);
            let follow = |(path, digest): (PathBuf, String)| (followed(&path, from, to), digest);
            facts.decoys = decoys.into_iter().map(follow).collect();
        }
    }

    /// Takes the renamed directories since the last time.
    pub(super) fn take_moved(&self) -> Vec<(PathBuf, PathBuf)> {
        std::mem::take(&mut self.facts().moved)
    }

    /// Puts these in the place of the decoys known before.
    pub(super) fn set(&self, decoys: impl Iterator<Item = (PathBuf, String)>) {
        let mut facts = self.facts();
        facts.decoys = decoys.collect();
        self.note_use(&facts);
    }

    /// The keeper begins to make, restore or remove a file.
    pub(super) fn begin(&self, path: &Path) {
        let mut facts = self.facts();
        facts.own.insert(path.to_owned(), u64::MAX);
        self.note_use(&facts);
    }

    /// The keeper is done with a file.
    pub(super) fn end(&self, path: &Path, now_ms: u64) {
        let mut facts = self.facts();
        facts.own.insert(path.to_owned(), now_ms + OWN_ACT_MS);
        facts.own.retain(|_, until_ms| now_ms <= *until_ms);
        self.note_use(&facts);
    }

    /// When a decoy was last touched, if one was.
    pub(super) fn touched_ms(&self) -> Option<u64> {
        self.facts().touched_ms
    }

    fn note_use(&self, facts: &Facts) {
        let in_use = !facts.decoys.is_empty() || !facts.own.is_empty();
        self.0.in_use.store(in_use, Ordering::Relaxed);
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns where a file is after a directory was renamed.
pub(super) fn followed(path: &Path, from: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(from)
        .map_or_else(|_| path.to_owned(), |below| to.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoy_is_one_under_any_of_the_names_of_a_change() {
        let list = Watchlist::default();
        let (decoy, other) = (Path::new("/r/a/.0x.pdf"), Path::new("/r/b.pdf"));
        assert_eq!(list.role(&[decoy], 1), Role::Ordinary);
        list.set([(decoy.to_owned(), String::new())].into_iter());
        assert_eq!(list.role(&[other], 2), Role::Ordinary);
        assert_eq!(list.touched_ms(), None);
        assert_eq!(list.role(&[other, decoy], 3), Role::Canary);
        assert_eq!(list.touched_ms(), Some(3));
        list.note_moved(Path::new("/r/a"), Path::new("/r/c"));
        assert_eq!(list.role(&[decoy], 4), Role::Ordinary);
        assert_eq!(list.role(&[Path::new("/r/c/.0x.pdf")], 5), Role::Canary);
        assert_eq!(list.take_moved(), [("/r/a".into(), "/r/c".into())]);
    }

    #[test]
    fn a_decoy_that_was_opened_for_writing_and_left_as_it_was_is_not_touched() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".0x.pdf");
        let list = Watchlist::default();
        std::fs::write(&path, "as made").unwrap();
        list.set([(path.clone(), files::fingerprint(b"as made"))].into_iter());
        assert_eq!(list.role_of_written(&path, 1), Role::Ordinary);
        assert_eq!(list.role_of_written(&home.path().join("other"), 1), Role::Ordinary);
        std::fs::write(&path, "As made").unwrap();
        assert_eq!(list.role_of_written(&path, 1), Role::Canary);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(list.role_of_written(&path, 1), Role::Canary);
    }

    #[test]
    fn the_keepers_own_acts_are_known_for_a_while() {
        let list = Watchlist::default();
        let path = Path::new("/r/x");
        assert!(!list.is_own_act(path, 0));
        list.begin(path);
        assert!(list.is_own_act(path, 1_000_000));
        list.end(path, 2_000_000);
        assert!(list.is_own_act(path, 2_000_000 + OWN_ACT_MS));
        assert!(!list.is_own_act(path, 2_000_001 + OWN_ACT_MS));
    }
}
