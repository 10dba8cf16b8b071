//! The same mass change on several hosts.
//!
//! One conclusion for each burst that has a twin on another host: the same new suffix within a day, or bursts of high
//! severity so close in time that chance is no explanation. It speaks about its own burst and names the twins, so that
//! a twin that arrives late changes nothing that was said.

use std::collections::{BTreeMap, BTreeSet};

use shirase_shared::event::Severity;
use shirase_shared::ids::HostId;
use shirase_shared::redact::OTHER_EXTENSION;

use crate::correlate::conclusion::{Conclusion, NaturalKey, Reason, Rule};
use crate::correlate::input::{CorrelateConfig, Facts};

pub(in crate::correlate) fn run(facts: &Facts<'_>, base: &[Conclusion]) -> Vec<Conclusion> {
    let bursts: Vec<Burst<'_>> = base.iter().filter_map(Burst::of).collect();
    let config = &facts.input.config;
    bursts
        .iter()
        .filter_map(|burst| conclude(burst, &bursts, config))
        .collect()
}

/// A mass change, as far as this rule looks at it.
struct Burst<'a> {
    conclusion: &'a Conclusion,
    host: HostId,
    suffixes: BTreeSet<&'a str>,
}

impl<'a> Burst<'a> {
    fn of(conclusion: &'a Conclusion) -> Option<Self> {
        let Reason::MassChange { totals, .. } = &conclusion.reason else { return None };
        let shown = totals.suffixes.keys().map(String::as_str);

        Some(Self {
            conclusion,
            host: *conclusion.hosts.first()?,
            suffixes: shown.filter(|suffix| *suffix != OTHER_EXTENSION).collect(),
        })
    }

    /// Returns the suffixes both have if the other one is this burst's twin.
    fn twin(&self, other: &Self, config: &CorrelateConfig) -> Option<BTreeSet<String>> {
        let (mine, theirs) = (self.conclusion, other.conclusion);
        if self.host == other.host || mine.drill != theirs.drill {
            return None;
        }
        let (mine_at, theirs_at) = (mine.span(), theirs.span());
        let least = mine.severity.min(theirs.severity);
        let shared: BTreeSet<String> = self
            .suffixes
            .intersection(&other.suffixes)
            .map(|suffix| (*suffix).to_owned())
            .collect();
        let same_suffix = !shared.is_empty()
            && Severity::Medium <= least
            && mine_at.is_near(theirs_at, config.same_suffix());
        let same_time = Severity::High <= least && mine_at.is_near(theirs_at, config.window());

        (same_suffix || same_time).then_some(shared)
    }
}

fn conclude(
    burst: &Burst<'_>,
    bursts: &[Burst<'_>],
    config: &CorrelateConfig,
) -> Option<Conclusion> {
    let twins: BTreeMap<&NaturalKey, (&Burst<'_>, BTreeSet<String>)> = bursts
        .iter()
        .filter_map(|other| {
            let shared = burst.twin(other, config)?;
            Some((&other.conclusion.natural_key, (other, shared)))
        })
        .collect();
    if twins.is_empty() {
        return None;
    }
    let about = burst.conclusion;
    let others: BTreeSet<HostId> = twins.values().map(|(twin, _)| twin.host).collect();
    let shared = twins
        .values()
        .flat_map(|(_, shared)| shared.iter().cloned());
    let reason = Reason::Spreading {
        host: burst.host,
        others: others.clone(),
        shared_suffixes: shared.collect(),
    };
    let mut care_roles = about.care_roles.clone();
    care_roles.extend(
        twins
            .values()
            .flat_map(|(twin, _)| &twin.conclusion.care_roles),
    );
    let spans = twins.values().map(|(twin, _)| twin.conclusion.span());

    Some(Conclusion {
        natural_key: NaturalKey::new(format!("{}/{}", Rule::Spreading, about.natural_key)),
        rule: Rule::Spreading,
        severity: Severity::Critical,
        facility: about.facility.clone(),
        hosts: others.into_iter().chain([burst.host]).collect(),
        records: about.records.clone(),
        about: Some(about.natural_key.clone()),
        parts: twins
            .keys()
            .copied()
            .chain([&about.natural_key])
            .cloned()
            .collect(),
        first_at: spans
            .clone()
            .map(|span| span.first)
            .min()?
            .min(about.first_at),
        last_at: spans.map(|span| span.last).max()?.max(about.last_at),
        drill: about.drill,
        sources: BTreeSet::new(),
        care_roles,
        reason,
    })
}
