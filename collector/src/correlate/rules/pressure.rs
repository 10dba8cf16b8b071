//! A host runs out of something, or its clock moved.
//!
//! Never more than *medium*: it is for the people who look after the machine, not for a report.

use shirase_shared::event::{Anomaly, Pressure, Severity};

use super::{Verdict, latest, severity};
use crate::correlate::conclusion::{Conclusion, Reason, Rule};
use crate::correlate::input::{Facts, Story};

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    let stories = facts.stories(|anomaly| pressure(anomaly).map(tag));
    stories
        .iter()
        .filter_map(|story| conclude(facts, story))
        .collect()
}

fn tag(pressure: &Pressure) -> String {
    let what = match pressure {
        Pressure::DiskNearlyFull { .. } => "disk",
        Pressure::MemoryNearlyFull { .. } => "memory",
        Pressure::CertificateExpiring { .. } => "certificate",
        Pressure::ClockJump { .. } => "clock",
    };
    format!("{}/{what}", Rule::Pressure)
}

fn conclude(facts: &Facts<'_>, story: &Story<'_>) -> Option<Conclusion> {
    let (_, evidence) = latest(story, pressure)?;
    let verdict = Verdict {
        rule: Rule::Pressure,
        severity: severity(story).min(Severity::Medium),
        care_roles: facts.roles(story.host),
        reason: Reason::Pressure { evidence: evidence.clone() },
    };

    Some(verdict.on(story, facts))
}

const fn pressure(anomaly: &Anomaly) -> Option<&Pressure> {
    match anomaly {
        Anomaly::Pressure(pressure) => Some(pressure),
        Anomaly::MassChange(_)
        | Anomaly::Outage(_)
        | Anomaly::Loss(_)
        | Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => None,
    }
}
