//! Lets the detectors judge what the sensors see, and tells them what else they must know.
//!
//! Always holds: everything the detectors raise goes to the buffer and everything they say was touched goes to the
//! damage manifest, in that order; both wait rather than drop. What they count over a day survives a restart.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{Anomaly, Event, Phase, Severity};
use shirase_shared::redact::Redactor;
use tokio::sync::{mpsc, watch};

use super::containing::{self, Alarm};
use super::counters::Counters;
use super::record::Recording;
use crate::config::Config;
use crate::containment::Suspects;
use crate::detectors::{Detectors, DetectorsConfig};
use crate::drill::Drill;
use crate::observation::Observation;

/// Notices waiting for the detectors. When full, those who give them wait.
pub(super) const NOTICES_CAPACITY: usize = 16;

/// Drills remembered after their end, to pass over the removal of their files.
const DRILLS_OVER_MAX: usize = 8;
/// How often the detectors are told that time passes.
const TICK: Duration = Duration::from_secs(1);

/// What the detectors must know besides observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// What happens below this directory belongs to a drill.
    DrillBegins(Drill),
    /// The drill is over; its files are being removed.
    DrillOver(Drill),
    /// Ordinary mass work is expected until then.
    Maintenance {
        /// When it ends.
        until: Timestamp,
    },
}

/// What the sensors see.
pub(super) struct Seen {
    /// One by one.
    pub(super) observations: mpsc::Receiver<Observation>,
    /// Of files, those of a moment together.
    pub(super) changes: mpsc::Receiver<Vec<Observation>>,
}

/// What wakes the stage.
enum Wake {
    Noticed(Notice),
    Observed(Vec<Observation>),
    Reconfigured,
    Ticked,
    Closed,
}

/// The stage between sensors and buffer.
pub(super) struct Detecting {
    pub(super) detectors: Detectors,
    pub(super) recording: Recording,
    pub(super) clock: SharedClock,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
    pub(super) redaction_key: Vec<u8>,
    pub(super) counters: Counters,
    pub(super) suspects: Suspects,
    pub(super) alarms: mpsc::Sender<Alarm>,
    /// The last critical event of each root in which processes are suspended.
    pub(super) alarmed: BTreeMap<String, Event>,
}

impl Detecting {
    /// Runs until nobody observes any more.
    pub(super) async fn run(
        mut self,
        Seen { mut observations, mut changes }: Seen,
        mut notices: mpsc::Receiver<Notice>,
    ) {
        let mut told = Told::default();
        let mut ticks = tokio::time::interval(TICK);
        let mut config = self.in_force.borrow_and_update().detectors.clone();
        if let Some(kept) = self.counters.read() {
            let events = self.detectors.restore(kept, self.clock.moment());
            self.hand_on(events).await;
        }
        self.suspects
            .set_roots(containing::roots(&self.in_force.borrow()));
        loop {
            let wake = tokio::select! {
                biased;
                Some(notice) = notices.recv() => Wake::Noticed(notice),
                Ok(()) = self.in_force.changed() => Wake::Reconfigured,
                _ = ticks.tick() => Wake::Ticked,
                Some(observation) = observations.recv() => Wake::Observed(vec![observation]),
                changed = changes.recv() => changed.map_or(Wake::Closed, Wake::Observed),
            };
            match wake {
                Wake::Noticed(notice) => {
                    told.note(&notice);
                    self.tell(notice);
                }
                Wake::Reconfigured => {
                    let events = self.reconfigure(&mut config, &told);
                    self.hand_on(events).await;
                }
                Wake::Ticked => {
                    let now = self.clock.moment();
                    let events = self.detectors.tick(now);
                    self.hand_on(events).await;
                    if let Some(snapshot) = self.detectors.due_snapshot(now) {
                        self.counters.keep(snapshot).await;
                    }
                }
                Wake::Observed(observations) => self.observe(observations, &told).await,
                Wake::Closed => break,
            }
        }
        // The files sensor has ended, and with it or before it all others.
        while let Some(observation) = observations.recv().await {
            self.observe(vec![observation], &told).await;
        }
        let now = self.clock.moment();
        let events = self.detectors.tick(now);
        self.hand_on(events).await;
        let snapshot = self.detectors.snapshot(now);
        self.counters.close(snapshot).await;
        self.recording.close().await;
    }

    async fn observe(&mut self, observations: Vec<Observation>, told: &Told) {
        let now = self.clock.moment();
        for observation in observations {
            if told.is_own_removal(&observation) {
                continue;
            }
            let harmed = self.suspects.observe(&observation);
            let events = self.detectors.observe(&observation, now);
            if !events.is_empty() {
                self.hand_on(events).await;
            }
            if let Some(root) = harmed {
                self.alarm(&root);
            }
        }
        self.hand_on(Vec::new()).await;
    }

    async fn hand_on(&mut self, events: Vec<Event>) {
        let touched = self.detectors.take_touched();
        if !touched.is_empty() {
            self.recording.record(touched).await;
        }
        for event in events {
            self.note_alarm(&event);
            let ended = event.burst.filter(|_| event.phase == Phase::Ended);
            // Closed only if the buffer's stage ended, which ends the agent.
            drop(self.events.send(event).await);
            if let Some(burst) = ended {
                self.recording.finish(burst).await;
            }
        }
    }

    /// Remembers which roots are being harmed, where more is asked for than telling.
    fn note_alarm(&mut self, event: &Event) {
        let Some(root) = &event.root else { return };
        if !self.suspects.is_wanted(root) || !matches!(event.anomaly, Anomaly::MassChange(_)) {
            return;
        }
        if event.phase == Phase::Ended {
            self.alarmed.remove(root);
        } else if event.severity == Severity::Critical && event.drill.is_none() {
            self.alarmed.insert(root.clone(), event.clone());
            self.alarm(root);
        }
    }

    /// Asks for a decision once somebody is certain in a root that is being harmed.
    fn alarm(&mut self, root: &str) {
        let Some(event) = self.alarmed.get(root) else { return };
        let now_ms = self.clock.moment().monotonic_ms;
        let Some(suspects) = self.suspects.due(root, now_ms) else { return };
        let alarm = Alarm { event: event.clone(), suspects };
        if self.alarms.try_send(alarm).is_err() {
            tracing::warn!("containment is busy; an alarm was passed over");
        }
    }

    fn tell(&mut self, notice: Notice) {
        match notice {
            Notice::DrillBegins(drill) => self.detectors.drill_started(drill.id, &drill.dir),
            Notice::DrillOver(drill) => {
                self.detectors.drill_ended(drill.id, self.clock.moment());
            }
            Notice::Maintenance { until } => self.detectors.maintenance_until(Some(until)),
        }
    }

    /// Detectors with new settings know again what they counted and what they were told, but not single files.
    fn reconfigure(&mut self, config: &mut DetectorsConfig, told: &Told) -> Vec<Event> {
        let in_force = Arc::clone(&self.in_force.borrow_and_update());
        self.suspects.set_roots(containing::roots(&in_force));
        self.alarmed.retain(|root, _| self.suspects.is_wanted(root));
        let fresh = in_force.detectors.clone();
        if fresh == *config {
            return Vec::new();
        }
        let now = self.clock.moment();
        let counted = self.detectors.snapshot(now);
        self.detectors = Detectors::new(&fresh, Redactor::new(&self.redaction_key));
        let events = self.detectors.restore(counted, now);
        *config = fresh;
        for notice in told.repeated() {
            self.tell(notice);
        }
        tracing::info!("the detectors start anew with the new configuration");

        events
    }
}

/// What the detectors were told and must be told again when they start anew.
#[derive(Default)]
struct Told {
    drills: Vec<Drill>,
    /// The last drills that are over, whose files' removal may still be seen.
    over: VecDeque<Drill>,
    maintenance: Option<Timestamp>,
}

impl Told {
    fn note(&mut self, notice: &Notice) {
        match notice {
            Notice::DrillBegins(drill) => self.drills.push(drill.clone()),
            Notice::DrillOver(over) => {
                self.drills.retain(|drill| drill.id != over.id);
                if DRILLS_OVER_MAX <= self.over.len() {
                    self.over.pop_front();
                }
                self.over.push_back(over.clone());
            }
            Notice::Maintenance { until } => self.maintenance = Some(*until),
        }
    }

    fn is_own_removal(&self, observation: &Observation) -> bool {
        self.over
            .iter()
            .any(|drill| drill.is_own_removal(observation))
    }

    fn repeated(&self) -> Vec<Notice> {
        let window = self.maintenance.map(|until| Notice::Maintenance { until });
        self.drills
            .iter()
            .cloned()
            .map(Notice::DrillBegins)
            .chain(window)
            .collect()
    }
}
