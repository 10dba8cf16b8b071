//! Keeps the configuration in force: the file if it is good, else the last good one, over the policy if there is one.
//!
//! ```text
//! start, SIGHUP, changed file ─▶ good ─▶ copy to last-good.toml ─┬▶ file over policy ─▶ in force, ConfigLoaded
//!                             └▶ invalid ─▶ last one stays       │  in force, ConfigInvalid, log, status, heartbeat
//! policy from the uplink ─▶ book judges ─▶ kept ─────────────────┘
//!                             └▶ refused ─▶ last one stays in force, OrderRefused, log, status, heartbeat
//! ```
//!
//! Always holds: an invalid file or policy never stops or changes what runs; only a first start without any good file
//! fails. An older version goes on with what it knows of the last good one, since a newer may have copied it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use shirase_shared::clock::SharedClock;
use shirase_shared::config::{Known, Problem};
use shirase_shared::event::{AgentState, Event};
use shirase_shared::policy::{PolicyName, SignedPolicy};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::condition::Condition;
use crate::config::{Config, ConfigError, Layered, told};
use crate::identity::Enrolment;
use crate::paths::StateDir;
use crate::policy::{Outcome, PolicyBook};
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
    /// The text of the file it is from.
    pub(super) text: String,
    /// Where everything comes from, a line a key.
    pub(super) sources: Vec<String>,
}

impl InForce {
    /// Lays the file over the policy that is in force, and fills in what the enrolment says.
    ///
    /// # Errors
    /// If what was good a moment ago is not any more, which is a fault of this program.
    pub(super) fn lay(
        &mut self,
        book: &mut PolicyBook,
        enrolment: &Enrolment,
    ) -> anyhow::Result<()> {
        let laid = book.lay(&self.text, self.config.policy.take);
        let laid = laid.map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("failed to put the configuration together: {}", lines.join("; "))
        })?;
        self.sources = told(&laid.sources, &laid.drift);
        self.config = laid.config;
        self.config.fill_in(enrolment);

        Ok(())
    }
}

/// Loads the configuration at start: the file, or the last good one if the file is invalid.
///
/// # Errors
/// If the file is invalid and there is no last good one.
pub(super) fn load_at_start(path: &Path) -> Result<InForce, ConfigError> {
    match Config::load(path) {
        Ok((config, text)) => {
            Ok(InForce { config, problems: Vec::new(), text, sources: Vec::new() })
        }
        Err(error) => {
            let state = Config::state_named_in(path);
            let Ok(known) = Config::load_known(&state.last_good_config()) else {
                return Err(error);
            };
            let mut problems = error.lines();
            if !known.left_out.is_empty() {
                problems.push(left_out(&known.left_out));
            }
            let Known { config, text, .. } = known;
            Ok(InForce { config, problems, text, sources: Vec::new() })
        }
    }
}

/// Says what this version does not know of the last good file.
fn left_out(problems: &[Problem]) -> String {
    let keys: Vec<_> = problems
        .iter()
        .map(|problem| format!("`{}`", problem.key))
        .collect();
    format!(
        "this version ({}) does not know {} of the last good file either and goes on without; install the version the \
         file is for, or take them out",
        env!("CARGO_PKG_VERSION"),
        keys.join(", ")
    )
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

/// Why the file, or a policy, is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wake {
    Stop,
    Asked,
    Policy(PolicyName, SignedPolicy),
    Look,
}

/// Watches the configuration file.
pub(super) struct Reloading {
    pub(super) path: PathBuf,
    pub(super) enrolment: Enrolment,
    pub(super) state: StateDir,
    pub(super) clock: SharedClock,
    pub(super) condition: Condition,
    pub(super) book: PolicyBook,
    /// The text of the good file in force.
    pub(super) file: String,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Sender<Arc<Config>>,
}

impl Reloading {
    /// Follows the file and the policies until `stop`.
    pub(super) async fn run(
        mut self,
        mut reloads: Reloads,
        mut policies: mpsc::Receiver<(PolicyName, SignedPolicy)>,
        stop: CancellationToken,
    ) {
        let mut read = stamp(&self.path);
        let mut before = read;
        loop {
            let wake = tokio::select! {
                biased;
                () = stop.cancelled() => Wake::Stop,
                () = reloads.requested() => Wake::Asked,
                Some((name, signed)) = policies.recv() => Wake::Policy(name, signed),
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
                Wake::Policy(name, signed) => {
                    // Whether the file changed is still to be asked.
                    self.judge(&name, &signed).await;
                    continue;
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

    async fn read(&mut self) {
        match Config::load(&self.path) {
            Ok((config, text)) => self.take(&config, text).await,
            Err(error) => self.refuse(&error).await,
        }
    }

    async fn take(&mut self, file: &Config, text: String) {
        keep_last_good(&self.state, &text);
        let laid = self.book.lay(&text, file.policy.take);
        self.file = text;
        match laid {
            Ok(laid) => self.put_in_force(laid).await,
            // The file was read a moment ago, so this is a fault of this program; what runs goes on.
            Err(problems) => {
                tracing::error!(?problems, "the configuration could not be put together")
            }
        }
    }

    async fn put_in_force(&mut self, laid: Layered) {
        let mended = !self.condition.config_problems().is_empty();
        self.condition.note_config(Vec::new());
        self.condition
            .note_policy(self.book.report(), told(&laid.sources, &laid.drift));
        let mut config = laid.config;
        config.fill_in(&self.enrolment);
        let old = Arc::clone(&self.in_force.borrow());
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

    async fn judge(&mut self, name: &PolicyName, signed: &SignedPolicy) {
        let problems = self.condition.config_problems();
        let before = self.book.report().refused;
        match self.book.take(name, signed, &self.file) {
            Outcome::InForce(laid) => {
                tracing::info!("policy {} is taken", name.revision);
                self.put_in_force(*laid).await;
                // A file that is invalid stays so.
                self.condition.note_config(problems);
            }
            Outcome::Refused(_) if self.book.report().refused == before => {
                tracing::debug!("policy {} is not taken again", name.revision);
            }
            Outcome::Refused(refusal) => {
                let why = format!("policy {} is not taken: {}", name.revision, refusal.in_words());
                tracing::error!("{why}");
                self.condition
                    .note_policy(self.book.report(), self.condition.sources());
                self.tell(AgentState::OrderRefused { why }).await;
            }
        }
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

    /// A file to be written, and a state directory beside it.
    fn place() -> (tempfile::TempDir, PathBuf, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.toml");
        let state = StateDir::new(dir.path().join("state"));
        state.prepare().unwrap();
        (dir, path, state)
    }

    #[test]
    fn a_first_start_with_an_invalid_file_fails_and_a_later_one_goes_on_with_the_last_good() {
        let (_dir, path, state) = place();
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

    #[test]
    fn a_version_that_does_not_know_all_settings_goes_on_with_the_others() {
        let (_dir, path, state) = place();
        let newer = format!(
            "[agent]\nstate_dir = '{}'\ncpu_budget_percent = 7\nmood = 'calm'\n[sensors.aura]\nenabled = true\n\
             [[sensors.probes]]\nname = 'port'\ntcp = '127.0.0.1:80'\n\
             [[sensors.probes]]\nname = 'cache'\nredis = '127.0.0.1:6379'\n",
            state.dir().display()
        );
        std::fs::write(&path, &newer).unwrap();
        assert!(load_at_start(&path).is_err(), "nobody found it good yet");

        // As the newer version left it.
        std::fs::write(state.last_good_config(), &newer).unwrap();
        let in_force = load_at_start(&path).unwrap();
        assert_eq!(in_force.config.agent.cpu_budget_percent, 7);
        let probes = &in_force.config.sensors.probes;
        assert_eq!(probes.len(), 1, "a probe of a kind nobody knows here goes: {probes:?}");
        let [.., said] = &in_force.problems[..] else { panic!() };
        assert!(said.contains("`mood`, `sensors.aura`, `redis`"), "{said}");
        settle(&in_force, &state);
        assert_eq!(load_at_start(&path).unwrap().config, in_force.config);
        assert!(Config::parse(&in_force.text).is_ok(), "what a policy is laid over");
    }
}
