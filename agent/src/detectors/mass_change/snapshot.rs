//! What is kept over a restart, so that an attack cannot wait for one: the counters of the last day, what was learned,
//! and which bursts were open.
//!
//! Always holds: ages are kept, not times. Within one boot they grow by monotonic time, over a boot by the wall clock,
//! and never backwards: a clock that was set back keeps evidence, it does not lose any.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::event::Event;

use super::scope::SavedScope;

/// The layout written here.
const VERSION: u32 = 1;
/// Pause between two savings while something speaks for harm.
const BUSY_EVERY_MS: u64 = 5000;
/// Pause between two savings of what is learned meanwhile.
const IDLE_EVERY_MS: u64 = 600_000;

/// The counters as they are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    version: u32,
    at: Moment,
    roots: BTreeMap<String, SavedScope>,
}

/// Roots of a snapshot nobody asked for yet.
pub(super) struct Kept {
    since_ms: u64,
    roots: BTreeMap<String, SavedScope>,
}

impl Snapshot {
    pub(super) const fn new(at: Moment, roots: BTreeMap<String, SavedScope>) -> Self {
        Self { version: VERSION, at, roots }
    }

    /// Turns it into what the next start goes on with, and the ends of bursts that nobody will see end.
    pub(super) fn resume(self, now: Moment) -> (Kept, Vec<Event>) {
        if self.version != VERSION {
            return (Kept::nothing(), Vec::new());
        }
        let passed = self.secs_until(now);
        let mut ends = Vec::new();
        let mut roots = BTreeMap::new();
        for (label, mut saved) in self.roots {
            if let Some(end) = saved.open.take() {
                let reason = format!("{}; the agent began anew before it ended", end.reason);
                ends.push(Event { detected_at: now.wall, moment: now, reason, ..end });
            }
            roots.insert(label, saved.aged(passed));
        }

        (Kept { since_ms: now.monotonic_ms, roots }, ends)
    }

    /// How long ago it was made.
    fn secs_until(&self, now: Moment) -> i64 {
        if self.at.boot == now.boot && self.at.monotonic_ms <= now.monotonic_ms {
            let passed = (now.monotonic_ms - self.at.monotonic_ms) / 1000;
            return i64::try_from(passed).unwrap_or(i64::MAX);
        }

        now.wall.duration_since(self.at.wall).as_secs().max(0)
    }
}

impl Kept {
    pub(super) const fn nothing() -> Self {
        Self { since_ms: 0, roots: BTreeMap::new() }
    }

    /// Hands over what was kept of a root.
    pub(super) fn take(&mut self, label: &str, now: Moment) -> Option<SavedScope> {
        let saved = self.roots.remove(label)?;
        Some(saved.aged(self.passed(now)))
    }

    /// What nobody asked for, to be kept again.
    pub(super) fn rest(&self, now: Moment) -> BTreeMap<String, SavedScope> {
        let passed = self.passed(now);
        let aged =
            |(label, saved): (&String, &SavedScope)| (label.clone(), saved.clone().aged(passed));

        self.roots.iter().map(aged).collect()
    }

    fn passed(&self, now: Moment) -> i64 {
        let passed = now.monotonic_ms.saturating_sub(self.since_ms) / 1000;

        i64::try_from(passed).unwrap_or(i64::MAX)
    }
}

/// When to save again: the first harm at once, more of it after a pause, what is learned now and then.
#[derive(Default)]
pub(super) struct Schedule {
    since_ms: Option<u64>,
    saved_ms: Option<u64>,
    /// Whether anything speaks for harm that is not saved.
    pub(super) news: bool,
}

impl Schedule {
    /// Whether it is time; then it counts as saved.
    pub(super) fn is_due(&mut self, now: Moment) -> bool {
        let now_ms = now.monotonic_ms;
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        let due_ms = match (self.news, self.saved_ms) {
            (true, None) => now_ms,
            (true, Some(saved_ms)) => saved_ms + BUSY_EVERY_MS,
            (false, saved_ms) => saved_ms.unwrap_or(since_ms) + IDLE_EVERY_MS,
        };
        if now_ms < due_ms {
            return false;
        }
        self.saved_ms = Some(now_ms);
        self.news = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shirase_shared::testing::builders::moment;

    #[test]
    fn the_first_harm_is_saved_at_once_and_a_quiet_day_seldom() {
        let mut schedule = Schedule::default();
        let at = |ms| Moment { monotonic_ms: ms, ..moment(0) };
        assert!(!schedule.is_due(at(0)));
        schedule.news = true;
        assert!(schedule.is_due(at(500)) && !schedule.is_due(at(1000)));
        schedule.news = true;
        assert!(!schedule.is_due(at(5000)) && schedule.is_due(at(5500)));
        assert!(!schedule.is_due(at(605_000)) && schedule.is_due(at(605_500)));
    }
}
