//! Something is down that nobody named as a part of care.
//!
//! One conclusion for each host and outage, as [`super::care_outage`]; the two share their natural key, so that an
//! outage changes its rule and not its name when somebody enters what the server does for care.

use shirase_shared::event::{Anomaly, Outage, OutageState, Severity};

use super::{Verdict, latest, serves_care, severity};
use crate::correlate::conclusion::{Conclusion, Reason, Rule, Worst};
use crate::correlate::input::{Facts, Seen, Story};

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::Outage)
}

/// Returns the outages that belong to `rule`, which is this one or [`Rule::CareOutage`].
pub(super) fn conclusions(facts: &Facts<'_>, rule: Rule) -> Vec<Conclusion> {
    let stories = facts.stories(|anomaly| outage(anomaly).map(|_| Rule::Outage.to_string()));
    let concluded = stories.iter().filter_map(|story| conclude(facts, story));
    concluded
        .filter(|conclusion| conclusion.rule == rule)
        .collect()
}

fn conclude(facts: &Facts<'_>, story: &Story<'_>) -> Option<Conclusion> {
    let (last, evidence) = latest(story, outage)?;
    let worst = story
        .records
        .iter()
        .filter_map(|seen| outage(&seen.event.anomaly))
        .map(|outage| match outage.state {
            OutageState::Down => Worst::Down,
            OutageState::Flapping => Worst::Flapping,
            OutageState::Recovered => Worst::Unknown,
        })
        .max()?;
    let care_roles = facts.roles_of(story.host, &evidence.target.name);
    let told = severity(story);
    let (rule, severity) = if care_roles.iter().copied().any(serves_care) {
        let severity = match worst {
            // Care is waiting for it: never less than "look at it now", whatever the agent's own default.
            Worst::Down => told.max(Severity::High),
            Worst::Flapping | Worst::Unknown => told,
        };
        (Rule::CareOutage, severity)
    } else {
        (Rule::Outage, told)
    };
    let reason = Reason::Outage {
        target: evidence.target.clone(),
        state: evidence.state,
        worst,
        since: since(story),
        last_good: evidence.last_good.map(|at| last.corrected(at)),
        recovered_at: match evidence.state {
            OutageState::Recovered => Some(last.record.corrected_at),
            OutageState::Down | OutageState::Flapping => None,
        },
        detail: evidence.detail.clone(),
    };

    Some(Verdict { rule, severity, care_roles, reason }.on(story, facts))
}

/// Returns since when it was not well. A recovery's own `since` is the moment it came back, so it does not count.
fn since(story: &Story<'_>) -> jiff::Timestamp {
    let trouble = |seen: &Seen<'_>| {
        let outage = outage(&seen.event.anomaly)?;
        match outage.state {
            OutageState::Down | OutageState::Flapping => Some(seen.corrected(outage.since)),
            OutageState::Recovered => seen.event.first_change_at.map(|at| seen.corrected(at)),
        }
    };
    let first = story.records.iter().filter_map(trouble).min();
    first
        .or_else(|| story.records.iter().map(Seen::first_change).min())
        .unwrap_or_default()
}

const fn outage(anomaly: &Anomaly) -> Option<&Outage> {
    match anomaly {
        Anomaly::Outage(outage) => Some(outage),
        Anomaly::MassChange(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => None,
    }
}
