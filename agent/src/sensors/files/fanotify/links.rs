//! Finds the watched file behind a write through a name outside every root: a hard link somebody made elsewhere.
//!
//! The kernel tells every write on a marked file system with the directory and the name it was done through. Where that
//! lies outside every root, and the file has further names, the roots are searched for its number: names alone are
//! read, no file is asked for. Whoever works outside without hard links costs a look at each file he closes, and no
//! more than so many a second.
//!
//! ```text
//! worker ─names outside─▶ this thread: has it several names? ─▶ which in a root? ─▶ the same write, under that name
//! ```
//!
//! Always holds: bounded in what it remembers, in what it asks and in how long it searches; the worker never waits for
//! it. What does not fit is left out, as where links cannot be seen at all. A link that is gone again before it is
//! looked at is not seen either, nor is one that is cut without being opened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shirase_shared::clock::Moment;

use super::Mounts;
use super::directories::Locate as _;
use super::records::Place;
use crate::observation::Actor;
use crate::sensors::files::raw::{Inlet, Raw, RawEvent, Waiting};

/// Groups of writes that wait. When full, the next ones are left out.
const QUEUE_CAPACITY: usize = 16;
/// Writes handed on together at the most; more are left out.
const TOGETHER_MAX: usize = 256;
/// Files looked at in one second at the most.
const LOOKS_PER_SECOND: u32 = 500;
/// Files of several names remembered, with the one in a root or as being in none.
const KNOWN_MAX: usize = 4096;
/// How long a file that was found in no root is not searched for again.
const STRANGE: Duration = Duration::from_secs(60);
/// Writes that wait for a search at the most.
const WANTED_MAX: usize = 1024;
/// Longest search, and how many times as long it rests afterwards.
const SEARCH_MAX: Duration = Duration::from_secs(10);
const REST_TIMES: u32 = 10;
/// Shortest rest.
const REST_MIN: Duration = Duration::from_millis(10);

/// A write through a name outside every root.
struct Outside {
    at: Moment,
    directory: Vec<u8>,
    name: OsString,
    actor: Option<Arc<Actor>>,
}

/// What was written, and where to look for it.
struct Batch {
    writes: Vec<Outside>,
    mounts: Arc<Mounts>,
    roots: Arc<[PathBuf]>,
}

/// The worker's end.
pub(super) struct Links {
    queue: Option<SyncSender<Batch>>,
    gathered: Vec<Outside>,
    roots: Arc<[PathBuf]>,
    mounts: Arc<Mounts>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Links {
    /// Starts the thread.
    pub(super) fn start(inlet: Inlet) -> io::Result<Self> {
        let (queue, batches) = sync_channel(QUEUE_CAPACITY);
        let stopping = Arc::new(AtomicBool::new(false));
        let finder = Finder::new(inlet, stopping.clone());
        let thread = std::thread::Builder::new()
            .name("links".to_owned())
            .spawn(move || finder.run(&batches))?;

        Ok(Self {
            queue: Some(queue),
            gathered: Vec::new(),
            roots: Arc::default(),
            mounts: Arc::default(),
            stopping,
            thread: Some(thread),
        })
    }

    /// Says where to search from now on.
    pub(super) fn search_in(&mut self, roots: &[PathBuf], mounts: &Mounts) {
        self.roots = roots.into();
        self.mounts = Arc::new(mounts.clone());
    }

    /// Notes that a file was written and closed through a name outside every root.
    pub(super) fn note(&mut self, at: Moment, place: &Place<'_>, actor: Option<Arc<Actor>>) {
        if self.gathered.len() < TOGETHER_MAX {
            let (directory, name) = (place.directory.to_vec(), place.name.to_owned());
            self.gathered.push(Outside { at, directory, name, actor });
        }
    }

    /// Hands on what was noted.
    pub(super) fn hand_on(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let writes = std::mem::take(&mut self.gathered);
        let (mounts, roots) = (Arc::clone(&self.mounts), Arc::clone(&self.roots));
        if let Some(queue) = &self.queue {
            // A full queue means that more is written outside than anybody can look at.
            drop(queue.try_send(Batch { writes, mounts, roots }));
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks for hard links panicked");
        }
    }
}

/// A file by the number of its file system and its own.
type Number = (u64, u64);

/// Where a file of several names is in a root.
enum Found {
    At(PathBuf),
    /// In none, when it was last searched for.
    Nowhere(Instant),
}

struct Finder {
    inlet: Inlet,
    stopping: Arc<AtomicBool>,
    second: Instant,
    looks: u32,
    known: BTreeMap<Number, Found>,
    order: VecDeque<Number>,
    /// Written, and not yet found.
    wanted: BTreeMap<Number, (Moment, Option<Arc<Actor>>)>,
    /// When the roots may be searched again.
    rested: Instant,
}

impl Finder {
    fn new(inlet: Inlet, stopping: Arc<AtomicBool>) -> Self {
        let now = Instant::now();
        Self {
            inlet,
            stopping,
            second: now,
            looks: 0,
            known: BTreeMap::new(),
            order: VecDeque::new(),
            wanted: BTreeMap::new(),
            rested: now,
        }
    }

    fn run(mut self, batches: &Receiver<Batch>) {
        let mut roots: Arc<[PathBuf]> = Arc::default();
        while !self.stopping.load(Ordering::Relaxed) {
            let wait = if self.wanted.is_empty() {
                Duration::from_secs(3600)
            } else {
                self.rested.saturating_duration_since(Instant::now())
            };
            match batches.recv_timeout(wait) {
                Ok(batch) => {
                    roots = Arc::clone(&batch.roots);
                    self.look(batch);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.wanted.is_empty() && self.rested <= Instant::now() {
                self.search(&roots);
            }
        }
    }

    /// Looks which files have several names, and tells those that are known already.
    fn look(&mut self, batch: Batch) {
        let now = Instant::now();
        if Duration::from_secs(1) <= now.duration_since(self.second) {
            (self.second, self.looks) = (now, 0);
        }
        for Outside { at, directory, name, actor } in batch.writes {
            if LOOKS_PER_SECOND <= self.looks {
                return;
            }
            self.looks += 1;
            let path = batch.mounts.locate(&directory).map(|path| path.join(name));
            let Ok(file) = path.and_then(std::fs::symlink_metadata) else { continue };
            if !file.is_file() || file.nlink() < 2 {
                continue;
            }
            let number = (file.dev(), file.ino());
            match self.known.get(&number) {
                Some(Found::At(path)) if number_of(path) == Some(number) => {
                    self.tell(at, path.clone(), actor);
                }
                Some(Found::Nowhere(since)) if now.duration_since(*since) < STRANGE => {}
                Some(Found::At(_) | Found::Nowhere(_)) | None => {
                    if self.wanted.len() < WANTED_MAX {
                        self.wanted.insert(number, (at, actor));
                    }
                }
            }
        }
    }

    /// Searches the roots for what is wanted, by the numbers that stand beside names.
    fn search(&mut self, roots: &[PathBuf]) {
        let begun = Instant::now();
        let mut open: Vec<PathBuf> = roots.to_vec();
        let mut numbers: BTreeSet<u64> = self.wanted.keys().map(|(_, number)| *number).collect();
        while let Some(directory) = open.pop() {
            let late = SEARCH_MAX < begun.elapsed() || self.stopping.load(Ordering::Relaxed);
            if numbers.is_empty() || late {
                break;
            }
            for entry in std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .flatten()
            {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_directory {
                    open.push(entry.path());
                } else if numbers.contains(&entry.ino()) && self.take(&entry.path()) {
                    numbers.remove(&entry.ino());
                }
            }
        }
        let now = Instant::now();
        for number in std::mem::take(&mut self.wanted).into_keys() {
            self.remember(number, Found::Nowhere(now));
        }
        self.rested = now + (begun.elapsed() * REST_TIMES).max(REST_MIN);
    }

    /// Tells a file that was found. Returns whether it was wanted.
    fn take(&mut self, path: &Path) -> bool {
        let Some(number) = number_of(path) else { return false };
        let Some((at, actor)) = self.wanted.remove(&number) else { return false };
        self.remember(number, Found::At(path.to_owned()));
        self.tell(at, path.to_owned(), actor);

        true
    }

    fn remember(&mut self, number: Number, found: Found) {
        if self.known.insert(number, found).is_none() {
            self.order.push_back(number);
        }
        while KNOWN_MAX < self.order.len() {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    fn tell(&self, at: Moment, path: PathBuf, actor: Option<Arc<Actor>>) {
        let event = RawEvent { at, path, what: Raw::Closed, actor };
        // A full queue means that more happens within the roots than anybody can look at.
        drop(self.inlet.queue.try_send(Waiting::One(event)));
    }
}

fn number_of(path: &Path) -> Option<Number> {
    let file = std::fs::symlink_metadata(path).ok()?;

    file.is_file().then(|| (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use shirase_shared::clock::{Clock as _, SystemClock};
    use shirase_shared::ids::BootId;

    use super::*;
    use crate::sensors::files::queue;

    fn finder() -> (Finder, queue::Receiver<Waiting>) {
        let (queue, waiting) = queue::queue(4096);
        let inlet = Inlet {
            queue,
            overflowed: Arc::default(),
            haste: Arc::default(),
            clock: Arc::new(SystemClock::new(BootId::random())),
        };

        (Finder::new(inlet, Arc::default()), waiting)
    }

    #[test]
    fn a_file_is_found_by_its_number_told_by_its_name_and_known_from_then_on() {
        let home = tempfile::tempdir().expect("a directory");
        let (root, aside) = (home.path().join("root"), home.path().join("aside"));
        fs::create_dir_all(root.join("a/b")).expect("made");
        fs::create_dir(&aside).expect("made");
        let inside = root.join("a/b/f.pdf");
        fs::write(&inside, b"x").expect("written");
        fs::hard_link(&inside, aside.join("f")).expect("linked");
        fs::write(aside.join("g"), b"y").expect("written");
        fs::hard_link(aside.join("g"), aside.join("h")).expect("linked");
        let (mut finder, waiting) = finder();
        let at = SystemClock::new(BootId::random()).moment();
        for path in [aside.join("f"), aside.join("g")] {
            finder
                .wanted
                .insert(number_of(&path).expect("a file"), (at, None));
        }
        finder.search(&[root]);
        let told: Vec<_> = std::iter::from_fn(|| waiting.try_recv().ok()).collect();
        let [Waiting::One(event)] = told.as_slice() else { panic!("one write: {told:?}") };
        assert_eq!(event.path, inside);
        let strange = finder
            .known
            .get(&number_of(&aside.join("g")).expect("a file"));
        assert!(matches!(strange, Some(Found::Nowhere(_))));
        assert!(finder.wanted.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut finder, _waiting) = finder();
        for number in 0..3 * KNOWN_MAX as u64 {
            finder.remember((1, number), Found::Nowhere(Instant::now()));
        }
        assert_eq!((finder.known.len(), finder.order.len()), (KNOWN_MAX, KNOWN_MAX));
    }
}
