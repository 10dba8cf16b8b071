//! Learns how much a root loses at each hour of ordinary days, so that a nightly job is no news every night.
//!
//! Always holds:
//! - only removals and odd new files are learned, never what harms for certain, and never while any of that is seen;
//! - what was seen on one day or two teaches nothing: usual is what the third-busiest of the last 14 days had, and half
//!   as much again, at this hour or one beside it;
//! - nothing is usual before the root was watched for `learning_days`, counted in time watched, which no clock can
//!   shorten; and never more than ten times the threshold, so that a patient attacker gains little.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;

use super::MassChangeConfig;
use super::jobs::local;
use super::severity::Shape;
use super::windows::{Counts, Slot, Sums};

const HOURS: usize = 24;
/// Days remembered of each hour.
const DAYS_KEPT: usize = 14;
/// Which of these days, the busiest first, says what is usual.
const USUAL_RANK: usize = 2;
/// A day counts once the root was watched for this much of it.
const DAY_WATCHED_MS: u64 = 12 * 3600 * 1000;
/// How often it looks at the time.
const LOOK_EVERY_MS: u64 = 30_000;
/// Time between two looks that counts as watched at the most.
const STEP_MAX_MS: u64 = 60_000;
/// Most that can be usual, as a multiple of the threshold.
const USUAL_TIMES_MAX: u64 = 10;
/// How long names of SS-MIX2 messages must have been whole before an odd one wakes anyone.
const SETTLED_MS: u64 = 7 * 24 * 3600 * 1000;
/// Odd names a day that unsettle nothing.
const ODD_NAMES_MAX: u64 = 5;

/// What a root is used to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Habits {
    /// Days that count.
    days: u32,
    /// The day it is, since 1970, and how long it was watched.
    day: i64,
    watched_ms: u64,
    removed: Peaks,
    odd: Peaks,
    /// How long messages were seen whose names were whole; `None` where there are none.
    whole_ms: Option<u64>,
    #[serde(skip)]
    looked_ms: Option<u64>,
}

/// The largest numbers seen within two minutes, by hour of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Peaks {
    today: [u32; HOURS],
    before: VecDeque<[u32; HOURS]>,
}

impl Peaks {
    fn note(&mut self, hour: usize, count: u64) {
        if let Some(peak) = self.today.get_mut(hour) {
            *peak = (*peak).max(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }

    fn end_day(&mut self) {
        self.before.push_back(std::mem::take(&mut self.today));
        while DAYS_KEPT < self.before.len() {
            self.before.pop_front();
        }
    }

    fn usual(&self, hour: usize) -> u64 {
        let near = [(hour + HOURS - 1) % HOURS, hour, (hour + 1) % HOURS];
        let peak =
            |day: &[u32; HOURS]| near.iter().filter_map(|hour| day.get(*hour)).max().copied();
        let mut peaks: Vec<u32> = self.before.iter().filter_map(peak).collect();
        peaks.sort_unstable_by_key(|peak| std::cmp::Reverse(*peak));

        peaks
            .get(USUAL_RANK)
            .map_or(0, |peak| u64::from(*peak) * 3 / 2)
    }
}

impl Habits {
    /// Whether it is time to let time pass.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.looked_ms
            .is_none_or(|looked_ms| looked_ms + LOOK_EVERY_MS <= now.monotonic_ms)
    }

    /// Lets time pass. `odd_names` were seen among messages within the last day.
    pub(super) fn tick(&mut self, now: Moment, odd_names: u64, settings: &MassChangeConfig) {
        let step_ms = self
            .looked_ms
            .map_or(0, |looked| now.monotonic_ms.saturating_sub(looked));
        self.looked_ms = Some(now.monotonic_ms);
        let step_ms = step_ms.min(STEP_MAX_MS);
        self.watched_ms += step_ms;
        self.whole_ms = self.whole_ms.map(|whole_ms| {
            let settled = SETTLED_MS <= whole_ms;
            if ODD_NAMES_MAX < odd_names && !settled { 0 } else { whole_ms + step_ms }
        });
        let (day, _) = local(now.wall, settings.utc_offset_minutes);
        if day == self.day {
            return;
        }
        self.day = day;
        if DAY_WATCHED_MS <= self.watched_ms {
            self.days = self.days.saturating_add(1);
            self.watched_ms = 0;
            self.removed.end_day();
            self.odd.end_day();
        }
    }

    /// Learns from what is seen, unless something is seen that nobody should get used to.
    pub(super) fn learn(&mut self, sums: Sums, now: Moment, settings: &MassChangeConfig) {
        if 0 < sums.middle.harmed() {
            return;
        }
        let hour = hour(now, settings);
        self.removed.note(hour, sums.middle.removed());
        self.odd.note(hour, odd(sums.middle));
    }

    /// Returns how many files go, and how many are odd, at this hour of other days.
    pub(super) fn usual(&self, now: Moment, settings: &MassChangeConfig) -> (u64, u64) {
        if settings.learning_days == 0 || self.days < settings.learning_days {
            return (0, 0);
        }
        let hour = hour(now, settings);
        let most = u64::from(settings.removed_files) * USUAL_TIMES_MAX;

        (self.removed.usual(hour).min(most), self.odd.usual(hour).min(most))
    }

    /// An SS-MIX2 message was seen here.
    pub(super) fn saw_message(&mut self) {
        self.whole_ms.get_or_insert(0);
    }

    /// Odd names were told as an alert; what is usual has to show again.
    pub(super) fn unsettle(&mut self) {
        self.whole_ms = self.whole_ms.map(|_| 0);
    }

    pub(super) fn shape(&self) -> Shape {
        match self.whole_ms {
            Some(whole_ms) if SETTLED_MS <= whole_ms => Shape::Settled,
            Some(_) | None => Shape::Unsettled,
        }
    }
}

fn odd(counts: Counts) -> u64 {
    counts.get(Slot::Weak) + counts.get(Slot::Doubt)
}

fn hour(now: Moment, settings: &MassChangeConfig) -> usize {
    let (_, minute) = local(now.wall, settings.utc_offset_minutes);

    usize::try_from(minute / 60).unwrap_or(0)
}
