//! Everything the law asks over one incident, at one moment: its duties and its deadlines.
//!
//! Always holds: pure; a page, a mail and a command that show the same moment show the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::ReportId;

use super::answer::{Answer, RoundKind};
use super::deadline::{Deadline, Done, deadlines};
use super::duty::{Duty, Situation, duties};
use super::fields::Field;
use super::profile::Profiles;
use super::{Report, ReportStatus};
use crate::deliver::Handover;
use crate::incidents::{Incident, Moments, StoredEntry};

/// What an overview is made of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// What was done to it.
    pub entries: &'a [StoredEntry],
    /// Its answers.
    pub answers: &'a BTreeMap<Field, Answer>,
    /// Its reports.
    pub reports: &'a [Report],
    /// By which delivery each report was handed in, of those that were.
    pub handed_in: &'a BTreeMap<ReportId, Handover>,
    /// The moment for which it is asked.
    pub now: Timestamp,
}

/// The duties and deadlines of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The moments everything runs from.
    pub moments: Moments,
    /// Every duty, those that apply first.
    pub duties: Vec<Duty>,
    /// The deadlines of those that apply, the next one first.
    pub deadlines: Vec<Deadline>,
}

impl Overview {
    /// Works it out.
    #[must_use]
    pub fn of(asked: &Asked<'_>, profiles: &Profiles) -> Self {
        let moments = Moments::of(asked.incident, asked.entries);
        let mut reported = BTreeMap::new();
        let mut finals = BTreeMap::new();
        for (report, handover) in asked.delivered() {
            let first = reported.entry(report.round.series.clone());
            let first = first.or_insert(handover.at);
            *first = (*first).min(handover.at);
            if report.round.kind == RoundKind::Final {
                earliest(&mut finals, &report.profile, handover);
            }
        }
        let delivered = asked.serving(profiles);
        let situation = Situation {
            answers: asked.answers,
            by: asked.incident.reported_by(),
            moments: &moments,
            reported: &reported,
            now: asked.now,
        };
        let duties = duties(profiles, &situation);
        let done = Done {
            delivered: &delivered,
            finals: &finals,
            vendor_called: vendor_called(asked.entries),
        };
        let mut running: Vec<Deadline> = duties
            .iter()
            .filter_map(|duty| Some((duty, profiles.profile(&duty.profile)?)))
            .flat_map(|(duty, profile)| deadlines(duty, profile, &situation, done))
            .collect();
        running.sort_by_key(|deadline| {
            let state = deadline.state(asked.now);
            (!state.is_open(), deadline.due().map(|due| due.at), deadline.key())
        });

        Self { moments, duties, deadlines: running }
    }
}

impl Asked<'_> {
    fn delivered(&self) -> impl Iterator<Item = (&Report, &Handover)> {
        let approved = self
            .reports
            .iter()
            .filter(|report| report.status == ReportStatus::Approved);
        approved.filter_map(|report| Some((report, self.handed_in.get(&report.id)?)))
    }

    /// What first served each profile: a report of its own, or a later kind of report in its series, delivered.
    fn serving(&self, profiles: &Profiles) -> BTreeMap<String, Handover> {
        let mut served = BTreeMap::new();
        for (report, handover) in self.delivered() {
            earliest(&mut served, &report.profile, handover);
            for profile in profiles.of_series(&report.round.series) {
                let kinds = profile.body.round.kinds();
                if kinds.iter().all(|kind| *kind <= report.round.kind) {
                    earliest(&mut served, &profile.body.id, handover);
                }
            }
        }
        served
    }
}

fn earliest(found: &mut BTreeMap<String, Handover>, key: &str, handover: &Handover) {
    let first = found
        .entry(key.to_owned())
        .or_insert_with(|| handover.clone());
    if handover.at < first.at {
        first.clone_from(handover);
    }
}

fn vendor_called(entries: &[StoredEntry]) -> Option<Timestamp> {
    let calls = entries.iter().filter_map(|entry| entry.what.vendor_call());
    calls.map(|call| call.called_at).min()
}
