//! Has processes suspended that harm files, where the configuration of the root says so, and says so in an event.
//!
//! Always holds: it stands behind the detectors and holds up nobody; whatever it decides is in the log, and each act in
//! an event.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::event::{AgentState, Event};
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::containment::{self, Case, Contain, Decision, Hold, Suspect, decide};
use crate::own_events;
use crate::sensors::SensorBoard;
use crate::sensors::files::{self, resolve};

/// Alarms waiting for a decision. When full, one more is passed over; the next change of the same process brings
/// another.
pub(super) const ALARMS_CAPACITY: usize = 16;
/// Name on the board.
const NAME: &str = "containment";
/// Pause between two looks whether it can act.
const SHOW_PERIOD: Duration = Duration::from_secs(5);
/// How the files sensor calls the only backend that tells who changed a file.
const TELLING_BACKEND: &str = "fanotify";

/// A critical event in a root whose configuration asks for more than telling, and who harmed files there.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) event: Event,
    pub(super) suspects: Vec<Suspect>,
}

enum Wake {
    Alarmed(Box<Alarm>),
    Show,
    Closed,
}

/// The stage that suspends.
pub(super) struct Containing {
    pub(super) hold: Hold,
    pub(super) clock: SharedClock,
    pub(super) board: SensorBoard,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
}

/// Returns the labels of the roots in which processes are suspended.
pub(super) fn roots(config: &Config) -> BTreeSet<String> {
    let configured = &config.sensors.roots;
    let labels = resolve(configured);
    labels
        .iter()
        .zip(configured)
        .filter(|(_, root)| root.contain == Contain::Suspend)
        .map(|(root, _)| root.label.clone())
        .collect()
}

impl Containing {
    /// Decides on each alarm until nobody raises any more.
    pub(super) async fn run(self, mut alarms: mpsc::Receiver<Alarm>) {
        let mut ticks = tokio::time::interval(SHOW_PERIOD);
        loop {
            let wake = tokio::select! {
                biased;
                alarm = alarms.recv() => alarm.map_or(Wake::Closed, |alarm| Wake::Alarmed(Box::new(alarm))),
                _ = ticks.tick() => Wake::Show,
            };
            match wake {
                Wake::Closed => return,
                Wake::Alarmed(alarm) => self.act(alarm).await,
                Wake::Show => show(&self.board, &roots(&self.in_force.borrow())),
            }
        }
    }

    async fn act(&self, alarm: Box<Alarm>) {
        let (hold, clock) = (self.hold.clone(), Arc::clone(&self.clock));
        let acting = tokio::task::spawn_blocking(move || act(&hold, &clock, &alarm));
        match acting.await {
            Ok(states) => {
                for state in states {
                    // Closed only if the buffer's stage ended, which ends the agent.
                    let event = own_events::agent(state, self.clock.moment());
                    drop(self.events.send(event).await);
                }
            }
            Err(error) => tracing::error!(%error, "containment broke off"),
        }
    }
}

/// Says on the board in which roots containment acts, and whether it can.
fn show(board: &SensorBoard, roots: &BTreeSet<String>) {
    if roots.is_empty() {
        return board.remove(NAME);
    }
    let labels = roots.iter().cloned().collect::<Vec<_>>().join(", ");
    let reports = board.reports();
    let detail_of = |name: &str| {
        let report = reports.iter().find(|report| report.name == name);
        report.map(|report| report.detail.as_str())
    };
    let tells = roots.iter().all(|label| {
        let own = detail_of(&files::name_on(label)).or_else(|| detail_of(files::NAME));
        own.is_some_and(|detail| detail.starts_with(TELLING_BACKEND))
    });
    if tells {
        let detail = format!("suspends what certainly harms files in: {labels}");
        return board.set(NAME, SensorState::Well, detail);
    }
    let detail =
        format!("cannot act in: {labels}; only fanotify tells which process changed a file");
    board.set(NAME, SensorState::Degraded, detail);
}

fn act(hold: &Hold, clock: &SharedClock, alarm: &Alarm) -> Vec<AgentState> {
    let root = alarm.event.root.clone().unwrap_or_default();
    let decision = decide(&Case {
        event: &alarm.event,
        suspects: &alarm.suspects,
        table: &containment::table(),
        own_pid: std::process::id(),
        held: &hold.processes(),
        spared: &hold.spared(),
    });
    let targets = match decision {
        Decision::Suspend(targets) => targets,
        Decision::Leave(why) => {
            tracing::info!("nobody was suspended: {why}");
            return Vec::new();
        }
    };
    let mut states = Vec::new();
    for target in targets {
        match hold.suspend(&target, &root, clock.moment()) {
            Ok((held, failed)) => {
                let (id, count) = (held.id, held.processes.len());
                let program = &held.actor.program;
                tracing::warn!(
                    containment.id = id,
                    processes = count,
                    "suspended {count} processes of `{program}`: {}; `shirase-agent release {id}` lets them run again",
                    target.why
                );
                let mut detail =
                    format!("{}; let it run again with `shirase-agent release {id}`", target.why);
                for failure in failed {
                    detail.push_str("; not suspended: ");
                    detail.push_str(&failure);
                }
                states.push(AgentState::Contained {
                    actor: held.actor,
                    processes: u64::try_from(count).unwrap_or(u64::MAX),
                    detail,
                });
            }
            Err(error) => {
                tracing::error!(%error, "process {} was not suspended", target.process.pid);
            }
        }
    }
    states
}
