//! Keeps one draft for each incident that could be reportable, and withdraws it when the incident was nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::ids::{IncidentId, UserId};

use super::{Job, Nudge, Outcome, What};
use crate::facilities::{Facility, Host};
use crate::incidents::{Incident, Reportable, Status, StoredEntry};
use crate::locale::Locale;
use crate::reports::draft::{Input, draft};
use crate::reports::profile::MHLW_CONTACT;
use crate::reports::{Report, ReportStatus};
use crate::store::{Store, StoreError};

/// Makes, refreshes and withdraws drafts.
pub struct DraftReportsJob {
    store: Store,
    clock: SharedClock,
    nudge: Nudge,
    locale: Locale,
    /// When each incident that needs nobody any more had last changed when its draft was refreshed.
    settled: BTreeMap<IncidentId, Timestamp>,
}

impl DraftReportsJob {
    /// Makes the job. `locale` is the language of what it writes.
    #[must_use]
    pub const fn new(store: Store, clock: SharedClock, nudge: Nudge, locale: Locale) -> Self {
        Self { store, clock, nudge, locale, settled: BTreeMap::new() }
    }

    async fn run(&mut self) -> Result<usize, StoreError> {
        let users: BTreeMap<UserId, String> = self
            .store
            .users()
            .await?
            .into_iter()
            .map(|(user, _)| (user.id, user.name))
            .collect();
        let users = Arc::new(users);
        let mut changed = 0;
        let mut failed = None;
        for facility in self.store.facilities().await? {
            match self.run_facility(&Arc::new(facility), &users).await {
                Ok(count) => changed += count,
                // One facility's trouble must not keep the others waiting.
                Err(error) => failed = Some(error),
            }
        }

        failed.map_or(Ok(changed), Err)
    }

    async fn run_facility(
        &mut self,
        facility: &Arc<Facility>,
        users: &Arc<BTreeMap<UserId, String>>,
    ) -> Result<usize, StoreError> {
        let hosts = Arc::new(self.store.hosts(&facility.id).await?);
        let reports = self.store.reports(&facility.id).await?;
        let mut changed = 0;
        for incident in self.store.incidents(&facility.id).await? {
            let report = reports
                .iter()
                .find(|report| report.incident == incident.id && report.profile == MHLW_CONTACT);
            let (id, updated_at) = (incident.id, incident.updated_at);
            let settled = !incident.status.is_live();
            if settled && report.is_some() && self.settled.get(&id) == Some(&updated_at) {
                continue;
            }
            let done = match incident.is_reportable() {
                Reportable::Yes(_) => self.refresh(facility, &hosts, incident, users).await?,
                Reportable::No => self.withdraw(&incident, report).await?,
            };
            if done {
                changed += 1;
                self.nudge.tell_incident(&facility.id, id, What::Report);
            }
            if settled {
                self.settled.insert(id, updated_at);
            } else {
                self.settled.remove(&id);
            }
        }

        Ok(changed)
    }

    /// Returns whether the draft was made or says something new.
    async fn refresh(
        &self,
        facility: &Arc<Facility>,
        hosts: &Arc<Vec<Host>>,
        incident: Incident,
        users: &Arc<BTreeMap<UserId, String>>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let ids = (&facility.id, incident.id);
        let report = self
            .store
            .ensure_draft(ids.0, ids.1, MHLW_CONTACT, incident.drill, now)
            .await?;
        if report.status != ReportStatus::Draft {
            return Ok(false);
        }
        let is_new = report.revision.0 == 0;
        let records = self.store.incident_records(&incident).await?;
        let entries: Vec<StoredEntry> = self.store.incident_entries(ids.0, ids.1).await?;
        let (owner, hosts, users) = (facility.clone(), hosts.clone(), users.clone());
        let locale = self.locale;
        // Thousands of records take a moment to be told; requests must not wait for them.
        let drafted = tokio::task::spawn_blocking(move || {
            let input = Input {
                facility: &owner,
                hosts: &hosts,
                incident: &incident,
                records: &records,
                entries: &entries,
                users: &users,
                as_of: now,
            };
            draft(&input, locale)
        });
        let drafted = drafted
            .await
            .map_err(|error| StoreError::unreadable("draft", error))?;
        let refresh = self
            .store
            .refresh_draft(&facility.id, report.id, &drafted, now)
            .await?;
        if is_new {
            let (report, incident) = (report.id, report.incident);
            tracing::info!(report.id = %report, incident.id = %incident, "drafted report {report}");
        }

        Ok(!refresh.changed.is_empty() || !refresh.proposed.is_empty())
    }

    async fn withdraw(
        &self,
        incident: &Incident,
        report: Option<&Report>,
    ) -> Result<bool, StoreError> {
        let Some(report) = report else {
            return Ok(false);
        };
        let reason = match incident.status {
            Status::FalseAlarm => "false alarm",
            Status::Merged => "the incident became a part of another",
            // Conclusions only ever grow; what was reportable stays so.
            Status::Open | Status::Acknowledged | Status::Closed => return Ok(false),
        };
        let now = self.clock.now();
        let withdrawn = self
            .store
            .withdraw_report(&incident.facility, report.id, reason, now)
            .await?;
        if withdrawn {
            let report = report.id;
            tracing::info!(report.id = %report, reason, "withdrew report {report}");
        }

        Ok(withdrawn)
    }
}

impl Job for DraftReportsJob {
    const NAME: &'static str = "draft_reports";
    const PERIOD: Duration = Duration::from_secs(20);
    const WOKEN_BY: &'static [What] = &[What::Incident, What::Facility];

    async fn activate(&mut self) -> Outcome {
        match self.run().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(changed) => Outcome::Changed(changed),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
