//! What a sensor saw: facts about this host, with clear names. An observation never leaves the host.
//!
//! Always holds: an observation says what happened and not what it means; that is for the detectors. What is here can
//! be written down and read back (see `trace`): a new fact derives `Serialize` and `Deserialize`.

mod safeguards;
mod logons;
mod printing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::event::{LossKind, Target};
use shirase_shared::redact::Names;

use crate::trace::forms;

pub use logons::{Account, LogonSeen, Manner, Outcome, Power, RightsChange, RightsSeen, Standing};
pub use printing::PrintJob;
pub use safeguards::{
    BackupSeen, BackupState, Beside, Course, Generations, GuardBefore, GuardSeen, JobSeen, Kinship,
    LogNow, LogSeen, OwnChange, OwnPart, OwnSeen, OwnWhen, Runs, ServicesSeen, Starts,
};

/// A fact and when it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// When the sensor saw it.
    pub at: Moment,
    /// What it saw.
    pub fact: Fact,
}

/// What a sensor can see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// A file or a directory changed.
    File(FileChange),
    /// A rescan found a file that looks harmed.
    Found(FoundFile),
    /// A rescan came to its end.
    Rescanned(Rescanned),
    /// A watched root is seen in another way than before.
    Root(RootSeen),
    /// Something could not be seen.
    Lost(Lost),
    /// A service, process or probed port was looked at.
    Target(TargetSeen),
    /// The certificate of a probed service was looked at.
    Certificate(CertificateSeen),
    /// The host was looked at.
    Host(HostSample),
    /// Services stopped or started.
    Services(ServicesSeen),
    /// A service that protects the host was looked at.
    Guard(GuardSeen),
    /// A log was cut, replaced or removed.
    Log(LogSeen),
    /// A part of the agent was changed.
    Own(OwnSeen),
    /// A backup was looked at.
    Backup(BackupSeen),
    /// Somebody tried to log on.
    Logon(LogonSeen),
    /// An administrator's rights were given or taken.
    Rights(RightsSeen),
    /// Something was sent to a printer.
    Print(PrintJob),
}

/// A directory under watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// What it is called outside this host.
    pub label: String,
    /// Where it is.
    #[serde(with = "forms::path")]
    pub path: PathBuf,
    /// Whether names below it may leave the host.
    #[serde(with = "forms::names")]
    pub names: Names,
}

/// A change below a root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileChange {
    /// The root.
    #[serde(with = "forms::shared")]
    pub root: Arc<Root>,
    /// The path below the root; after a rename the new one.
    #[serde(with = "forms::path")]
    pub below: PathBuf,
    /// What was done.
    pub operation: Operation,
    /// Whether its first bytes fit its name.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub verdict: Verdict,
    /// Its size in bytes, where the sensor looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What blocks of its content look like, where the sensor looked.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub texture: Texture,
    /// Whether its words are those of a ransom note, where the sensor looked.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub wording: Wording,
    /// Whether it is an archive that opens with a password alone, where the sensor looked.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub seal: Seal,
    /// What the file is there for.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub role: Role,
    /// Who did it, where the system told.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "forms::maybe_shared")]
    pub actor: Option<Arc<Actor>>,
}

impl FileChange {
    /// Makes a change of which no more is known than that it happened.
    #[must_use]
    pub const fn new(root: Arc<Root>, below: PathBuf, operation: Operation) -> Self {
        Self {
            root,
            below,
            operation,
            verdict: Verdict::Unknown,
            size: None,
            texture: Texture::Unknown,
            wording: Wording::Unknown,
            seal: Seal::Unknown,
            role: Role::Ordinary,
            actor: None,
        }
    }

    /// Returns the full path of the file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.path.join(&self.below)
    }
}

/// What can be done to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It appeared; also by being moved in from outside the root.
    Created,
    /// It was written, and closed or left alone since.
    Written,
    /// It was deleted.
    Deleted,
    /// It was moved out of the root.
    MovedOut,
    /// It was renamed within the root.
    Renamed {
        /// The path below the root it had before.
        #[serde(with = "forms::path")]
        from: PathBuf,
    },
    /// A directory was renamed within the root.
    DirectoryRenamed {
        /// The path below the root it had before.
        #[serde(with = "forms::path")]
        from: PathBuf,
        /// Files in it, counted up to a limit.
        files: u64,
    },
}

/// Whether a file's first bytes fit its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// They fit.
    Agrees,
    /// They should be something else and are nothing known.
    Lost,
    /// Nobody looked, or there is nothing to compare with.
    #[default]
    Unknown,
}

/// What blocks from the head, the middle and the end of a file look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texture {
    /// Nobody looked.
    #[default]
    Unknown,
    /// It has the shape its name promises, as far as anybody looked.
    Shaped,
    /// Every block looks random and the name promises no compressed format; or one does where every block must have a
    /// shape (text, messages, raw images), or where the end of a compressed file must.
    Random,
}

/// Whether the words of a small text are those of a ransom note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wording {
    /// Nobody looked.
    #[default]
    Unknown,
    /// They are not.
    Ordinary,
    /// They are.
    RansomNote,
}

/// Whether an archive opens with a password alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seal {
    /// Nobody looked, it is no archive, or it does not tell.
    #[default]
    Unknown,
    /// It does.
    Locked,
}

/// What a file is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Somebody's work.
    #[default]
    Ordinary,
    /// A decoy the agent made: nobody has a reason to touch it.
    Canary,
}

/// A process that changes files. Two observations have the same one if `pid` and `started` agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot as in `/proc/PID/stat`; `None` if it was gone too soon.
    pub started: Option<u64>,
    /// Its program.
    #[serde(default, with = "forms::maybe_path")]
    pub program: Option<PathBuf>,
    /// Its effective user.
    pub uid: Option<u32>,
    /// Its service or control group.
    pub unit: Option<String>,
    /// Address of the client it works for, where it is a file server's child.
    pub client: Option<String>,
    /// What it descends from, its parent first, as far as that was looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<Kin>,
}

/// A process by its number and its start; the two name it as long as the machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kin {
    /// Process id.
    pub pid: u32,
    /// When it started, as in [`Actor::started`].
    pub started: Option<u64>,
}

/// A file a rescan found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundFile {
    /// The root.
    #[serde(with = "forms::shared")]
    pub root: Arc<Root>,
    /// The path below the root.
    #[serde(with = "forms::path")]
    pub below: PathBuf,
    /// When it was last changed, by the file system's clock.
    pub changed_at: Timestamp,
    /// What is wrong with it.
    pub sign: Sign,
}

/// Why a file looks harmed without knowledge of what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Its name is that of an ordinary file with an unknown suffix after it.
    SuffixAppended,
    /// Its first bytes do not fit its name.
    MagicLost,
}

/// What a rescan looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescanned {
    /// The root.
    #[serde(with = "forms::shared")]
    pub root: Arc<Root>,
    /// Why it was made.
    pub cause: RescanCause,
    /// Files looked at.
    pub looked_at: u64,
    /// Of these, changed since the last good moment.
    pub changed: u64,
    /// Of these, reported as [`FoundFile`].
    pub suspicious: u64,
    /// Whether the whole root was seen.
    pub extent: Extent,
}

/// Why a rescan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RescanCause {
    /// The agent started; something may have happened since its last sign of life.
    Start,
    /// A queue ran over.
    Overflow,
    /// The root had been gone.
    RootBack,
}

/// How much a rescan saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it.
    Whole,
    /// It stopped at its limit of files or time.
    Limited,
}

/// How a root is seen from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootSeen {
    /// The root.
    #[serde(with = "forms::shared")]
    pub root: Arc<Root>,
    /// How it is seen.
    pub sight: Sight,
    /// Particulars without names of files.
    pub detail: String,
}

/// How well a root is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// All of it.
    Whole,
    /// Some directories below it cannot be read or watched.
    Partial,
    /// It cannot be read.
    Unreadable,
    /// It is not there.
    Gone,
}

/// Something that could not be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    /// What lost it.
    pub what: LossKind,
    /// How many, where that can be told.
    pub count: Option<u64>,
    /// Particulars without names of files.
    pub detail: String,
}

/// How a target was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetSeen {
    /// The target.
    pub target: Target,
    /// Whether it is there.
    pub presence: Presence,
    /// What the sensor saw, in the words of the system it asked.
    pub detail: String,
    /// Its own grace in seconds, where it has one.
    pub grace_secs: Option<u64>,
}

/// Whether a target is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It answers.
    Up,
    /// It does not.
    Down,
}

/// A certificate a probed service showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSeen {
    /// The service.
    pub target: Target,
    /// Until when the certificate is valid.
    pub not_after: Timestamp,
}

/// The host's vital signs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSample {
    /// Each disk.
    pub disks: Vec<DiskSample>,
    /// Memory available without swapping, in bytes.
    pub memory_available_bytes: u64,
    /// All memory in bytes.
    pub memory_total_bytes: u64,
    /// Load average over one minute.
    pub load_one: f64,
}

/// One disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSample {
    /// Where it is mounted.
    #[serde(with = "forms::path")]
    pub mount: PathBuf,
    /// Bytes left.
    pub free_bytes: u64,
    /// Its size in bytes.
    pub total_bytes: u64,
}

/// Returns the file name as text; what is not UTF-8 becomes U+FFFD.
#[must_use]
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
