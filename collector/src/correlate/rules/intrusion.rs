//! What an intruder does around the files, each kind a rule of its own: logons, printing, services that stop together,
//! protection and backups that are taken away.
//!
//! They are one file because they conclude in one way: a conclusion for each host and story, as severe as the agent
//! said, with the latest word as its reason. What they mean together with other things is for the rules upon them.

use shirase_shared::event::{Anomaly, Phase};

use super::{Verdict, latest, severity};
use crate::correlate::conclusion::{Conclusion, Reason, Rule};
use crate::correlate::input::{Facts, Story};

pub(in crate::correlate) fn logon(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::Logon)
}

pub(in crate::correlate) fn print_burst(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::PrintBurst)
}

pub(in crate::correlate) fn services_stopped(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::ServicesStopped)
}

pub(in crate::correlate) fn protection_loss(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::ProtectionLoss)
}

pub(in crate::correlate) fn backup_loss(facts: &Facts<'_>) -> Vec<Conclusion> {
    conclusions(facts, Rule::BackupLoss)
}

fn conclusions(facts: &Facts<'_>, rule: Rule) -> Vec<Conclusion> {
    let stories = facts.stories(|anomaly| (rule_of(anomaly)? == rule).then(|| rule.to_string()));
    stories
        .iter()
        .filter_map(|story| conclude(facts, rule, story))
        .collect()
}

fn conclude(facts: &Facts<'_>, rule: Rule, story: &Story<'_>) -> Option<Conclusion> {
    let ours = |anomaly| rule_of(anomaly).filter(|owner| *owner == rule);
    let (last, _) = latest(story, ours)?;
    let reason = Reason::Intrusion {
        evidence: last.event.anomaly.clone(),
        ended_at: match last.event.phase {
            Phase::Ended => Some(last.record.corrected_at),
            Phase::Opened | Phase::Grew | Phase::Once => None,
        },
    };
    let verdict =
        Verdict { rule, severity: severity(story), care_roles: facts.roles(story.host), reason };

    Some(verdict.on(story, facts))
}

/// Returns the rule an anomaly belongs to.
const fn rule_of(anomaly: &Anomaly) -> Option<Rule> {
    match anomaly {
        Anomaly::Logon(_) => Some(Rule::Logon),
        Anomaly::Print(_) => Some(Rule::PrintBurst),
        Anomaly::Stops(_) => Some(Rule::ServicesStopped),
        Anomaly::Protection(_) => Some(Rule::ProtectionLoss),
        Anomaly::Backup(_) => Some(Rule::BackupLoss),
        Anomaly::MassChange(_)
        | Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Agent(_) => None,
    }
}
