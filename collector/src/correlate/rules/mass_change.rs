//! Many files of one root changed the way an encryptor or a wiper changes them.
//!
//! One conclusion for each host and burst. The severity is the highest its agent reached; the totals are those of the
//! latest word, because each event of a burst carries running totals that replace the earlier ones.

use std::collections::BTreeMap;

use shirase_shared::event::{self, Anomaly, Phase};

use super::{Verdict, latest, severity};
use crate::correlate::conclusion::{Conclusion, Reason, Rule};
use crate::correlate::input::{Facts, Story};

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    let stories = facts.stories(|anomaly| match anomaly {
        Anomaly::MassChange(_) => Some(Rule::MassChange.to_string()),
        Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => None,
    });
    stories
        .iter()
        .filter_map(|story| conclude(facts, story))
        .collect()
}

fn conclude(facts: &Facts<'_>, story: &Story<'_>) -> Option<Conclusion> {
    let (last, totals) = latest(story, |anomaly| match anomaly {
        Anomaly::MassChange(totals) => Some(totals),
        Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => None,
    })?;
    let reason = Reason::MassChange {
        root: last.event.root.clone(),
        files: last.event.files_affected,
        totals: event::MassChange { suffixes: suffixes(story, totals), ..totals.clone() },
        ended_at: match last.event.phase {
            Phase::Ended | Phase::Once => Some(last.record.corrected_at),
            Phase::Opened | Phase::Grew => None,
        },
    };
    let verdict = Verdict {
        rule: Rule::MassChange,
        severity: severity(story),
        care_roles: facts.roles(story.host),
        reason,
    };

    Some(verdict.on(story, facts))
}

/// Returns the counts of the latest word, and with them every suffix an earlier one told of: an agent names the most
/// frequent ones only, and what it once saw must not stop being a likeness to another host.
fn suffixes(story: &Story<'_>, latest: &event::MassChange) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for seen in &story.records {
        if let Anomaly::MassChange(totals) = &seen.event.anomaly {
            all.extend(totals.suffixes.clone());
        }
    }
    all.extend(latest.suffixes.clone());

    all
}
