//! Looks at all services of the service manager at once: which stopped, which guards run, how the agent's own one is.
//!
//! ```text
//! one listing every 5 s ─▶ compared with the last ─▶ services that stopped ─┐
//!                    └─▶ guards (and every minute: are they installed?) ─┼─▶ observations
//!                                                        own service ─┘
//! ```
//!
//! Always holds: a listing and no subscription, because a subscription makes the manager tell every change of every
//! unit; one listing costs it less and misses only what is up again 5 s later. While the system shuts down nothing is
//! said of guards. Where there is no service manager at all, the board says so and nothing is lost that was promised.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;

mod listing;
mod guards;
mod ending;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::event::{LossKind, StopCause};
use shirase_shared::wire::SensorState;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::SensorBoard;
use crate::observation::{Course, Fact, Lost, Observation, OwnChange, OwnPart, OwnSeen, OwnWhen};
use ending::Jobs;
pub use ending::Traces;
use guards::Guards;
pub use listing::{Listing, Unit};

/// Name of this sensor on the board.
const NAME: &str = "service manager";
/// Pause between two listings.
const INTERVAL: Duration = Duration::from_secs(5);
/// Listings between two looks at what is installed.
const INSTALLED_EVERY: u32 = 12;

/// Which bus the service manager is asked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// The system's.
    System,
    /// The one at this address.
    At(String),
}

/// What the sensor needs.
pub struct UnitsParts {
    /// Services that protect the host, as the manager calls them.
    pub guards: Vec<String>,
    /// Of these, those the configuration names: they are expected to run.
    pub wanted: Vec<String>,
    /// Where to keep which guards were seen running.
    pub kept: PathBuf,
    /// Which bus to ask on.
    pub bus: Bus,
    /// Where to say what the agent's own service is called.
    pub own: watch::Sender<Option<String>>,
    /// The time.
    pub clock: SharedClock,
    /// Where observations go.
    pub out: mpsc::Sender<Observation>,
    /// Where the sensor says how it is.
    pub board: SensorBoard,
}

/// Looks at intervals until `stop`.
pub async fn run(parts: UnitsParts, stop: CancellationToken) {
    let (clock, out, board) = (parts.clock.clone(), parts.out.clone(), parts.board.clone());
    let asked_for = !parts.wanted.is_empty();
    let promised = asked_for || platform::is_there() || parts.bus != Bus::System;
    let mut looking = Looking::new(parts);
    let mut blind = false;
    loop {
        let now = clock.now();
        let facts = match looking.look(now).await {
            Ok(facts) => {
                blind = false;
                let detail = format!("{}, {} guards", platform::NAME, looking.guards.present());
                board.set(NAME, SensorState::Well, detail);
                facts
            }
            Err(why) => {
                board.set(NAME, SensorState::Blind, why.clone());
                let detail = format!("stopped services and guards are not seen: {why}");
                let lost = Lost { what: LossKind::SensorBlind, count: None, detail };
                let told = std::mem::replace(&mut blind, true) || !promised;
                if told { Vec::new() } else { vec![Fact::Lost(lost)] }
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
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Returns for what the agent's own service is being stopped. A manager that does not answer within `patience` says
/// nothing, and the traces speak alone.
pub async fn stop_cause(bus: Bus, traces: Traces, patience: Duration) -> StopCause {
    let asked = platform::is_there() || bus != Bus::System;
    let mut manager = platform::Manager::new(bus);
    let jobs = match tokio::time::timeout(patience, manager.jobs()).await {
        Ok(Ok(jobs)) => jobs,
        Ok(Err(why)) => {
            if asked {
                tracing::debug!("the service manager does not say why the agent stops: {why}");
            }
            Jobs::default()
        }
        Err(_) => Jobs::default(),
    };

    jobs.cause(traces)
}

/// What is known between two looks.
struct Looking {
    manager: platform::Manager,
    guards: Guards,
    last: Option<Listing>,
    installed: BTreeMap<String, String>,
    looks: u32,
    own: watch::Sender<Option<String>>,
    own_state: OwnState,
}

/// How the agent's own service was at the last look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnState {
    /// It starts with the system, or nobody said yet.
    Fine,
    Disabled,
    Masked,
}

impl Looking {
    fn new(parts: UnitsParts) -> Self {
        Self {
            manager: platform::Manager::new(parts.bus),
            guards: Guards::open(parts.guards, parts.wanted, parts.kept),
            last: None,
            installed: BTreeMap::new(),
            looks: 0,
            own: parts.own,
            own_state: OwnState::Fine,
        }
    }

    async fn look(&mut self, now: Timestamp) -> Result<Vec<Fact>, String> {
        let listing = self.manager.list().await?;
        let mut facts = Vec::new();
        let seen = self.last.as_ref().map(|last| listing.since(last));
        let stopped = seen.as_ref().is_some_and(|seen| !seen.stopped.is_empty());
        let ending = listing.course() == Course::Ending;
        facts.extend(seen.filter(|seen| !seen.is_nothing()).map(Fact::Services));
        if self.looks.is_multiple_of(INSTALLED_EVERY) || stopped {
            self.look_what_is_installed().await?;
        }
        self.looks = self.looks.wrapping_add(1);
        if !ending {
            facts.extend(
                self.guards
                    .compare(&listing, &self.installed, now)
                    .map(Fact::Guard),
            );
            facts.extend(self.own_service());
        }
        self.last = Some(listing);

        Ok(facts)
    }

    async fn look_what_is_installed(&mut self) -> Result<(), String> {
        if self.own.borrow().is_none() {
            // Started by hand, it belongs to no service, and then there is none to look at.
            let own = self.manager.own_service().await.unwrap_or(None);
            self.own.send_if_modified(|known| {
                known.clone_from(&own);
                own.is_some()
            });
        }
        let own = self.own.borrow().clone();
        let names: Vec<_> = self.guards.names().chain(own).collect();
        self.installed = self.manager.installed(&names).await?;

        Ok(())
    }

    /// Returns what has become of the agent's own service, when it is another state than before.
    fn own_service(&mut self) -> Option<Fact> {
        let name = self.own.borrow().clone()?;
        let state = match self.installed.get(&name).map(String::as_str) {
            Some("disabled") => OwnState::Disabled,
            Some("masked" | "masked-runtime") => OwnState::Masked,
            Some(_) => OwnState::Fine,
            // A unit that is gone is told by those who look at the files.
            None => return None,
        };
        let before = std::mem::replace(&mut self.own_state, state);
        let change = match (before, state) {
            (before, state) if before == state => return None,
            (_, OwnState::Fine) => OwnChange::Restored,
            (_, OwnState::Disabled) => OwnChange::Disabled,
            (_, OwnState::Masked) => OwnChange::Masked,
        };

        Some(Fact::Own(OwnSeen { part: OwnPart::Service, name, change, when: OwnWhen::Running }))
    }
}
