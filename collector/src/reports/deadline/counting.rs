//! From a moment to the last one on which something is in time.

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use super::holidays::{HolidayKind, holiday, is_working_day, next_working_day};
use crate::reports::profile::{Amount, Counting, DeadlineRule, RunsFrom};

/// Japan has no summer time.
const JAPAN: Offset = Offset::constant(9);

/// The last moment on which something is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The moment itself: of a day, its last second.
    pub at: Timestamp,
    /// The last day, where days are counted.
    pub last_day: Option<Date>,
    /// The day it would have been, had it not moved to a working day.
    pub moved_from: Option<Date>,
    /// Whether that rests on a holiday which was only computed and is fixed by the government each February.
    pub computed_holiday: bool,
}

/// Counts a rule's time from a moment.
pub(super) fn due(rule: &DeadlineRule, start: Timestamp) -> Option<Due> {
    let amount = rule.amount()?;
    if rule.runs_from == RunsFrom::YearEnd {
        let Amount::Days(days) = amount else { return None };
        let year_end = Date::new(JAPAN.to_datetime(start).year(), 12, 31).ok()?;
        return on_day(days_after(year_end, days)?, rule.moves_to_working_day);
    }
    match (amount, rule.counting) {
        (Amount::Days(days), Counting::FirstDayIsOne) => {
            let first = JAPAN.to_datetime(start).date();
            on_day(days_after(first, days.checked_sub(1)?)?, rule.moves_to_working_day)
        }
        (Amount::Days(days), Counting::Elapsed) => after(start, i64::from(days) * 24),
        (Amount::Hours(hours), _) => after(start, i64::from(hours)),
        (Amount::Months(months), _) => {
            let local = start.to_zoned(TimeZone::fixed(JAPAN));
            let later = local
                .checked_add(Span::new().months(i64::from(months)))
                .ok()?;
            Some(moment(later.timestamp()))
        }
    }
}

/// Returns the last second of a day in Japan.
#[must_use]
pub fn last_moment(day: Date) -> Option<Timestamp> {
    JAPAN
        .to_timestamp(day.to_datetime(Time::constant(23, 59, 59, 0)))
        .ok()
}

fn after(start: Timestamp, hours: i64) -> Option<Due> {
    start
        .checked_add(SignedDuration::from_hours(hours))
        .ok()
        .map(moment)
}

const fn moment(at: Timestamp) -> Due {
    Due { at, last_day: None, moved_from: None, computed_holiday: false }
}

fn days_after(day: Date, days: u32) -> Option<Date> {
    day.checked_add(Span::new().days(i64::from(days))).ok()
}

fn on_day(day: Date, moves: bool) -> Option<Due> {
    let last = if moves { next_working_day(day)? } else { day };
    let mut computed = false;
    let mut skipped = day;
    while skipped < last {
        computed |= holiday(skipped).is_some_and(|day| day.kind == HolidayKind::Computed);
        skipped = skipped.tomorrow().ok()?;
    }
    Some(Due {
        at: last_moment(last)?,
        last_day: Some(last),
        moved_from: (last != day).then_some(day),
        computed_holiday: computed && !is_working_day(day),
    })
}
