//! Work done on a timer and on request, always from stored state.
//!
//! ```text
//! ingest ─Change▶ correlate ─Change▶ draft_reports, notify          every Change ─▶ live pages
//! ```
//!
//! Always holds:
//! - a job takes no argument: it reads state, compares it with what should be, and acts; a missed, doubled or restarted
//!   run ends in the same place, and the next one is the retry;
//! - a change that is not heard loses nothing: the job's period finds the same work.
//!
//! Not here: what any of them does (see the modules below).

pub mod correlate;
pub mod silence;
pub mod draft_reports;
pub mod notify;
pub mod deadlines;
pub mod deliver;
pub mod exchange;
pub mod matters;
pub mod retention;

use std::future::Future;
use std::time::Duration;

use shirase_shared::ids::{FacilityId, IncidentId};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Changes a slow listener may fall behind. Beyond that it misses some and is told so: it then looks at everything
/// again, as after a start.
const CHANGES_CAPACITY: usize = 256;
/// Longest run of a job. A longer one is broken off, its transaction undone, and tried again next time.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// Something changed: worth a look for whoever works or watches further down the road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub facility: FacilityId,
    /// The incident concerned, if one is.
    pub incident: Option<IncidentId>,
    /// What.
    pub what: What,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Records were stored.
    Records,
    /// A host gave a sign of life, was enrolled, named or shut out.
    Hosts,
    /// Master data of the facility.
    Facility,
    /// An incident was opened, grew, was joined, or a person acted on it.
    Incident,
    /// A draft or report.
    Report,
    /// An attempt at a delivery ended.
    Delivery,
    /// A package came, was released or was read.
    Exchange,
    /// An alert was sent, or could not be.
    Notification,
}

/// Tells the jobs and the pages what changed. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Nudge {
    changes: broadcast::Sender<Change>,
}

impl Default for Nudge {
    fn default() -> Self {
        Self { changes: broadcast::Sender::new(CHANGES_CAPACITY) }
    }
}

impl Nudge {
    /// Tells everyone who listens. Never waits.
    pub fn tell(&self, change: Change) {
        // An error means that nobody listens at the moment, which harms nobody.
        self.changes.send(change).unwrap_or_default();
    }

    /// Tells of a change that concerns a facility but no incident.
    pub fn tell_of(&self, facility: &FacilityId, what: What) {
        self.tell(Change { facility: facility.clone(), incident: None, what });
    }

    /// Tells of a change to an incident or its report.
    pub fn tell_incident(&self, facility: &FacilityId, incident: IncidentId, what: What) {
        self.tell(Change { facility: facility.clone(), incident: Some(incident), what });
    }

    /// Begins to listen. A listener that falls too far behind gets `Lagged` and should load everything anew.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

/// Something done on a timer and on request, always from stored state.
pub trait Job: Send {
    /// Its name in the log.
    const NAME: &'static str;
    /// Pause after a run if nothing wakes it.
    const PERIOD: Duration;
    /// Changes that wake it at once.
    const WOKEN_BY: &'static [What];

    /// Reads the state, compares it with what should be, and acts.
    fn activate(&mut self) -> impl Future<Output = Outcome> + Send;
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many things were done.
    Changed(usize),
    /// Everything was as it should be.
    NothingToDo,
    /// It failed; the next run tries again.
    Failed(String),
}

enum Wake {
    Stop,
    Nudge,
    IntervalElapsed,
}

/// Runs a job at once, then after each change that wakes it and at the latest after its period, until `stop`.
pub async fn run<J: Job>(mut job: J, nudge: Nudge, stop: CancellationToken) {
    let mut changes = nudge.listen();
    let mut wake = Wake::IntervalElapsed;
    loop {
        match wake {
            Wake::Stop => return,
            Wake::Nudge | Wake::IntervalElapsed => {
                // What was told up to here is in the state the run will read.
                changes = changes.resubscribe();
                activate(&mut job).await;
            }
        }
        wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            () = woken(&mut changes, J::WOKEN_BY) => Wake::Nudge,
            () = tokio::time::sleep(J::PERIOD) => Wake::IntervalElapsed,
        };
    }
}

async fn activate<J: Job>(job: &mut J) {
    let outcome = match tokio::time::timeout(RUN_LIMIT, job.activate()).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Failed(format!("took longer than {RUN_LIMIT:?} and was broken off")),
    };
    match outcome {
        Outcome::Changed(count) => tracing::debug!(job = J::NAME, count, "job changed something"),
        Outcome::NothingToDo => tracing::trace!(job = J::NAME, "job had nothing to do"),
        Outcome::Failed(error) => {
            tracing::error!(job = J::NAME, error, "job failed; it runs again in a moment");
        }
    }
}

/// Waits for a change that is one of `what`. Having missed some counts as one.
async fn woken(changes: &mut broadcast::Receiver<Change>, what: &[What]) {
    loop {
        match changes.recv().await {
            Ok(change) if what.contains(&change.what) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // Cannot happen while the runner holds a sender; waiting leaves the period in force.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests;
