//! What the buffer shows to its callers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{Sequence, StreamId};

/// An event that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its stream.
    pub stream: StreamId,
    /// Its number.
    pub sequence: Sequence,
    /// The hash of its line.
    pub hash: String,
}

/// A record that waits, as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Its stream; the same for all lines of one look.
    pub stream: StreamId,
    /// Its number.
    pub sequence: Sequence,
    /// The line, without a newline.
    pub line: Vec<u8>,
    /// The hash of the line.
    pub hash: String,
}

/// How far someone has looked at waiting records. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(pub(super) u64);

/// How full the buffer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Level {
    /// Bytes on disk.
    pub used_bytes: u64,
    /// Bytes allowed.
    pub limit_bytes: u64,
    /// Records that wait for the collector.
    pub waiting: u64,
    /// Records set aside.
    pub set_aside: u64,
    /// Events refused since the last event that told their number.
    pub refused: u64,
}

/// Why and when a record was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideHead {
    /// Its stream.
    pub stream: StreamId,
    /// Its number.
    pub sequence: Sequence,
    /// Why.
    pub reason: String,
    /// When, by the host's clock.
    pub at: Timestamp,
}
