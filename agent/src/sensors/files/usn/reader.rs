//! The thread that reads one volume's journal and tells what it says about the roots.
//!
//! It asks at short intervals: a question without an answer costs a few microseconds, and the first change after a
//! pause is told within one interval.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_JOURNAL_DELETE_IN_PROGRESS, ERROR_JOURNAL_ENTRY_DELETED,
    ERROR_JOURNAL_NOT_ACTIVE,
};

use super::position::{Begin, Journal, Keeper, Position};
use super::records::{self, Record};
use super::story::Story;
use super::sys::{self, Volume};
use crate::sensors::files::raw::{Inlet, Raw, RawEvent, Waiting};
use crate::sensors::past;

/// Pause between two questions: at 280 files a second four files pass meanwhile.
const PAUSE: Duration = Duration::from_millis(15);
/// How long to wait for the worker to make room.
const ROOM_PAUSE: Duration = Duration::from_millis(2);
/// Bytes read at once, in words of eight: some six hundred changes.
const READ_WORDS: usize = 8 * 1024;
/// Rest before reading is tried again after it failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How often the place in the journal is kept though nothing happened in the roots.
const KEPT_EVERY_MS: u64 = 60_000;

/// What the thread and the sensor share.
#[derive(Default)]
pub(super) struct Shared {
    roots: Mutex<Vec<PathBuf>>,
    /// Changes with the roots.
    version: AtomicU64,
    pub(super) stopping: AtomicBool,
}

impl Shared {
    /// Lets the thread know of other roots.
    pub(super) fn change_roots(&self, change: impl FnOnce(&mut Vec<PathBuf>)) {
        change(&mut self.roots.lock().unwrap_or_else(PoisonError::into_inner));
        self.version.fetch_add(1, Ordering::Release);
    }

    fn roots(&self) -> Vec<PathBuf> {
        self.roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What the thread owns.
pub(super) struct Reader {
    pub(super) volume: Volume,
    pub(super) journal: Journal,
    pub(super) begin: Begin,
    pub(super) keeper: Keeper,
    pub(super) shared: Arc<Shared>,
    pub(super) inlet: Inlet,
    /// Directories nobody wants to hear of.
    pub(super) ignored: Vec<PathBuf>,
}

/// Whether the thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// Nobody takes what is told; what was read last is told after the next start.
    End,
}

impl Reader {
    /// Reads until told to stop or nobody takes what was read.
    pub(super) fn run(mut self) {
        let mut running = Running {
            story: Story::default(),
            room: vec![0; READ_WORDS],
            next: self.journal.next,
            // What was written before this start is told with the time when.
            past: self.journal.next,
            version: 0,
            kept_ms: 0,
            failed: false,
        };
        match self.begin {
            Begin::Now => {}
            Begin::Since(next) => {
                self.take_roots(&mut running);
                self.prepare(&mut running, next);
                running.next = next;
            }
            Begin::Lost(why) => self.tell_loss(why),
        }
        while !self.shared.stopping.load(Ordering::Relaxed) {
            self.take_roots(&mut running);
            match self.step(&mut running) {
                Ok(Next::GoOn) => running.failed = false,
                Ok(Next::End) => break,
                Err(error) => self.missed(&error, &mut running),
            }
        }
        self.keeper.end(self.position(running.next));
    }

    fn take_roots(&self, running: &mut Running) {
        let version = self.shared.version.load(Ordering::Acquire);
        if version != running.version {
            running.version = version;
            running
                .story
                .places
                .set_roots(self.shared.roots(), &self.volume);
        }
    }

    /// Looks through what will be told for directories that do not exist any more.
    fn prepare(&self, running: &mut Running, from: i64) {
        let mut next = from;
        while next < running.past && !self.shared.stopping.load(Ordering::Relaxed) {
            let Ok(length) = self.volume.read(next, self.journal.id, &mut running.room) else {
                return;
            };
            let bytes = bytes(&running.room, length);
            let Some(read) = records::read(&bytes).filter(|read| next < read.next) else { return };
            for record in &read.records {
                running.story.prepare(record);
            }
            next = read.next;
        }
    }

    /// Reads once and tells what was read; rests if there was nothing.
    fn step(&mut self, running: &mut Running) -> io::Result<Next> {
        let length = self
            .volume
            .read(running.next, self.journal.id, &mut running.room)?;
        let bytes = bytes(&running.room, length);
        let Some(read) = records::read(&bytes) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if !read.whole {
            self.tell_loss("some records of the volume's change journal were not understood");
        }
        let mut told = false;
        for record in &read.records {
            told |= match self.tell(running, record) {
                Some(told) => told,
                None => return Ok(Next::End),
            };
        }
        let now_ms = self.inlet.clock.moment().monotonic_ms;
        let moved = read.next != running.next;
        running.next = read.next;
        if told || (moved && running.kept_ms + KEPT_EVERY_MS <= now_ms) {
            running.kept_ms = now_ms;
            self.keeper.reach(self.position(running.next), now_ms);
        }
        self.keeper.tick(now_ms);
        if read.records.is_empty() {
            std::thread::sleep(PAUSE);
        }

        Ok(Next::GoOn)
    }

    /// Tells what one record says. Returns whether that was anything, and `None` if nobody wants to hear it.
    fn tell(&self, running: &mut Running, record: &Record) -> Option<bool> {
        let now = self.inlet.clock.moment();
        let at = match running.next < running.past {
            true => past::moment_of(record.at, now),
            false => now,
        };
        let mut told = false;
        let mut open = true;
        running.story.tell(record, &self.volume, |path, what| {
            if self.ignored.iter().any(|ignored| path.starts_with(ignored)) {
                return;
            }
            told = true;
            let event = RawEvent { at, path, what, actor: None };
            open &= self.send(event);
        });
        open.then_some(told)
    }

    fn position(&self, next: i64) -> Position {
        Position { journal: self.journal.id, next }
    }

    /// Tells that something was missed and why, and goes on with what there is.
    fn missed(&mut self, error: &io::Error, running: &mut Running) {
        let why = if sys::is(error, ERROR_JOURNAL_ENTRY_DELETED) {
            "the volume's change journal ran over before it was read"
        } else if [
            ERROR_JOURNAL_NOT_ACTIVE,
            ERROR_JOURNAL_DELETE_IN_PROGRESS,
            ERROR_INVALID_PARAMETER,
        ]
        .iter()
        .any(|code| sys::is(error, *code))
        {
            "somebody deleted the volume's change journal"
        } else {
            "the volume's change journal cannot be read"
        };
        if !running.failed {
            running.failed = true;
            tracing::error!(%error, "{why}; it is tried again every second");
            self.tell_loss(why);
        }
        if let Ok((journal, _)) = self.volume.journal() {
            // The oldest record there is: what was lost is before it.
            let another = journal.id != self.journal.id;
            running.next = if another { journal.first } else { running.next.max(journal.first) };
            self.journal = journal;
        }
        std::thread::sleep(RETRY_PAUSE);
    }

    fn tell_loss(&self, why: &'static str) {
        let (at, path) = (self.inlet.clock.moment(), PathBuf::new());
        let event = RawEvent { at, path, what: Raw::Missed(why), actor: None };
        self.send(event);
    }

    /// Waits for room in the worker's queue: the journal has more. Returns whether somebody still wants it.
    fn send(&self, event: RawEvent) -> bool {
        let mut waiting = Waiting::One(event);
        loop {
            match self.inlet.queue.try_send(waiting) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) if !self.shared.stopping.load(Ordering::Relaxed) => {
                    waiting = back;
                    std::thread::sleep(ROOM_PAUSE);
                }
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return false,
            }
        }
    }
}

/// What changes while the thread runs.
struct Running {
    story: Story,
    room: Vec<u64>,
    /// The next record to read.
    next: i64,
    /// Where the journal ended at the beginning.
    past: i64,
    /// Of the roots that are known.
    version: u64,
    kept_ms: u64,
    /// Whether the last reading failed.
    failed: bool,
}

/// Returns what was filled as bytes.
fn bytes(words: &[u64], length: usize) -> Vec<u8> {
    let mut bytes: Vec<_> = words
        .iter()
        .take(length.div_ceil(8))
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    bytes.truncate(length);
    bytes
}
