//! What a line of a log says of logons and rights, as far as that can be told without asking the system.

use std::collections::BTreeSet;

use super::lines::Line;
use super::programs;
use super::sshd::Sshd;
use crate::observation::{Manner, Outcome};

/// Something a line told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// An attempt to log on.
    Attempt(Attempt),
    /// An account got an administrator's rights.
    Granted {
        /// Which account.
        name: String,
        /// By what.
        by: String,
    },
    /// Accounts or groups were changed; whether that matters shows in their files.
    AccountsChanged,
}

/// An attempt to log on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The account's name as it was given.
    pub(super) name: String,
    /// Whether the line says that there is no such account.
    pub(super) known: Known,
    pub(super) source: Option<String>,
    pub(super) service: String,
    pub(super) manner: Manner,
    pub(super) outcome: Outcome,
    pub(super) times: u64,
}

/// Whether an account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The line names it as one that does, or does not say.
    Perhaps,
    /// It does not.
    No,
}

/// Reads the lines of a system's log.
pub(super) struct Reader {
    sshd: Sshd,
    /// Groups whose members are administrators.
    groups: BTreeSet<String>,
}

impl Reader {
    pub(super) fn new(groups: &[String]) -> Self {
        Self { sshd: Sshd::default(), groups: groups.iter().cloned().collect() }
    }

    /// Returns what a line tells; most tell nothing.
    pub(super) fn read(&mut self, line: &Line<'_>) -> Option<Told> {
        match line.program {
            "sshd" | "sshd-session" | "sshd-auth" => self.sshd.read(line).map(Told::Attempt),
            "useradd" | "usermod" | "userdel" | "gpasswd" | "groupadd" | "groupmod"
            | "groupdel" | "groupmems" | "newusers" | "vipw" | "vigr" => {
                programs::accounts(line.message, &self.groups)
            }
            _ => programs::attempt(line).map(Told::Attempt),
        }
    }
}
