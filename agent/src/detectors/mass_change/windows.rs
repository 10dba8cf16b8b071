//! Counts harmed files over ten seconds, two minutes and a day, and says how severe that is.
//!
//! Always holds: pure and of fixed size, whatever happens.

use std::collections::VecDeque;

use shirase_shared::event::Severity;

use super::evidence::{Evidence, Value, Weight};
use super::{Maintenance, MassChangeConfig};

/// The short window: an encryptor at full speed.
const SHORT_SECS: u64 = 10;
/// The middle window: ten files a minute.
const MIDDLE_SECS: u64 = 120;
/// The long window, in minutes: a file now and then.
const LONG_MINUTES: u64 = 24 * 60;
/// Files within the middle window that make it high although the short one stayed below.
const MIDDLE_HIGH: u64 = 5;
/// Files within a day that make it high; published products take 20 as well.
const LONG_HIGH: u64 = 20;
/// Directories over which a burst is called spread.
const SPREAD_DIRECTORIES: u64 = 3;
/// Directories with the same new small text that strengthen other evidence.
const NOTE_DIRECTORIES: u64 = 3;
/// One in so many removed files must be valued for the removal to be high: a source tree is not, a share is.
const VALUED_SHARE: u64 = 2;

/// Files by how much speaks for harm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) name: u64,
    pub(super) content: u64,
    pub(super) removed_common: u64,
    pub(super) removed_valued: u64,
    pub(super) weak: u64,
}

impl Counts {
    fn slot(&mut self, weight: Weight, value: Value) -> Option<&mut u64> {
        match (weight, value) {
            (Weight::None, _) => None,
            (Weight::Weak, _) => Some(&mut self.weak),
            (Weight::Removal, Value::Common) => Some(&mut self.removed_common),
            (Weight::Removal, Value::Valued) => Some(&mut self.removed_valued),
            (Weight::Name, _) => Some(&mut self.name),
            (Weight::Content, _) => Some(&mut self.content),
        }
    }

    pub(super) fn add(&mut self, weight: Weight, value: Value, files: u64) {
        if let Some(slot) = self.slot(weight, value) {
            *slot += files;
        }
    }

    /// Takes some back. Returns whether there were any.
    pub(super) fn take(&mut self, weight: Weight, value: Value, units: u64) -> bool {
        let Some(slot) = self.slot(weight, value).filter(|slot| 0 < **slot) else { return false };
        *slot = slot.saturating_sub(units);
        true
    }

    fn plus(self, other: Self) -> Self {
        Self {
            name: self.name + other.name,
            content: self.content + other.content,
            removed_common: self.removed_common + other.removed_common,
            removed_valued: self.removed_valued + other.removed_valued,
            weak: self.weak + other.weak,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            name: self.name.saturating_sub(other.name),
            content: self.content.saturating_sub(other.content),
            removed_common: self.removed_common.saturating_sub(other.removed_common),
            removed_valued: self.removed_valued.saturating_sub(other.removed_valued),
            weak: self.weak.saturating_sub(other.weak),
        }
    }

    /// Files harmed for certain.
    pub(super) const fn harmed(&self) -> u64 {
        self.name + self.content
    }

    const fn removed(&self) -> u64 {
        self.removed_common + self.removed_valued
    }
}

/// The counts by second for the last two minutes and by minute for the last day, with their sums.
#[derive(Default)]
pub(super) struct Windows {
    seconds: Buckets,
    minutes: Buckets,
}

#[derive(Default)]
struct Buckets {
    counts: VecDeque<(u64, Counts)>,
    sum: Counts,
}

impl Buckets {
    fn add(&mut self, key: u64, weight: Weight, value: Value, files: u64) {
        self.sum.add(weight, value, files);
        match self.counts.back_mut() {
            // A change that was held up counts in the newest bucket.
            Some((newest, counts)) if key <= *newest => counts.add(weight, value, files),
            Some(_) | None => {
                let mut counts = Counts::default();
                counts.add(weight, value, files);
                self.counts.push_back((key, counts));
            }
        }
    }

    fn take(&mut self, weight: Weight, value: Value, units: u64) {
        let mut newest_first = self.counts.iter_mut().rev();
        if newest_first.any(|(_, counts)| counts.take(weight, value, units)) {
            self.sum.take(weight, value, units);
        }
    }

    /// Forgets buckets of `oldest` and before.
    fn forget(&mut self, oldest: u64) {
        while let Some((_, counts)) = self.counts.pop_front_if(|(key, _)| *key <= oldest) {
            self.sum = self.sum.minus(counts);
        }
    }
}

impl Windows {
    pub(super) fn add(&mut self, at_ms: u64, weight: Weight, value: Value, files: u64) {
        let second = at_ms / 1000;
        self.seconds.add(second, weight, value, files);
        self.minutes.add(second / 60, weight, value, files);
    }

    /// Takes one file back, from the newest bucket that has one.
    pub(super) fn take(&mut self, weight: Weight, value: Value, units: u64) {
        self.seconds.take(weight, value, units);
        self.minutes.take(weight, value, units);
    }

    fn forget(&mut self, now_ms: u64) {
        let second = now_ms / 1000;
        if let Some(oldest) = second.checked_sub(MIDDLE_SECS) {
            self.seconds.forget(oldest);
        }
        if let Some(oldest) = (second / 60).checked_sub(LONG_MINUTES) {
            self.minutes.forget(oldest);
        }
    }

    fn short(&self, now_ms: u64) -> Counts {
        let now = now_ms / 1000;
        let recent = self
            .seconds
            .counts
            .iter()
            .rev()
            .take_while(|(key, _)| now < key + SHORT_SECS);
        recent.fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts))
    }

    /// Harmed files per second over the short window.
    pub(super) fn rate(&self, now_ms: u64) -> f64 {
        let counts = self.short(now_ms);
        let files = u32::try_from(counts.harmed() + counts.removed()).unwrap_or(u32::MAX);
        f64::from(files) / 10.0
    }

    /// Says how severe it is, and over which window that showed.
    pub(super) fn severity(
        &mut self,
        now_ms: u64,
        note_directories: u64,
        maintenance: Maintenance,
        settings: &MassChangeConfig,
    ) -> Option<(Severity, Span)> {
        self.forget(now_ms);
        let short = self.short(now_ms);
        let (middle, day) = (self.seconds.sum, self.minutes.sum);
        let told = judge(short, middle, day, note_directories, settings);
        match maintenance {
            Maintenance::Off => told,
            Maintenance::On => {
                // Lost magic is never ordinary work; everything else is a line in the timeline.
                let content =
                    |counts: Counts| Counts { content: counts.content, ..Counts::default() };
                let proven = judge(content(short), content(middle), content(day), 0, settings);
                proven.or(told.map(|(_, span)| (Severity::Low, span)))
            }
        }
    }
}

/// How long it took for the harm to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Seconds or minutes: what happened before the middle window does not belong to it.
    Minutes,
    /// A day.
    Day,
}

fn judge(
    short: Counts,
    middle: Counts,
    day: Counts,
    note_directories: u64,
    settings: &MassChangeConfig,
) -> Option<(Severity, Span)> {
    let high = u64::from(settings.high_files);
    let removed = u64::from(settings.removed_files);
    // A spread note is worth as much as the files that make it high, but only beside a harmed one.
    let note = if NOTE_DIRECTORIES <= note_directories && 0 < middle.harmed() { high } else { 0 };
    let valued =
        removed <= middle.removed() && middle.removed() <= middle.removed_valued * VALUED_SHARE;

    if high <= short.harmed() + note || MIDDLE_HIGH.max(high) <= middle.harmed() || valued {
        Some((Severity::High, Span::Minutes))
    } else if LONG_HIGH.max(high) <= day.harmed() {
        Some((Severity::High, Span::Day))
    } else if high <= middle.harmed() || removed <= middle.removed() || removed <= middle.weak {
        Some((Severity::Medium, Span::Minutes))
    } else if LONG_HIGH.max(high) <= day.harmed() * 2 {
        Some((Severity::Medium, Span::Day))
    } else {
        None
    }
}

/// Whether a burst that is high already is critical by its totals.
pub(super) fn is_critical(
    total: Counts,
    directories: u64,
    maintenance: Maintenance,
    settings: &MassChangeConfig,
) -> bool {
    let critical = u64::from(settings.critical_files);
    let harmed = match maintenance {
        Maintenance::Off => total.harmed(),
        Maintenance::On => total.content,
    };

    critical <= harmed || (critical <= harmed * 5 / 2 && SPREAD_DIRECTORIES <= directories)
}

/// Whether evidence of this kind counts towards the directories of a burst.
pub(super) const fn spreads(evidence: Evidence) -> bool {
    match evidence {
        Evidence::SuffixAppended
        | Evidence::ExtensionLost
        | Evidence::Replaced
        | Evidence::MagicLost
        | Evidence::Deleted
        | Evidence::Truncated => true,
        Evidence::Note | Evidence::Unproven => false,
    }
}
