//! Remembers where directories are, so that a report's handle becomes a path without asking the kernel each time.
//!
//! A directory is kept by its name in its parent: one that is renamed takes everything below it along. What is known
//! beforehand matters when a tree is deleted: then the kernel can no longer say where its directories were.
//!
//! Always holds: bounded; directories outside every root are remembered as such, for most changes of a busy file
//! system are theirs.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sys;

/// Directories remembered at the most, about 120 bytes each. Beyond that all but the roots are forgotten and found
/// again as they are met.
const KNOWN_MAX: usize = 50_000;
/// Directories outside every root remembered at the most.
const OUTSIDE_MAX: usize = 8192;
/// Directories at the most whose whole paths are kept as well: those where something happens now.
const BUSY_MAX: usize = 512;
/// Longest way up from a directory to its root.
const DEPTH_MAX: usize = 256;

/// A directory's place in the list.
type Id = usize;

/// Asks the kernel where the directory of a handle is now.
pub(super) trait Locate {
    /// Returns every path it may be reached by.
    fn locate(&self, handle: &[u8]) -> io::Result<PathBuf>;
}

/// Where directories are.
#[derive(Default)]
pub(super) struct Directories {
    roots: Vec<PathBuf>,
    known: HashMap<Box<[u8]>, Id>,
    outside: HashMap<Box<[u8]>, ()>,
    list: Vec<Directory>,
    /// The paths of those asked for lately, which the next questions mostly are about too.
    busy: HashMap<Id, Arc<Path>>,
}

struct Directory {
    above: Above,
    name: Box<OsStr>,
}

#[derive(Clone, Copy)]
enum Above {
    /// It is a root, or the top of a file system mounted below one; its name is its whole path.
    Nothing,
    Directory(Id),
    /// It was moved to where nobody watches.
    Outside,
}

impl Directories {
    /// Adds a root and the directories below it, as far as there is room.
    pub(super) fn add_root(&mut self, root: &Path) -> io::Result<()> {
        let handle = sys::handle_of(root)?;
        self.clear_outside();
        let is_new = !self.roots.iter().any(|known| known == root);
        if is_new {
            self.roots.push(root.to_owned());
        }
        // A root below another one is found from above.
        if self.within_another(root) {
            return Ok(());
        }
        let id = self.push(handle, Above::Nothing, root.as_os_str());
        self.walk(root, id);

        Ok(())
    }

    fn within_another(&self, root: &Path) -> bool {
        self.roots
            .iter()
            .any(|other| other != root && root.starts_with(other))
    }

    /// Forgets a root and everything that was known, which is found again as it is met.
    pub(super) fn remove_root(&mut self, root: &Path) {
        self.roots.retain(|known| known != root);
        self.forget();
    }

    /// Returns where the directory of a handle is, if that is in a root.
    pub(super) fn path(&mut self, handle: &[u8], kernel: &impl Locate) -> Option<Arc<Path>> {
        if let Some(id) = self.known.get(handle).copied() {
            return self.path_of(id);
        }
        if self.outside.contains_key(handle) {
            return None;
        }
        let path = kernel.locate(handle).ok()?;
        if !self.roots.iter().any(|root| path.starts_with(root)) {
            self.exclude(handle);
            return None;
        }
        self.learn(&path);

        Some(path.into())
    }

    /// Notes a directory that has just appeared, with what may be in it already.
    pub(super) fn appeared(&mut self, path: &Path) {
        if let Some(id) = self.learn(path) {
            self.walk(path, id);
        }
    }

    /// Notes that a directory has this path now, or lies where nobody watches.
    pub(super) fn moved(&mut self, to: &Path, inside: bool) {
        self.busy.clear();
        // Those below one that comes in were outside until now.
        self.clear_outside();
        let Ok(handle) = sys::handle_of(to) else { return };
        let id = self.known.get(handle.as_slice()).copied();
        let Some(id) = id else {
            if inside {
                self.appeared(to);
            }
            return;
        };
        let above = match (inside, to.parent()) {
            (true, Some(parent)) => self.learn(parent).map_or(Above::Outside, Above::Directory),
            (true, None) | (false, _) => Above::Outside,
        };
        if let (Some(directory), Some(name)) = (self.list.get_mut(id), to.file_name()) {
            (directory.above, directory.name) = (above, name.into());
        }
    }

    /// Remembers the directory at a path and those above it up to its root. Returns its place.
    fn learn(&mut self, path: &Path) -> Option<Id> {
        let handle = sys::handle_of(path).ok()?;
        if let Some(id) = self.known.get(handle.as_slice()) {
            return Some(*id);
        }
        let is_top = self.roots.iter().any(|root| root == path) && !self.within_another(path);
        if is_top {
            return Some(self.push(handle, Above::Nothing, path.as_os_str()));
        }
        if !self.roots.iter().any(|root| path.starts_with(root)) {
            return None;
        }
        let above = self.learn(path.parent()?)?;

        Some(self.push(handle, Above::Directory(above), path.file_name()?))
    }

    fn push(&mut self, handle: Vec<u8>, above: Above, name: &OsStr) -> Id {
        if let Some(id) = self.known.get(handle.as_slice()) {
            return *id;
        }
        if KNOWN_MAX <= self.list.len() && !matches!(above, Above::Directory(_)) {
            self.forget();
        }
        let id = self.list.len();
        self.outside.remove(handle.as_slice());
        self.list.push(Directory { above, name: name.into() });
        self.known.insert(handle.into(), id);
        id
    }

    /// Learns the directories below one that is known, breadth first, as far as there is room.
    fn walk(&mut self, path: &Path, id: Id) {
        let mut open = std::collections::VecDeque::from([(path.to_owned(), id)]);
        while let Some((path, id)) = open.pop_front() {
            for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
                if KNOWN_MAX <= self.list.len() {
                    return;
                }
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let below = entry.path();
                if let Ok(handle) = sys::handle_of(&below) {
                    let id = self.push(handle, Above::Directory(id), &entry.file_name());
                    open.push_back((below, id));
                }
            }
        }
    }

    fn path_of(&mut self, id: Id) -> Option<Arc<Path>> {
        if let Some(path) = self.busy.get(&id) {
            return Some(Arc::clone(path));
        }
        let path: Arc<Path> = self.composed(id)?.into();
        if BUSY_MAX <= self.busy.len() {
            self.busy.clear();
        }
        self.busy.insert(id, Arc::clone(&path));

        Some(path)
    }

    fn composed(&self, id: Id) -> Option<PathBuf> {
        let mut names: Vec<&OsStr> = Vec::new();
        let mut at = id;
        while names.len() < DEPTH_MAX {
            let directory = self.list.get(at)?;
            names.push(&directory.name);
            match directory.above {
                Above::Nothing => return Some(names.iter().rev().collect()),
                Above::Directory(above) => at = above,
                Above::Outside => return None,
            }
        }

        None
    }

    fn exclude(&mut self, handle: &[u8]) {
        if OUTSIDE_MAX <= self.outside.len() {
            self.outside.clear();
        }
        self.outside.insert(handle.into(), ());
    }

    fn clear_outside(&mut self) {
        self.outside.clear();
    }

    fn forget(&mut self) {
        self.known.clear();
        self.list.clear();
        self.busy.clear();
        self.clear_outside();
    }

    /// Whether an entry of a directory, given by the directory's path, is one of the roots.
    pub(super) fn is_root(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| root == path)
    }

    /// Returns the names of the roots' own entries in the directories above them.
    pub(super) fn root_names(&self) -> BTreeSet<OsString> {
        let name = |root: &PathBuf| root.file_name().map(OsStr::to_owned);
        self.roots.iter().filter_map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    /// A kernel that knows nothing, and counts how often it is asked.
    #[derive(Default)]
    struct Silent(Cell<u32>);

    impl Locate for Silent {
        fn locate(&self, _: &[u8]) -> io::Result<PathBuf> {
            self.0.set(self.0.get() + 1);
            Err(io::ErrorKind::NotFound.into())
        }
    }

    /// A kernel that knows one answer.
    struct Says(PathBuf);

    impl Locate for Says {
        fn locate(&self, _: &[u8]) -> io::Result<PathBuf> {
            Ok(self.0.clone())
        }
    }

    fn handle(path: &Path) -> Vec<u8> {
        sys::handle_of(path).expect("a file system with handles")
    }

    #[test]
    fn what_was_there_is_known_after_it_is_gone() {
        let home = tempfile::tempdir().expect("a directory");
        let deep = home.path().join("a/b");
        fs::create_dir_all(&deep).expect("made");
        let was = handle(&deep);
        let mut directories = Directories::default();
        directories.add_root(home.path()).expect("a root");
        fs::remove_dir_all(home.path().join("a")).expect("removed");
        let kernel = Silent::default();
        assert_eq!(directories.path(&was, &kernel), Some(deep.into()));
        assert_eq!(kernel.0.get(), 0);
    }

    #[test]
    fn a_renamed_directory_takes_those_below_it_along() {
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(home.path().join("a/b")).expect("made");
        let below = handle(&home.path().join("a/b"));
        let mut directories = Directories::default();
        directories.add_root(home.path()).expect("a root");
        fs::rename(home.path().join("a"), home.path().join("x")).expect("renamed");
        directories.moved(&home.path().join("x"), true);
        let kernel = Silent::default();
        assert_eq!(directories.path(&below, &kernel), Some(home.path().join("x/b").into()));
    }

    #[test]
    fn what_is_moved_out_is_outside_and_back_inside_when_it_returns() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, away) = (home.path().join("root"), home.path().join("away"));
        fs::create_dir_all(root.join("a/b")).expect("made");
        let below = handle(&root.join("a/b"));
        let mut directories = Directories::default();
        directories.add_root(&root).expect("a root");
        fs::rename(root.join("a"), &away).expect("moved out");
        directories.moved(&away, false);
        assert_eq!(directories.path(&below, &Silent::default()), None);
        fs::rename(&away, root.join("c")).expect("moved in");
        directories.moved(&root.join("c"), true);
        assert_eq!(directories.path(&below, &Silent::default()), Some(root.join("c/b").into()));
    }

    #[test]
    fn an_unknown_directory_is_asked_for_once_and_one_outside_never_again() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, other) = (home.path().join("root"), home.path().join("other"));
        fs::create_dir_all(&root).expect("made");
        fs::create_dir_all(&other).expect("made");
        let mut directories = Directories::default();
        directories.add_root(&root).expect("a root");
        fs::create_dir_all(root.join("new/deep")).expect("made");
        let deep = handle(&root.join("new/deep"));
        let says = Says(root.join("new/deep"));
        assert_eq!(directories.path(&deep, &says), Some(root.join("new/deep").into()));
        let silent = Silent::default();
        directories.path(&handle(&root), &silent);
        assert_eq!(directories.path(&deep, &silent), Some(root.join("new/deep").into()));
        assert_eq!(directories.path(&handle(&other), &Says(other.clone())), None);
        directories.path(&deep, &silent);
        assert_eq!(directories.path(&handle(&other), &silent), None);
        assert_eq!(silent.0.get(), 0);
    }
}
