//! A sign of life, and its answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SignedOrder;
use crate::clock::Moment;
use crate::ids::{Sequence, StreamId};
use crate::policy::{PolicyName, PolicyReport};
use crate::posture::{self, Posture};

/// A sign of life, every 30 seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Current stream of the buffer.
    pub stream: StreamId,
    /// The last number given out in it; 0 if none yet.
    pub last_sequence: Sequence,
    /// Bytes of the buffer in use on disk.
    pub buffer_used_bytes: u64,
    /// Bytes the buffer may use.
    pub buffer_limit_bytes: u64,
    /// Records waiting to be stored by the collector.
    pub waiting: u64,
    /// How each sensor is.
    pub sensors: Vec<SensorReport>,
    /// Version of the agent.
    pub version: String,
    /// Name of the machine: a label, never an identity.
    pub hostname: String,
    /// Operating system, for example `Debian GNU/Linux 12`.
    pub os: String,
    /// The agent's time when it sent this.
    pub sent: Moment,
    /// What is wrong with the configuration file, if the last good one is in force instead.
    #[serde(default)]
    pub config_problems: Vec<String>,
    /// The maintenance window that is in force, if one is.
    #[serde(default)]
    pub maintenance_until: Option<Timestamp>,
    /// What it says of its policy; `None` from an agent that knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
    /// Fingerprints of the authorities it trusts, in their order; empty from an agent that trusts the one it enrolled by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// How the host is set up, where it was looked at since the last sign of life that was answered. One this version cannot
    /// read counts as none: it may not cost the sign of life.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "posture::if_readable"
    )]
    pub posture: Option<Posture>,
}

/// How one sensor is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorReport {
    /// For example `files`, `services`, `probe ehr-web`.
    pub name: String,
    /// Whether it sees.
    pub state: SensorState,
    /// What it sees with (for example `notify`), or why it is blind.
    pub detail: String,
}

/// Whether a sensor sees what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensorState {
    /// It sees.
    Well,
    /// It sees a part.
    Degraded,
    /// It does not see.
    Blind,
}

/// The collector's answer to a heartbeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// The collector's wall time when it answered.
    pub now: Timestamp,
    /// The highest number stored of the agent's current stream; `None` if the stream is unknown.
    ///
    /// Higher than the agent's own last number means that this disk is an older copy: the agent begins a new stream.
    pub stored_through: Option<Sequence>,
    /// Orders not yet confirmed, each signed.
    #[serde(default)]
    pub orders: Vec<SignedOrder>,
    /// The policy this host should have in force; `GET /v1/policy` gives it. `None` if there never was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_policy: Option<PolicyName>,
    /// The authorities to trust from now on, in PEM, the one that certifies first; `None` if the agent trusts just these,
    /// or did not say whom it trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities_pem: Option<String>,
}
