//! Two agents speak with one identity: a copied machine, or a disk put back to an older state.
//!
//! One conclusion for each host and stream. What either of them said is kept, so nothing is lost; but until a person
//! has looked, nobody can tell which machine is the real one.

use std::collections::{BTreeMap, BTreeSet};

use shirase_shared::event::Severity;
use shirase_shared::ids::{HostId, StreamId};

use crate::correlate::conclusion::{Conclusion, NaturalKey, Reason, RecordKey, Rule};
use crate::correlate::input::Facts;
use crate::records::Fork;

/// How much a copied agent matters: somebody has to look at it today.
const SEVERITY: Severity = Severity::Medium;

pub(in crate::correlate) fn run(facts: &Facts<'_>) -> Vec<Conclusion> {
    let mut streams: BTreeMap<(HostId, StreamId), Vec<&Fork>> = BTreeMap::new();
    for fork in &facts.input.forks {
        streams
            .entry((fork.host, fork.stream))
            .or_default()
            .push(fork);
    }
    let concluded = streams
        .into_values()
        .filter_map(|forks| conclude(facts, &forks));
    concluded.collect()
}

fn conclude(facts: &Facts<'_>, forks: &[&Fork]) -> Option<Conclusion> {
    let Fork { host, stream, .. } = **forks.first()?;
    let sequences: BTreeSet<_> = forks.iter().map(|fork| fork.sequence).collect();
    let key = |sequence: &_| RecordKey { host, stream, sequence: *sequence };

    Some(Conclusion {
        natural_key: NaturalKey::new(format!("{}/{host}/{stream}", Rule::Fork)),
        rule: Rule::Fork,
        severity: SEVERITY,
        facility: facts.input.facility.clone(),
        hosts: BTreeSet::from([host]),
        // The first is enough to show it; a copy that runs for a week doubles every number from there on.
        records: sequences.first().map(key).into_iter().collect(),
        about: None,
        parts: BTreeSet::new(),
        first_at: forks.iter().map(|fork| fork.noticed_at).min()?,
        last_at: forks.iter().map(|fork| fork.noticed_at).max()?,
        drill: None,
        sources: BTreeSet::new(),
        care_roles: facts.roles(host),
        reason: Reason::Fork {
            stream,
            first: *sequences.first()?,
            count: u64::try_from(sequences.len()).unwrap_or(u64::MAX),
        },
    })
}
