//! Keeps events on disk until the collector has stored them.
//!
//! ```text
//!            number, write, fsync                                     collector's Ack: through 42
//! append ──▶ ┌──────────────────────────────────────────────┐ ──▶ peek ──▶ (uplink) ──▶ remove_through 42
//!            │ waiting   41 │ 42 │ 43 │ 44                  │
//!            │ set aside 17                                 │ ◀── set_aside 43 (typed refusal) + an event about it
//!            │ state     streams, highest position          │
//!            │ refused   mass_change/low: 12 …              │ ──▶ one Loss(BufferFull) event once there is room
//!            └──────────────────────────────────────────────┘
//!
//! on disk    <dir>/log-0007/{conf,db,…}  one sled database     keys and values: see `record`
//!            <dir>/log-0007/complete     this one is in force  directory:       see `house`
//!            <dir>/ballast               given up on a full disk
//!            <dir>/quarantine-…          databases that did not open
//! ```
//!
//! Invariants:
//! - an event is *kept*, and [`Buffer::append`] returns `Ok`, only after it, its number and the highest number given out
//!   went to disk in one atomic commit with an fsync; what has not been kept is never shown to [`Buffer::peek`];
//! - a record leaves only through [`Buffer::remove_through`] (the collector has stored it) or moves aside through
//!   [`Buffer::set_aside`] (the collector will never take it); nothing kept is ever evicted;
//! - numbers grow within a stream and are never reused, across restarts and failed writes too, so they may have gaps;
//!   the stream is born with the buffer and kept in it; records keep the stream under which they were numbered;
//! - the bound is in bytes of `db` on disk. As it fills, events below high are refused first, then all but loss counts;
//!   what is refused is counted by kind and severity, and the counts travel as one event (`quota`);
//! - every value carries a checksum over key and payload; a damaged record is set aside, never sent and never dropped;
//! - a database that does not open is moved to quarantine, an empty one begins with a new stream, and its first record
//!   says so; a full disk or a missing right is not damage and is answered with an error instead;
//! - one process per directory;
//! - no type of the storage engine appears in a signature here.
//!
//! What an append costs: one sled batch, one flush, one `fdatasync`. A rewrite (file more than four times what lives in
//! it) needs room for a second copy for a moment, and happens while the caller waits: some 0.1 s per 10,000 records.
//!
//! Out of scope: sending (see `uplink`) and what an event means (see `shirase_shared::event`).

mod record;
mod quota;
mod refusals;
mod house;
mod engine;
mod keeper;
mod recovery;
mod aside;
mod inspect;
mod shown;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::event::{Event, Loss};
use shirase_shared::ids::{Sequence, StreamId};
use tokio::sync::Notify;

pub use engine::EngineError;
pub use inspect::Verification;
pub use shown::{AsideHead, Kept, Level, Mark, StoredLine};

use keeper::Keeper;

/// Smallest legal limit: below it the reserve would not hold a single serious event.
const LIMIT_MIN_BYTES: u64 = 16 * 1024 * 1024;

/// How much disk the buffer may use.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BufferConfig {
    /// Most bytes of events kept on disk, at least 16 MiB. A rewrite needs up to half as much again for a moment.
    pub limit_bytes: u64,
    /// Share of the limit kept free for high and critical events, in percent, 5 to 80.
    pub reserve_percent: u32,
    /// Bytes set apart to be given back when the disk is full, so that waiting events can still be sent. At least 16 MiB.
    pub ballast_bytes: u64,
}

impl Default for BufferConfig {
    fn default() -> Self {
        Self {
            limit_bytes: 256 * 1024 * 1024,
            reserve_percent: 25,
            ballast_bytes: 16 * 1024 * 1024,
        }
    }
}

impl BufferConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.limit_bytes < LIMIT_MIN_BYTES {
            let remedy = format!("give at least {LIMIT_MIN_BYTES}");
            problems.push(Problem::of("buffer.limit_bytes", "is too small for a reserve", remedy));
        }
        if !(5..=80).contains(&self.reserve_percent) {
            let message = format!("{} percent leave no useful share", self.reserve_percent);
            problems.push(Problem::of("buffer.reserve_percent", message, "give 5 to 80"));
        }
        if self.ballast_bytes < LIMIT_MIN_BYTES {
            let remedy = format!("give at least {LIMIT_MIN_BYTES}");
            problems.push(Problem::of(
                "buffer.ballast_bytes",
                "is too small to drain with",
                remedy,
            ));
        }
        problems
    }
}

/// Why the buffer did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    /// Its directory cannot be used.
    #[error("failed to use the buffer's directory `{}`; check its owner and the free disk", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the buffer in `{}` is in use by another process; stop the running agent or ask it instead", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The database failed.
    #[error("the buffer's database failed")]
    Engine(#[from] EngineError),
    /// The database failed before and is not open; the next call tries again.
    #[error("the buffer's database is closed after a failure; the next call opens it again")]
    Closed,
    /// There is no room for an event of this severity. It was counted.
    #[error(
        "the buffer is full for such events ({used_bytes} of {limit_bytes} bytes); the event was counted"
    )]
    Full {
        /// Bytes on disk.
        used_bytes: u64,
        /// Bytes allowed.
        limit_bytes: u64,
    },
    /// The event is too large even without its samples. It was counted.
    #[error(
        "the event's line has {bytes} bytes, more than a record may have; the event was counted"
    )]
    TooLarge {
        /// Its length without samples.
        bytes: usize,
    },
    /// No such record waits.
    #[error("record {sequence} of stream {stream} does not wait in the buffer")]
    NoSuchRecord {
        /// The stream asked for.
        stream: StreamId,
        /// The number asked for.
        sequence: Sequence,
    },
    /// A line cannot be made.
    #[error("failed to write an event as JSON")]
    Encode(#[from] serde_json::Error),
    /// The text of an export cannot be written.
    #[error("failed to write the export")]
    Export(#[source] io::Error),
}

/// A buffer that was opened.
pub struct Opened {
    /// The buffer.
    pub buffer: Buffer,
    /// What was lost if an earlier one had to be replaced. The event about it is in the new buffer already.
    pub replaced: Option<Loss>,
}

/// The buffer. Clones share it. Every call but [`Buffer::stream`], [`Buffer::last_sequence`] and [`Buffer::level`] waits
/// for the disk: use `spawn_blocking`.
#[derive(Clone)]
pub struct Buffer {
    shared: Arc<Shared>,
}

struct Shared {
    keeper: Mutex<Keeper>,
    face: Mutex<Face>,
    appended: Arc<Notify>,
}

/// What is told without waiting for the disk.
#[derive(Clone, Copy)]
struct Face {
    stream: StreamId,
    last: Sequence,
    level: Level,
}

impl Buffer {
    /// Opens the buffer in `dir`, making it if need be.
    ///
    /// # Errors
    /// [`BufferError::InUse`] if another process has it; [`BufferError::Open`] or [`BufferError::Engine`] if the disk is
    /// full or a right is missing. Damage is no error: see [`Opened::replaced`].
    pub fn open(
        dir: &Path,
        config: &BufferConfig,
        clock: SharedClock,
    ) -> Result<Opened, BufferError> {
        let (keeper, replaced) = recovery::open(dir, config, clock)?;
        let face = Mutex::new(Face::of(&keeper));
        let appended = Arc::new(Notify::new());
        let shared = Shared { keeper: Mutex::new(keeper), face, appended };

        Ok(Opened { buffer: Self { shared: Arc::new(shared) }, replaced })
    }

    /// Keeps an event: numbers it and returns once it is on disk.
    ///
    /// # Errors
    /// The event is not kept and has been counted as refused; do not append it again.
    pub fn append(&self, event: Event) -> Result<Kept, BufferError> {
        let kept = self.with(|keeper| keeper.append(event))?;
        self.shared.appended.notify_one();

        Ok(kept)
    }

    /// Returns what is notified after each append.
    #[must_use]
    pub fn appended(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.appended)
    }

    /// Returns the current stream.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.face().stream
    }

    /// Returns the last number given out in the current stream; 0 if there is none yet.
    #[must_use]
    pub fn last_sequence(&self) -> Sequence {
        self.face().last
    }

    /// Returns how full it is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.face().level
    }

    /// Returns the oldest records that wait, all of one stream, at least one if any waits, else up to both limits.
    ///
    /// # Errors
    /// If the database fails; nothing has changed then.
    pub fn peek(
        &self,
        max_records: usize,
        max_bytes: usize,
    ) -> Result<Vec<StoredLine>, BufferError> {
        self.with(|keeper| keeper.peek(max_records, max_bytes))
    }

    /// Returns some of the records that wait behind a mark, of any stream, and the mark behind them; none at the end.
    ///
    /// # Errors
    /// If the database fails.
    pub fn waiting_after(&self, mark: Mark) -> Result<(Vec<StoredLine>, Mark), BufferError> {
        self.with(|keeper| keeper.waiting_after(mark))
    }

    /// Removes a stream's records up to `through`, which the collector has stored, and returns how many left.
    ///
    /// # Errors
    /// If the database fails; some may have left then, in order.
    pub fn remove_through(&self, stream: StreamId, through: Sequence) -> Result<u64, BufferError> {
        self.with(|keeper| keeper.remove_through(stream, through))
    }

    /// Sets aside a record the collector will never take, and raises an event about it in the same commit.
    ///
    /// # Errors
    /// [`BufferError::NoSuchRecord`] if it does not wait; otherwise if the database fails.
    pub fn set_aside(
        &self,
        stream: StreamId,
        sequence: Sequence,
        reason: &str,
    ) -> Result<(), BufferError> {
        self.with(|keeper| keeper.set_aside(stream, sequence, reason))
    }

    /// Begins a new stream, because the collector knows more of the present one than this disk does: the disk is an
    /// older copy. Records that wait keep the stream under which they were numbered.
    ///
    /// # Errors
    /// If the database fails; the stream is the old one then.
    pub fn begin_stream(&self) -> Result<StreamId, BufferError> {
        self.with(Keeper::begin_stream)
    }

    /// Does what can wait for an idle moment; to be called every half minute or so.
    ///
    /// # Errors
    /// If the database fails; nothing kept is lost by that.
    pub fn tend(&self) -> Result<(), BufferError> {
        self.with(Keeper::tend)
    }

    /// Reads everything and checks it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn verify(&self) -> Result<Verification, BufferError> {
        self.with(|keeper| keeper.verify())
    }

    /// Writes every record that waits as one line of JSON, then those set aside with the reason; returns how many.
    ///
    /// # Errors
    /// If the database fails or `out` does not take the text.
    pub fn export(&self, out: &mut impl io::Write) -> Result<u64, BufferError> {
        inspect::export(out, |space, from| self.with(|keeper| keeper.lines(space, from)))
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Keeper) -> Result<T, BufferError>,
    ) -> Result<T, BufferError> {
        // A panic under the lock would have come from our own code, not from sled: the state is as of the last commit.
        let mut keeper = self
            .shared
            .keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = work(&mut keeper);
        let face = Face::of(&keeper);
        *self.lock_face() = face;

        outcome
    }

    fn face(&self) -> Face {
        *self.lock_face()
    }

    fn lock_face(&self) -> MutexGuard<'_, Face> {
        self.shared
            .face
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Face {
    fn of(keeper: &Keeper) -> Self {
        Self {
            stream: keeper.state.current().stream,
            last: keeper.state.last_sequence(),
            level: keeper.level(),
        }
    }
}
