//! Remembers where directories are, so that the id in a record becomes a path without asking the file system each time.
//!
//! A directory is kept by its name in its parent: one that is renamed takes everything below it along. What is known
//! beforehand matters when a tree is deleted: then nobody can say any more where its directories were.
//!
//! Always holds: bounded; directories outside every root are remembered as such, for most changes on a busy volume are
//! theirs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::records::FileId;

/// Directories remembered at the most. Beyond that all but the roots are forgotten and found again as they are met.
const KNOWN_MAX: usize = 50_000;
/// Directories outside every root remembered at the most.
const OUTSIDE_MAX: usize = 8192;
/// Longest way up from a directory to its root.
const DEPTH_MAX: usize = 256;

/// Asks the file system.
pub(super) trait Locate {
    /// Returns where a directory is now.
    fn path_of(&self, id: FileId) -> io::Result<PathBuf>;

    /// Returns what is at a path.
    fn id_of(&self, path: &Path) -> io::Result<FileId>;

    /// Returns the directories in a directory.
    fn directories_in(&self, path: &Path) -> Vec<OsString>;
}

/// Where directories are.
#[derive(Default)]
pub(super) struct Places {
    roots: Vec<PathBuf>,
    known: BTreeMap<FileId, Directory>,
    outside: BTreeSet<FileId>,
    /// The one asked for last, which the next question mostly is about too.
    last: Option<(FileId, Option<PathBuf>)>,
}

struct Directory {
    above: Above,
    name: OsString,
}

#[derive(Clone, Copy, PartialEq)]
enum Above {
    /// It is a root; its name is its whole path.
    Nothing,
    Directory(FileId),
    /// It was moved to where nobody watches.
    Outside,
}

impl Places {
    /// Takes other roots, and learns the directories below them as far as there is room.
    pub(super) fn set_roots(&mut self, roots: Vec<PathBuf>, volume: &impl Locate) {
        *self = Self { roots, ..Self::default() };
        for root in self.roots.clone() {
            // A root below another one is found from above.
            if self.is_top(&root)
                && let Ok(id) = volume.id_of(&root)
            {
                self.known
                    .insert(id, Directory { above: Above::Nothing, name: root.as_os_str().into() });
                self.walk(&root, id, volume);
            }
        }
    }

    /// Returns the path of a root that has this id.
    pub(super) fn root(&self, id: FileId) -> Option<PathBuf> {
        let directory = self.known.get(&id)?;
        (directory.above == Above::Nothing).then(|| PathBuf::from(&*directory.name))
    }

    /// Returns where a directory is, if that is in a root.
    pub(super) fn path(&mut self, id: FileId, volume: &impl Locate) -> Option<PathBuf> {
        if let Some((last, path)) = &self.last
            && *last == id
        {
            return path.clone();
        }
        let path = self.find(id, volume);
        self.last = Some((id, path.clone()));

        path
    }

    fn find(&mut self, id: FileId, volume: &impl Locate) -> Option<PathBuf> {
        let mut names = Vec::new();
        let mut at = id;
        while let Some(directory) = self.known.get(&at) {
            names.push(directory.name.clone());
            match directory.above {
                Above::Nothing => return Some(names.iter().rev().collect()),
                Above::Directory(above) if names.len() < DEPTH_MAX => at = above,
                Above::Directory(_) | Above::Outside => return None,
            }
        }
        let mut path = self.ask(at, volume)?;
        path.extend(names.iter().rev());

        Some(path)
    }

    /// Asks the file system for a directory that is not known.
    fn ask(&mut self, id: FileId, volume: &impl Locate) -> Option<PathBuf> {
        if self.outside.contains(&id) {
            return None;
        }
        let path = volume.path_of(id).ok()?;
        if !self.is_inside(&path) {
            self.exclude(id);
            return None;
        }
        self.learn(id, &path, volume);

        Some(path)
    }

    /// Notes a directory that has just been made in another one.
    pub(super) fn appeared(&mut self, id: FileId, parent: FileId, name: &OsStr, at: &impl Locate) {
        if self.path(parent, at).is_some() {
            self.insert(id, Directory { above: Above::Directory(parent), name: name.into() });
        }
    }

    /// Notes that a directory is in another one now, or has another name there.
    pub(super) fn moved(&mut self, id: FileId, parent: FileId, name: &OsStr, at: &impl Locate) {
        let above = match self.path(parent, at) {
            Some(_) => Above::Directory(parent),
            None => Above::Outside,
        };
        self.last = None;
        let known = self.known.get(&id).map(|directory| directory.above);
        if known == Some(Above::Nothing) || (known.is_none() && above == Above::Outside) {
            return;
        }
        // Those below one that comes in were outside until now.
        self.outside.clear();
        self.insert(id, Directory { above, name: name.into() });
    }

    /// Notes where a directory was that is deleted, unless that is known.
    pub(super) fn was_in(&mut self, id: FileId, parent: FileId, name: &OsStr) {
        if !self.known.contains_key(&id) {
            self.last = None;
            self.insert(id, Directory { above: Above::Directory(parent), name: name.into() });
        }
    }

    /// Forgets a directory that was deleted.
    pub(super) fn is_gone(&mut self, id: FileId) {
        if self.root(id).is_none() {
            self.last = None;
            self.known.remove(&id);
        }
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root))
    }

    /// Whether a path is a root and not below another one.
    fn is_top(&self, path: &Path) -> bool {
        let below = |root: &PathBuf| root != path && path.starts_with(root);
        self.roots.iter().any(|root| root == path) && !self.roots.iter().any(below)
    }

    fn exclude(&mut self, id: FileId) {
        if OUTSIDE_MAX <= self.outside.len() {
            self.outside.clear();
        }
        self.outside.insert(id);
    }

    /// Remembers a directory and those above it up to its root.
    fn learn(&mut self, id: FileId, path: &Path, volume: &impl Locate) {
        let (mut id, mut path) = (id, path);
        for _ in 0..DEPTH_MAX {
            if self.known.contains_key(&id) {
                return;
            }
            if self.is_top(path) {
                self.insert(id, Directory { above: Above::Nothing, name: path.as_os_str().into() });
                return;
            }
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
            let Ok(above) = volume.id_of(parent) else { return };
            self.insert(id, Directory { above: Above::Directory(above), name: name.into() });
            (id, path) = (above, parent);
        }
    }

    fn insert(&mut self, id: FileId, directory: Directory) {
        if KNOWN_MAX <= self.known.len() {
            self.known.retain(|_, known| known.above == Above::Nothing);
        }
        self.known.insert(id, directory);
    }

    /// Learns the directories below one that is known, breadth first, as far as there is room.
    fn walk(&mut self, path: &Path, id: FileId, volume: &impl Locate) {
        let mut open = VecDeque::from([(path.to_owned(), id)]);
        while let Some((path, id)) = open.pop_front() {
            for name in volume.directories_in(&path) {
                if KNOWN_MAX <= self.known.len() {
                    return;
                }
                let below = path.join(&name);
                if let Ok(found) = volume.id_of(&below) {
                    self.known
                        .insert(found, Directory { above: Above::Directory(id), name });
                    open.push_back((below, found));
                }
            }
        }
    }
}
