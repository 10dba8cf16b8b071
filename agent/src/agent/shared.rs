//! What the stages share, and how each is made from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::Event;
use shirase_shared::policy::{PolicyName, SignedPolicy};
use shirase_shared::redact::Redactor;
use shirase_shared::wire::SignedOrder;
use tokio::sync::{mpsc, watch};

use super::alive::Alive;
use super::containing::{Alarm, Containing};
use super::counters::Counters;
use super::detect::{Detecting, Notice};
use super::keep::Keeping;
use super::ordering::Following;
use super::record::Recording;
use super::reload::Reloading;
use super::sending::Sending;
use super::sensing::Sensing;
use crate::buffer::Buffer;
use crate::canaries::{self, Watchlist};
use crate::condition::Condition;
use crate::config::Config;
use crate::containment::{Hold, Suspects};
use crate::control::{Desk, DeskParts};
use crate::detectors::Detectors;
use crate::identity::Enrolment;
use crate::manifest::Recorder;
use crate::observation::Observation;
use crate::own_health::OwnHealth;
use crate::paths::StateDir;
use crate::policy::PolicyBook;
use crate::sensors::SensorBoard;
use crate::service;
use crate::uplink::{Identity, SystemLog, UplinkBoard, UplinkParts, Vitals, VitalsSource};

/// Pause between two looks whether everything was sent.
const SENT_LOOK: Duration = Duration::from_millis(50);

/// What the stages share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) config_path: PathBuf,
    pub(super) enrolment: Enrolment,
    pub(super) state: StateDir,
    pub(super) clock: SharedClock,
    pub(super) board: SensorBoard,
    pub(super) uplink: UplinkBoard,
    pub(super) condition: Condition,
    pub(super) buffer: Buffer,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
    pub(super) watchlist: Watchlist,
    pub(super) hold: Hold,
}

impl Shared {
    /// Says once what runs with what.
    pub(super) fn announce(&self) {
        let config = self.in_force.borrow();
        let Enrolment { host, facility, .. } = &self.enrolment;
        tracing::info!(host.id = %host, facility.id = %facility, "agent {} runs as host {host} of facility {facility}", env!("CARGO_PKG_VERSION"));
        tracing::info!("configuration {}", self.config_path.display());
        tracing::info!("state directory {}", self.state.dir().display());
        tracing::info!("collector {}", config.uplink.collector_url);
        for root in &config.sensors.roots {
            tracing::info!("watches {}", root.path.display());
        }
    }

    /// Waits until nothing waits for the collector, but no longer than `limit`, and not at all for one that is away.
    pub(super) async fn wait_until_sent(&self, limit: Duration) {
        let sent = async {
            let is_away = || 0 < self.uplink.read().failures_in_a_row;
            while 0 < self.buffer.level().waiting && !is_away() {
                tokio::time::sleep(SENT_LOOK).await;
            }
        };
        // Whether it came to its end or not, what is left is told.
        drop(tokio::time::timeout(limit, sent).await);
        let waiting = self.buffer.level().waiting;
        if 0 < waiting {
            tracing::info!("{waiting} events stay in the buffer until the next start");
        }
    }

    pub(super) fn alive(&self) -> Alive {
        Alive::new(&self.state, Arc::clone(&self.clock))
    }

    pub(super) fn sensing(
        &self,
        (out, changes): (mpsc::Sender<Observation>, mpsc::Sender<Vec<Observation>>),
        events: mpsc::Sender<Event>,
        since: Option<Timestamp>,
    ) -> Sensing {
        Sensing {
            state: self.state.clone(),
            settings: self.config_path.clone(),
            clock: Arc::clone(&self.clock),
            board: self.board.clone(),
            out,
            changes,
            events,
            in_force: self.in_force.clone(),
            watchlist: self.watchlist.clone(),
            since,
        }
    }

    pub(super) fn keeper_of_canaries(&self) -> canaries::Keeper {
        canaries::Keeper::new(
            self.state.clone(),
            Arc::clone(&self.clock),
            self.board.clone(),
            self.watchlist.clone(),
        )
    }

    pub(super) fn reloading(
        &self,
        (book, file): (PolicyBook, String),
        events: mpsc::Sender<Event>,
        in_force: watch::Sender<Arc<Config>>,
    ) -> Reloading {
        Reloading {
            path: self.config_path.clone(),
            enrolment: self.enrolment.clone(),
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            condition: self.condition.clone(),
            book,
            file,
            events,
            in_force,
        }
    }

    pub(super) fn following(
        &self,
        events: mpsc::Sender<Event>,
        notices: mpsc::Sender<Notice>,
    ) -> Following {
        Following {
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            uplink: self.uplink.clone(),
            condition: self.condition.clone(),
            events,
            notices,
            in_force: self.in_force.clone(),
        }
    }

    pub(super) fn own_health(&self, events: mpsc::Sender<Event>) -> OwnHealth {
        OwnHealth {
            clock: Arc::clone(&self.clock),
            board: self.board.clone(),
            buffer: self.buffer.clone(),
            uplink: self.uplink.clone(),
            events,
            in_force: self.in_force.clone(),
        }
    }

    pub(super) fn detecting(
        &self,
        redaction_key: Vec<u8>,
        recorder: Recorder,
        events: mpsc::Sender<Event>,
        alarms: mpsc::Sender<Alarm>,
    ) -> Detecting {
        let redactor = Redactor::new(&redaction_key);
        Detecting {
            detectors: Detectors::new(&self.in_force.borrow().detectors, redactor),
            recording: Recording::start(recorder),
            clock: Arc::clone(&self.clock),
            events,
            in_force: self.in_force.clone(),
            redaction_key,
            counters: Counters::new(self.state.counters()),
            suspects: Suspects::default(),
            alarms,
            alarmed: BTreeMap::new(),
        }
    }

    pub(super) fn containing(&self, events: mpsc::Sender<Event>) -> Containing {
        Containing {
            hold: self.hold.clone(),
            clock: Arc::clone(&self.clock),
            board: self.board.clone(),
            events,
            in_force: self.in_force.clone(),
        }
    }

    pub(super) fn keeping(&self) -> Keeping {
        Keeping {
            buffer: self.buffer.clone(),
            clock: Arc::clone(&self.clock),
            condition: self.condition.clone(),
        }
    }

    pub(super) fn sending(
        &self,
        orders: mpsc::Sender<SignedOrder>,
        policies: mpsc::Sender<(PolicyName, SignedPolicy)>,
    ) -> Sending {
        Sending { shared: self.clone(), orders, policies }
    }

    pub(super) fn desk(&self, events: mpsc::Sender<Event>) -> Arc<Desk> {
        Arc::new(Desk::new(DeskParts {
            enrolment: self.enrolment.clone(),
            config: self.config_path.clone(),
            started_at: self.clock.now(),
            clock: Arc::clone(&self.clock),
            buffer: self.buffer.clone(),
            board: self.board.clone(),
            condition: self.condition.clone(),
            uplink: self.uplink.clone(),
            manifests: self.state.manifests(),
            hold: self.hold.clone(),
            events,
        }))
    }

    pub(super) fn uplink_parts(
        &self,
        orders: mpsc::Sender<SignedOrder>,
        policies: mpsc::Sender<(PolicyName, SignedPolicy)>,
    ) -> UplinkParts {
        UplinkParts {
            config: self.in_force.borrow().uplink.clone(),
            identity: Identity {
                certificate: self.state.certificate(),
                key: self.state.key(),
                authority: self.state.authority(),
            },
            buffer: self.buffer.clone(),
            clock: Arc::clone(&self.clock),
            vitals: self.vitals(),
            orders,
            policies,
            manifests: self.state.manifest_outbox(),
            system_log: self.system_log(),
            board: self.uplink.clone(),
        }
    }

    fn vitals(&self) -> VitalsSource {
        let facts = service::host_facts();
        let (board, condition) = (self.board.clone(), self.condition.clone());
        let clock = Arc::clone(&self.clock);
        Arc::new(move || Vitals {
            sensors: board.reports(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: facts.hostname.clone(),
            os: facts.os.clone(),
            config_problems: condition.config_problems(),
            maintenance_until: condition.maintenance_until(clock.now()),
            policy: condition.policy(),
            posture: board.posture(),
        })
    }

    fn system_log(&self) -> SystemLog {
        let clock = Arc::clone(&self.clock);
        Arc::new(move |line| {
            if let Err(error) = service::write_system_log(line, clock.now()) {
                tracing::error!(%error, "a critical event could not be written to the system's log");
            }
        })
    }
}
