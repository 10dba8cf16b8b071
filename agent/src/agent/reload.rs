//! Keeps the configuration in force: the file if it is good, else the last good one.
//!
//! ```text
//! start, SIGHUP, changed file ─▶ good ─▶ copy to last-good.toml ─▶ in force, ConfigLoaded
//!                             └▶ invalid ─▶ last one stays in force, ConfigInvalid, log, status, heartbeat
//! ```
//!
//! Always holds: an invalid file never stops or changes what runs; only a first start without any good one fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use shirase_shared::clock::SharedClock;
use shirase_shared::event::{AgentState, Event};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::condition::Condition;
use crate::config::{Config, ConfigError};
use crate::identity::Enrolment;
use crate::paths::StateDir;
use crate::service::Reloads;
use crate::{durable, own_events};

/// Pause between two looks at the file. A changed file is read once it stayed the same for one pause, so that one that
/// is being written is not taken for a broken one.
const LOOK_PERIOD: Duration = Duration::from_secs(2);

/// The configuration a start goes on with.
#[derive(Debug)]
pub(super) struct InForce {
    /// The configuration.
    pub(super) config: Config,
    /// What is wrong with the file, if the last good one is in force instead.
    pub(super) problems: Vec<String>,
    text: String,
}

/// Loads the configuration at start: the file, or the last good one if the file is invalid.
///
/// # Errors
/// If the file is invalid and there is no last good one.
pub(super) fn load_at_start(path: &Path) -> Result<InForce, ConfigError> {
    match Config::load(path) {
        Ok((config, text)) => Ok(InForce { config, problems: Vec::new(), text }),
        Err(error) => {
            let state = Config::state_named_in(path);
            let Ok((config, text)) = Config::load(&state.last_good_config()) else {
                return Err(error);
            };
            Ok(InForce { config, problems: error.lines(), text })
        }
    }
}

/// Says in the log what is wrong with the file, and keeps a good one for the next start.
pub(super) fn settle(in_force: &InForce, state: &StateDir) {
    tell_invalid(&in_force.problems);
    keep_last_good(state, &in_force.text);
}

/// What tells one state of the file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

/// Why the file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    Stop,
    Asked,
    Look,
}

/// Watches the configuration file.
pub(super) struct Reloading {
    pub(super) path: PathBuf,
    pub(super) enrolment: Enrolment,
    pub(super) state: StateDir,
    pub(super) clock: SharedClock,
    pub(super) condition: Condition,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Sender<Arc<Config>>,
}

impl Reloading {
    /// Follows the file until `stop`.
    pub(super) async fn run(self, mut reloads: Reloads, stop: CancellationToken) {
        let mut read = stamp(&self.path);
        let mut before = read;
        loop {
            let wake = tokio::select! {
                biased;
                () = stop.cancelled() => Wake::Stop,
                () = reloads.requested() => Wake::Asked,
                () = tokio::time::sleep(LOOK_PERIOD) => Wake::Look,
            };
            let now = stamp(&self.path);
            match wake {
                Wake::Stop => return,
                Wake::Asked => {
                    tracing::info!("was asked to read the configuration again");
                    read = now;
                    self.read().await;
                }
                Wake::Look if now != read && now == before => {
                    read = now;
                    self.read().await;
                }
                Wake::Look => {}
            }
            before = now;
        }
    }

    async fn read(&self) {
        match Config::load(&self.path) {
            Ok((config, text)) => self.take(config, &text).await,
            Err(error) => self.refuse(&error).await,
        }
    }

    async fn take(&self, mut config: Config, text: &str) {
        config.fill_in(&self.enrolment);
        keep_last_good(&self.state, text);
        let mended = !self.condition.config_problems().is_empty();
        let old = Arc::clone(&self.in_force.borrow());
        self.condition.note_config(Vec::new());
        if *old == config && !mended {
            tracing::info!("the configuration has not changed");
            return;
        }
        if needs_restart(&old, &config) {
            tracing::warn!(
                "changes to `agent.state_dir`, `buffer` and `uplink` take effect at the next start"
            );
        }
        tracing::info!("a new configuration is in force");
        self.in_force.send_replace(Arc::new(config));
        self.tell(AgentState::ConfigLoaded).await;
    }

    async fn refuse(&self, error: &ConfigError) {
        let problems = error.lines();
        if problems == self.condition.config_problems() {
            return;
        }
        tell_invalid(&problems);
        self.condition.note_config(problems.clone());
        self.tell(AgentState::ConfigInvalid { problems }).await;
    }

    async fn tell(&self, state: AgentState) {
        // A closed channel means that the agent is stopping.
        drop(
            self.events
                .send(own_events::agent(state, self.clock.moment()))
                .await,
        );
    }
}

/// Copies a good configuration to where the next start finds it.
fn keep_last_good(state: &StateDir, text: &str) {
    let path = state.last_good_config();
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return;
    }
    if let Err(error) = durable::replace(&path, text.as_bytes()) {
        tracing::warn!(%error, "the good configuration was not copied; an invalid one would stop the next start");
    }
}

/// Says in the log what is wrong, one line each.
fn tell_invalid(problems: &[String]) {
    for problem in problems {
        tracing::error!(
            "the configuration file is invalid, the last good one stays in force: {problem}"
        );
    }
}

fn needs_restart(old: &Config, new: &Config) -> bool {
    (&old.agent.state_dir, &old.buffer, &old.uplink)
        != (&new.agent.state_dir, &new.buffer, &new.uplink)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = path.metadata().ok()?;
    Some(Stamp { modified: found.modified().ok(), length: found.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_start_with_an_invalid_file_fails_and_a_later_one_goes_on_with_the_last_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        let state = StateDir::new(dir.path().join("state"));
        state.prepare().unwrap();
        let head = format!("[agent]\nstate_dir = '{}'\n", state.dir().display());
        let broken = format!("{head}cpu_budget_percent = 'many'\n[[[\n");
        std::fs::write(&path, &broken).unwrap();
        let error = load_at_start(&path).unwrap_err();
        assert!(!error.lines().is_empty());

        let good = format!("{head}cpu_budget_percent = 7\n");
        keep_last_good(&state, &good);
        let in_force = load_at_start(&path).unwrap();
        assert_eq!(in_force.config.agent.cpu_budget_percent, 7);
        assert_eq!(in_force.problems, error.lines());

        std::fs::write(&path, &good).unwrap();
        assert!(load_at_start(&path).unwrap().problems.is_empty());
    }
}
