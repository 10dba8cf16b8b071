//! Counts harmed files over ten seconds, two minutes and a day.
//!
//! Always holds: pure and of bounded size, whatever happens; survives a restart as ages, so that neither another boot
//! nor a wall clock that was set confuses it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::evidence::{Tally, Value, Weight};

/// The short window: an encryptor at full speed.
const SHORT_SECS: i64 = 10;
/// The middle window: ten files a minute.
const MIDDLE_SECS: i64 = 120;
/// The long window, in minutes: a file now and then.
const LONG_MINUTES: i64 = 24 * 60;

/// Where a file is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Canary,
    Content,
    Name,
    RemovedValued,
    RemovedCommon,
    Doubt,
    Weak,
    Shape,
}

impl Slot {
    pub(super) const ALL: [Self; 8] = [
        Self::Canary,
        Self::Content,
        Self::Name,
        Self::RemovedValued,
        Self::RemovedCommon,
        Self::Doubt,
        Self::Weak,
        Self::Shape,
    ];

    pub(super) const fn of(tally: Tally) -> Option<Self> {
        match (tally.weight, tally.value) {
            (Weight::None, _) => None,
            (Weight::Shape, _) => Some(Self::Shape),
            (Weight::Weak, _) => Some(Self::Weak),
            (Weight::Doubt, _) => Some(Self::Doubt),
            (Weight::Removal, Value::Common) => Some(Self::RemovedCommon),
            (Weight::Removal, Value::Valued) => Some(Self::RemovedValued),
            (Weight::Name, _) => Some(Self::Name),
            (Weight::Content, _) => Some(Self::Content),
            (Weight::Canary, _) => Some(Self::Canary),
        }
    }
}

/// Files by how much speaks for harm, in the order of [`Slot`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Counts([u32; Slot::ALL.len()]);

impl Counts {
    pub(super) fn get(self, slot: Slot) -> u64 {
        let [canary, content, name, valued, common, doubt, weak, shape] = self.0;
        u64::from(match slot {
            Slot::Canary => canary,
            Slot::Content => content,
            Slot::Name => name,
            Slot::RemovedValued => valued,
            Slot::RemovedCommon => common,
            Slot::Doubt => doubt,
            Slot::Weak => weak,
            Slot::Shape => shape,
        })
    }

    fn slot(&mut self, slot: Slot) -> &mut u32 {
        let [canary, content, name, valued, common, doubt, weak, shape] = &mut self.0;
        match slot {
            Slot::Canary => canary,
            Slot::Content => content,
            Slot::Name => name,
            Slot::RemovedValued => valued,
            Slot::RemovedCommon => common,
            Slot::Doubt => doubt,
            Slot::Weak => weak,
            Slot::Shape => shape,
        }
    }

    pub(super) fn add(&mut self, tally: Tally) {
        if let Some(slot) = Slot::of(tally) {
            let count = self.slot(slot);
            *count = count.saturating_add(tally.units);
        }
    }

    /// Takes some back. Returns whether there were any.
    pub(super) fn take(&mut self, tally: Tally) -> bool {
        let Some(slot) = Slot::of(tally) else { return false };
        let count = self.slot(slot);
        let there = 0 < *count;
        *count = count.saturating_sub(tally.units);
        there
    }

    pub(super) fn cleared(mut self, slot: Slot) -> Self {
        *self.slot(slot) = 0;
        self
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
        self
    }

    fn minus(mut self, other: Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_sub(theirs);
        }
        self
    }

    /// Files harmed for certain.
    pub(super) fn harmed(self) -> u64 {
        self.get(Slot::Canary) + self.get(Slot::Content) + self.get(Slot::Name)
    }

    pub(super) fn removed(self) -> u64 {
        self.get(Slot::RemovedCommon) + self.get(Slot::RemovedValued)
    }
}

/// Counts by a key that grows with time, with their sum.
#[derive(Default)]
pub(super) struct Buckets {
    counts: VecDeque<(i64, Counts)>,
    sum: Counts,
}

impl Buckets {
    pub(super) fn add(&mut self, key: i64, tally: Tally) {
        self.sum.add(tally);
        match self.counts.back_mut() {
            // A change that was held up counts in the newest bucket.
            Some((newest, counts)) if key <= *newest => counts.add(tally),
            Some(_) | None => {
                let mut counts = Counts::default();
                counts.add(tally);
                self.counts.push_back((key, counts));
            }
        }
    }

    pub(super) fn take(&mut self, tally: Tally) {
        let mut newest_first = self.counts.iter_mut().rev();
        if newest_first.any(|(_, counts)| counts.take(tally)) {
            self.sum.take(tally);
        }
    }

    /// Forgets buckets of `oldest` and before.
    pub(super) fn forget(&mut self, oldest: i64) {
        while let Some((_, counts)) = self.counts.pop_front_if(|(key, _)| *key <= oldest) {
            self.sum = self.sum.minus(counts);
        }
    }

    /// Adds up what is younger than `oldest`.
    fn since(&self, oldest: i64) -> Counts {
        let recent = self
            .counts
            .iter()
            .rev()
            .take_while(|(key, _)| oldest < *key);
        recent.fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts))
    }

    /// Each bucket with its age, the oldest first.
    fn aged(&self, now: i64) -> Vec<(i64, Counts)> {
        self.counts
            .iter()
            .map(|(key, counts)| ((now - key).max(0), *counts))
            .collect()
    }

    /// Puts buckets from before a restart under those of now.
    fn put_under(&mut self, aged: &[(i64, Counts)], now: i64) {
        let mut aged: Vec<_> = aged
            .iter()
            .map(|(age, counts)| (now - age.max(&0), *counts))
            .collect();
        aged.sort_by_key(|(key, _)| *key);
        for (key, counts) in aged.into_iter().rev() {
            self.sum = self.sum.plus(counts);
            let first = self.counts.front().map_or(i64::MAX, |(first, _)| *first);
            match self.counts.front_mut() {
                Some((_, there)) if first <= key => *there = there.plus(counts),
                Some(_) | None => self.counts.push_front((key, counts)),
            }
        }
    }
}

/// What the last ten seconds and two minutes saw of one doer, wherever it was at work.
#[derive(Default)]
pub(super) struct ShortWindows(Buckets);

impl ShortWindows {
    pub(super) fn add(&mut self, at_ms: u64, tally: Tally) {
        self.0.add(second(at_ms), tally);
    }

    pub(super) fn take(&mut self, tally: Tally) {
        self.0.take(tally);
    }

    pub(super) fn sums(&mut self, now_ms: u64) -> Sums {
        let now = second(now_ms);
        self.0.forget(now - MIDDLE_SECS);
        let middle = self.0.sum;

        Sums { short: self.0.since(now - SHORT_SECS), middle, day: middle }
    }
}

/// The counts by second for the last two minutes and by minute for the last day.
#[derive(Default)]
pub(super) struct Windows {
    seconds: Buckets,
    minutes: Buckets,
    /// What was counted and told by no burst yet.
    untold: Counts,
    /// The part of it that was counted before a restart.
    carried: Counts,
}

/// What each window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) short: Counts,
    pub(super) middle: Counts,
    pub(super) day: Counts,
}

impl Sums {
    pub(super) fn map(self, change: impl Fn(Counts) -> Counts) -> Self {
        Self { short: change(self.short), middle: change(self.middle), day: change(self.day) }
    }
}

/// The windows as they are kept over a restart: counts with their age in seconds or minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SavedWindows {
    seconds: Vec<(i64, Counts)>,
    minutes: Vec<(i64, Counts)>,
    untold: Counts,
}

impl SavedWindows {
    /// Lets them grow older.
    pub(super) fn aged(mut self, secs: i64) -> Self {
        for (age, _) in &mut self.seconds {
            *age = age.saturating_add(secs);
        }
        for (age, _) in &mut self.minutes {
            *age = age.saturating_add(secs / 60);
        }
        self
    }
}

fn second(ms: u64) -> i64 {
    i64::try_from(ms / 1000).unwrap_or(i64::MAX)
}

impl Windows {
    pub(super) fn add(&mut self, at_ms: u64, tally: Tally) {
        let second = second(at_ms);
        self.untold.add(tally);
        self.seconds.add(second, tally);
        self.minutes.add(second / 60, tally);
    }

    /// Takes one file back, from the newest bucket that has one.
    pub(super) fn take(&mut self, tally: Tally) {
        self.untold.take(tally);
        self.seconds.take(tally);
        self.minutes.take(tally);
    }

    /// Counts what is left of a file that was taken back in part.
    pub(super) fn put_back(&mut self, tally: Tally) {
        self.seconds.add(i64::MIN, tally);
        self.minutes.add(i64::MIN, tally);
    }

    pub(super) fn sums(&mut self, now_ms: u64) -> Sums {
        let now = second(now_ms);
        self.seconds.forget(now - MIDDLE_SECS);
        self.minutes.forget(now / 60 - LONG_MINUTES);
        Sums {
            short: self.seconds.since(now - SHORT_SECS),
            middle: self.seconds.sum,
            day: self.minutes.sum,
        }
    }

    /// Harmed files per second over the short window.
    pub(super) fn rate(&self, now_ms: u64) -> f64 {
        let counts = self.seconds.since(second(now_ms) - SHORT_SECS);
        let files = u32::try_from(counts.harmed() + counts.removed()).unwrap_or(u32::MAX);
        f64::from(files) / 10.0
    }

    /// A burst tells of everything from now on. Returns what it must add to its own: what a restart carried over.
    pub(super) fn told(&mut self) -> Counts {
        self.untold = Counts::default();
        std::mem::take(&mut self.carried)
    }

    /// Forgets the last minutes: a burst told of them.
    pub(super) fn forget_minutes(&mut self) {
        self.seconds = Buckets::default();
        self.untold = Counts::default();
    }

    pub(super) fn save(&self, now_ms: u64) -> SavedWindows {
        let now = second(now_ms);
        SavedWindows {
            seconds: self.seconds.aged(now),
            minutes: self.minutes.aged(now / 60),
            untold: self.untold,
        }
    }

    /// Goes on from what was kept.
    pub(super) fn resume(&mut self, saved: &SavedWindows, now_ms: u64) {
        let now = second(now_ms);
        self.seconds.put_under(&saved.seconds, now);
        self.minutes.put_under(&saved.minutes, now / 60);
        self.minutes.forget(now / 60 - LONG_MINUTES);
        self.seconds.forget(now - MIDDLE_SECS);
        self.carried = self.carried.plus(saved.untold);
        self.untold = self.untold.plus(saved.untold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Tally = Tally { weight: Weight::Name, value: Value::Valued, units: 1 };

    #[test]
    fn counts_kept_over_a_restart_are_as_old_as_they_were() {
        let mut before = Windows::default();
        for minute in 0..30 {
            before.add(minute * 60_000, NAME);
        }
        let saved = before.save(30 * 60_000);
        let text = serde_json::to_string(&saved).unwrap();
        let saved: SavedWindows = serde_json::from_str(&text).unwrap();
        // Ten minutes later, on a system that was started a second ago.
        let mut after = Windows::default();
        after.add(900, NAME);
        after.resume(&saved.clone().aged(600), 1000);
        let sums = after.sums(1000);
        assert_eq!((sums.middle.harmed(), sums.day.harmed()), (1, 31));
        let sums = after.sums((24 * 60 - 25) * 60_000);
        assert_eq!(sums.day.harmed(), 15, "what is older than a day by now is gone");
        let mut at_once = Windows::default();
        at_once.resume(&saved, 1000);
        assert_eq!(at_once.sums(1000).middle.harmed(), 1);
    }

    #[test]
    fn what_is_taken_back_never_becomes_less_than_nothing() {
        let mut windows = Windows::default();
        windows.add(1000, NAME);
        windows.take(NAME);
        windows.take(NAME);
        assert_eq!(windows.sums(1000), Sums::default());
    }
}
