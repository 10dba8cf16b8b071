//! Suspected ransomware with impact on care: a mass change, and the loss of a system that care stands on, or of a
//! whole host, close to it at the same facility.
//!
//! One conclusion for each mass change of high severity. Neither alone would say it: files are renamed in bulk by
//! honest programs, and services stop for many reasons.

use std::collections::BTreeSet;

use shirase_shared::event::Severity;

use crate::correlate::conclusion::{Conclusion, Impact, NaturalKey, Reason, Rule, Worst};
use crate::correlate::input::Facts;

pub(in crate::correlate) fn run(facts: &Facts<'_>, base: &[Conclusion]) -> Vec<Conclusion> {
    base.iter()
        .filter_map(|change| conclude(facts, change, base))
        .collect()
}

fn conclude(facts: &Facts<'_>, change: &Conclusion, base: &[Conclusion]) -> Option<Conclusion> {
    let Reason::MassChange { files, .. } = &change.reason else { return None };
    if change.severity < Severity::High {
        return None;
    }
    let window = facts.input.config.window();
    let near = base
        .iter()
        .filter(|other| other.drill == change.drill && other.span().is_near(change.span(), window));
    let lost: Vec<(&Conclusion, Impact)> = near
        .filter_map(|other| impact(other).map(|impact| (other, impact)))
        .collect();
    if lost.is_empty() {
        return None;
    }
    let impacts: BTreeSet<Impact> = lost.iter().map(|(_, impact)| impact.clone()).collect();
    let reason = Reason::RansomwareImpact {
        host: *change.hosts.first()?,
        files: *files,
        impacts: impacts.into_iter().collect(),
    };
    let all = || lost.iter().map(|(other, _)| *other).chain([change]);

    Some(Conclusion {
        natural_key: NaturalKey::new(format!("{}/{}", Rule::RansomwareImpact, change.natural_key)),
        rule: Rule::RansomwareImpact,
        severity: Severity::Critical,
        facility: change.facility.clone(),
        hosts: all().flat_map(|part| part.hosts.iter().copied()).collect(),
        records: all()
            .flat_map(|part| part.records.iter().copied())
            .collect(),
        about: Some(change.natural_key.clone()),
        parts: all().map(|part| part.natural_key.clone()).collect(),
        first_at: all().map(|part| part.first_at).min()?,
        last_at: all().map(|part| part.last_at).max()?,
        drill: change.drill,
        sources: BTreeSet::new(),
        care_roles: all()
            .flat_map(|part| part.care_roles.iter().copied())
            .collect(),
        reason,
    })
}

/// Returns what a conclusion tells of care, if it tells of a loss.
fn impact(other: &Conclusion) -> Option<Impact> {
    let target = match (&other.rule, &other.reason) {
        (Rule::CareOutage, Reason::Outage { worst: Worst::Down, target, .. }) => {
            Some(target.name.clone())
        }
        (Rule::SilentHost, Reason::SilentHost { .. }) => None,
        (_, _) => return None,
    };

    Some(Impact {
        first_at: other.first_at,
        natural_key: other.natural_key.clone(),
        host: *other.hosts.first()?,
        target,
    })
}
