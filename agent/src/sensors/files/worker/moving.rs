//! What is renamed, moved in, moved away, and the directories that come with their files.

use std::path::Path;

use super::Worker;
use crate::observation::{Fact, FileChange, Operation};
use crate::sensors::files::pairing::Seen;
use crate::sensors::files::raw::{Cookie, Entry};
use crate::sensors::files::roots::root_of;

/// How long after a directory appeared its files are looked for: by then it is watched itself.
pub(super) const DIRECTORY_WAIT_MS: u64 = 300;
/// Files counted in a renamed directory, and listed in a new one and in one that was moved away, at the most.
const DIRECTORY_FILES_MAX: usize = 10_000;

impl Worker {
    /// Handles the second half of a rename.
    pub(super) fn came(&mut self, cookie: Cookie, to: &Seen) {
        let is_directory = std::fs::symlink_metadata(&to.path).is_ok_and(|found| found.is_dir());
        let entry = if is_directory { Entry::Directory } else { Entry::File };
        match self.pairing.to(cookie) {
            Some(from) => self.renamed(&from.path, to, entry),
            None => self.moved_in(to, entry),
        }
    }

    pub(super) fn renamed(&mut self, from: &Path, to: &Seen, entry: Entry) {
        let old = root_of(&self.roots, from);
        let new = root_of(&self.roots, &to.path);
        let ((root, below), old) = match (new, old) {
            (Some((root, below)), Some((old_root, old))) if root == old_root => {
                ((root.clone(), below.to_owned()), old.to_owned())
            }
            (new, _) => {
                let comes_in = new.is_some();
                let gone = Seen { path: from.to_owned(), ..to.clone() };
                self.tell(&gone, Operation::MovedOut);
                if comes_in {
                    self.moved_in(to, entry);
                }
                return;
            }
        };
        let operation = match entry {
            Entry::Directory => {
                Operation::DirectoryRenamed { from: old, files: count_files(&to.path) }
            }
            Entry::File => Operation::Renamed { from: old },
        };
        if entry == Entry::Directory {
            self.watchlist.note_moved(from, &to.path);
        }
        let role = self.watchlist.role(&[from, &to.path], to.at.monotonic_ms);
        let change = FileChange::new(root, below, operation);
        let change = FileChange { actor: to.actor.clone(), role, ..change };
        self.send(to.at, Fact::File(change));
    }

    pub(super) fn moved_in(&mut self, to: &Seen, entry: Entry) {
        self.tell(to, Operation::Created);
        match entry {
            Entry::Directory => self.list_later(to.clone()),
            Entry::File => self.tell(to, Operation::Written),
        }
    }

    /// Tells what was moved to where nobody watches, of a directory that is found `there` every file that went along,
    /// by the name it had here. What has gone on from there meanwhile is not told.
    pub(super) fn moved_away(&mut self, gone: &Seen, there: Option<&Path>) {
        self.tell(gone, Operation::MovedOut);
        let mut left = DIRECTORY_FILES_MAX;
        let mut open: Vec<_> = there
            .map(|there| (there.to_owned(), gone.path.clone()))
            .into_iter()
            .collect();
        while let Some((there, here)) = open.pop() {
            for entry in std::fs::read_dir(&there).into_iter().flatten().flatten() {
                let seen = Seen { path: here.join(entry.file_name()), ..gone.clone() };
                if left == 0 || self.is_ignored(&seen.path) {
                    continue;
                }
                left -= 1;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push((entry.path(), seen.path)),
                    Ok(_) => self.tell(&seen, Operation::MovedOut),
                    Err(_) => {}
                }
            }
        }
    }

    /// Tells the files of a new directory: those that came before it was watched were not reported.
    pub(super) fn list(&mut self, directory: &Seen) {
        let mut left = DIRECTORY_FILES_MAX;
        let mut open = vec![directory.path.clone()];
        while let Some(path) = open.pop() {
            for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
                if left == 0 || self.is_ignored(&entry.path()) {
                    continue;
                }
                left -= 1;
                let seen = Seen { path: entry.path(), ..directory.clone() };
                self.tell(&seen, Operation::Created);
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(entry.path()),
                    Ok(kind) if kind.is_file() => self.tell(&seen, Operation::Written),
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// Has the files of a directory looked for once it is watched itself.
    pub(super) fn list_later(&mut self, directory: Seen) {
        let due = directory.at.monotonic_ms + DIRECTORY_WAIT_MS;
        self.directories.push((directory, due));
    }
}

/// Counts the files in a directory and below, up to a limit.
fn count_files(directory: &Path) -> u64 {
    let mut files = 0;
    let mut left = DIRECTORY_FILES_MAX;
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            if left == 0 {
                return files;
            }
            left -= 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(_) => files += 1,
                Err(_) => {}
            }
        }
    }
    files
}
