//! What the kernel tells about files, in words every backend shares, and the queue in which it reaches the worker.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use shirase_shared::clock::{Moment, SharedClock};

use super::queue::{Receiver, Sender};
use crate::observation::Actor;

/// How long haste lasts after it was last asked for.
const HASTE_MS: u64 = 1000;

/// One change as the kernel tells it.
#[derive(Debug)]
pub(super) struct RawEvent {
    /// When it was read from the kernel.
    pub(super) at: Moment,
    /// The path concerned; empty where there is none.
    pub(super) path: PathBuf,
    /// What happened to it.
    pub(super) what: Raw,
    /// Who did it, where the kernel told.
    pub(super) actor: Option<Arc<Actor>>,
}

/// What the kernel can tell.
#[cfg_attr(not(windows), expect(dead_code, reason = "some of it only a change journal tells"))]
#[derive(Debug)]
pub(super) enum Raw {
    /// Something appeared.
    Created(Entry),
    /// Bytes were written or cut.
    Written,
    /// It was closed by someone who could write.
    Closed,
    /// It was deleted.
    Deleted(Entry),
    /// It got this name and had the other one.
    Renamed(PathBuf, Entry),
    /// It was moved here from where nobody watches.
    MovedIn(Entry),
    /// It was moved to where nobody watches; to there, where that is known of a directory.
    MovedAway(Option<PathBuf>),
    /// The old name of a rename, or of a move away.
    From(Cookie),
    /// The new name of a rename, or of a move in.
    To(Cookie),
    /// The watched directory itself was moved.
    RootMoved,
    /// The kernel's queue ran over.
    Overflow,
    /// What the kernel kept is gone before it was read, and why.
    Missed(&'static str),
    /// Something could not be watched.
    Trouble(Trouble),
    /// Nothing: wakes the worker.
    Wake,
}

/// Ties the two halves of a rename together; `None` where the system has no such number.
pub(super) type Cookie = Option<usize>;

/// What appeared or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File,
    Directory,
}

/// Why something could not be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is not there.
    Missing,
    /// No right to read it.
    Denied,
    /// The kernel gives no more watches.
    Limit,
    /// Anything else, in the system's words.
    Other(String),
}

impl Trouble {
    /// Says it without naming a path, with what to do.
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Missing => "it does not exist".to_owned(),
            Self::Denied => "the agent has no right to read it".to_owned(),
            Self::Limit => {
                "the kernel gives no more watches; raise fs.inotify.max_user_watches".to_owned()
            }
            Self::Other(text) => text.clone(),
        }
    }
}

/// What waits for the worker.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only fanotify tells many at once")
)]
#[derive(Debug)]
pub(super) enum Waiting {
    /// One change.
    One(RawEvent),
    /// What was read from the kernel at once, not yet put into words.
    Many(Batch),
}

/// What was read from the kernel at once.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only fanotify tells many at once")
)]
#[derive(Debug)]
pub(super) struct Batch {
    /// When it was read.
    pub(super) at: Moment,
    /// Its events, as the kernel wrote them.
    pub(super) bytes: Vec<u8>,
    /// Who did each of them, in their order.
    pub(super) actors: Vec<Option<Arc<Actor>>>,
    /// Its place among the batches that wait.
    pub(super) _slot: Slot,
}

/// Counts the batches that wait, so that whoever makes them can pause.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicUsize>);

#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only fanotify tells many at once")
)]
impl Slot {
    /// Makes the first one, which counts like any other.
    pub(super) fn first() -> Self {
        Self(Arc::new(AtomicUsize::new(1)))
    }

    /// Returns another place that counts.
    pub(super) fn take(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }

    /// Returns how many were taken and not yet dropped.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The worker's end of a queue.
pub(super) struct Queue {
    pub(super) waiting: Receiver<Waiting>,
    /// Changes that did not fit into the queue since it was made.
    pub(super) overflowed: Arc<AtomicU64>,
}

/// The other end: where backends put what the kernel tells.
#[derive(Clone)]
pub(super) struct Inlet {
    pub(super) queue: Sender<Waiting>,
    pub(super) overflowed: Arc<AtomicU64>,
    pub(super) clock: SharedClock,
    pub(super) haste: Arc<Haste>,
}

/// Has whoever lets changes gather do so for less long, after something was seen that may be harm.
#[derive(Debug, Default)]
pub(super) struct Haste {
    until_ms: AtomicU64,
    gathering: OnceLock<Thread>,
}

#[cfg_attr(
    not(any(target_os = "linux", test)),
    expect(dead_code, reason = "only fanotify lets changes gather")
)]
impl Haste {
    /// Asks for haste for a while from now on.
    pub(super) fn ask(&self, now_ms: u64) {
        let before_ms = self
            .until_ms
            .fetch_max(now_ms + HASTE_MS, Ordering::Relaxed);
        if before_ms < now_ms
            && let Some(thread) = self.gathering.get()
        {
            thread.unpark();
        }
    }

    /// Whether haste is asked for.
    pub(super) fn is_asked(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms.load(Ordering::Relaxed)
    }

    /// Says that this thread lets changes gather while it is parked.
    pub(super) fn gather_here(&self) {
        drop(self.gathering.set(std::thread::current()));
    }
}

impl Inlet {
    /// Wakes the worker out of its wait.
    pub(super) fn wake(&self) {
        let (at, path) = (self.clock.moment(), PathBuf::new());
        let wake = RawEvent { at, path, what: Raw::Wake, actor: None };
        // A full queue means that the worker is awake.
        drop(self.queue.try_send(Waiting::One(wake)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn haste_wakes_whoever_lets_changes_gather_and_ends_by_itself() {
        let haste = Haste::default();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                haste.gather_here();
                while !haste.is_asked(5000) {
                    std::thread::park_timeout(LONG);
                }
            });
            while haste.gathering.get().is_none() {
                std::thread::yield_now();
            }
            haste.ask(5000);
        });
        assert!(begun.elapsed() < LONG);
        assert!(haste.is_asked(5000 + HASTE_MS - 1) && !haste.is_asked(5000 + HASTE_MS));
        haste.ask(4000);
        assert!(haste.is_asked(5500), "an older change takes no haste back");
    }
}
