//! Suspends the processes that harm files, where the configuration of the root asks for it. Off by default.
//!
//! ```text
//! observations ─▶ suspects (who harmed how many files) ─┐
//! critical event ───────────────────────────────────────┴▶ decide (pure) ─▶ hold: ledger on disk ─▶ SIGSTOP
//! `shirase-agent release` ─▶ hold: SIGCONT ─▶ ledger                               both ─▶ an event
//! ```
//!
//! Always holds:
//! - only a process that is certainly still the one that was seen is suspended: its number and its start agree, asked
//!   through a descriptor that cannot come to mean another one;
//! - never the first process, the kernel's, the agent, those the agent descends from, a manager of services, logons or
//!   containers, or the main process of a server; of Samba the one child alone;
//! - what is suspended is on disk before it is, so that a restart of the agent forgets nobody; each act is an event.
//!
//! Processes are stopped one by one and not by freezing their control group: a session's group holds the
//! administrator's shell as well, and a service's all of its clients.

mod suspects;
mod decide;
mod hold;
#[cfg(target_os = "linux")]
#[path = "containment/processes/linux.rs"]
mod processes;
#[cfg(not(target_os = "linux"))]
#[path = "containment/processes/none.rs"]
mod processes;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::observation::Kin;

pub(crate) use decide::{Case, Decision, Extent, Target, decide};
pub(crate) use hold::{Held, Hold, Which};
pub(crate) use processes::table;
pub(crate) use suspects::{Suspect, Suspects};

/// What is done about a process that harms files below a root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contain {
    /// Nothing but telling.
    #[default]
    Off,
    /// It is suspended, with what it started, until `shirase-agent release`.
    Suspend,
}

/// The processes of this host at one moment, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(pub(crate) BTreeMap<u32, Process>);

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) started: u64,
    pub(crate) parent: u32,
    /// Its program; `None` for a part of the kernel.
    pub(crate) program: Option<PathBuf>,
}

impl Table {
    /// Returns the process that was seen, if it is still there.
    pub(crate) fn same(&self, kin: Kin) -> Option<&Process> {
        self.0
            .get(&kin.pid)
            .filter(|process| kin.started == Some(process.started))
    }

    /// Returns the name of a process' program.
    pub(crate) fn name(&self, pid: u32) -> Option<String> {
        let program = self.0.get(&pid)?.program.as_ref()?;
        let name = program.file_name()?.to_string_lossy();

        Some(name.trim_end_matches(" (deleted)").to_owned())
    }

    /// Returns everything a process started that still runs, and what that started.
    pub(crate) fn below(&self, pid: u32) -> Vec<Kin> {
        let (mut open, mut found) = (vec![pid], Vec::new());
        while let Some(parent) = open.pop() {
            for (child, process) in &self.0 {
                let new = process.parent == parent && *child != pid;
                if new && !found.iter().any(|kin: &Kin| kin.pid == *child) {
                    found.push(Kin { pid: *child, started: Some(process.started) });
                    open.push(*child);
                }
            }
        }
        found
    }

    /// Returns a process and those it descends from, nearest first.
    pub(crate) fn line(&self, pid: u32) -> Vec<u32> {
        let mut line = vec![pid];
        while let Some(process) = line.last().and_then(|pid| self.0.get(pid)) {
            if process.parent == 0 || line.contains(&process.parent) {
                break;
            }
            line.push(process.parent);
        }
        line
    }
}
