//! What an intruder does around the files: logs on, switches protection off, removes backups, stops services, prints.
//!
//! Always holds: names of people and titles of print jobs leave the host as keyed hashes only; addresses, units and
//! programs leave in the clear, because whoever looks into the attack needs them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The process behind changes, as it may leave the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// File name of its program, without directory; empty if nobody could tell.
    pub program: String,
    /// Its service or control group, for example `smbd.service`.
    pub unit: Option<String>,
    /// Its user: the name of a system account, or a keyed hash for a person's.
    pub user: Option<String>,
    /// Address of the client it works for, where it is a file server's child.
    pub client: Option<String>,
    /// Process ids seen with these particulars; more than one when the work was divided.
    pub processes: u64,
    /// Files harmed by it.
    pub files: u64,
}

/// Evidence about logons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logon {
    /// What was seen.
    pub what: LogonKind,
    /// How many attempts, accounts or sessions.
    pub count: u64,
    /// Keyed hashes of the accounts, the first 16; names of system accounts such as `root` in the clear.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Addresses they came from, the first 16.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// What about logons is an anomaly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogonKind {
    /// Many failures within a short time.
    FailureBurst,
    /// A success from where, or for whom, there had just been many failures.
    SuccessAfterFailures,
    /// An account got administrator's rights.
    NewAdministrator,
    /// A remote session began outside the hours the configuration names.
    RemoteOutOfHours,
}

/// Evidence that what protects the host is being taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// What was seen.
    pub what: ProtectionKind,
    /// Which service, program or log; never a path below a watched root.
    pub name: String,
    /// Particulars without names of patients or people.
    #[serde(default)]
    pub detail: String,
}

/// What can happen to protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionKind {
    /// An antivirus or EDR service stopped.
    GuardStopped,
    /// Such a service is not installed any more, or will not start again.
    GuardRemoved,
    /// An audit or system log was cut.
    LogTruncated,
    /// An audit or system log was deleted.
    LogRemoved,
    /// The agent's own program, settings or state were changed by somebody else.
    OwnFilesTouched,
    /// The agent's own service was switched off or altered.
    OwnServiceTouched,
    /// The agent's last life ended by force, or it broke off, while the machine ran on.
    OwnServiceKilled,
}

/// Evidence that backups are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupLoss {
    /// What was seen.
    pub what: BackupKind,
    /// The configured name of the backup.
    pub name: String,
    /// How many files or snapshots; 0 for a job that did not run.
    #[serde(default)]
    pub count: u64,
    /// When it was last seen well.
    #[serde(default)]
    pub last_good: Option<Timestamp>,
    /// Particulars without names of files.
    #[serde(default)]
    pub detail: String,
}

/// What can happen to backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupKind {
    /// Files of a backup that were complete were deleted, emptied or rewritten.
    TreeHarmed,
    /// Snapshots are gone that were not due to go.
    SnapshotsRemoved,
    /// A backup was not made when it should have been.
    JobOverdue,
}

/// Evidence that many services stopped together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stops {
    /// How many stopped.
    pub count: u64,
    /// Names of the first 16, as the service manager has them.
    pub names: Vec<String>,
    /// Within how many seconds.
    pub window_secs: u64,
}

/// Evidence of many print jobs at once, as of a ransom note sent to every printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintBurst {
    /// Jobs within the window.
    pub jobs: u64,
    /// Printers they went to.
    pub printers: u64,
    /// Jobs with the same title, if that is what they have in common.
    #[serde(default)]
    pub same_title: u64,
    /// The window in seconds.
    pub window_secs: u64,
}
