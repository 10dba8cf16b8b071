//! The attacks: simulated with file operations on files the harness made, at set rates, orders and numbers of processes.

mod catalogue;
mod running;
mod safeguards;
mod samba;

use serde::{Deserialize, Serialize};

use crate::agent::Backend;
use crate::deed::Deed;
use crate::tree::{Order, TreeSize};

pub(crate) use catalogue::catalogue;
pub(crate) use running::{Field, approximately, run_seeds};
pub(crate) use samba::Server;

/// The rate of the fastest family by the median of its samples, in files a second.
pub(crate) const FAST: f64 = 280.0;

/// One attack.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What it does, for the report.
    pub(crate) about: &'static str,
    pub(crate) deed: Deed,
    pub(crate) order: Order,
    /// Files a second over all processes; none is as fast as it goes.
    pub(crate) rate: Option<f64>,
    pub(crate) processes: usize,
    pub(crate) tree: TreeSize,
    pub(crate) goal: Goal,
    pub(crate) twist: Twist,
    /// Whether a note is left in each directory before its first file.
    pub(crate) note_first: bool,
    /// Harmless renames before the real work.
    pub(crate) decoy_renames: u64,
    /// Most files it gets to.
    pub(crate) files_max: usize,
    /// Whether it belongs to the short form.
    pub(crate) short: bool,
}

/// Which goal of the project it is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// Median at most 5 files, 95th percentile at most 10, none above 15.
    Few,
    /// Never more than 10 files.
    Slow,
    /// Deletion, truncation, bulk moves: never more than 40.
    Removal,
    /// Only that it is seen: the rate or the manner is beyond what the goals give a number for.
    Seen,
}

/// What else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twist {
    None,
    /// The agent is killed before, and started again afterwards.
    Killed,
    /// The agent is suspended during it.
    Suspended,
    /// It comes over the network, through a file server.
    Samba,
    /// It is no attack on files but on what protects them, and is left to the service to see.
    Safeguards(Strike),
}

/// What protects files and is struck at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Logs are cut to nothing (T1070).
    Logs,
    /// Every generation of a backup is deleted (T1490).
    Backups,
    /// The agent's own key is written anew.
    OwnKey,
}

impl Attack {
    const fn new(name: &'static str, about: &'static str, deed: Deed) -> Self {
        Self {
            name,
            about,
            deed,
            order: Order::Alphabetical,
            rate: Some(FAST),
            processes: 1,
            tree: TreeSize::ORDINARY,
            goal: Goal::Few,
            twist: Twist::None,
            note_first: false,
            decoy_renames: 0,
            files_max: usize::MAX,
            short: false,
        }
    }

    /// How many of its runs may go on side by side: only what is too slow to disturb anybody.
    pub(crate) fn side_by_side(&self) -> usize {
        if self.rate.is_some_and(|rate| rate < 1.0) { 10 } else { 1 }
    }
}

/// One run of one attack, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AttackRun {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    pub(crate) seed: u64,
    /// The agent's binary.
    pub(crate) sha256: String,
    /// Files there were.
    pub(crate) files: u64,
    /// Files harmed, or being harmed, when the first high or critical event came out; none if none came.
    pub(crate) harmed_before: Option<u64>,
    /// Files harmed in all until the run was ended.
    pub(crate) harmed: u64,
    /// From the first harm to the event, in milliseconds.
    pub(crate) to_alert_ms: Option<f64>,
    /// What the event said.
    pub(crate) reason: String,
    pub(crate) severity: String,
    /// What the agent said it lost.
    pub(crate) losses: Vec<String>,
    /// Files a second that were reached.
    pub(crate) rate: f64,
    /// Processor time of the agent from its start to the end of the run, in milliseconds.
    pub(crate) cpu_ms: u64,
    pub(crate) resident_kib: u64,
}
