//! Runs the sensors with the configuration in force, and anew when it changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{Event, Loss, LossKind, Severity};
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::canaries::Watchlist;
use crate::config::Config;
use crate::observation::Observation;
use crate::own_events;
use crate::paths::StateDir;
use crate::sensors::{self, OwnPlaces, SensorBoard, SensorsConfig, SensorsParts};

/// Pause before sensors that could not run at all are tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// What ended one run of the sensors.
enum Ended {
    Stopped,
    Reconfigured,
    Failed(anyhow::Error),
}

/// The stage that sees.
pub(super) struct Sensing {
    pub(super) state: StateDir,
    pub(super) settings: PathBuf,
    pub(super) clock: SharedClock,
    pub(super) board: SensorBoard,
    pub(super) out: mpsc::Sender<Observation>,
    pub(super) changes: mpsc::Sender<Vec<Observation>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
    /// Which files are decoys.
    pub(super) watchlist: Watchlist,
    /// The last sign of life before this start.
    pub(super) since: Option<Timestamp>,
}

impl Sensing {
    /// Runs until `stop`; then the channel of observations closes.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut told = false;
        while !stop.is_cancelled() {
            let config = self.in_force.borrow_and_update().sensors.clone();
            let begun = self.clock.now();
            match self.run_with(&config, &stop).await {
                Ended::Stopped => return,
                Ended::Reconfigured => {
                    told = false;
                    // What changes while the sensors are down is looked at when they are back.
                    self.since = Some(self.clock.now());
                    self.board.clear();
                }
                Ended::Failed(error) => {
                    self.since.get_or_insert(begun);
                    self.tell_blind(&error, &mut told).await;
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(RETRY_PAUSE) => {}
                        _ = self.in_force.changed() => {}
                    }
                }
            }
        }
    }

    async fn run_with(&mut self, config: &SensorsConfig, stop: &CancellationToken) -> Ended {
        let own_stop = stop.child_token();
        let parts = SensorsParts {
            config: config.clone(),
            clock: Arc::clone(&self.clock),
            out: self.out.clone(),
            changes: self.changes.clone(),
            board: self.board.clone(),
            since: self.since,
            ignored: vec![self.state.dir().to_owned()],
            own: Some(OwnPlaces { state: self.state.clone(), settings: self.settings.clone() }),
            watchlist: self.watchlist.clone(),
        };
        let running = sensors::run(parts, own_stop.clone());
        tokio::pin!(running);
        let in_force = &mut self.in_force;
        let reconfigured = async {
            let differs = |in_force: &Arc<Config>| in_force.sensors != *config;
            let changed = in_force.wait_for(differs).await.is_ok();
            if !changed {
                // Nobody can change it any more; the sensors go on as they are.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = &mut running => return finish(ended, stop),
            () = reconfigured => {}
        }
        tracing::info!("the sensors start anew with the new configuration");
        own_stop.cancel();
        match running.await {
            Ok(()) if stop.is_cancelled() => Ended::Stopped,
            Ok(()) => Ended::Reconfigured,
            Err(error) => Ended::Failed(error),
        }
    }

    async fn tell_blind(&self, error: &anyhow::Error, told: &mut bool) {
        let detail = format!("{error:#}");
        self.board.set("sensors", SensorState::Blind, &detail);
        if *told {
            return;
        }
        *told = true;
        tracing::error!(error = detail, "the sensors do not run and are tried again every minute");
        let reason = format!("nothing is seen on this host: {detail}");
        let loss = Loss { what: LossKind::SensorBlind, count: None, detail };
        let event = own_events::loss(loss, Severity::High, reason, self.clock.moment());
        // A closed channel means that the agent is stopping.
        drop(self.events.send(event).await);
    }
}

fn finish(ended: anyhow::Result<()>, stop: &CancellationToken) -> Ended {
    match ended {
        Ok(()) if stop.is_cancelled() => Ended::Stopped,
        Ok(()) => Ended::Failed(anyhow::anyhow!("the sensors ended by themselves")),
        Err(error) => Ended::Failed(error),
    }
}
