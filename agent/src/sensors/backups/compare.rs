//! What became of the complete files of a backup between two looks. Pure.
//!
//! Files whose paths differ in digits alone are generations of one row: `ehr-20261124.dump` and `ehr-20261125.dump`, or
//! `daily.3/db/base.tar` and `daily.4/db/base.tar`. A rotation takes a row's oldest; which is older is told by when the
//! file was made here, because the time of writing may be its source's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::observation::Generations;

/// So many gone at once from one row, and more than stay, are no rotation.
const ROW_GONE_MIN: usize = 3;
/// Days remembered.
const DAYS: i64 = 14;
/// Bits of a name that are kept.
const NAME_BITS: u32 = 48;

/// One file, or one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(super) struct Item {
    /// Which file it is, whatever its name.
    pub(super) id: u64,
    /// Its path, hashed.
    pub(super) path: u64,
    /// The row of generations it belongs to, hashed.
    pub(super) row: u64,
    /// When it was made here, in milliseconds.
    pub(super) born: i64,
    /// When it was last written, in milliseconds.
    pub(super) written: i64,
    /// Its size.
    pub(super) bytes: u64,
}

/// How an item lies on disk: short, because there may be many.
type Written = (u64, u64, u64, i64, i64, u64);

impl From<Written> for Item {
    fn from((id, path, row, born, written, bytes): Written) -> Self {
        Self { id, path, row, born, written, bytes }
    }
}

impl From<Item> for Written {
    fn from(item: Item) -> Self {
        (item.id, item.path, item.row, item.born, item.written, item.bytes)
    }
}

/// What one look saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// When.
    pub(super) at: Timestamp,
    /// On which file system.
    pub(super) filesystem: String,
    /// Whether that file system begins where the backup lies.
    pub(super) mounted: bool,
    /// How many were harmed on each of the last days.
    pub(super) days: Days,
    /// Every file.
    pub(super) items: Vec<Item>,
}

impl Baseline {
    pub(super) fn new(at: Timestamp, items: Vec<Item>) -> Self {
        let (filesystem, days) = (String::new(), Days(BTreeMap::new()));
        Self { at, filesystem, mounted: false, days, items }
    }
}

/// How many were harmed on each of the last days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Days(BTreeMap<i64, u64>);

impl Days {
    /// Adds to today's.
    pub(super) fn add(&mut self, now: Timestamp, harmed: u64) {
        let today = day(now);
        if 0 < harmed {
            *self.0.entry(today).or_default() += harmed;
        }
        self.0
            .retain(|day, _| today - DAYS <= *day && *day <= today);
    }

    /// Returns how many were harmed on the third-worst of the days before today.
    pub(super) fn usual(&self, now: Timestamp) -> u64 {
        let before = self.0.iter().filter(|(known, _)| **known < day(now));
        let mut counts: Vec<_> = before.map(|(_, harmed)| *harmed).collect();
        counts.sort_unstable();
        counts.iter().rev().nth(2).copied().unwrap_or(0)
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// What is ordinary for a backup.
#[derive(Clone, Copy)]
pub(super) struct Habit {
    /// Generations of a row that a rotation leaves at least.
    pub(super) keep_min: u64,
    /// A file that was neither made nor written for this long is complete.
    pub(super) complete_after: SignedDuration,
}

/// Returns what became of what was complete at the last look.
pub(super) fn compare(before: &Baseline, now: &[Item], habit: Habit) -> Generations {
    let complete_before = before.at - habit.complete_after;
    let by_id: BTreeMap<_, _> = now
        .iter()
        .map(|item| ((item.id, item.born), item))
        .collect();
    let known: BTreeSet<_> = before
        .items
        .iter()
        .map(|item| (item.id, item.born))
        .collect();
    let is_fresh = |item: &&Item| !known.contains(&(item.id, item.born));
    // A file that was there before and has this name now was renamed, and replaces nothing.
    let by_path: BTreeMap<_, _> = now
        .iter()
        .filter(is_fresh)
        .map(|item| (item.path, item))
        .collect();
    let mut rows = BTreeMap::<u64, Row<'_>>::new();
    let complete = |item: &&Item| is_complete(item, complete_before);
    for item in before.items.iter().filter(complete) {
        rows.entry(item.row).or_default().items.push(item);
    }
    for item in now.iter().filter(is_fresh) {
        if let Some(row) = rows.get_mut(&item.row) {
            row.fresh += 1;
        }
    }
    let mut sum = Generations { since: Some(before.at), ..Generations::default() };
    for row in rows.values_mut() {
        row.items
            .sort_unstable_by_key(|item| (item.born, item.written));
        row.judge(&by_id, &by_path, habit.keep_min, &mut sum);
    }
    sum
}

fn is_complete(item: &Item, before: Timestamp) -> bool {
    item.born.max(item.written) <= before.as_millisecond()
}

/// Generations of the same thing, the oldest first.
#[derive(Default)]
struct Row<'a> {
    items: Vec<&'a Item>,
    /// How many were added since.
    fresh: usize,
}

impl Row<'_> {
    fn judge(
        &self,
        by_id: &BTreeMap<(u64, i64), &Item>,
        by_path: &BTreeMap<u64, &Item>,
        keep_min: u64,
        sum: &mut Generations,
    ) {
        let newest = self.items.last().map(|item| item.id);
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        let (mut emptied, mut rewritten) = (0_usize, 0_usize);
        for item in &self.items {
            let same = by_id.get(&(item.id, item.born));
            let Some(now) = same.or_else(|| by_path.get(&item.path)) else {
                gone.push(item.born);
                continue;
            };
            let unchanged =
                same.is_some() && (now.written, now.bytes) == (item.written, item.bytes);
            let made_anew = Some(item.id) == newest
                && now.path == item.path
                && item.bytes <= now.bytes.saturating_mul(2);
            match (unchanged, now.bytes) {
                (true, _) => kept.push(item.born),
                (false, 0) if 0 < item.bytes => emptied += 1,
                (false, _) if made_anew => kept.push(item.born),
                (false, _) => rewritten += 1,
            }
        }
        let left = kept.len() + self.fresh;
        let few = u64::try_from(left).unwrap_or(u64::MAX) < keep_min;
        let many = ROW_GONE_MIN <= gone.len() && left < gone.len();
        let oldest_kept = kept.iter().min();
        let in_order = |born: &&i64| oldest_kept.is_none_or(|oldest| *born <= oldest);
        let pruned = if few || many { 0 } else { gone.iter().filter(in_order).count() };
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        sum.before += count(self.items.len());
        sum.left += count(kept.len());
        sum.pruned += count(pruned);
        sum.gone += count(gone.len() - pruned);
        sum.emptied += count(emptied);
        sum.rewritten += count(rewritten);
    }
}

/// Returns a name as a number; stable, and not for anyone to trust.
pub(super) fn hash(text: &[u8]) -> u64 {
    // FNV-1a.
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    text.iter().fold(0xcbf2_9ce4_8422_2325, step) >> (64 - NAME_BITS)
}

/// Returns the row a path belongs to.
pub(super) fn row(path: &[u8]) -> u64 {
    let mut shape = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            b'0'..=b'9' if shape.last() == Some(&b'#') => {}
            b'0'..=b'9' => shape.push(b'#'),
            other => shape.push(*other),
        }
    }
    hash(&shape)
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::night;

    use super::*;

    /// A backup of so many nights of `ehr-N.dump`.
    fn dumps(nights: std::ops::Range<u64>) -> Vec<Item> {
        nights.map(|n| dump(n, &format!("ehr-{n}.dump"))).collect()
    }

    fn dump(n: u64, name: &str) -> Item {
        let start = (night() - SignedDuration::from_hours(24 * 30)).as_millisecond();
        let at = start + i64::try_from(n).unwrap() * 86_400_000;
        let (path, row) = (hash(name.as_bytes()), row(name.as_bytes()));
        Item { id: 100 + n, path, row, born: at, written: at, bytes: 1000 }
    }

    fn before(items: Vec<Item>) -> Baseline {
        Baseline::new(night(), items)
    }

    #[track_caller]
    fn check(last: Vec<Item>, now: &[Item], expected: &str) {
        let habit = Habit { keep_min: 1, complete_after: SignedDuration::from_mins(10) };
        let seen = compare(&before(last), now, habit);
        let parts = [
            (seen.pruned, "pruned"),
            (seen.gone, "gone"),
            (seen.emptied, "emptied"),
            (seen.rewritten, "rewritten"),
        ];
        let parts = parts.iter().filter(|(count, _)| 0 < *count);
        let shown: Vec<_> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        assert_eq!(shown.join(" "), expected, "{seen:?}");
    }

    #[test]
    fn a_rotation_takes_the_oldest_and_an_intruder_takes_what_he_finds() {
        check(dumps(0..7), &dumps(0..7), "");
        check(dumps(0..7), &dumps(1..8), "1 pruned");
        check(dumps(0..7), &dumps(2..7), "2 pruned");
        check(dumps(0..7), &dumps(0..6), "1 gone");
        check(dumps(0..7), &dumps(6..7), "6 gone");
        check(dumps(0..7), &[], "7 gone");
        check(dumps(0..1), &dumps(1..2), "1 pruned");
        // What was not complete is nobody's backup yet.
        check(dumps(30..31), &[], "");
    }

    #[test]
    fn what_is_emptied_or_written_over_is_harmed_unless_it_is_the_newest_made_anew() {
        let changed = |bytes| {
            let change = |item: Item| Item { written: item.written + 1, bytes, ..item };
            dumps(0..7).into_iter().map(change).collect::<Vec<_>>()
        };
        check(dumps(0..7), &changed(0), "7 emptied");
        check(dumps(0..7), &changed(1000), "6 rewritten");
        check(dumps(0..7), &changed(100), "7 rewritten");
        let renamed: Vec<_> = dumps(0..7)
            .into_iter()
            .map(|item| Item { path: item.path + 1, written: 1, ..item })
            .collect();
        check(dumps(0..7), &renamed, "7 rewritten");
        // Another file in its place, as a program makes it that writes beside and renames.
        let fresh = Item { id: 999, born: night().as_millisecond(), ..dumps(0..1)[0] };
        check(dumps(0..1), &[fresh], "");
    }

    #[test]
    fn directories_that_are_renamed_keep_their_files() {
        let rotated: Vec<_> = (0..7)
            .map(|n| dump(n, &format!("daily.{}/base.tar", 7 - n)))
            .collect();
        let before: Vec<_> = (0..7)
            .map(|n| dump(n, &format!("daily.{}/base.tar", 6 - n)))
            .collect();
        check(before.clone(), &rotated, "");
        check(before, &rotated[1..], "1 pruned");
    }

    #[test]
    fn what_goes_on_most_days_is_usual() {
        let mut days = Days::default();
        let on = |day: i64| night() + SignedDuration::from_hours(24 * day);
        for (day, harmed) in [(0, 2), (1, 2), (2, 90)] {
            assert_eq!(days.usual(on(day)), 0);
            days.add(on(day), harmed);
        }
        assert_eq!(days.usual(on(2)), 0);
        assert_eq!(days.usual(on(3)), 2);
        days.add(on(20), 0);
        assert_eq!(days, Days::default());
    }
}
