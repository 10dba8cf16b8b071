//! What a detector raises: an anomaly on one host, immutable once numbered.
//!
//! ```text
//! detector ──Event──▶ buffer numbers it ──Record{stream, sequence, event}──▶ wire ──▶ collector
//! ```
//!
//! Always holds:
//! - an event carries no path, user name or file content in the clear unless its root was declared free of
//!   patient data ([`PathFacts`]);
//! - one burst is told by a handful of events with one [`BurstId`]; totals in a later one replace the earlier;
//! - the JSON form is flat: `kind` and `evidence` stand beside the common fields, so that a person can read a line.
//!
//! Not here: what a collector makes of it (see the collector's `correlate`).

mod intrusion;
mod own;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::ids::{BurstId, DrillId, Sequence, StreamId};
use crate::redact::PathFacts;

pub use intrusion::{
    Actor, BackupKind, BackupLoss, Logon, LogonKind, PrintBurst, Protection, ProtectionKind, Stops,
};
pub use own::{AgentState, Budget, Loss, LossKind, StopCause};

/// The schema this build writes. A reader takes any: unknown fields are ignored, missing ones have defaults.
pub const SCHEMA: u16 = 1;

/// How much it matters. Ordered: `Low < Medium < High < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a line in a timeline.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Wake someone.
    Critical,
}

impl Severity {
    /// Returns the name used in JSON, in the database and as a key of the locale files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where in the story of one anomaly an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The first event of a burst or an outage.
    Opened,
    /// More of the same, or worse.
    Grew,
    /// It stopped, or the service is back.
    Ended,
    /// Complete in itself.
    Once,
}

/// An anomaly, before the buffer gives it a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of this layout, see [`SCHEMA`].
    #[serde(default = "first_schema")]
    pub schema: u16,
    /// What happened, with its evidence.
    #[serde(flatten)]
    pub anomaly: Anomaly,
    /// Where in its story this event stands.
    pub phase: Phase,
    /// Ties the events of one burst or outage together. `None` for [`Phase::Once`].
    #[serde(default)]
    pub burst: Option<BurstId>,
    /// How much it matters.
    pub severity: Severity,
    /// When the detector decided, by the host's wall clock.
    pub detected_at: Timestamp,
    /// When the first change that led here happened, by the host's wall clock.
    #[serde(default)]
    pub first_change_at: Option<Timestamp>,
    /// `detected_at` again with boot and monotonic time, so that a wrong wall clock can be corrected later.
    pub moment: Moment,
    /// Label of the watched root, where one is concerned.
    #[serde(default)]
    pub root: Option<String>,
    /// Files harmed so far in this burst.
    #[serde(default)]
    pub files_affected: u64,
    /// Why it was raised, in plain English words: which evidence, how many, since when.
    #[serde(default)]
    pub reason: String,
    /// Set when everything this event tells was made by an ordered drill.
    #[serde(default)]
    pub drill: Option<DrillId>,
}

const fn first_schema() -> u16 {
    1
}

/// An event with its place in the host's stream. One line of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The stream of the buffer that keeps it.
    pub stream: StreamId,
    /// Its number in that stream.
    pub sequence: Sequence,
    /// The event itself, flattened beside the key.
    #[serde(flatten)]
    pub event: Event,
}

/// What kind of anomaly, each with the evidence that speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "evidence", rename_all = "snake_case")]
pub enum Anomaly {
    /// Many files of one root changed the way an encryptor or a wiper changes them.
    MassChange(MassChange),
    /// A service, a process or a probed port is not there.
    Outage(Outage),
    /// The host runs out of something, or its clock moved.
    Pressure(Pressure),
    /// Something could not be seen, kept or told.
    Loss(Loss),
    /// Somebody logs on in an unusual way.
    Logon(Logon),
    /// What protects the host is being taken away.
    Protection(Protection),
    /// Backups are lost or not made.
    Backup(BackupLoss),
    /// Many services stopped together.
    Stops(Stops),
    /// Many print jobs at once.
    Print(PrintBurst),
    /// The agent speaks about itself.
    Agent(AgentState),
}

impl Anomaly {
    /// Returns the value of `kind` in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MassChange(_) => "mass_change",
            Self::Outage(_) => "outage",
            Self::Pressure(_) => "pressure",
            Self::Loss(_) => "loss",
            Self::Logon(_) => "logon",
            Self::Protection(_) => "protection",
            Self::Backup(_) => "backup",
            Self::Stops(_) => "stops",
            Self::Print(_) => "print",
            Self::Agent(_) => "agent",
        }
    }
}

/// Evidence of a mass change: running totals of the burst.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MassChange {
    /// Files that gained a suffix no ordinary program appends.
    pub suffix_appended: u64,
    /// Files whose extension was lost or became an unknown one.
    pub extension_lost: u64,
    /// A new file with the old name inside appeared and the old one was deleted.
    pub replaced: u64,
    /// Files whose first bytes no longer fit their extension.
    pub magic_lost: u64,
    /// Files deleted that were there before.
    pub deleted: u64,
    /// Files cut to nothing that were there before.
    pub truncated: u64,
    /// Files moved away that were there before.
    pub moved_out: u64,
    /// Directories that were renamed with a suffix behind their name.
    pub directories_renamed: u64,
    /// Files overwritten with what looks random, whatever their first bytes.
    pub randomised: u64,
    /// Decoys touched.
    pub canaries: u64,
    /// New suffixes with their counts, the most frequent first 16. Odd ones are shown as `(other)`.
    pub suffixes: BTreeMap<String, u64>,
    /// Extensions the harmed files had before, with counts, the most frequent 16.
    pub extensions: BTreeMap<String, u64>,
    /// Directories in which files were harmed.
    pub directories: u64,
    /// Harmed files per second over the last ten seconds.
    pub rate_per_second: f64,
    /// The same new small text file in this many directories: likely a ransom note.
    pub note_directories: u64,
    /// Who did it, as far as the system told; the busiest 8.
    pub actors: Vec<Actor>,
    /// A few harmed files, without their names.
    pub samples: Vec<PathFacts>,
}

/// Evidence of an outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// What is being watched.
    pub target: Target,
    /// What it is doing.
    pub state: OutageState,
    /// Since when it has been so, by the host's wall clock.
    pub since: Timestamp,
    /// When it was last seen well.
    #[serde(default)]
    pub last_good: Option<Timestamp>,
    /// State changes within the flapping window; 0 unless flapping.
    #[serde(default)]
    pub changes: u32,
    /// What the sensor saw, in the words of the system it asked.
    #[serde(default)]
    pub detail: String,
}

/// Something whose absence is an outage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// How it is watched.
    pub watched_as: WatchedAs,
    /// Its configured name, for example `postgresql` or `ehr-web`.
    pub name: String,
}

/// How a target is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchedAs {
    /// A service of the operating system's service manager.
    Service,
    /// A process of this name is expected to run.
    Process,
    /// A TCP connection is expected to succeed.
    Tcp,
    /// An HTTP request is expected to be answered.
    Http,
    /// An HL7 message over MLLP is expected to be acknowledged.
    Hl7,
    /// A DICOM C-ECHO is expected to succeed.
    Dicom,
    /// A PostgreSQL server is expected to take a session.
    Postgres,
}

/// What a target with trouble is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageState {
    /// It has not answered for longer than its grace.
    Down,
    /// It goes up and down.
    Flapping,
    /// It is back and stayed back.
    Recovered,
}

/// Evidence of pressure on the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Pressure {
    /// A disk is nearly full.
    DiskNearlyFull {
        /// Where it is mounted.
        mount: String,
        /// Bytes left.
        free_bytes: u64,
        /// Its size in bytes.
        total_bytes: u64,
    },
    /// Memory is nearly used up.
    MemoryNearlyFull {
        /// Bytes still available.
        available_bytes: u64,
        /// All of it in bytes.
        total_bytes: u64,
    },
    /// The certificate of a probed service is about to expire, or has.
    CertificateExpiring {
        /// The probe's configured name.
        name: String,
        /// When it expires.
        not_after: Timestamp,
    },
    /// The wall clock moved against the monotonic one.
    ClockJump {
        /// Milliseconds forward, or backward when negative.
        by_ms: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BootId;

    #[test]
    fn a_line_is_flat_and_reads_back() {
        let at: Timestamp = "2026-02-09T01:50:00Z".parse().unwrap();
        let moment =
            Moment { wall: at, boot: BootId::from_uuid(uuid::Uuid::from_u128(7)), monotonic_ms: 5 };
        let event = Event {
            schema: SCHEMA,
            anomaly: Anomaly::MassChange(MassChange {
                suffix_appended: 12,
                suffixes: BTreeMap::from([("locked".to_owned(), 12)]),
                ..MassChange::default()
            }),
            phase: Phase::Opened,
            burst: Some(BurstId::from_uuid(uuid::Uuid::from_u128(9))),
            severity: Severity::High,
            detected_at: at,
            first_change_at: Some(at),
            moment,
            root: Some("share".to_owned()),
            files_affected: 12,
            reason: "12 files gained `.locked`".to_owned(),
            drill: None,
        };
        let record = Record { stream: StreamId::random(), sequence: Sequence(4), event };
        let line = serde_json::to_string(&record).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["kind"], "mass_change");
        assert_eq!(value["evidence"]["suffixes"]["locked"], 12);
        assert_eq!(value["sequence"], 4);
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn fields_a_newer_agent_adds_are_ignored() {
        let line = r#"{"schema":2,"stream":"00000000-0000-0000-0000-000000000001","sequence":1,
            "kind":"loss","evidence":{"what":"root_gone","new_field":true},"phase":"once","severity":"high",
            "detected_at":"2026-02-09T01:50:00Z","from_the_future":[1],
            "moment":{"wall":"2026-02-09T01:50:00Z","boot":"00000000-0000-0000-0000-000000000002","monotonic_ms":1}}"#;
        let record: Record = serde_json::from_str(line).unwrap();
        assert_eq!(record.event.anomaly.kind(), "loss");
        assert_eq!(record.event.files_affected, 0);
    }
}
