//! What keeps a host and its data safe, as a sensor saw it: services, guards, logs, the agent's own parts, backups.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::trace::forms;

/// Services that stopped or started between two looks at all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicesSeen {
    /// Those that ran and do not any more.
    pub stopped: Vec<String>,
    /// Those that run and did not before.
    pub started: Vec<String>,
    /// Where the system as a whole is going.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub course: Course,
}

/// Where the system as a whole is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// Nowhere.
    #[default]
    Steady,
    /// It was put into another state, such as `rescue.target`: what does not belong to that state stops.
    Regrouped,
    /// It shuts down or starts anew.
    Ending,
}

/// A service that protects the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardSeen {
    /// Its name to the service manager.
    pub name: String,
    /// Whether it runs.
    pub runs: Runs,
    /// Whether it starts with the system.
    pub starts: Starts,
    /// What it was known to do before this look, also before the agent's last start.
    pub before: GuardBefore,
}

/// Whether a guard runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// It runs.
    Running,
    /// It is installed and does not run.
    Stopped,
    /// It is not installed.
    Missing,
}

/// Whether a guard starts with the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// By itself or by something that needs it.
    Yes,
    /// It is switched off.
    Disabled,
    /// It cannot be started at all.
    Masked,
    /// The system does not tell, or there is nothing to start.
    Unknown,
}

/// What was known of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardBefore {
    /// It ran and started with the system.
    Ran,
    /// It ran, and did not start with the system.
    RanByHand,
    /// It was never seen running. Whoever listed it in the configuration wants it to.
    Wanted,
}

/// A log that is not simply longer than at the last look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSeen {
    /// Where it is.
    #[serde(with = "forms::path")]
    pub path: PathBuf,
    /// Its size in bytes at the last look; of a journal, of all its files.
    pub bytes_before: u64,
    /// What has become of it.
    pub now: LogNow,
    /// What lies beside it and may hold what it held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
}

/// What has become of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogNow {
    /// The same file, and shorter.
    Shorter {
        /// Its size in bytes.
        bytes: u64,
    },
    /// Another file under its name.
    Replaced {
        /// Its size in bytes.
        bytes: u64,
    },
    /// No file under its name.
    Gone,
    /// A journal of which files are gone.
    Thinned {
        /// What is left, in bytes.
        bytes: u64,
    },
}

/// A file beside a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Its name without directory.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it has to do with the log.
    pub kinship: Kinship,
}

/// What a file has to do with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinship {
    /// It is the file that had the log's name at the last look.
    Same,
    /// Its name begins with the log's, and it was made or written since the last look.
    Fresh,
}

/// A part of the agent that is not as it was, or is again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnSeen {
    /// Which part.
    pub part: OwnPart,
    /// What it is called: a file's name without directory, or the service's.
    pub name: String,
    /// What has become of it.
    pub change: OwnChange,
    /// When that happened.
    pub when: OwnWhen,
}

/// A part of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnPart {
    /// Its program.
    Program,
    /// Its configuration.
    Settings,
    /// Its certificate, its keys and what the collector told it.
    Identity,
    /// The definition of its service, with what was added to it.
    Unit,
    /// Its service.
    Service,
}

/// What has become of a part of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnChange {
    /// It was written, replaced, or given other rights, by somebody else.
    Changed,
    /// It is not there any more.
    Removed,
    /// It was added.
    Added,
    /// It does not start with the system any more.
    Disabled,
    /// It cannot be started any more.
    Masked,
    /// It is as it should be again.
    Restored,
}

/// When a part of the agent was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnWhen {
    /// While the agent was running.
    Running,
    /// While it was not running, and it is the same version as before.
    Away,
}

/// A backup that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSeen {
    /// Its configured name.
    pub name: String,
    /// How it was found.
    pub state: BackupState,
}

/// How a backup was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Its files were compared with the last look.
    Files(Generations),
    /// Its snapshots were compared with the last look.
    Snapshots(Generations),
    /// Its newest file was looked for.
    Job(JobSeen),
}

/// What happened to complete files of a backup, or to snapshots, since the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    /// When the last look was.
    pub since: Option<Timestamp>,
    /// How many there were.
    pub before: u64,
    /// How many of these are left.
    pub left: u64,
    /// Gone from the old end of a row of generations: what a rotation does.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub pruned: u64,
    /// Gone although an older one stays, or so many that too few of the row stay.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub gone: u64,
    /// Cut to nothing.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub emptied: u64,
    /// Written again although they were not the newest of their row, or much shorter than before.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub rewritten: u64,
    /// As many were gone or rewritten on the third-worst of the last fourteen days.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub usual: u64,
}

impl Generations {
    /// Returns how many were harmed.
    #[must_use]
    pub const fn harmed(&self) -> u64 {
        self.gone + self.emptied + self.rewritten
    }
}

/// The newest file of a backup job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSeen {
    /// When it was last written; `None` if there is no file.
    pub newest: Option<Timestamp>,
    /// How old it may become, in hours.
    pub max_age_hours: u64,
}
