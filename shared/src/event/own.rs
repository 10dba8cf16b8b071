//! What the agent says about itself: what it lost, what it does, what it uses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Actor;

/// Evidence that something was lost, and what was done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What lost it.
    pub what: LossKind,
    /// How many, where that can be told.
    #[serde(default)]
    pub count: Option<u64>,
    /// Particulars for the person who looks into it.
    #[serde(default)]
    pub detail: String,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The kernel's queue of file changes ran over; a rescan followed.
    KernelQueue,
    /// The agent's own queue of file changes ran over.
    OwnQueue,
    /// Nothing watched for a while: the agent was not running. What changed meanwhile was looked at.
    NotRunning,
    /// A watched root cannot be read, or only in part.
    RootUnreadable,
    /// A watched root is gone.
    RootGone,
    /// The buffer refused new events of low severity because it is full.
    BufferFull,
    /// The buffer would not open and was set aside.
    BufferReplaced,
    /// A record the collector will never take was set aside.
    RecordSetAside,
    /// A sensor does not work on this system or stopped working.
    SensorBlind,
}

/// What the agent says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentState {
    /// It started, with this version. `after_reboot` when the machine itself started anew.
    Started {
        /// Version of the program.
        version: String,
        /// Whether the machine was booted since the last time.
        after_reboot: bool,
        /// When the agent last gave a sign of life before, if it knows.
        #[serde(default)]
        last_alive: Option<Timestamp>,
    },
    /// It was asked to stop.
    Stopping {
        /// For what, as far as the system tells.
        #[serde(default)]
        cause: StopCause,
    },
    /// The configuration file is invalid; the last good one stays in force.
    ConfigInvalid {
        /// What is wrong with it, one line each.
        problems: Vec<String>,
    },
    /// A new configuration is in force.
    ConfigLoaded,
    /// A drill began.
    DrillStarted,
    /// A drill's files are gone again.
    DrillEnded {
        /// Files it made, changed and removed.
        files: u64,
    },
    /// An order of the collector was refused.
    OrderRefused {
        /// Why.
        why: String,
    },
    /// It suspended processes that were harming files, because the configuration of the root says so.
    Contained {
        /// Which.
        actor: Actor,
        /// Processes suspended.
        processes: u64,
        /// Why it was sure, or what could not be suspended.
        detail: String,
    },
    /// Suspended processes run again.
    Released {
        /// Processes that go on.
        processes: u64,
        /// Who asked for it.
        detail: String,
    },
    /// It reached a budget its configuration gives it.
    BudgetReached {
        /// Which budget, in which unit.
        budget: Budget,
        /// What it uses.
        used: u64,
        /// What it should stay below.
        limit: u64,
    },
}

/// For what the agent was asked to stop. A word for people: whoever is an administrator can make the system say any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// To start again.
    Restart,
    /// To start again as another version: its program was replaced meanwhile.
    Upgrade,
    /// Its package is being removed.
    Removal,
    /// The machine starts anew.
    Reboot,
    /// The machine is switched off.
    Shutdown,
    /// Nobody says, or for a reason this version does not know.
    #[default]
    #[serde(other)]
    Unsaid,
}

/// What the agent may use of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Per cent of one processor core, averaged over a minute.
    CpuPercent,
    /// Resident memory in MiB.
    MemoryMib,
}
