//! Who tries to get in, and who may do everything once in.

use serde::{Deserialize, Serialize};

use crate::trace::forms;

/// An attempt to log on, with its outcome. A success is also the beginning of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogonSeen {
    /// For whom.
    pub account: Account,
    /// How it ended.
    pub outcome: Outcome,
    /// Address it came from; `None` for one made on the host itself.
    pub source: Option<String>,
    /// What asked for the password or the key, for example `sshd`.
    pub service: String,
    /// What was wanted.
    pub manner: Manner,
    /// Like attempts that one line of a log stood for.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_once(times: &u64) -> bool {
    *times == 1
}

/// An account as it was named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// Its name, in the clear: it stays on the host.
    pub name: String,
    /// Whose it is.
    pub standing: Standing,
    /// What it may do.
    #[serde(default, skip_serializing_if = "forms::is_default")]
    pub power: Power,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A person's.
    Person,
    /// The system's own, such as `root` or `postgres`.
    System,
    /// Nobody's: there is no such account, or what was typed is something else.
    Nobody,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// What people may do.
    #[default]
    Ordinary,
    /// Everything, or become somebody who may.
    Administrator,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Refused.
    Failed,
    /// Let in.
    Succeeded,
}

/// What a logon is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// A shell or a desktop from elsewhere.
    Remote,
    /// Files or printers over the network.
    Share,
    /// At the machine itself.
    Console,
    /// Another account's rights for somebody who is in already, as with `su` and `sudo`.
    Elevation,
}

/// An administrator's rights were given or taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsSeen {
    /// To whom, or from whom.
    pub account: Account,
    /// Which of the two.
    pub change: RightsChange,
    /// By what, for example "group `sudo`"; without names of people.
    pub by: String,
}

/// What happened to an account's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightsChange {
    /// It became an administrator.
    Granted,
    /// It is none any more.
    Withdrawn,
}
