//! Ordinary work of a hospital's server, by real programs where they are installed: none of it may raise an alert.
//!
//! Each workload ends with a proof that the agent still saw: files of a second watched root are renamed the way an
//! encryptor does, and that alert has to come. Silence of a blind agent is no success.

mod catalogue;
mod running;
mod stage;
mod files;
mod archives;
mod imports;
mod database;
mod packages;
mod network;

use serde::{Deserialize, Serialize};

use crate::agent::Backend;
use stage::Stage;

pub(crate) use catalogue::catalogue;
pub(crate) use running::{missing, run};

/// One workload.
#[derive(Clone, Copy)]
pub(crate) struct Ordinary {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Programs it needs.
    pub(crate) needs: &'static [&'static str],
    /// What has to be there before.
    prepare: fn(&Stage) -> anyhow::Result<()>,
    /// The work itself.
    act: fn(&Stage) -> anyhow::Result<()>,
    /// Whether it belongs to the short form.
    pub(crate) short: bool,
}

/// One run of one workload, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrdinaryRun {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    pub(crate) seed: u64,
    pub(crate) sha256: String,
    /// Why it did not take place, if it did not.
    pub(crate) not_run: Option<String>,
    /// High and critical events, by their reasons: each is a false alarm.
    pub(crate) alerts: Vec<String>,
    /// Events below that.
    pub(crate) quieter: Vec<String>,
    pub(crate) losses: Vec<String>,
    /// Whether the proof at the end was seen.
    pub(crate) still_seeing: bool,
    /// How long the work took, in seconds.
    pub(crate) secs: f64,
    /// Processor time of the agent during the work, in milliseconds.
    pub(crate) cpu_ms: u64,
    pub(crate) resident_kib: u64,
}
