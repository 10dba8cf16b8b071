//! Remembers for a while which paths something happened to.
//!
//! Always holds: bounded; pure, times are passed in. A path is remembered for at least as long as it is meant to, unless
//! more than there is room for come meanwhile.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;

use crate::observation::Root;

/// Paths as keyed hashes, in two generations: when the young one is full or old enough, it becomes the old one and that
/// is forgotten.
pub(super) struct Newcomers {
    hasher: RandomState,
    young: HashMap<u64, ()>,
    old: HashMap<u64, ()>,
    began_ms: u64,
    keep_ms: u64,
    most: usize,
}

impl Newcomers {
    pub(super) fn new(keep_ms: u64, most: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            young: HashMap::new(),
            old: HashMap::new(),
            began_ms: 0,
            keep_ms,
            most,
        }
    }

    pub(super) fn note(&mut self, root: &Root, below: &Path, now_ms: u64) {
        self.pass(now_ms);
        if self.most / 2 <= self.young.len() {
            self.turn(now_ms);
        }
        self.young.insert(self.key(root, below), ());
    }

    pub(super) fn has(&mut self, root: &Root, below: &Path, now_ms: u64) -> bool {
        self.pass(now_ms);
        !self.is_empty() && self.knows(self.key(root, below))
    }

    /// Whether a path, or a directory above it, is remembered.
    pub(super) fn has_or_is_within(&mut self, root: &Root, below: &Path, now_ms: u64) -> bool {
        self.pass(now_ms);
        !self.is_empty()
            && below
                .ancestors()
                .filter(|above| !above.as_os_str().is_empty())
                .any(|above| self.knows(self.key(root, above)))
    }

    fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    fn knows(&self, key: u64) -> bool {
        self.young.contains_key(&key) || self.old.contains_key(&key)
    }

    fn key(&self, root: &Root, below: &Path) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(root.label.as_bytes());
        hasher.write_u8(0);
        hasher.write(below.as_os_str().as_encoded_bytes());
        hasher.finish()
    }

    fn pass(&mut self, now_ms: u64) {
        if self.began_ms + self.keep_ms < now_ms && !self.is_empty() {
            self.turn(now_ms);
        }
    }

    fn turn(&mut self, now_ms: u64) {
        self.old = std::mem::take(&mut self.young);
        self.began_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::redact::Names;

    use super::*;

    #[test]
    fn a_path_is_remembered_long_enough_and_no_flood_needs_more_room() {
        let root = |label: &str| Root {
            label: label.to_owned(),
            path: std::path::absolute("/r").unwrap(),
            names: Names::Hidden,
        };
        let (root, other) = (root("r"), root("s"));
        let mut new = Newcomers::new(60_000, 1000);
        let (directory, file) = (Path::new("a/b"), Path::new("a/b/c.pdf"));
        assert!(!new.has_or_is_within(&root, file, 0));
        new.note(&root, directory, 70_000);
        assert!(new.has_or_is_within(&root, file, 130_000) && !new.has(&root, file, 130_000));
        assert!(!new.has_or_is_within(&other, file, 130_000));
        assert!(!new.has_or_is_within(&root, Path::new("a/bc.pdf"), 130_000));
        for second in [131, 192, 253] {
            new.has(&root, directory, second * 1000);
        }
        assert!(new.is_empty());
        for number in 0..100_000 {
            new.note(&root, Path::new(&number.to_string()), 300_000);
        }
        assert!(new.young.len() + new.old.len() <= 1000);
        assert!(new.has(&root, Path::new("99999"), 300_000));
    }
}
