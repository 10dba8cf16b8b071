//! Removes what was kept for as long as the configuration says, and nothing under an open incident.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::ids::FacilityId;

use super::{Job, Outcome, What};
use crate::audit::{Actor, AuditEntry};
use crate::retention::{Plan, RetentionConfig, plan};
use crate::store::{OldEvents, Store, StoreError};

/// Events looked at in one transaction: short enough that nobody who stores events waits long.
const EVENTS_AT_ONCE: usize = 2000;
/// Looks through old events in one run; the next run goes on.
const LOOKS_MAX: usize = 200;
/// How long a ciphertext may lie there before its manifest is known: it arrives first.
const ARRIVING: Duration = Duration::from_secs(24 * 3600);
/// Ending of a ciphertext's file.
const CIPHERTEXT: &str = "age";

/// Removes what is old.
pub struct RetentionJob {
    /// The collector's memory.
    pub store: Store,
    /// Where the ciphertexts of manifests lie.
    pub manifests: PathBuf,
    /// How long what is kept.
    pub config: RetentionConfig,
    /// Tells the time.
    pub clock: SharedClock,
}

impl Job for RetentionJob {
    const NAME: &'static str = "retention";
    const PERIOD: Duration = Duration::from_secs(6 * 3600);
    const WOKEN_BY: &'static [What] = &[];

    async fn activate(&mut self) -> Outcome {
        match self.pass().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(removed) => Outcome::Changed(removed),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

impl RetentionJob {
    async fn pass(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut looks = LOOKS_MAX;
        let mut removed = 0;
        for facility in self.store.facilities().await? {
            let incidents = self.store.incidents(&facility.id).await?;
            let manifests = self.store.manifests(&facility.id).await?;
            let plan = plan(&incidents, &manifests, &self.config, now);
            for incident in incidents.iter().filter(|i| plan.incidents.contains(&i.id)) {
                let entry = entry("retention.incident_removed", &facility.id, incident.id, now)
                    .with("number", incident.number)
                    .with("updated_at", incident.updated_at);
                self.store
                    .remove_incident((&facility.id, incident.id), &entry)
                    .await?;
                removed += 1;
            }
            removed += self.forget_manifests(&facility.id, &plan, now).await?;
            let aged = plan.events_before.unwrap_or(Timestamp::MIN);
            let old = self
                .remove_events(&facility.id, &plan, aged, &mut looks)
                .await?;
            let pressed = self.make_room(&facility.id, &plan, &mut looks).await?;
            removed += self.note(&facility.id, old + pressed, now).await?;
        }
        self.tell_if_too_large().await?;
        removed += self.sweep(now).await?;

        Ok(removed)
    }

    async fn forget_manifests(
        &self,
        facility: &FacilityId,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        if plan.manifests.is_empty() {
            return Ok(0);
        }
        let count = plan.manifests.len();
        let entry =
            entry("retention.manifests_removed", facility, facility, now).with("count", count);
        self.store.forget_manifests(&plan.manifests, &entry).await?;

        Ok(count)
    }

    /// Removes the events of no incident before a moment, the oldest first.
    async fn remove_events(
        &self,
        facility: &FacilityId,
        plan: &Plan,
        before: Timestamp,
        looks: &mut usize,
    ) -> Result<usize, StoreError> {
        let (mut removed, mut from) = (0, Some(OldEvents::default()));
        while let Some(start) = from.filter(|_| 0 < *looks) {
            *looks -= 1;
            let look = self
                .store
                .remove_events(facility, before, &plan.kept, (start, EVENTS_AT_ONCE))
                .await?;
            removed += look.events;
            from = look.next;
        }

        Ok(removed)
    }

    /// Where the database holds more than it may, removes the oldest events that may go at all, until it does not.
    async fn make_room(
        &self,
        facility: &FacilityId,
        plan: &Plan,
        looks: &mut usize,
    ) -> Result<usize, StoreError> {
        let Some(most) = self.config.database_max_bytes() else { return Ok(0) };
        let (mut removed, mut from) = (0, Some(OldEvents::default()));
        while let Some(start) = from.filter(|_| 0 < *looks) {
            if self.store.bytes_in_use().await? <= most {
                break;
            }
            *looks -= 1;
            let look = self
                .store
                .remove_events(facility, plan.pressed_before, &plan.kept, (start, EVENTS_AT_ONCE))
                .await?;
            removed += look.events;
            from = look.next;
        }

        Ok(removed)
    }

    async fn note(
        &self,
        facility: &FacilityId,
        events: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        if 0 < events {
            let entry =
                entry("retention.events_removed", facility, facility, now).with("count", events);
            self.store.audit(&entry).await?;
        }

        Ok(events)
    }

    async fn tell_if_too_large(&self) -> Result<(), StoreError> {
        let used = self.store.bytes_in_use().await?;
        if self
            .config
            .database_max_bytes()
            .is_some_and(|most| most < used)
        {
            tracing::warn!(
                store.used_bytes = used,
                "the database holds more than `retention.database_max_mib` allows, and nothing more may go: what is \
                 left is young or belongs to incidents; give it more room, or close incidents that are over"
            );
        }

        Ok(())
    }

    /// Removes ciphertexts no manifest names any more.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        let known = self.store.manifest_hashes().await?;
        let (directory, now) = (self.manifests.clone(), SystemTime::from(now));
        let swept = tokio::task::spawn_blocking(move || {
            let is_known = |path: &Path| {
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                stem.is_none_or(|stem| known.contains(stem))
            };
            sweep(&directory, is_known, now)
        });
        match swept.await {
            Ok(Ok(count)) => Ok(count),
            Ok(Err(error)) => {
                tracing::warn!(%error, "ciphertexts nobody knows could not be removed");
                Ok(0)
            }
            Err(error) => {
                tracing::error!(%error, "looking through the ciphertexts broke off");
                Ok(0)
            }
        }
    }
}

fn entry(
    action: &'static str,
    facility: &FacilityId,
    object: impl std::fmt::Display,
    now: Timestamp,
) -> AuditEntry {
    AuditEntry::new(now, Actor::Machine, action, object).of(facility)
}

fn sweep(directory: &Path, is_known: impl Fn(&Path) -> bool, now: SystemTime) -> io::Result<usize> {
    let mut count = 0;
    for file in std::fs::read_dir(directory)? {
        let file = file?;
        let path = file.path();
        let lies_there = now
            .duration_since(file.metadata()?.modified()?)
            .unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == CIPHERTEXT)
            && ARRIVING < lies_there
            && !is_known(&path)
        {
            std::fs::remove_file(&path)?;
            count += 1;
        }
    }

    Ok(count)
}

#[cfg(test)]
mod tests;
