//! Looks at each log: its size, whether it is the same file, and if not, what lies beside it.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::kept::{Keeping, Urgency};
use super::platform;
use crate::observation::{Beside, Kinship, LogNow, LogSeen, file_name};

/// Names looked at beside a log, in its directory and those in it.
const BESIDE_MAX: usize = 4096;
/// Files told as lying beside a log.
const TOLD_MAX: usize = 64;
/// Clocks of file systems tick coarsely.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Every log.
pub(super) struct Logs {
    paths: Vec<PathBuf>,
    journal: Option<PathBuf>,
    unreadable: usize,
    watched: usize,
}

impl Logs {
    pub(super) const fn new(paths: Vec<PathBuf>, journal: Option<PathBuf>) -> Self {
        Self { paths, journal, unreadable: 0, watched: 0 }
    }

    /// How many of them this host has.
    pub(super) const fn watched(&self) -> usize {
        self.watched
    }

    /// How many of them cannot be looked at.
    pub(super) const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Returns the logs that are not simply longer than before.
    pub(super) fn look(&mut self, keeping: &mut Keeping, now: Timestamp) -> Vec<LogSeen> {
        self.unreadable = 0;
        let since = keeping.now.at.unwrap_or(now);
        let mut seen = Vec::new();
        for path in &self.paths {
            match platform::stat_log(path) {
                Ok(found) => seen.extend(look_at(path, &found, keeping, since)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    seen.extend(look_for(path, keeping, since));
                }
                Err(_) => self.unreadable += 1,
            }
        }
        if let Some(journal) = &self.journal {
            seen.extend(look_at_journal(journal, keeping));
        }
        self.watched = keeping.now.logs.len() + keeping.now.journal.len();
        seen
    }
}

fn look_at(
    path: &Path,
    found: &Metadata,
    keeping: &mut Keeping,
    since: Timestamp,
) -> Option<LogSeen> {
    let mut mark = platform::mark(found);
    if !found.is_file() {
        // A link to nothing that keeps what is written.
        mark.bytes = 0;
    }
    let bytes = mark.bytes;
    let before = keeping.now.logs.insert(path.to_owned(), mark.clone());
    let Some(before) = before else {
        keeping.urgent = Urgency::Write;
        return None;
    };
    let now = if before.file != mark.file {
        LogNow::Replaced { bytes }
    } else if bytes < before.bytes {
        LogNow::Shorter { bytes }
    } else {
        return None;
    };
    keeping.urgent = Urgency::Write;
    let beside = beside(path, &before.file, since);

    Some(LogSeen { path: path.to_owned(), bytes_before: before.bytes, now, beside })
}

/// Looks what became of a log that is not there.
fn look_for(path: &Path, keeping: &mut Keeping, since: Timestamp) -> Option<LogSeen> {
    let before = keeping.now.logs.remove(path)?;
    keeping.urgent = Urgency::Write;
    let beside = beside(path, &before.file, since);

    Some(LogSeen { path: path.to_owned(), bytes_before: before.bytes, now: LogNow::Gone, beside })
}

/// Returns what lies beside a log, or in a directory there, and has to do with it.
fn beside(log: &Path, file: &str, since: Timestamp) -> Vec<Beside> {
    let Some(dir) = log.parent() else { return Vec::new() };
    let name = file_name(log);
    let stem = name.strip_suffix(".log").unwrap_or(&name);
    let mut found = Vec::new();
    let mut left = BESIDE_MAX;
    let mut dirs = vec![dir.to_owned()];
    let mut inside = Vec::new();
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            let Some(rest) = left.checked_sub(1) else { return found };
            left = rest;
            if entry.path() == log {
                continue;
            }
            // Not followed where it is a link.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && Some(dir.as_path()) == log.parent() {
                inside.push(entry.path());
            }
            found.extend(kin(&entry, &metadata, stem, file, since));
            if found.len() == TOLD_MAX {
                return found;
            }
        }
        dirs.append(&mut inside);
    }
    found
}

fn kin(
    entry: &DirEntry,
    metadata: &Metadata,
    stem: &str,
    file: &str,
    since: Timestamp,
) -> Option<Beside> {
    if !metadata.is_file() {
        return None;
    }
    let name = entry.file_name().to_string_lossy().into_owned();
    let mark = platform::mark(metadata);
    let fresh = platform::changed_at(metadata).is_some_and(|at| since <= at + SLACK);
    let kinship = match mark.file == file {
        true => Kinship::Same,
        false if fresh && name.starts_with(stem) => Kinship::Fresh,
        false => return None,
    };

    Some(Beside { name, bytes: mark.bytes, kinship })
}

/// Returns the directories of the journal that have less in them than before.
fn look_at_journal(journal: &Path, keeping: &mut Keeping) -> Vec<LogSeen> {
    let mut seen = Vec::new();
    let dirs = std::fs::read_dir(journal)
        .into_iter()
        .flatten()
        .flatten()
        .take(BESIDE_MAX);
    let mut now: Vec<_> = dirs
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    let gone = keeping
        .now
        .journal
        .keys()
        .filter(|path| !now.contains(path))
        .cloned();
    now.extend(gone.collect::<Vec<_>>());
    for path in now {
        let bytes = size_of(&path);
        let before = match bytes {
            Some(bytes) => keeping.now.journal.insert(path.clone(), bytes),
            None => keeping.now.journal.remove(&path),
        };
        let Some(before) = before else {
            keeping.urgent = Urgency::Write;
            continue;
        };
        let became = match bytes {
            Some(bytes) if bytes < before => LogNow::Thinned { bytes },
            Some(_) => continue,
            None => LogNow::Gone,
        };
        keeping.urgent = Urgency::Write;
        seen.push(LogSeen { path, bytes_before: before, now: became, beside: Vec::new() });
    }
    seen
}

/// Returns how much lies in a directory of the journal; `None` if it is not there.
fn size_of(dir: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(dir).ok()?.flatten().take(BESIDE_MAX);
    let files = entries.filter_map(|entry| entry.metadata().ok());

    Some(files.filter(Metadata::is_file).map(|file| file.len()).sum())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use shirase_shared::clock::{Clock as _, SystemClock};
    use shirase_shared::ids::BootId;

    use super::*;

    struct Host {
        dir: tempfile::TempDir,
        logs: Logs,
        keeping: Keeping,
    }

    impl Host {
        fn new(text: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let log = dir.path().join("auth.log");
            fs::write(&log, text).unwrap();
            let keeping = Keeping::open(dir.path().join("state.json"));
            let mut host = Self { logs: Logs::new(vec![log], None), keeping, dir };
            assert_eq!(host.look(), []);
            host
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn look(&mut self) -> Vec<LogSeen> {
            let now = SystemClock::new(BootId::random()).now();
            let seen = self.logs.look(&mut self.keeping, now);
            self.keeping.keep(now);
            seen
        }

        fn only(&mut self) -> (LogNow, Vec<(String, Kinship)>) {
            let mut seen = self.look();
            assert_eq!(seen.len(), 1, "{seen:?}");
            let seen = seen.remove(0);
            let beside = seen
                .beside
                .into_iter()
                .map(|file| (file.name, file.kinship));
            (seen.now, beside.collect())
        }
    }

    #[test]
    fn a_log_that_grows_is_no_news_and_one_that_is_cut_is() {
        let mut host = Host::new("one\n");
        fs::write(host.path("auth.log"), "one\ntwo\n").unwrap();
        assert_eq!(host.look(), []);
        fs::write(host.path("auth.log"), "").unwrap();
        assert_eq!(host.only(), (LogNow::Shorter { bytes: 0 }, Vec::new()));
        assert_eq!(host.look(), []);
    }

    #[test]
    fn the_old_file_is_found_under_its_new_name_also_in_a_directory_beside() {
        let mut host = Host::new("one\n");
        fs::create_dir(host.path("old")).unwrap();
        fs::rename(host.path("auth.log"), host.path("old/whatever")).unwrap();
        fs::write(host.path("auth.log"), "").unwrap();
        let same = vec![("whatever".to_owned(), Kinship::Same)];
        assert_eq!(host.only(), (LogNow::Replaced { bytes: 0 }, same));
    }

    #[test]
    fn a_copy_of_a_log_that_is_then_cut_is_found() {
        let mut host = Host::new("one\n");
        fs::copy(host.path("auth.log"), host.path("auth.log-20261125")).unwrap();
        fs::write(host.path("auth.log"), "").unwrap();
        let copy = vec![("auth.log-20261125".to_owned(), Kinship::Fresh)];
        assert_eq!(host.only(), (LogNow::Shorter { bytes: 0 }, copy));
    }

    #[test]
    fn what_is_done_while_nobody_looks_is_seen_at_the_next_start() {
        let mut host = Host::new("one\n");
        fs::remove_file(host.path("auth.log")).unwrap();
        host.keeping = Keeping::open(host.path("state.json"));
        assert_eq!(host.only(), (LogNow::Gone, Vec::new()));
        assert_eq!(host.look(), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_leads_nowhere_holds_nothing() {
        let mut host = Host::new("one\n");
        fs::remove_file(host.path("auth.log")).unwrap();
        std::os::unix::fs::symlink("/dev/null", host.path("auth.log")).unwrap();
        assert_eq!(host.only().0, LogNow::Replaced { bytes: 0 });
    }

    #[test]
    fn a_journal_that_loses_files_is_told_with_what_is_left() {
        let mut host = Host::new("one\n");
        let machine = host.path("journal/4711");
        fs::create_dir_all(&machine).unwrap();
        fs::write(machine.join("system.journal"), [0; 100]).unwrap();
        fs::write(machine.join("system@1.journal"), [0; 200]).unwrap();
        host.logs.journal = Some(host.path("journal"));
        assert_eq!(host.look(), []);
        fs::remove_file(machine.join("system@1.journal")).unwrap();
        assert_eq!(host.only().0, LogNow::Thinned { bytes: 100 });
        fs::remove_dir_all(&machine).unwrap();
        assert_eq!(host.only().0, LogNow::Gone);
    }
}
