//! What the hosts sent, as the collector remembers it.
//!
//! Always holds: the line an agent sent is kept verbatim under its hash; what stands here beside it is this version's
//! reading of it. Rules use `corrected_at`; people see both times.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::{Event, Severity};
use shirase_shared::ids::{BurstId, DrillId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::wire::Heartbeat;

/// One stored record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeenRecord {
    /// Facility of the certificate it came under.
    pub facility: FacilityId,
    /// Host of the certificate it came under.
    pub host: HostId,
    /// Stream of the buffer that numbered it.
    pub stream: StreamId,
    /// Its number.
    pub sequence: Sequence,
    /// Hash of its line. The same key with another hash is a fork, and both are kept.
    pub hash: String,
    /// What kind of event; also of kinds this version does not know.
    pub kind: String,
    /// How much it matters, where that can be read.
    pub severity: Option<Severity>,
    /// The burst it belongs to.
    pub burst: Option<BurstId>,
    /// The drill it belongs to.
    pub drill: Option<DrillId>,
    /// The event as this version reads it; `None` if it cannot.
    pub event: Option<Event>,
    /// When the detector decided, by the host's wall clock.
    pub detected_at: Option<Timestamp>,
    /// The same on the collector's time line.
    pub corrected_at: Timestamp,
    /// The true time lies within `corrected_at` ± this.
    pub uncertainty: Duration,
    /// When the collector received it.
    pub received_at: Timestamp,
}

/// A record on its way into the store: the reading and the line it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecord {
    /// What was read.
    pub seen: SeenRecord,
    /// The line as sent, without its newline.
    pub raw: Vec<u8>,
}

/// What storing a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchStored {
    /// Records that were not there before.
    pub new: usize,
    /// Records that were there already: the batch, or a part of it, was sent before.
    pub known: usize,
    /// Keys noticed for the first time to be there under another hash too.
    pub forked: usize,
}

/// Two records with one key: a copied agent, or a restored disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// The host both came from.
    pub host: HostId,
    /// The stream.
    pub stream: StreamId,
    /// The number both have.
    pub sequence: Sequence,
    /// When it was noticed.
    pub noticed_at: Timestamp,
}

/// One stream of a host, as far as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamSeen {
    /// Whose.
    pub host: HostId,
    /// Which.
    pub stream: StreamId,
    /// How many records of it are stored, both sides of a fork counted.
    pub records: u64,
    /// The lowest number stored.
    pub first: Sequence,
    /// The highest number stored.
    pub last: Sequence,
}

/// The last sign of life of a host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeartbeatSeen {
    /// Whose.
    pub host: HostId,
    /// When it came.
    pub received_at: Timestamp,
    /// What it said.
    pub heartbeat: Heartbeat,
}

/// A time in which the collector itself was listening. Silence of a host counts only within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ListeningSpan {
    /// Its start.
    pub started_at: Timestamp,
    /// The last moment known to belong to it.
    pub last_at: Timestamp,
}

/// A stored damage manifest. Its ciphertext lies in the data directory under its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestSeen {
    /// Facility whose key opens it.
    pub facility: FacilityId,
    /// Host it came from.
    pub host: HostId,
    /// The burst it tells.
    pub burst: BurstId,
    /// SHA-256 of the ciphertext, lower-case hexadecimal.
    pub sha256: String,
    /// Bytes of the ciphertext.
    pub bytes: u64,
    /// Files it lists, as the agent said.
    pub files: u64,
    /// When it came.
    pub received_at: Timestamp,
}
