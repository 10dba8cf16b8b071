//! Which conclusions tell one story.
//!
//! Two are linked when one is a part of the other, when they stand on the same record, or when they speak of the same
//! host, or of logons from the same address, within the window. A link that exists stays whatever else arrives: spans only widen and records only add up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use shirase_shared::ids::{DrillId, HostId, IncidentId};

use crate::correlate::{Conclusion, NaturalKey, RecordKey, Rule};

/// A conclusion with its place among all.
type Placed<'a> = (usize, &'a Conclusion);

/// Returns the stories, earliest first: the connected parts of what is free.
pub(super) fn stories(
    free: &BTreeMap<NaturalKey, Conclusion>,
    owners: &BTreeMap<NaturalKey, IncidentId>,
    window: SignedDuration,
) -> Vec<BTreeSet<NaturalKey>> {
    let conclusions: Vec<&Conclusion> = free.values().collect();
    let places: BTreeMap<&NaturalKey, usize> = free
        .keys()
        .enumerate()
        .map(|(place, key)| (key, place))
        .collect();
    let mut sets = Sets::new(conclusions.len());
    link_parts(&conclusions, &places, &mut sets);
    link_records(&conclusions, &mut sets);
    link_places(&conclusions, window, &mut sets);
    link_owned(&conclusions, owners, &mut sets);

    let mut stories: BTreeMap<usize, BTreeSet<NaturalKey>> = BTreeMap::new();
    for (place, conclusion) in conclusions.iter().enumerate() {
        let story = stories.entry(sets.root(place)).or_default();
        story.insert(conclusion.natural_key.clone());
    }
    let mut stories: Vec<_> = stories.into_values().collect();
    let began = |story: &BTreeSet<NaturalKey>| {
        story
            .iter()
            .filter_map(|key| free.get(key))
            .map(|conclusion| conclusion.first_at)
            .min()
    };
    stories.sort_by_cached_key(|story| (began(story), story.first().cloned()));

    stories
}

fn link_parts(conclusions: &[&Conclusion], places: &BTreeMap<&NaturalKey, usize>, sets: &mut Sets) {
    for (place, conclusion) in conclusions.iter().enumerate() {
        for part in conclusion.parts.iter().filter_map(|part| places.get(part)) {
            sets.join(place, *part);
        }
    }
}

fn link_records(conclusions: &[&Conclusion], sets: &mut Sets) {
    // Evidence of a composite conclusion is that of its parts, which are linked as parts where they are free.
    let mut first: BTreeMap<(RecordKey, Option<DrillId>), usize> = BTreeMap::new();
    for (place, conclusion) in alone(conclusions) {
        for record in &conclusion.records {
            let other = *first.entry((*record, conclusion.drill)).or_insert(place);
            sets.join(place, other);
        }
    }
}

/// Links what happened in one place at about the same time.
fn link_places(conclusions: &[&Conclusion], window: SignedDuration, sets: &mut Sets) {
    let mut places: BTreeMap<(Option<DrillId>, Common<'_>), Vec<Placed<'_>>> = BTreeMap::new();
    for (place, conclusion) in alone(conclusions) {
        let hosts = conclusion.hosts.iter().map(|host| Common::Host(*host));
        let sources = conclusion
            .sources
            .iter()
            .map(|source| Common::Source(source));
        for common in hosts.chain(sources) {
            places
                .entry((conclusion.drill, common))
                .or_default()
                .push((place, conclusion));
        }
    }
    for mut there in places.into_values() {
        there.sort_by_key(|(place, conclusion)| (conclusion.first_at, *place));
        for (index, (place, earlier)) in there.iter().enumerate() {
            let later = there.iter().skip(index + 1);
            // Sorted by beginning: once one begins too late, so do all after it.
            let near = later.take_while(|(_, later)| earlier.span().is_near(later.span(), window));
            for (other, later) in near {
                if is_one_story(earlier.rule, later.rule) {
                    sets.join(*place, *other);
                }
            }
        }
    }
}

/// What two conclusions can have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Common<'a> {
    /// The host they speak of.
    Host(HostId),
    /// The address somebody logged on from: whoever tries one server after another from there is one intruder.
    Source(&'a str),
}

/// Keeps together what was put together before, for as long as it is open.
fn link_owned(
    conclusions: &[&Conclusion],
    owners: &BTreeMap<NaturalKey, IncidentId>,
    sets: &mut Sets,
) {
    let mut first: BTreeMap<IncidentId, usize> = BTreeMap::new();
    for (place, conclusion) in conclusions.iter().enumerate() {
        if let Some(owner) = owners.get(&conclusion.natural_key) {
            let other = *first.entry(*owner).or_insert(place);
            sets.join(place, other);
        }
    }
}

/// Conclusions that stand on records alone. Composite ones are linked through their parts.
fn alone<'a>(conclusions: &'a [&'a Conclusion]) -> impl Iterator<Item = Placed<'a>> + 'a {
    let places = conclusions.iter().enumerate();
    places
        .map(|(place, conclusion)| (place, *conclusion))
        .filter(|(_, conclusion)| conclusion.parts.is_empty())
}

/// Whether two conclusions about one host at about the same time belong together. Two small things of different kinds
/// do not, or a nearly full disk and a moved clock would chain unrelated days into one endless story.
fn is_one_story(one: Rule, other: Rule) -> bool {
    one == other || !is_small(one) || !is_small(other)
}

const fn is_small(rule: Rule) -> bool {
    match rule {
        Rule::Pressure | Rule::Loss | Rule::Fork | Rule::Logon => true,
        Rule::Outage
        | Rule::PrintBurst
        | Rule::ServicesStopped
        | Rule::ProtectionLoss
        | Rule::BackupLoss
        | Rule::Sighting
        | Rule::SilentHost
        | Rule::CareOutage
        | Rule::MassChange
        | Rule::Spreading
        | Rule::RansomwareImpact => false,
    }
}

/// Sets that only ever join.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// Finds the root and shortens the way to it.
    fn root(&mut self, of: usize) -> usize {
        let mut at = of;
        while let Some(parent) = self.parents.get(at).copied().filter(|parent| *parent != at) {
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(own) = self.parents.get_mut(at) {
                *own = above;
            }
            at = above;
        }
        at
    }

    /// The lower place becomes the root, so that the shape does not depend on the order of joining.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let (low, high) = (one.min(other), one.max(other));
        if let Some(parent) = self.parents.get_mut(high) {
            *parent = low;
        }
    }
}
