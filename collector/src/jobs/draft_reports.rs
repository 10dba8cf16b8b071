//! Keeps the answers of each incident that could be reportable up to what is known, with the first contact as a draft,
//! and withdraws its reports when the incident was nothing.

mod case;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::ids::{FacilityId, IncidentId, UserId};
use shirase_shared::wire::Action;

use super::{Job, Nudge, Outcome, What};
use crate::facilities::{Facility, Host};
use crate::incidents::{Incident, Reportable, Status, StoredEntry};
use crate::locale::Locale;
use crate::reports::Report;
use crate::reports::answer::RoundKind;
use crate::reports::draft::{Input, Window, draft};
use crate::reports::profile::{MHLW_CONTACT, MHLW_SERIES, MUNICIPALITY_FIRST, MUNICIPALITY_SERIES};
use crate::store::{NewReport, Store, StoreError};

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
        let facility = &Arc::new(self.store.with_vendors(facility, self.clock.now()).await?);
        let hosts = Arc::new(self.store.hosts(&facility.id).await?);
        let reports = self.store.reports(&facility.id).await?;
        let windows = Arc::new(windows(&self.store, &facility.id).await?);
        let mut changed = 0;
        for incident in self.store.incidents(&facility.id).await? {
            let own: Vec<&Report> = reports
                .iter()
                .filter(|report| report.incident == incident.id)
                .collect();
            let (id, updated_at) = (incident.id, incident.updated_at);
            let settled = !incident.status.is_live();
            if settled && !own.is_empty() && self.settled.get(&id) == Some(&updated_at) {
                continue;
            }
            let done = match incident.is_reportable() {
                Reportable::Yes(_) => {
                    self.refresh(facility, (&hosts, &windows), incident, users)
                        .await?
                }
                Reportable::No => self.withdraw(&incident, &own).await?,
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
        (hosts, windows): (&Arc<Vec<Host>>, &Arc<Vec<Window>>),
        incident: Incident,
        users: &Arc<BTreeMap<UserId, String>>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let ids = (&facility.id, incident.id);
        let case = match incident.case() {
            Some(case) => Some(case::Loaded::of(&self.store, &facility.id, case).await?),
            None => None,
        };
        let (profile, series) = match case {
            Some(_) => (MUNICIPALITY_FIRST, MUNICIPALITY_SERIES),
            None => (MHLW_CONTACT, MHLW_SERIES),
        };
        let first = NewReport {
            facility: facility.id.clone(),
            incident: incident.id,
            profile: profile.to_owned(),
            series: series.to_owned(),
            kind: RoundKind::Preliminary,
            drill: incident.drill,
        };
        let report = self.store.ensure_draft(&first, now).await?;
        let is_new = report.revision.0 == 0;
        let records = self.store.incident_records(&incident).await?;
        let entries: Vec<StoredEntry> = self.store.incident_entries(ids.0, ids.1).await?;
        let (owner, hosts, users) = (facility.clone(), hosts.clone(), users.clone());
        let windows = windows.clone();
        let locale = self.locale;
        // Thousands of records take a moment to be told; requests must not wait for them.
        let drafted = tokio::task::spawn_blocking(move || {
            let story = case.as_ref().map(case::Loaded::story);
            let input = Input {
                case: story.as_ref(),
                facility: &owner,
                hosts: &hosts,
                incident: &incident,
                records: &records,
                entries: &entries,
                windows: &windows,
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
            .refresh_sheet(&facility.id, report.incident, &drafted, now)
            .await?;
        if is_new {
            let (report, incident) = (report.id, report.incident);
            tracing::info!(report.id = %report, incident.id = %incident, "drafted report {report}");
        }

        Ok(!refresh.changed.is_empty() || !refresh.proposed.is_empty())
    }

    async fn withdraw(&self, incident: &Incident, reports: &[&Report]) -> Result<bool, StoreError> {
        let reason = match incident.status {
            Status::FalseAlarm => "false alarm",
            Status::Merged => "the incident became a part of another",
            // Conclusions only ever grow; what was reportable stays so.
            Status::Open | Status::Acknowledged | Status::Closed => return Ok(false),
        };
        let now = self.clock.now();
        let mut any = false;
        for report in reports {
            let (facility, report) = (&incident.facility, report.id);
            if self
                .store
                .withdraw_report(facility, report, reason, now)
                .await?
            {
                tracing::info!(report.id = %report, reason, "withdrew report {report}");
                any = true;
            }
        }

        Ok(any)
    }
}

/// Returns the maintenance windows that were ordered at a facility, as long as they lasted.
async fn windows(store: &Store, facility: &FacilityId) -> Result<Vec<Window>, StoreError> {
    let mut windows: Vec<Window> = Vec::new();
    let mut orders = store.orders(facility).await?;
    orders.sort_by_key(|issued| issued.order.issued_at);
    for issued in orders {
        let (host, at) = (issued.order.host, issued.order.issued_at);
        match issued.order.action {
            Action::Maintenance { until, .. } => windows.push(Window { host, from: at, until }),
            Action::EndMaintenance { .. } => {
                for window in windows.iter_mut().filter(|window| window.host == host) {
                    window.until = window.until.min(at.max(window.from));
                }
            }
            Action::Drill { .. } => {}
        }
    }

    Ok(windows)
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
