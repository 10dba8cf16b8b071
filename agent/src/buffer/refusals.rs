//! What was refused, counted by kind and severity until one event can tell it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::Event;

/// Counts of refused events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusals {
    /// `kind/severity` to how many.
    counts: BTreeMap<String, u64>,
    /// When the first of them was refused.
    since: Option<Timestamp>,
}

impl Refusals {
    /// Counts one event.
    pub(super) fn count(&mut self, event: &Event) {
        let name = format!("{}/{}", event.anomaly.kind(), event.severity);
        *self.counts.entry(name).or_default() += 1;
        self.since.get_or_insert(event.detected_at);
    }

    /// Adds counts that another run of the program left.
    pub(super) fn merge(&mut self, other: Self) {
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.since = match (self.since, other.since) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (since, None) | (None, since) => since,
        };
    }

    /// Returns how many were refused in all.
    pub(super) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the counts in words, for a person.
    pub(super) fn describe(&self) -> String {
        let parts: Vec<_> = self
            .counts
            .iter()
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        let since = self
            .since
            .map(|since| format!(" since {since}"))
            .unwrap_or_default();
        format!("{}{since}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::event::Phase;
    use shirase_shared::ids::BurstId;
    use shirase_shared::testing::builders::mass_change;

    use super::*;

    #[test]
    fn counts_are_by_kind_and_severity_and_say_since_when() {
        let mut refusals = Refusals::default();
        let event = mass_change(BurstId::random(), Phase::Grew, 5, 0);
        refusals.count(&event);
        let mut later = Refusals::default();
        later.count(&mass_change(BurstId::random(), Phase::Grew, 5, 60));
        refusals.merge(later);
        assert_eq!(refusals.total(), 2);
        assert_eq!(refusals.describe(), "mass_change/high: 2 since 2026-02-08T16:50:00Z");
    }
}
