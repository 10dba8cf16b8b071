//! Carries out the collector's orders, one drill at a time, and keeps the maintenance window across restarts.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{AgentState, Event};
use shirase_shared::ids::DrillId;
use shirase_shared::wire::{Action, Order, SignedOrder};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::detect::Notice;
use crate::condition::Condition;
use crate::config::Config;
use crate::drill::{Drill, DrillError, Ledger};
use crate::orders::{Decision, OrderBook};
use crate::paths::StateDir;
use crate::uplink::UplinkBoard;
use crate::{durable, own_events};

/// A maintenance window, as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) until: Timestamp,
    owner: String,
    reason: String,
}

/// The stage that follows orders.
pub(super) struct Ordering {
    pub(super) book: OrderBook,
    pub(super) following: Following,
}

/// What following an order needs.
#[derive(Clone)]
pub(super) struct Following {
    pub(super) state: StateDir,
    pub(super) clock: SharedClock,
    pub(super) uplink: UplinkBoard,
    pub(super) condition: Condition,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) notices: mpsc::Sender<Notice>,
    pub(super) in_force: watch::Receiver<Arc<Config>>,
}

impl Ordering {
    /// Follows orders until `stop` or until no more can come; a drill under way then removes its files.
    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<SignedOrder>,
        stop: CancellationToken,
    ) {
        let mut drills = JoinSet::new();
        loop {
            let order = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                order = orders.recv() => order,
            };
            let Some(signed) = order else { break };
            let now = self.following.collector_time();
            match self.book.judge(&signed, now) {
                Decision::CarryOut(order) => self.begin(order, now, &mut drills, &stop).await,
                Decision::AlreadySeen(order) => {
                    tracing::debug!(%order, "the collector repeats an order that was carried out");
                }
                Decision::Refused(refusal) => self.following.refuse(refusal.to_string()).await,
                Decision::RefusedBefore => tracing::debug!("an order was refused again"),
            }
        }
        while drills.join_next().await.is_some() {}
    }

    async fn begin(
        &mut self,
        order: Order,
        now: Timestamp,
        drills: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) {
        while drills.try_join_next().is_some() {}
        if matches!(order.action, Action::Drill { .. }) && !drills.is_empty() {
            // Not remembered: the collector repeats it, and by then the other one may be over.
            tracing::info!(order.id = %order.id, "order {} waits for the drill under way", order.id);
            return;
        }
        if let Err(error) = self.book.remember(&order, now) {
            tracing::error!(error = %Chain(&error), order.id = %order.id, "order {} was not carried out: it could not be written down first", order.id);
            return;
        }
        let following = self.following.clone();
        match order.action {
            Action::Drill { drill, files } => {
                let stop = stop.clone();
                drills.spawn(async move { following.drill(drill, files, &stop).await });
            }
            Action::Maintenance { owner, reason, until } => {
                following.maintain(Window { until, owner, reason }).await;
            }
            Action::EndMaintenance { owner } => {
                // A window that is over already: the one on disk is replaced by it, so a restart knows as well.
                let reason = "ended early".to_owned();
                following
                    .maintain(Window { until: following.clock.now(), owner, reason })
                    .await;
            }
        }
    }
}

impl Following {
    /// The collector's time: this host's, corrected by what the last heartbeat showed.
    fn collector_time(&self) -> Timestamp {
        let offset = self.uplink.read().clock_offset_ms.unwrap_or(0);
        let now = self.clock.now();
        now.checked_add(SignedDuration::from_millis(offset))
            .unwrap_or(now)
    }

    async fn drill(&self, id: DrillId, files: u32, stop: &CancellationToken) {
        let roots: Vec<PathBuf> = self
            .in_force
            .borrow()
            .sensors
            .roots
            .iter()
            .map(|root| root.path.clone())
            .collect();
        let ledger = Ledger::new(&self.state);
        let drill = match Drill::plan(id, files, &roots).and_then(|drill| {
            ledger.begin(&drill)?;
            Ok(drill)
        }) {
            Ok(drill) => drill,
            Err(error) => {
                let why = Chain(&error).to_string();
                return self.refuse(why).await;
            }
        };
        tracing::info!(drill.id = %id, drill.files = files, "began drill {id} (訓練)");
        self.condition.note_drill(Some(id));
        self.tell(own_events::in_drill(AgentState::DrillStarted, id, self.clock.moment()))
            .await;
        self.notify(Notice::DrillBegins(drill.clone())).await;
        let outcome = drill.carry_out(stop).await;
        let files = *outcome.as_ref().unwrap_or(&0);
        self.notify(Notice::DrillOver(drill.clone())).await;
        let outcome = drill.remove().await.and(outcome);
        self.over(&drill, &ledger, outcome).await;
        self.condition.note_drill(None);
        let ended = AgentState::DrillEnded { files };
        self.tell(own_events::in_drill(ended, id, self.clock.moment()))
            .await;
        tracing::info!(drill.id = %id, "ended drill {id} (訓練)");
    }

    async fn over(&self, drill: &Drill, ledger: &Ledger, outcome: Result<u64, DrillError>) {
        let id = drill.id;
        if let Err(error) = outcome {
            tracing::error!(error = %Chain(&error), drill.id = %id, "drill {id} broke off");
            let why = format!("drill {id} broke off: {}", Chain(&error));
            self.refuse(why).await;
        }
        if drill.dir.exists() {
            // It stays in the ledger, and the next start tries again.
            return;
        }
        if let Err(error) = ledger.end(drill) {
            tracing::warn!(error = %Chain(&error), drill.id = %id, "drill {id} is over but was not struck out");
        }
    }

    async fn maintain(&self, window: Window) {
        let until = window.until;
        tracing::info!(maintenance.owner = window.owner, maintenance.until = %until, "a maintenance window begins: {}", window.reason);
        if let Err(error) = durable::replace_json(&self.state.maintenance(), &window) {
            tracing::warn!(%error, "the maintenance window was not written down and ends with a restart");
        }
        self.condition.note_maintenance(until);
        self.notify(Notice::Maintenance { until }).await;
    }

    async fn refuse(&self, why: String) {
        tracing::warn!("refused an order: {why}");
        let refused = AgentState::OrderRefused { why };
        self.tell(own_events::agent(refused, self.clock.moment()))
            .await;
    }

    // A closed channel means that the agent is stopping.
    async fn tell(&self, event: Event) {
        drop(self.events.send(event).await);
    }

    async fn notify(&self, notice: Notice) {
        drop(self.notices.send(notice).await);
    }
}

/// Returns the maintenance window that was in force before a restart, if it is still.
pub(super) fn window_in_force(state: &StateDir, now: Timestamp) -> Option<Window> {
    match durable::read_json::<Window>(&state.maintenance()) {
        Ok(window) => window.filter(|window| now < window.until),
        Err(error) => {
            tracing::warn!(%error, "the maintenance window does not read and counts as over");
            None
        }
    }
}
