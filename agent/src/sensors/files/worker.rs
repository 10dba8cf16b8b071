//! The files sensor's own thread: makes observations out of what the kernel tells, and looks into the files.

mod keeping;
mod moving;
mod outlet;
mod telling;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use shirase_shared::clock::{Moment, SharedClock};
use shirase_shared::event::LossKind;

use super::backend::{Backend, Wanted};
use super::pairing::{Behind, Due, Pairing, Seen};
use super::raw::{Entry, Inlet, Queue, Raw, RawEvent, Trouble, Waiting};
use super::rescan::{self, Request, Rescanner};
use super::roots::{Watched, root_of};
use super::{FilesError, FilesParts, distant};
use crate::canaries::Watchlist;
use crate::observation::{Operation, RescanCause, Root, Sight};
use crate::sensors::SensorBoard;
use crate::sensors::content::{self, Change, Writer};
use outlet::Outlet;

/// How often the worker looks whether the roots are still there.
const LOOK_EVERY_MS: u64 = 2000;
/// Room kept for what is read at once.
const ROOM_KEPT: usize = 512;
/// Changes handled before the worker looks at its timers.
const STRETCH: usize = 2048;
/// Overlap of a rescan with what was seen before the loss.
const RESCAN_OVERLAP: SignedDuration = SignedDuration::from_secs(30);

/// The running files sensor.
pub struct FilesSensor {
    statuses: Vec<RootStatus>,
    stopping: Arc<AtomicBool>,
    waker: Inlet,
    backend: String,
    thread: JoinHandle<()>,
}

/// How one root was found at the beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct RootStatus {
    /// The root.
    pub root: Arc<Root>,
    /// How it is seen.
    pub sight: Sight,
    /// Why, if not wholly.
    pub detail: String,
}

/// Opens the kernel's queue, watches every root and starts the sensor's threads. Returns when every root is watched.
///
/// # Errors
/// When the kernel gives no queue or no thread. A root that cannot be watched is no error but a state.
pub fn begin(parts: FilesParts) -> Result<FilesSensor, FilesError> {
    let FilesParts {
        name,
        roots,
        config,
        clock,
        out,
        board,
        since,
        memory,
        mut ignored,
        watchlist,
    } = parts;
    ignored.extend(config.ignored.iter().cloned());
    // The kernel tells real paths; a configured one may lead over a link.
    let real: Vec<_> = ignored
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    ignored.extend(real);
    let (backend, queue) = Backend::open(&Wanted {
        choice: config.backend,
        clock: clock.clone(),
        ignored: &ignored,
        memory: memory.as_deref(),
        probe: roots
            .iter()
            .map(|root| root.path.as_path())
            .find(|path| path.is_dir()),
    })?;
    let waker = backend.inlet();
    let stopping = Arc::new(AtomicBool::new(false));
    let rescans = Rescanner::start(rescan::Parts {
        limits: config.clone(),
        clock: clock.clone(),
        out: out.clone(),
        ignored: ignored.clone(),
        stopping: stopping.clone(),
    })?;
    let checker = content::Checker::new(content::Budget {
        files_per_second: config.content_checks_per_second,
        bytes_per_second: config.content_bytes_per_second,
    });
    let mut worker = Worker {
        name,
        near: distant::near(&roots),
        moved: false,
        backend,
        queue,
        roots: roots.into_iter().map(Watched::new).collect(),
        pairing: Pairing::default(),
        directories: Vec::new(),
        ignored,
        watchlist,
        checker,
        waker: waker.clone(),
        outlet: Outlet::new(out),
        gathered: Vec::new(),
        events: Vec::new(),
        rescans,
        clock,
        board,
        stopping: stopping.clone(),
        overflowed: 0,
        looked_ms: 0,
    };
    worker.watch_all(since);
    let (statuses, backend) = (worker.statuses(), worker.backend.name());
    let thread = std::thread::Builder::new()
        .name("files".to_owned())
        .spawn(move || worker.run())
        .map_err(|source| FilesError::Thread { name: "files", source })?;

    Ok(FilesSensor { statuses, stopping, waker, backend, thread })
}

impl FilesSensor {
    /// Returns how each root was found at the beginning.
    #[must_use]
    pub fn roots(&self) -> &[RootStatus] {
        &self.statuses
    }

    /// Returns what the sensor sees with, and why not with something better.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// Stops the thread and waits for it. What the kernel still held is not looked at any more.
    pub fn end(self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.waker.wake();
        if self.thread.join().is_err() {
            tracing::error!("the files sensor's thread panicked");
        }
    }
}

struct Worker {
    /// What it is called on the board.
    name: String,
    /// Roots that lay on this machine's own disks at the beginning.
    near: Vec<Arc<Root>>,
    /// Whether one of them does no longer: from then on none is touched, until another sensor takes over.
    moved: bool,
    backend: Backend,
    queue: Queue,
    roots: Vec<Watched>,
    pairing: Pairing,
    /// New directories whose files have to be looked for, with the time when.
    directories: Vec<(Seen, u64)>,
    ignored: Vec<std::path::PathBuf>,
    watchlist: Watchlist,
    checker: content::Checker,
    waker: Inlet,
    outlet: Outlet,
    /// What is looked into together once nothing more waits.
    gathered: Vec<Change>,
    /// Room for what was read at once.
    events: Vec<RawEvent>,
    rescans: Rescanner,
    clock: SharedClock,
    board: SensorBoard,
    stopping: Arc<AtomicBool>,
    /// What of the own queue's overflow was told already.
    overflowed: u64,
    looked_ms: u64,
}

impl Worker {
    fn run(mut self) {
        while !self.stopping.load(Ordering::Relaxed) {
            let now_ms = self.clock.moment().monotonic_ms;
            self.hand_on(now_ms);
            let listing = (!self.directories.is_empty()).then_some(moving::DIRECTORY_WAIT_MS);
            let waits = [self.pairing.wait_ms(now_ms), self.outlet.wait_ms(now_ms), listing];
            let wait = waits
                .into_iter()
                .flatten()
                .fold(LOOK_EVERY_MS, std::cmp::min);
            let behind = match self.queue.waiting.recv_timeout(Duration::from_millis(wait)) {
                Ok(waiting) => self.stretch(waiting),
                Err(RecvTimeoutError::Timeout) => Behind::Nothing,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = self.clock.moment();
            self.tell_own_overflow(now);
            for due in self.pairing.due(now.monotonic_ms, behind) {
                self.finish(due);
            }
            let ripe = |(_, due): &mut (Seen, u64)| *due <= now.monotonic_ms;
            let directories: Vec<_> = self.directories.extract_if(.., ripe).collect();
            for (directory, _) in directories {
                self.list(&directory);
            }
            if self.looked_ms + LOOK_EVERY_MS <= now.monotonic_ms {
                self.look_at_roots(now);
            }
        }
        self.outlet.empty();
    }

    /// Handles one change and those that wait behind it, up to a limit. Returns whether that was all.
    fn stretch(&mut self, first: Waiting) -> Behind {
        let mut next = Some(first);
        let mut handled = 0;
        while let Some(waiting) = next {
            match waiting {
                Waiting::One(event) => {
                    handled += 1;
                    self.handle(event);
                }
                Waiting::Many(batch) => {
                    let mut events = std::mem::take(&mut self.events);
                    self.backend.translate(&batch, |event| events.push(event));
                    handled += events.len();
                    for event in events.drain(..) {
                        self.handle(event);
                    }
                    events.shrink_to(ROOM_KEPT);
                    self.events = events;
                }
            }
            if STRETCH <= handled {
                return Behind::More;
            }
            next = self.queue.waiting.try_recv().ok();
        }

        Behind::Nothing
    }

    fn handle(&mut self, event: RawEvent) {
        let RawEvent { at, path, what, actor } = event;
        // Where the system tells who did it, the agent itself is left out already.
        let is_own = actor.is_none() && self.watchlist.is_own_act(&path, at.monotonic_ms);
        if is_own || self.is_ignored(&path) {
            return;
        }
        let seen = Seen { path, at, actor };
        match what {
            Raw::Created(Entry::File) => self.tell(&seen, Operation::Created),
            Raw::Created(Entry::Directory) => {
                self.tell(&seen, Operation::Created);
                if self.backend.lists_new_directories() {
                    self.list_later(seen);
                }
            }
            Raw::Written => {
                if let Some(due) = self.pairing.write(seen) {
                    self.finish(due);
                }
            }
            Raw::Closed => {
                self.pairing.finish(&seen.path);
                self.tell(&seen, Operation::Written);
            }
            Raw::Deleted(Entry::File) => {
                self.pairing.finish(&seen.path);
                self.tell(&seen, Operation::Deleted);
            }
            Raw::Deleted(Entry::Directory) | Raw::RootMoved => {
                if self
                    .roots
                    .iter()
                    .any(|watched| watched.root.path == seen.path)
                {
                    self.look_at_roots(at);
                }
            }
            Raw::From(cookie) => {
                if let Some(due) = self.pairing.from(cookie, seen) {
                    self.finish(due);
                }
            }
            Raw::To(cookie) => self.came(cookie, &seen),
            Raw::Renamed(from, entry) => {
                self.pairing.finish(&from);
                self.renamed(&from, &seen, entry);
            }
            Raw::MovedIn(entry) => self.moved_in(&seen, entry),
            Raw::MovedAway(there) => {
                self.pairing.finish(&seen.path);
                self.moved_away(&seen, there.as_deref());
            }
            Raw::Overflow => {
                let detail = "the kernel dropped file changes; a rescan was begun".to_owned();
                self.lost(at, LossKind::KernelQueue, None, detail);
                self.rescan_all(at);
            }
            Raw::Missed(why) => {
                let detail = format!("{why}; a rescan was begun");
                self.lost(at, LossKind::KernelQueue, None, detail);
                self.rescan_all(at);
            }
            Raw::Trouble(trouble) => self.trouble(&seen, &trouble),
            Raw::Wake => {}
        }
    }

    fn finish(&mut self, due: Due) {
        match due {
            Due::MovedOut(seen) => self.tell(&seen, Operation::MovedOut),
            Due::Settled(seen) => self.tell_of(&seen, Operation::Written, Writer::MayGoOn),
            Due::Peek(seen) => {
                let empty =
                    |metadata: &std::fs::Metadata| metadata.is_file() && metadata.len() == 0;
                if std::fs::symlink_metadata(&seen.path).is_ok_and(|metadata| empty(&metadata)) {
                    self.tell_of(&seen, Operation::Written, Writer::MayGoOn);
                }
            }
        }
    }

    fn trouble(&mut self, seen: &Seen, trouble: &Trouble) {
        // A directory may vanish between being listed and being watched; that is no trouble.
        if *trouble == Trouble::Missing && std::fs::symlink_metadata(&seen.path).is_err() {
            return;
        }
        let Some((root, _)) = root_of(&self.roots, &seen.path) else { return };
        let label = root.label.clone();
        let hidden = self
            .roots
            .iter_mut()
            .find(|watched| watched.root.label == label);
        let changed = hidden.is_some_and(|watched| watched.hide(&seen.path, trouble, seen.at.wall));
        self.show();
        if changed {
            self.tell_root(&label, seen.at);
        }
    }

    fn tell_own_overflow(&mut self, now: Moment) {
        let overflowed = self.queue.overflowed.load(Ordering::Relaxed);
        if overflowed == self.overflowed {
            return;
        }
        let count = overflowed - self.overflowed;
        self.overflowed = overflowed;
        let detail =
            "the agent's own queue of file changes ran over; a rescan was begun".to_owned();
        self.lost(now, LossKind::OwnQueue, Some(count), detail);
        self.rescan_all(now);
    }

    fn rescan_all(&self, now: Moment) {
        for watched in self
            .roots
            .iter()
            .filter(|watched| watched.sight < Sight::Unreadable)
        {
            self.rescans.request(Request {
                root: watched.root.clone(),
                since: now.wall - RESCAN_OVERLAP,
                cause: RescanCause::Overflow,
            });
        }
    }

    fn is_ignored(&self, path: &Path) -> bool {
        self.ignored.iter().any(|ignored| path.starts_with(ignored))
    }
}
