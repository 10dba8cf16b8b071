//! Recorded observations: written by `watch --record`, read by `replay`.
//!
//! ```text
//! {"format":"shirase-trace","version":1,"began_at":…,"boot":…,"agent":"0.1.0","names":"clear","roots":[…]}
//! {"at":"2026-02-08T16:50:00.1Z","ms":60100,"late_ms":2,"late_ns":1900345,"fact":{"file":{"root":{…},"below":"a.docx.qzx",
//!                                                  "operation":{"renamed":{"from":"a.docx"}},"verdict":"lost"}}}
//! …
//! {"end":{"at":…,"ms":…,"observations":1,"omitted":0}}
//! ```
//!
//! Always holds:
//! - one JSON object a line, the first one names the format and its version, the last one says that the file is whole;
//!   with a name that ends in `.zst` all of it is compressed, and a reader tells that by its first bytes;
//! - a trace has clear names and belongs on its host (mode 0600); only an anonymised one may be shared ([`Anonymiser`]);
//! - bounded: beyond its limit nothing more is written, and the last line counts what is missing;
//! - what an unknown field says is ignored; an unknown fact or a newer version is an error, never passed over.
//!
//! Not here: what observations mean (`detectors`), and running them through the detectors (`replay`).

pub mod forms;
mod writing;
mod reading;
mod from_manifest;
mod anonymise;

use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::ids::BootId;

use crate::observation::{Fact, Observation, Root};

pub use anonymise::Anonymiser;
pub use reading::Recorded;
pub use writing::{Limit, TraceWriter};

/// What the first line calls itself.
const FORMAT: &str = "shirase-trace";
/// The version this build writes, and the newest it reads.
const VERSION: u16 = 1;
/// Longest line read, in bytes: a path escaped in JSON, several times over.
const LINE_MAX_BYTES: u64 = 1 << 20;

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u16,
    /// When the recording began.
    pub began_at: Timestamp,
    /// In which start of the operating system it was made.
    pub boot: BootId,
    /// Version of the agent that made it.
    pub agent: String,
    /// Whether its names are those of the host.
    pub names: NamesAre,
    /// What was watched.
    pub roots: Vec<Root>,
}

impl Header {
    /// Begins a trace of this build.
    #[must_use]
    pub fn new(began: Moment, roots: Vec<Root>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            began_at: began.wall,
            boot: began.boot,
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            names: NamesAre::Clear,
            roots,
        }
    }
}

/// Whether the names in a trace are those of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamesAre {
    /// They are; the trace belongs on the host.
    Clear,
    /// Keyed words stand for them.
    Anonymised,
}

/// An observation and the moment the detectors got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What was observed, and when.
    pub observation: Observation,
    /// When the detectors got it: a little later.
    pub now: Moment,
}

/// A line after the first.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Seen(SeenLine),
    End { end: End },
}

#[derive(Serialize, Deserialize)]
struct SeenLine {
    at: Timestamp,
    ms: u64,
    #[serde(default, skip_serializing_if = "forms::is_default")]
    late_ms: u64,
    /// The same by wall time, in nanoseconds: the two clocks are not read at the same instant, and one can be set.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    late_ns: i64,
    fact: Fact,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When the recording ended.
    pub at: Timestamp,
    /// The same by monotonic time.
    pub ms: u64,
    /// Observations in the file.
    pub observations: u64,
    /// Observations that came after its limit was reached.
    pub omitted: u64,
}

impl SeenLine {
    fn of(seen: &Seen) -> Self {
        let Observation { at, fact } = seen.observation.clone();
        Self {
            at: at.wall,
            ms: at.monotonic_ms,
            late_ms: seen.now.monotonic_ms.saturating_sub(at.monotonic_ms),
            late_ns: seen
                .now
                .wall
                .duration_since(at.wall)
                .as_nanos()
                .try_into()
                .unwrap_or(0),
            fact,
        }
    }

    fn seen(self, boot: BootId) -> Seen {
        let at = Moment { wall: self.at, boot, monotonic_ms: self.ms };
        let observation = Observation { at, fact: self.fact };

        let by = SignedDuration::from_nanos(self.late_ns);
        let wall = at.wall.checked_add(by).unwrap_or(at.wall);
        let now = Moment { wall, ..later(at, self.late_ms) };

        Seen { observation, now }
    }
}

/// Returns the moment so many milliseconds after another.
fn later(at: Moment, ms: u64) -> Moment {
    let by = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    let wall = at.wall.checked_add(by).unwrap_or(at.wall);

    Moment { wall, monotonic_ms: at.monotonic_ms.saturating_add(ms), ..at }
}

/// A trace or a manifest that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be opened or read.
    #[error("failed to read `{}`; name a file that you may read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be made or written.
    #[error("failed to write the trace `{}`; name a file in a directory with room that you may write", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is there already.
    #[error("`{}` is there already; a recording overwrites nothing, so name another file", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// There is no secret to make words with.
    #[error(
        "this system gives no random bytes for a key to anonymise with; record with clear names instead"
    )]
    NoKey,
    /// It is an encrypted manifest.
    #[error(
        "`{}` is encrypted to the hospital's key; open it first with that key: `shirase-collector manifest open --identity KEYFILE FILE`, or \
         `age --decrypt --identity KEYFILE`",
        path.display()
    )]
    Sealed {
        /// Which file.
        path: PathBuf,
    },
    /// It is something else.
    #[error(
        "line 1 of `{}` begins neither a trace nor a manifest: {why}; give a file that `shirase-agent watch --record` \
         wrote, or a plain manifest from the state directory",
        path.display()
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is odd.
        why: String,
    },
    /// A newer agent made it.
    #[error(
        "line 1 of `{}` says version {found} of the format, this agent reads up to {VERSION}; replay it with the \
         version of the agent that recorded it or a newer one",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A line does not read.
    #[error(
        "line {line} of `{}` does not read: {why}; what stands before it was replayed: take the file from its source \
         again, or remove that line",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// It ends too early.
    #[error(
        "`{}` is cut off after line {line}: its last line, which says that it is whole, is missing; what is there was \
         replayed: the recording was killed or the copy is incomplete, so copy it again if you can",
        path.display()
    )]
    CutOff {
        /// Which file.
        path: PathBuf,
        /// The last line that reads.
        line: u64,
    },
}
