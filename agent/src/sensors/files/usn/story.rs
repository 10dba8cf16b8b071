//! Turns records into changes. A record repeats everything that was done since the file was opened; only what is new in
//! it is told.
//!
//! Always holds: no I/O but through [`Locate`]; bounded; one rename is one change, whatever comes between its halves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::places::{Locate, Places};
use super::records::{
    CLOSE, DATA_EXTEND, DATA_OVERWRITE, DATA_TRUNCATION, FILE_CREATE, FILE_DELETE, FileId,
    RENAME_NEW_NAME, RENAME_OLD_NAME, Record,
};
use crate::sensors::files::raw::{Entry, Raw};

/// Files open at once that are remembered. Beyond that all are forgotten, and what was told of them may be told again.
const OPEN_MAX: usize = 65_536;
/// Content was changed.
const DATA: u32 = DATA_OVERWRITE | DATA_EXTEND | DATA_TRUNCATION;

/// What is known of the files that are open, and of the directories.
#[derive(Default)]
pub(super) struct Story {
    open: BTreeMap<FileId, Session>,
    pub(super) places: Places,
}

/// A file from its first change to its close.
#[derive(Default)]
struct Session {
    /// What was told of it.
    told: u32,
    /// Where it was, if it is just being renamed; `None` inside: outside every root.
    from: Option<Option<PathBuf>>,
}

impl Story {
    /// Learns from records that will be told later where directories are that do not exist any more.
    pub(super) fn prepare(&mut self, record: &Record) {
        if record.is_directory && record.has(FILE_DELETE) {
            self.places.was_in(record.file, record.parent, &record.name);
        }
    }

    /// Tells what is new in a record. What lies outside every root is left out.
    pub(super) fn tell(
        &mut self,
        record: &Record,
        volume: &impl Locate,
        mut tell: impl FnMut(PathBuf, Raw),
    ) {
        let mut session = self.open.remove(&record.file).unwrap_or_default();
        let here = self
            .places
            .path(record.parent, volume)
            .map(|directory| directory.join(&record.name));
        if record.has(RENAME_OLD_NAME) {
            session.from = Some(here);
        } else {
            let new = record.reasons & !session.told;
            let from = session.from.take_if(|_| record.has(RENAME_NEW_NAME));
            self.tell_new(record, new, (from, here), volume, &mut tell);
        }
        session.told |= record.reasons;
        if !record.has(CLOSE) {
            if OPEN_MAX <= self.open.len() {
                self.open.clear();
            }
            self.open.insert(record.file, session);
        }
    }

    fn tell_new(
        &mut self,
        record: &Record,
        new: u32,
        (from, here): (Option<Option<PathBuf>>, Option<PathBuf>),
        volume: &impl Locate,
        tell: &mut impl FnMut(PathBuf, Raw),
    ) {
        let entry = if record.is_directory { Entry::Directory } else { Entry::File };
        if new & FILE_CREATE != 0 {
            if record.is_directory {
                self.places
                    .appeared(record.file, record.parent, &record.name, volume);
            }
            tell_at(here.as_ref(), Raw::Created(entry), tell);
        }
        if let Some(from) = from {
            if record.is_directory {
                self.places
                    .moved(record.file, record.parent, &record.name, volume);
            }
            self.tell_rename(record, from, here.as_ref(), tell);
        }
        let deleted = new & FILE_DELETE != 0;
        if !record.is_directory && !deleted {
            if record.has(CLOSE) && record.has(DATA | FILE_CREATE) {
                tell_at(here.as_ref(), Raw::Closed, tell);
            } else if new & DATA != 0 {
                tell_at(here.as_ref(), Raw::Written, tell);
            }
        }
        if deleted {
            let root = self.places.root(record.file);
            match root {
                Some(root) => tell(root, Raw::RootMoved),
                None => tell_at(here.as_ref(), Raw::Deleted(entry), tell),
            }
            self.places.is_gone(record.file);
        }
    }

    fn tell_rename(
        &self,
        record: &Record,
        from: Option<PathBuf>,
        here: Option<&PathBuf>,
        tell: &mut impl FnMut(PathBuf, Raw),
    ) {
        let entry = if record.is_directory { Entry::Directory } else { Entry::File };
        match (from, here) {
            (Some(from), Some(_)) => tell_at(here, Raw::Renamed(from, entry), tell),
            (Some(from), None) => tell(from, Raw::MovedAway(None)),
            (None, Some(_)) => tell_at(here, Raw::MovedIn(entry), tell),
            (None, None) => {
                if let Some(root) = self.places.root(record.file) {
                    tell(root, Raw::RootMoved);
                }
            }
        }
    }
}

fn tell_at(path: Option<&PathBuf>, what: Raw, tell: &mut impl FnMut(PathBuf, Raw)) {
    if let Some(path) = path {
        tell(path.clone(), what);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::ffi::OsString;
    use std::io;
    use std::path::Path;

    use super::*;

    /// The ids of the directories there are.
    const ROOT: FileId = 10;
    const SUB: FileId = 11;
    const ELSEWHERE: FileId = 12;

    /// A volume that knows where its directories are.
    struct Volume(RefCell<BTreeMap<FileId, PathBuf>>);

    impl Locate for Volume {
        fn path_of(&self, id: FileId) -> io::Result<PathBuf> {
            let known = self.0.borrow().get(&id).cloned();
            known.ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn id_of(&self, path: &Path) -> io::Result<FileId> {
            let known = self.0.borrow();
            let found = known.iter().find(|(_, known)| *known == path);
            found
                .map(|(id, _)| *id)
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn directories_in(&self, path: &Path) -> Vec<OsString> {
            let known = self.0.borrow();
            let below = known.values().filter(|known| known.parent() == Some(path));
            below
                .filter_map(|known| known.file_name())
                .map(OsString::from)
                .collect()
        }
    }

    struct Play {
        volume: Volume,
        story: Story,
    }

    impl Play {
        fn begin() -> Self {
            let directories =
                [(ROOT, "/srv/ehr"), (SUB, "/srv/ehr/sub"), (ELSEWHERE, "/srv/other")];
            let known = directories.map(|(id, path)| (id, PathBuf::from(path)));
            let volume = Volume(RefCell::new(known.into()));
            let mut story = Story::default();
            story.places.set_roots(vec!["/srv/ehr".into()], &volume);
            Self { volume, story }
        }

        /// Takes a record and returns what is told, in words.
        fn tell(&mut self, record: &Record) -> Vec<String> {
            let mut told = Vec::new();
            let root = Path::new("/srv/ehr");
            let short = |path: &Path| {
                path.strip_prefix(root)
                    .unwrap_or(path)
                    .to_string_lossy()
                    .replace('\\', "/")
            };
            self.story.tell(record, &self.volume, |path, what| {
                let said = if let Raw::Renamed(from, entry) = &what {
                    format!("{} was {} {entry:?}", short(&path), short(from))
                } else {
                    format!("{} {what:?}", short(&path))
                };
                told.push(said);
            });
            told
        }

        fn file(&mut self, id: FileId, parent: FileId, name: &str, reasons: u32) -> Vec<String> {
            self.tell(&record(id, parent, name, reasons, false))
        }

        fn directory(&mut self, id: FileId, to: FileId, name: &str, reasons: u32) -> Vec<String> {
            self.tell(&record(id, to, name, reasons, true))
        }
    }

    fn record(file: FileId, parent: FileId, name: &str, reasons: u32, dir: bool) -> Record {
        let at = "2026-02-09T01:00:00Z".parse().expect("a time");
        Record { file, parent, name: name.into(), reasons, at, is_directory: dir }
    }

    #[test]
    fn a_file_that_is_made_written_and_closed_is_told_step_by_step() {
        let mut play = Play::begin();
        assert_eq!(play.file(1, SUB, "a.pdf", FILE_CREATE), ["sub/a.pdf Created(File)"]);
        let written = FILE_CREATE | DATA_EXTEND;
        assert_eq!(play.file(1, SUB, "a.pdf", written), ["sub/a.pdf Written"]);
        assert_eq!(play.file(1, SUB, "a.pdf", written | DATA_OVERWRITE), ["sub/a.pdf Written"]);
        assert_eq!(play.file(1, SUB, "a.pdf", written | DATA_OVERWRITE), [""; 0]);
        assert_eq!(play.file(1, SUB, "a.pdf", written | CLOSE), ["sub/a.pdf Closed"]);
        assert_eq!(play.file(1, SUB, "a.pdf", DATA_TRUNCATION), ["sub/a.pdf Written"]);
    }

    #[test]
    fn an_encryptor_writes_and_renames_in_one_session() {
        let mut play = Play::begin();
        assert_eq!(play.file(1, ROOT, "a.pdf", DATA_OVERWRITE), ["a.pdf Written"]);
        let old = DATA_OVERWRITE | RENAME_OLD_NAME;
        assert_eq!(play.file(1, ROOT, "a.pdf", old), [""; 0]);
        let other = play.file(2, ROOT, "b.pdf", RENAME_OLD_NAME);
        assert_eq!(other, [""; 0], "another file's rename between the halves");
        let new = DATA_OVERWRITE | RENAME_NEW_NAME;
        assert_eq!(play.file(1, ROOT, "a.pdf.qzx", new), ["a.pdf.qzx was a.pdf File"]);
        assert_eq!(play.file(2, SUB, "b.pdf", RENAME_NEW_NAME), ["sub/b.pdf was b.pdf File"]);
        assert_eq!(play.file(1, ROOT, "a.pdf.qzx", new | CLOSE), ["a.pdf.qzx Closed"]);
        assert_eq!(play.file(2, SUB, "b.pdf", RENAME_NEW_NAME | CLOSE), [""; 0]);
    }

    #[test]
    fn a_second_rename_of_an_open_file_is_a_rename_too() {
        let mut play = Play::begin();
        play.file(1, ROOT, "a", RENAME_OLD_NAME);
        assert_eq!(play.file(1, ROOT, "b", RENAME_NEW_NAME), ["b was a File"]);
        play.file(1, ROOT, "b", RENAME_NEW_NAME | RENAME_OLD_NAME);
        assert_eq!(play.file(1, ROOT, "c", RENAME_NEW_NAME), ["c was b File"]);
    }

    #[test]
    fn what_is_moved_over_the_edge_is_told_by_what_is_seen_of_it() {
        let mut play = Play::begin();
        play.file(1, ROOT, "a", RENAME_OLD_NAME);
        assert_eq!(play.file(1, ELSEWHERE, "a", RENAME_NEW_NAME), ["a MovedAway(None)"]);
        play.file(2, ELSEWHERE, "b", RENAME_OLD_NAME);
        assert_eq!(play.file(2, ROOT, "b", RENAME_NEW_NAME), ["b MovedIn(File)"]);
        assert_eq!(play.file(3, ELSEWHERE, "c", FILE_CREATE), [""; 0]);
    }

    #[test]
    fn a_renamed_directory_takes_what_is_below_it_along() {
        let mut play = Play::begin();
        play.directory(SUB, ROOT, "sub", RENAME_OLD_NAME);
        let renamed = play.directory(SUB, ROOT, "sub.locked", RENAME_NEW_NAME);
        assert_eq!(renamed, ["sub.locked was sub Directory"]);
        assert_eq!(play.file(1, SUB, "a", FILE_CREATE), ["sub.locked/a Created(File)"]);
        play.directory(SUB, ROOT, "sub.locked", RENAME_OLD_NAME);
        let away = play.directory(SUB, ELSEWHERE, "sub", RENAME_NEW_NAME);
        assert_eq!(away, ["sub.locked MovedAway(None)"]);
        assert_eq!(play.file(2, SUB, "b", FILE_CREATE), [""; 0], "it is outside now");
        play.directory(SUB, ELSEWHERE, "sub", RENAME_OLD_NAME);
        let back = play.directory(SUB, ROOT, "sub", RENAME_NEW_NAME);
        assert_eq!(back, ["sub MovedIn(Directory)"]);
        assert_eq!(play.file(3, SUB, "c", FILE_CREATE), ["sub/c Created(File)"]);
    }

    #[test]
    fn a_new_directory_is_known_at_once() {
        let mut play = Play::begin();
        assert_eq!(play.directory(20, SUB, "new", FILE_CREATE), ["sub/new Created(Directory)"]);
        assert_eq!(play.file(1, 20, "a", FILE_CREATE), ["sub/new/a Created(File)"]);
        play.directory(20, SUB, "new", FILE_DELETE | CLOSE);
        assert_eq!(play.file(2, 20, "b", FILE_CREATE), [""; 0]);
    }

    #[test]
    fn a_tree_that_is_gone_by_the_time_it_is_read_is_still_placed() {
        let mut play = Play::begin();
        let records = [
            record(1, 30, "a.pdf", FILE_DELETE | CLOSE, false),
            record(30, 31, "in", FILE_DELETE | CLOSE, true),
            record(31, SUB, "tree", FILE_DELETE | CLOSE, true),
        ];
        for record in &records {
            play.story.prepare(record);
        }
        let told: Vec<_> = records
            .iter()
            .flat_map(|record| play.tell(record))
            .collect();
        let expected = [
            "sub/tree/in/a.pdf Deleted(File)",
            "sub/tree/in Deleted(Directory)",
            "sub/tree Deleted(Directory)",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_root_that_is_renamed_or_deleted_is_told_as_such() {
        let mut play = Play::begin();
        play.directory(ROOT, ELSEWHERE, "ehr", RENAME_OLD_NAME);
        let moved = play.directory(ROOT, ELSEWHERE, "gone", RENAME_NEW_NAME);
        assert_eq!(moved, [" RootMoved"]);
        assert_eq!(
            play.directory(ROOT, ELSEWHERE, "gone", FILE_DELETE | CLOSE)
                .len(),
            1
        );
    }
}
