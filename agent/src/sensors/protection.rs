//! Looks whether logs grow as logs do, and whether the agent's own files stay as they are.
//!
//! ```text
//! every 5 s: size and identity of each log ─▶ shorter, another file, gone? ─▶ what lies beside it ─▶ observation
//!            state of each own file ─▶ another content, written by somebody else? ─────────────▶ observation
//! ```
//!
//! Always holds:
//! - by looking, not by a watch of the kernel: a watch would wake the agent at every line a log gets. What is cut and
//!   longer than before within five seconds is not seen; a file's change time cannot be set back, so that an own file
//!   that is put back is seen;
//! - what was seen is kept on disk, so that what is done while the agent is stopped is seen at its start;
//! - no line of a log is read.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

mod kept;
mod logs;
mod own;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::config::Problem;
use shirase_shared::settings::target::guard_problems;
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::{Fact, Observation};
use crate::paths::StateDir;
use kept::{Keeping, Mark};
use logs::Logs;
use own::Own;

/// Name of this sensor on the board.
const NAME: &str = "logs and own files";
/// Pause between two looks.
const INTERVAL: Duration = Duration::from_secs(5);
/// Ending of a service's name.
const SERVICE: &str = ".service";

/// What protects the host and is watched for that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtectionConfig {
    /// Services that protect this host and are expected to run, besides the antivirus, EDR and audit services the agent
    /// knows by name. Names as the service manager has them.
    pub guards: Vec<String>,
    /// Logs that only grow and are rotated, besides the system's own; absolute paths.
    pub logs: Vec<PathBuf>,
    /// Services and logs of those the agent knows that are not watched, by name or path.
    pub unwatched: Vec<String>,
}

impl ProtectionConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = guard_problems("sensors.protection.guards", &self.guards);
        for (index, path) in self.logs.iter().enumerate() {
            if !path.is_absolute() {
                let key = format!("sensors.protection.logs.{index}");
                let message = format!("`{}` is not an absolute path", path.display());
                let remedy = "write the whole path from the root of the file system";
                problems.push(Problem::of(&key, message, remedy));
            }
        }
        problems
    }

    /// Returns the guards the configuration names, as the service manager calls them.
    pub(super) fn wanted(&self) -> Vec<String> {
        self.guards.iter().map(|name| full_name(name)).collect()
    }

    /// Returns every guard to look for.
    pub(super) fn all_guards(&self) -> Vec<String> {
        let unwatched: Vec<_> = self.unwatched.iter().map(|name| full_name(name)).collect();
        let known = platform::GUARDS.iter().map(|name| full_name(name));
        let mut all = self.wanted();
        all.extend(known.filter(|name| !unwatched.contains(name)));
        all.sort();
        all.dedup();
        all
    }

    fn all_logs(&self) -> Vec<PathBuf> {
        let watched = |path: &&&str| !self.unwatched.iter().any(|unwatched| unwatched == **path);
        let known = platform::LOGS.iter().filter(watched).map(PathBuf::from);
        let mut all: Vec<_> = known.chain(self.logs.iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    fn journal(&self) -> Option<PathBuf> {
        let journal = platform::JOURNAL?;
        (!self.unwatched.iter().any(|unwatched| unwatched == journal)).then(|| journal.into())
    }
}

fn full_name(name: &str) -> String {
    if name.ends_with(SERVICE) { name.to_owned() } else { format!("{name}{SERVICE}") }
}

/// What the sensor needs.
pub struct ProtectionParts {
    /// What to watch.
    pub config: ProtectionConfig,
    /// The agent's own files.
    pub state: StateDir,
    /// The agent's configuration file.
    pub settings: PathBuf,
    /// What the agent's own service is called, once that is known.
    pub own: watch::Receiver<Option<String>>,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go.
    pub out: mpsc::Sender<Observation>,
    /// Where the sensor says how it is.
    pub board: SensorBoard,
}

/// Looks at intervals until `stop`.
pub async fn run(parts: ProtectionParts, stop: CancellationToken) {
    let ProtectionParts { config, state, settings, own, clock, out, board } = parts;
    let keeping = Keeping::open(state.watched_files());
    let logs = Logs::new(config.all_logs(), config.journal());
    let own = Own::new(&state, settings, platform::own_program(), own);
    let mut looking = Some(Looking { keeping, logs, own });
    loop {
        let clock_there = clock.clone();
        let Some(mut looker) = looking.take() else { return };
        let looked = tokio::task::spawn_blocking(move || {
            let facts = looker.look(&clock_there);
            (looker, facts)
        });
        let facts = match looked.await {
            Ok((looker, facts)) => {
                let (state, detail) = looker.how();
                board.set(NAME, state, detail);
                looking = Some(looker);
                facts
            }
            Err(error) => {
                board.set(NAME, SensorState::Blind, error.to_string());
                return;
            }
        };
        for fact in facts {
            if out
                .send(Observation { at: clock.moment(), fact })
                .await
                .is_err()
            {
                return;
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
    if let Some(mut looker) = looking {
        let now = clock.now();
        let keeping = tokio::task::spawn_blocking(move || looker.keeping.close(now));
        // A thread that breaks off has written what it could.
        drop(keeping.await);
    }
}

struct Looking {
    keeping: Keeping,
    logs: Logs,
    own: Own,
}

impl Looking {
    fn look(&mut self, clock: &SharedClock) -> Vec<Fact> {
        let now = clock.now();
        let mut facts: Vec<_> = self
            .logs
            .look(&mut self.keeping, now)
            .into_iter()
            .map(Fact::Log)
            .collect();
        facts.extend(self.own.look(&mut self.keeping).into_iter().map(Fact::Own));
        self.keeping.keep(now);
        facts
    }

    fn how(&self) -> (SensorState, String) {
        let (logs, unreadable) = (self.logs.watched(), self.logs.unreadable());
        let own = self.own.watched();
        match unreadable {
            0 => (SensorState::Well, format!("{logs} logs, {own} own files")),
            _ => (
                SensorState::Degraded,
                format!("{logs} logs, {own} own files; {unreadable} logs cannot be looked at"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_and_the_configured_are_watched_but_for_the_unwatched() {
        let config = ProtectionConfig {
            guards: vec!["our-av".to_owned(), "auditd.service".to_owned()],
            logs: vec![PathBuf::from("/srv/ehr/audit.log")],
            unwatched: vec!["rsyslog".to_owned(), "/var/log/syslog".to_owned()],
        };
        assert_eq!(config.problems(), []);
        let guards = config.all_guards();
        for name in ["our-av.service", "auditd.service", "clamav-daemon.service"] {
            assert_eq!(guards.iter().filter(|guard| *guard == name).count(), 1, "{guards:?}");
        }
        assert!(!guards.contains(&"rsyslog.service".to_owned()));
        let logs = config.all_logs();
        assert!(logs.contains(&PathBuf::from("/srv/ehr/audit.log")));
        assert!(!logs.contains(&PathBuf::from("/var/log/syslog")));
    }

    #[test]
    fn a_pattern_is_no_guard_and_a_bare_name_no_log() {
        let config = ProtectionConfig {
            guards: vec!["av*".to_owned()],
            logs: vec![PathBuf::from("audit.log")],
            unwatched: Vec::new(),
        };
        let problems = config.problems();
        let keys: Vec<_> = problems
            .iter()
            .map(|problem| problem.key.as_str())
            .collect();
        assert_eq!(keys, ["sensors.protection.guards.0", "sensors.protection.logs.0"]);
    }
}
