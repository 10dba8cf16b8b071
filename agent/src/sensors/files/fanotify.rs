//! The fanotify backend: one mark for each watched file system, with names, directories and processes. Linux 5.17 and
//! newer, with `CAP_SYS_ADMIN` and `CAP_DAC_READ_SEARCH`.
//!
//! ```text
//! kernel's queue ─▶ reader (drains every 2 to 10 ms, names processes) ─batches▶ directories (handle ─▶ path)
//!                                                                                └─▶ raw events
//! ```
//!
//! What it can that `notify` cannot: a rename is one event, nothing of a new directory is missed, writes through other
//! mounts, other names (see `links`) and containers are seen, and it says who did it.

mod actors;
mod clients;
mod directories;
mod filesystems;
mod links;
mod offer;
mod reader;
mod records;
mod sys;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use shirase_shared::clock::Moment;

use super::Unusable;
use super::backend::{Refused, Wanted};
use super::raw::{Batch, Entry, Inlet, Raw, RawEvent, Slot};
use crate::drill;
use crate::observation::Actor;
use crate::sensors::mounts;
use directories::{Directories, Locate};
use filesystems::Mountings;
use links::Links;
use offer::{raise_queue, try_mark};
use reader::Reader;
use records::{Place, Report};

/// Directories below ignored ones that get a mark at the most.
const IGNORED_MAX: usize = 10_000;

/// The open group and what it watches.
pub(super) struct Fanotify {
    group: Arc<OwnedFd>,
    /// Dropped to end the reader.
    stop: Option<io::PipeWriter>,
    reader: Option<JoinHandle<()>>,
    mounts: Mounts,
    directories: Directories,
    mountings: Mountings,
    links: Links,
    roots: Vec<PathBuf>,
    /// The mount table the marks were made by.
    table: Vec<u8>,
    ignored: Vec<PathBuf>,
    ignored_marks: usize,
    kernel_queue: u64,
    own_pid: u32,
}

/// Where each marked file system is mounted. No descriptor is kept on any: it could not be unmounted then.
#[derive(Clone, Default)]
struct Mounts(BTreeSet<PathBuf>);

impl Locate for Mounts {
    fn locate(&self, handle: &[u8]) -> io::Result<PathBuf> {
        let mut found = Err(io::ErrorKind::NotFound.into());
        for mounted in &self.0 {
            found = std::fs::File::open(mounted).and_then(|fd| sys::path_of(fd.as_fd(), handle));
            if found.as_ref().is_ok_and(|path| path.starts_with(mounted)) {
                break;
            }
        }
        found
    }
}

impl Fanotify {
    /// Opens a group and starts to read from it. Nothing is watched yet, but `probe` can be: that is tried, and
    /// undone.
    pub(super) fn open(inlet: Inlet, wanted: &Wanted<'_>) -> Result<Self, Unusable> {
        let kernel_queue = raise_queue();
        let group = sys::init().map_err(|error| Unusable::of_group(&error))?;
        if let Some(probe) = wanted.probe {
            try_mark(&group, probe)?;
        }
        let (stop, stopped) = io::pipe()
            .map(|(reader, writer)| (writer, reader))
            .map_err(|error| Unusable::of_group(&error))?;
        let group = Arc::new(group);
        let links = Links::start(inlet.clone()).map_err(|error| Unusable::of_group(&error))?;
        let reader = Reader { group: group.clone(), stop: stopped, inlet, slots: Slot::first() };
        let thread = std::thread::Builder::new()
            .name("fanotify".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| Unusable::of_group(&error))?;
        let mut fanotify = Self {
            group,
            stop: Some(stop),
            reader: Some(thread),
            mounts: Mounts::default(),
            directories: Directories::default(),
            mountings: Mountings::follow(),
            links,
            roots: Vec::new(),
            table: Vec::new(),
            ignored_marks: 0,
            kernel_queue,
            own_pid: std::process::id(),
            ignored: Vec::new(),
        };
        for directory in wanted.ignored {
            fanotify.ignore(directory);
            fanotify.ignored.push(directory.clone());
        }

        Ok(fanotify)
    }

    /// Says what it sees with, and how many changes the kernel keeps while nobody reads.
    pub(super) fn name(&self) -> String {
        format!("fanotify (queue {})", self.kernel_queue)
    }

    /// Marks tell from the moment they are made; there is nothing to begin.
    #[expect(clippy::unused_self, reason = "other backends wait until every root is known")]
    pub(super) const fn begin(&mut self) {}

    /// Watches a directory and everything below it. Returns what is mounted below it and cannot be watched this way.
    pub(super) fn watch(&mut self, root: &Path) -> Result<Vec<PathBuf>, Refused> {
        std::fs::read_dir(root).map_err(|error| Refused::of_path(&error))?;
        self.mark(root)?;
        if let Err(error) = self.directories.add_root(root) {
            return Err(Refused::Unable(error.to_string()));
        }
        self.table = mounts::table();
        let below = filesystems::below(root, &self.table);
        let unseen = below
            .into_iter()
            .filter(|mounted| self.mark(mounted).is_err())
            .collect();
        if !self.roots.iter().any(|known| known == root) {
            self.roots.push(root.to_owned());
        }
        self.links.search_in(&self.roots, &self.mounts);

        Ok(unseen)
    }

    /// Stops watching a directory.
    pub(super) fn unwatch(&mut self, root: &Path) {
        self.directories.remove_root(root);
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.mounts.0)
            .into_iter()
            .partition(|mounted| mounted.starts_with(root));
        self.mounts.0 = kept.into_iter().collect();
        for mounted in gone {
            // Another root may lie on the same file system, and its mark is the same one.
            drop(sys::unmark_filesystem(self.group.as_fd(), &mounted));
        }
        for mounted in &self.mounts.0 {
            drop(sys::mark_filesystem(self.group.as_fd(), mounted));
        }
        self.roots.retain(|known| known != root);
        self.links.search_in(&self.roots, &self.mounts);
    }

    /// Whether something was mounted or unmounted since the roots were watched.
    pub(super) fn is_outdated(&mut self) -> bool {
        if !self.mountings.may_differ() {
            return false;
        }
        let table = mounts::table();
        let changed = table != self.table;
        self.table = table;
        changed
    }

    fn mark(&mut self, path: &Path) -> Result<(), Refused> {
        sys::mark_filesystem(self.group.as_fd(), path).map_err(|error| Refused::of_mark(&error))?;
        self.mounts.0.insert(path.to_owned());

        Ok(())
    }

    /// Puts what was read into words. What lies outside every root is left out.
    pub(super) fn translate(&mut self, batch: &Batch, mut tell: impl FnMut(RawEvent)) {
        let at = batch.at;
        let mut events = Vec::new();
        for (report, actor) in records::reports(&batch.bytes).zip(&batch.actors) {
            if report.has(libc::FAN_Q_OVERFLOW) {
                events.push((PathBuf::new(), Raw::Overflow));
            } else if report.has(libc::FAN_RENAME) {
                events.extend(self.renamed(&report));
            } else {
                self.changed(&report, &mut events);
            }
            // What the agent does itself is nobody's doing, but for a drill, which is there to be seen.
            let own = report.pid == self.own_pid;
            if events.is_empty() && !own {
                self.note_outside(at, &report, actor.as_ref());
            }
            for (path, what) in events.drain(..) {
                if own && !drill::is_drill(&path) {
                    continue;
                }
                tell(RawEvent { at, path, what, actor: actor.clone() });
            }
        }
        self.links.hand_on();
    }

    /// Notes a file that was closed after writing through a name outside every root: it may have one within.
    fn note_outside(&mut self, at: Moment, report: &Report<'_>, actor: Option<&Arc<Actor>>) {
        let closed = report.has(libc::FAN_CLOSE_WRITE) && !report.has(libc::FAN_ONDIR);
        if let Some(place) = report.place().filter(|_| closed) {
            self.links.note(at, &place, actor.cloned());
        }
    }

    fn entry_path(&mut self, place: &Place<'_>) -> Option<PathBuf> {
        let named = !place.name.is_empty() && place.name != ".";
        let directory = self.directories.path(place.directory, &self.mounts)?;

        named.then(|| {
            let mut path =
                PathBuf::with_capacity(directory.as_os_str().len() + 1 + place.name.len());
            path.push(directory);
            path.push(place.name);
            path
        })
    }

    fn renamed(&mut self, report: &Report<'_>) -> Option<(PathBuf, Raw)> {
        let (old, new) = (report.before()?, report.after()?);
        let entry = entry(report);
        let (from, to) = (self.entry_path(&old), self.entry_path(&new));
        let there = match entry {
            Entry::Directory => self.note_moved(&new, from.as_deref(), to.as_deref()),
            Entry::File => None,
        };
        match (from, to) {
            (Some(from), Some(to)) => Some((to, Raw::Renamed(from, entry))),
            (Some(from), None) => Some((from, Raw::MovedAway(there))),
            (None, Some(to)) => Some((to, Raw::MovedIn(entry))),
            (None, None) => self.root_at(&old).map(|root| (root, Raw::RootMoved)),
        }
    }

    /// Notes that a directory was moved. Returns where it is if that is outside every root, and as it can be found.
    fn note_moved(
        &mut self,
        new: &Place<'_>,
        from: Option<&Path>,
        to: Option<&Path>,
    ) -> Option<PathBuf> {
        match (from, to) {
            (_, Some(to)) => {
                self.directories.moved(to, true);
                None
            }
            (Some(_), None) => {
                let there = self.mounts.locate(new.directory).ok()?.join(new.name);
                self.directories.moved(&there, false);
                Some(there)
            }
            (None, None) => None,
        }
    }

    /// Returns the root an entry outside every root may be.
    fn root_at(&self, place: &Place<'_>) -> Option<PathBuf> {
        if !self.directories.root_names().contains(place.name) {
            return None;
        }
        let path = self.mounts.locate(place.directory).ok()?.join(place.name);

        self.directories.is_root(&path).then_some(path)
    }

    /// One event may tell several things of the same entry, done one after the other by the same process.
    fn changed(&mut self, report: &Report<'_>, events: &mut Vec<(PathBuf, Raw)>) {
        let Some(place) = report.place() else { return };
        let entry = entry(report);
        let Some(path) = self.entry_path(&place) else {
            if entry == Entry::Directory && report.has(libc::FAN_DELETE) {
                events.extend(self.root_at(&place).map(|root| (root, Raw::RootMoved)));
            }
            return;
        };
        let both = report.has(libc::FAN_CREATE) && report.has(libc::FAN_DELETE);
        // Which came first the event does not say, but what is there now does.
        let came_back = both && std::fs::symlink_metadata(&path).is_ok();
        if came_back {
            events.push((path.clone(), Raw::Deleted(entry)));
        }
        if report.has(libc::FAN_CREATE) {
            if entry == Entry::Directory {
                self.directories.appeared(&path);
                self.ignore_if_within(&path);
            }
            events.push((path.clone(), Raw::Created(entry)));
        }
        if report.has(libc::FAN_CLOSE_WRITE) {
            events.push((path.clone(), Raw::Closed));
        } else if report.has(libc::FAN_MODIFY) {
            events.push((path.clone(), Raw::Written));
        }
        if report.has(libc::FAN_DELETE) && !came_back {
            events.push((path, Raw::Deleted(entry)));
        }
    }

    fn ignore_if_within(&mut self, path: &Path) {
        if self.ignored.iter().any(|ignored| path.starts_with(ignored)) {
            self.ignore(path);
        }
    }

    /// Has the kernel ignore a directory and those below it. Where it cannot, changes there are told and left out
    /// later, which costs more.
    fn ignore(&mut self, directory: &Path) {
        let mut open = VecDeque::from([directory.to_owned()]);
        while let Some(path) = open.pop_front() {
            if IGNORED_MAX <= self.ignored_marks {
                tracing::warn!(
                    "more than {IGNORED_MAX} directories to ignore; the rest is told and left out later"
                );
                return;
            }
            if let Err(error) = sys::ignore_directory(self.group.as_fd(), &path) {
                tracing::debug!(error = %error, "a directory is not ignored by the kernel");
                return;
            }
            self.ignored_marks += 1;
            for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push_back(entry.path());
                }
            }
        }
    }
}

impl Drop for Fanotify {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.reader.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads from fanotify panicked");
        }
    }
}

fn entry(report: &Report<'_>) -> Entry {
    if report.has(libc::FAN_ONDIR) { Entry::Directory } else { Entry::File }
}
