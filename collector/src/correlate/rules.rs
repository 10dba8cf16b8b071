//! The rules, one a file, and what they share.

use std::collections::BTreeSet;

use shirase_shared::event::{Anomaly, Severity};

use super::conclusion::{Conclusion, NaturalKey, Reason, RecordKey, Rule};
use super::input::{Facts, Seen, Story};
use crate::facilities::CareRole;

pub(super) mod pressure;
pub(super) mod loss;
pub(super) mod outage;
pub(super) mod care_outage;
pub(super) mod fork;
pub(super) mod silent_host;
pub(super) mod intrusion;
pub(super) mod mass_change;
pub(super) mod spreading;
pub(super) mod ransomware_impact;

/// What one rule adds to the story of one burst.
struct Verdict {
    rule: Rule,
    severity: Severity,
    care_roles: BTreeSet<CareRole>,
    reason: Reason,
}

impl Verdict {
    /// Makes the conclusion: where, when and by which records the story itself says.
    fn on(self, story: &Story<'_>, facts: &Facts<'_>) -> Conclusion {
        let times = story.records.iter().map(|seen| seen.record.corrected_at);
        let last_at = times.max().unwrap_or(facts.input.as_of);
        let firsts = story.records.iter().map(Seen::first_change);
        Conclusion {
            natural_key: NaturalKey::new(story.key.clone()),
            rule: self.rule,
            severity: self.severity,
            facility: facts.input.facility.clone(),
            hosts: BTreeSet::from([story.host]),
            records: keys(story),
            about: None,
            parts: BTreeSet::new(),
            first_at: firsts.min().unwrap_or(last_at),
            last_at,
            drill: story.drill,
            sources: sources(story),
            care_roles: self.care_roles,
            reason: self.reason,
        }
    }
}

/// Returns where the story's logons came from.
fn sources(story: &Story<'_>) -> BTreeSet<String> {
    let logons = story
        .records
        .iter()
        .filter_map(|seen| match &seen.event.anomaly {
            Anomaly::Logon(logon) => Some(&logon.sources),
            Anomaly::MassChange(_)
            | Anomaly::Outage(_)
            | Anomaly::Print(_)
            | Anomaly::Stops(_)
            | Anomaly::Protection(_)
            | Anomaly::Backup(_)
            | Anomaly::Pressure(_)
            | Anomaly::Loss(_)
            | Anomaly::Agent(_) => None,
        });
    logons.flatten().cloned().collect()
}

fn keys(story: &Story<'_>) -> BTreeSet<RecordKey> {
    story.records.iter().map(Seen::key).collect()
}

/// Returns the highest severity an agent gave to any record of the story.
fn severity(story: &Story<'_>) -> Severity {
    story
        .records
        .iter()
        .map(|seen| seen.event.severity)
        .max()
        .unwrap_or(Severity::Low)
}

/// Returns the latest of what `pick` finds in the story: by corrected time, then by number.
fn latest<'a, T>(
    story: &Story<'a>,
    pick: impl Fn(&'a Anomaly) -> Option<T>,
) -> Option<(Seen<'a>, T)> {
    let found = |seen: &Seen<'a>| pick(&seen.event.anomaly).map(|evidence| (*seen, evidence));
    story.records.iter().rev().find_map(found)
}

/// Whether a role is one that care itself stands on, so that its loss is felt at the bedside or at the counter.
const fn serves_care(role: CareRole) -> bool {
    match role {
        CareRole::Ehr
        | CareRole::Orders
        | CareRole::Pacs
        | CareRole::Lab
        | CareRole::Accounting
        | CareRole::NurseCall
        | CareRole::FileShare
        | CareRole::Directory => true,
        // A lost backup harms recovery, not care at that moment; of anything else nobody said what it is for.
        CareRole::Backup | CareRole::Other => false,
    }
}
