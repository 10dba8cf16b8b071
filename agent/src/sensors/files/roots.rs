//! The watched roots: which one a path belongs to, and how well each is seen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::raw::Trouble;
use super::{LABEL_MAX_CHARS, RootConfig, names_of, safe_label};
use crate::observation::{Root, Sight};
use crate::sensors::hanging;

/// Directories remembered by name that cannot be read, per root; more are only counted.
const HIDDEN_MAX: usize = 1000;

/// Turns configured roots into roots with absolute paths and distinct labels.
#[must_use]
pub fn resolve(configured: &[RootConfig]) -> Vec<Arc<Root>> {
    let mut taken = BTreeSet::new();
    let mut roots = Vec::new();
    for root in configured {
        let absolute = std::path::absolute(&root.path).unwrap_or_else(|_| root.path.clone());
        let path = hanging::canonical(&absolute);
        let last = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let wanted = root
            .label
            .clone()
            .or(last)
            .unwrap_or_else(|| "root".to_owned());
        let label = distinct(&safe_label(&wanted), &taken);
        taken.insert(label.clone());
        roots.push(Arc::new(Root { label, path, names: names_of(root) }));
    }
    roots
}

fn distinct(wanted: &str, taken: &BTreeSet<String>) -> String {
    if !taken.contains(wanted) {
        return wanted.to_owned();
    }
    let short: String = wanted.chars().take(LABEL_MAX_CHARS - 4).collect();
    let numbered = (2..).map(|number| format!("{short}-{number}"));

    numbered
        .take(taken.len() + 2)
        .find(|label| !taken.contains(label))
        .unwrap_or(short)
}

/// One root and how it is seen.
pub(super) struct Watched {
    pub(super) root: Arc<Root>,
    pub(super) sight: Sight,
    pub(super) detail: String,
    /// Since when it has not been seen, if it is not.
    pub(super) unseen_since: Option<Timestamp>,
    identity: Option<Identity>,
    hidden: BTreeSet<PathBuf>,
}

/// What tells one directory from another of the same name.
type Identity = (u64, u64);

/// What a look at a root found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As before.
    Same,
    /// It is not there any more, or another directory has its name.
    Gone,
    /// It is there again.
    Back,
}

impl Watched {
    pub(super) fn new(root: Arc<Root>) -> Self {
        let (sight, detail) = (Sight::Gone, "not looked at yet".to_owned());
        let hidden = BTreeSet::new();
        Self { root, sight, detail, unseen_since: None, identity: None, hidden }
    }

    /// Notes how an attempt to watch it ended.
    pub(super) fn watched(&mut self, result: &Result<(), Trouble>, now: Timestamp) {
        self.unseen_since = match result {
            Ok(()) | Err(Trouble::Limit) => None,
            Err(Trouble::Missing | Trouble::Denied | Trouble::Other(_)) => {
                self.unseen_since.or(Some(now))
            }
        };
        self.identity = identity(&self.root.path);
        self.hidden.clear();
        (self.sight, self.detail) = match result {
            Ok(()) => (Sight::Whole, String::new()),
            Err(Trouble::Missing) => (Sight::Gone, Trouble::Missing.advice()),
            Err(Trouble::Limit) => (Sight::Partial, Trouble::Limit.advice()),
            Err(trouble @ (Trouble::Denied | Trouble::Other(_))) => {
                (Sight::Unreadable, trouble.advice())
            }
        };
    }

    /// Notes a directory below it that cannot be seen. Returns whether that changes how the root is seen.
    pub(super) fn hide(&mut self, path: &Path, trouble: &Trouble, now: Timestamp) -> bool {
        if path == self.root.path {
            let before = self.sight;
            self.watched(&Err(trouble.clone()), now);
            return self.sight != before;
        }
        if self.hidden.len() < HIDDEN_MAX {
            self.hidden.insert(path.to_owned());
        }
        self.detail = format!("{} below it: {}", directories(self.hidden.len()), trouble.advice());
        let changed = self.sight == Sight::Whole;
        if changed {
            self.sight = Sight::Partial;
        }
        changed
    }

    /// Notes that it is gone.
    pub(super) fn lose(&mut self, now: Timestamp) {
        self.unseen_since = self.unseen_since.or(Some(now));
        (self.sight, self.detail) = (Sight::Gone, Trouble::Missing.advice());
        self.identity = None;
    }

    /// Looks whether it is still, or again, the directory it was.
    pub(super) fn look(&self) -> Look {
        let now = identity(&self.root.path);
        match self.sight {
            Sight::Gone if now.is_some() => Look::Back,
            Sight::Gone => Look::Same,
            Sight::Whole | Sight::Partial if now == self.identity => Look::Same,
            Sight::Whole | Sight::Partial => Look::Gone,
            Sight::Unreadable if now.is_none() => Look::Gone,
            Sight::Unreadable if readable(&self.root.path) => Look::Back,
            Sight::Unreadable => Look::Same,
        }
    }
}

fn directories(count: usize) -> String {
    match count {
        1 => "1 directory".to_owned(),
        HIDDEN_MAX => format!("{HIDDEN_MAX} directories or more"),
        _ => format!("{count} directories"),
    }
}

fn readable(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok()
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_dir)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_dir)
        .map(|_| (0, 0))
}

/// Returns the deepest root a path lies in, with the path below it.
pub(super) fn root_of<'a>(
    roots: &'a [Watched],
    path: &'a Path,
) -> Option<(&'a Arc<Root>, &'a Path)> {
    let inside = |watched: &'a Watched| {
        let below = path.strip_prefix(&watched.root.path).ok()?;
        Some((&watched.root, below))
    };

    roots
        .iter()
        .filter_map(inside)
        .min_by_key(|(_, below)| below.as_os_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(path: &str) -> RootConfig {
        RootConfig::new(path)
    }

    #[test]
    fn labels_are_safe_and_distinct() {
        let roots =
            resolve(&[configured("/a/共有"), configured("/b/共有"), configured("/x/a b\u{202e}c")]);
        let labels: Vec<_> = roots.iter().map(|root| root.label.as_str()).collect();
        assert_eq!(labels, ["共有", "共有-2", "a_b_c"]);
    }

    #[test]
    fn a_path_belongs_to_the_deepest_root() {
        let roots = resolve(&[configured("/nowhere-a"), configured("/nowhere-a/b")]);
        let roots: Vec<_> = roots.into_iter().map(Watched::new).collect();
        let inside = std::path::absolute("/nowhere-a/b/c.pdf").expect("a path");
        let (root, below) = root_of(&roots, &inside).expect("inside");
        assert_eq!((root.label.as_str(), below), ("b", Path::new("c.pdf")));
        assert!(root_of(&roots, Path::new("/nowhere-abc")).is_none());
    }
}
