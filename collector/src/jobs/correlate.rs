//! Reads what a facility's hosts told, lets the rules and the assembler decide, and writes the incidents down.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::ids::FacilityId;

use super::{Job, Nudge, Outcome, What};
use crate::correlate::{CorrelateConfig, correlate};
use crate::incidents::assembler::{Change, assemble};
use crate::store::{RecordMark, Store, StoreError};

/// How long a facility without new records is left alone. Then a host's new care role, a noticed fork or another
/// collector's work is taken in.
const EVERY_FACILITY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Keeps the incidents in step with the records.
pub struct CorrelateJob {
    store: Store,
    clock: SharedClock,
    nudge: Nudge,
    config: CorrelateConfig,
    mark: RecordMark,
    every_facility_at: Option<Timestamp>,
    /// Facilities whose last run failed.
    owed: BTreeSet<FacilityId>,
}

impl CorrelateJob {
    /// Makes the job; its first run looks at every facility.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock, nudge: Nudge, config: CorrelateConfig) -> Self {
        let (mark, owed) = (RecordMark::default(), BTreeSet::new());
        Self { store, clock, nudge, config, mark, every_facility_at: None, owed }
    }

    async fn run(&mut self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let (mut due, mark) = self.store.facilities_with_news(self.mark).await?;
        due.append(&mut self.owed);
        let is_full = self
            .every_facility_at
            .is_none_or(|last| EVERY_FACILITY_AFTER <= now.duration_since(last).abs());
        if is_full {
            due.extend(
                self.store
                    .facilities()
                    .await?
                    .into_iter()
                    .map(|facility| facility.id),
            );
            self.every_facility_at = Some(now);
        }
        self.mark = mark;
        let mut changed = 0;
        let mut failed = None;
        for facility in due {
            let run =
                correlate_facility(&self.store, &facility, &self.config, &self.nudge, now).await;
            match run {
                Ok(count) => changed += count,
                // One facility's trouble must not keep the others waiting.
                Err(error) => {
                    self.owed.insert(facility);
                    failed = Some(error);
                }
            }
        }

        failed.map_or(Ok(changed), Err)
    }
}

impl Job for CorrelateJob {
    const NAME: &'static str = "correlate";
    const PERIOD: Duration = Duration::from_secs(20);
    const WOKEN_BY: &'static [What] = &[What::Records];

    async fn activate(&mut self) -> Outcome {
        match self.run().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(changed) => Outcome::Changed(changed),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

/// Brings the incidents of one facility in step with its records, tells the listeners, and returns how many things
/// were changed. Running it twice changes nothing the second time.
///
/// # Errors
/// When the database fails: then nothing was changed.
pub async fn correlate_facility(
    store: &Store,
    facility: &FacilityId,
    config: &CorrelateConfig,
    nudge: &Nudge,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let input = store.correlation_input(facility, config, now).await?;
    // The rules may take long over a bad week; the requests of other hosts must not wait for them.
    let concluded = tokio::task::spawn_blocking(move || correlate(&input)).await;
    let conclusions = concluded.map_err(|error| StoreError::unreadable("correlation", error))?;
    let window = config.window();
    let decide = |stored: &[_]| assemble(&conclusions, stored, window);
    let changes = store
        .reconcile_incidents(facility, &conclusions, now, decide)
        .await?;
    for change in &changes {
        log(facility, change);
    }
    let concerned: BTreeSet<_> = changes.iter().map(Change::incident).collect();
    for incident in concerned {
        nudge.tell_incident(facility, incident, What::Incident);
    }

    Ok(changes.len())
}

fn log(facility: &FacilityId, change: &Change) {
    let facility = facility.as_str();
    let incident = change.incident();
    match change {
        Change::Open { standing, .. } => {
            let (rule, severity) = (standing.rule, standing.severity);
            tracing::info!(
                facility, incident.id = %incident, %rule, %severity,
                "opened incident {incident}"
            );
        }
        Change::Restate { from, to, .. } if from.severity < to.severity => {
            let (rule, severity) = (to.rule, to.severity);
            tracing::info!(
                facility, incident.id = %incident, %rule, %severity,
                "raised incident {incident}"
            );
        }
        Change::Merge { from, .. } => {
            tracing::info!(
                facility, incident.id = %incident, merged = %from,
                "joined incident {from} to {incident}"
            );
        }
        Change::Attach { conclusion, .. } | Change::Update { conclusion, .. } => {
            tracing::debug!(facility, incident.id = %incident, key = %conclusion.natural_key, "incident says more");
        }
        Change::Restate { .. } => {
            tracing::debug!(facility, incident.id = %incident, "incident restated")
        }
    }
}
