//! Turns names into numbers that mean nothing outside this process.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{MAIN_SEPARATOR, Path};

/// Stands behind a bare stem, so that its key is different from that of every file.
const STEM_MARK: &[u8] = b"/";

/// How much of another file's name a new one carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Carries {
    /// All of it, with something after it.
    Whole,
    /// What stands before the extension.
    Stem,
}

/// The names a name carries.
pub(in super::super) struct Carried {
    /// What it has behind them, lower case.
    pub(in super::super) suffix: String,
    /// The key of all but its last part.
    pub(in super::super) whole: u64,
    /// The key of its bare stem.
    pub(in super::super) stem: u64,
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
        self.hashed(&[path.as_os_str().as_encoded_bytes()])
    }

    /// Returns the key of a name in the directory of `path`.
    pub(in super::super) fn beside(&self, path: &Path, name: &str) -> u64 {
        self.hashed(&[directory_bytes(path), name.as_bytes()])
    }

    /// Returns the key of the directory a path is in.
    pub(in super::super) fn directory(&self, path: &Path) -> u64 {
        self.hashed(&[directory_bytes(path)])
    }

    /// Returns the keys of a path and of each directory above it, the path's own first.
    pub(super) fn ancestors<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = u64> + 'a {
        let bytes = path.as_os_str().as_encoded_bytes();
        let ends = std::iter::successors((!bytes.is_empty()).then_some(bytes.len()), move |end| {
            let above = bytes.get(..*end)?;
            above
                .iter()
                .rposition(|byte| is_separator(*byte))
                .filter(|end| 0 < *end)
        });

        ends.filter_map(move |end| bytes.get(..end).map(|above| self.hashed(&[above])))
    }

    /// Bytes are hashed one run after the other, so that a path and its parts have the same key.
    fn hashed(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(self.root);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }

    /// Returns the key of a text.
    pub(in super::super) fn text(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// The names a name carries: all but its last part, and its bare stem.
    pub(in super::super) fn carried(&self, path: &Path) -> Option<Carried> {
        let name = name_of(path);
        let (before, suffix) = name.rsplit_once('.')?;
        if before.is_empty() || suffix.is_empty() {
            return None;
        }

        Some(Carried {
            suffix: suffix.to_lowercase(),
            whole: self.beside(path, before),
            stem: self.stem(path, before),
        })
    }

    /// The key of a bare stem.
    pub(super) fn stem(&self, path: &Path, stem: &str) -> u64 {
        self.hashed(&[directory_bytes(path), stem.as_bytes(), STEM_MARK])
    }
}

/// The name at the end of a path, as text.
pub(super) fn name_of(path: &Path) -> Cow<'_, str> {
    path.file_name()
        .map(std::ffi::OsStr::to_string_lossy)
        .unwrap_or_default()
}

fn is_separator(byte: u8) -> bool {
    byte == b'/' || char::from(byte) == MAIN_SEPARATOR
}

/// What stands before the name, its separator included.
fn directory_bytes(path: &Path) -> &[u8] {
    let bytes = path.as_os_str().as_encoded_bytes();
    let end = bytes
        .iter()
        .rposition(|byte| is_separator(*byte))
        .map_or(0, |end| end + 1);

    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_its_parts_and_what_it_carries_have_the_same_keys() {
        let keys = Keys::new(&RandomState::new(), "share");
        let path = Path::new("a/b/c.pdf.gz");
        assert_eq!(keys.beside(path, "c.pdf"), keys.key(Path::new("a/b/c.pdf")));
        let above: Vec<_> = keys.ancestors(path).collect();
        assert_eq!(above, [path, Path::new("a/b"), Path::new("a")].map(|path| keys.key(path)));
        let carried = keys.carried(path).expect("it carries c.pdf");
        assert_eq!((carried.suffix.as_str(), carried.whole), ("gz", keys.beside(path, "c.pdf")));
        assert_eq!(carried.stem, keys.stem(Path::new("a/b/c.pdf.xz"), "c.pdf"));
        assert_ne!(carried.stem, carried.whole);
        assert_ne!(Keys::new(&keys.hasher, "home").key(path), keys.key(path));
        assert_eq!(keys.ancestors(Path::new("")).count(), 0);
    }
}
