//! Turns names into numbers that mean nothing outside this process.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;

use crate::observation::file_name;

/// How much of another file's name a new one carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Carries {
    /// All of it, with something after it.
    Whole,
    /// What stands before the extension.
    Stem,
}

/// Makes the keys of one root.
#[derive(Clone)]
pub(in super::super) struct Keys {
    hasher: RandomState,
    root: u64,
}

impl Keys {
    pub(in super::super) fn new(hasher: &RandomState, root: &str) -> Self {
        Self { hasher: hasher.clone(), root: hasher.hash_one(root) }
    }

    /// Returns the key of a path.
    pub(in super::super) fn key(&self, path: &Path) -> u64 {
        let name = path.file_name().unwrap_or_default();
        self.joined(path, name.as_encoded_bytes())
    }

    /// Returns the key of a name in the directory of `path`.
    pub(in super::super) fn beside(&self, path: &Path, name: &str) -> u64 {
        self.joined(path, name.as_bytes())
    }

    /// Returns the key of the directory a path is in.
    pub(in super::super) fn directory(&self, path: &Path) -> u64 {
        self.joined(path, b"")
    }

    fn joined(&self, path: &Path, name: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(self.root);
        if let Some(parent) = path.parent() {
            hasher.write(parent.as_os_str().as_encoded_bytes());
        }
        hasher.write(b"/");
        hasher.write(name);
        hasher.finish()
    }

    /// Returns the key of a text.
    pub(in super::super) fn text(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// The keys of the names a name carries: all but its last part, and its bare stem.
    pub(in super::super) fn carried(&self, path: &Path) -> Option<(String, [(u64, Carries); 2])> {
        let name = file_name(path);
        let (before, suffix) = name.rsplit_once('.')?;
        if before.is_empty() || suffix.is_empty() {
            return None;
        }
        let whole = (self.beside(path, before), Carries::Whole);
        let stem = (self.stem(path, before), Carries::Stem);

        Some((suffix.to_lowercase(), [whole, stem]))
    }

    /// The key of a bare stem, different from that of every file.
    pub(super) fn stem(&self, path: &Path, stem: &str) -> u64 {
        self.beside(path, &format!("{stem}/"))
    }
}
