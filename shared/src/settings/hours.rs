//! The hours in which people usually work, as the configuration writes them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names of the days, as they are written.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Seconds of a day.
const DAY_SECS: i64 = 86_400;
/// Minutes of a day.
const DAY_MINUTES: i64 = 1440;
/// How hours are written.
const REMEDY: &str =
    "write days, hours and the distance from UTC, for example `mon-fri 07:00-20:00 +09:00`";

/// A span of hours on some days of the week: `mon-fri 07:00-20:00 +09:00`.
///
/// The last part is the distance of the local time from UTC: the agent knows no time zones, and Japan has one without
/// summer time. A span that ends before it begins goes on into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    first_day: usize,
    last_day: usize,
    from_minute: i64,
    until_minute: i64,
    offset_minutes: i64,
}

impl Hours {
    /// Whether `at` lies within the span.
    #[must_use]
    pub fn contain(&self, at: Timestamp) -> bool {
        let local = at.as_second() + self.offset_minutes * 60;
        // 1970-01-01 was a Thursday.
        let day = usize::try_from((local.div_euclid(DAY_SECS) + 3).rem_euclid(7)).unwrap_or(0);
        let minute = local.rem_euclid(DAY_SECS) / 60;
        if self.from_minute <= self.until_minute {
            return self.has(day) && (self.from_minute..self.until_minute).contains(&minute);
        }
        let evening = self.has(day) && self.from_minute <= minute;
        let morning = self.has((day + 6) % 7) && minute < self.until_minute;

        evening || morning
    }

    fn has(&self, day: usize) -> bool {
        if self.first_day <= self.last_day {
            (self.first_day..=self.last_day).contains(&day)
        } else {
            self.first_day <= day || day <= self.last_day
        }
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no span of hours; {REMEDY}");
        let mut words = text.split_whitespace();
        let (Some(days), Some(hours), Some(offset), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(wrong());
        };
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
        let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
        let (sign, distance) = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
            (Some(east), _) => (1, east),
            (None, Some(west)) => (-1, west),
            (None, None) => return Err(wrong()),
        };
        let span = Self {
            first_day: day(first).ok_or_else(wrong)?,
            last_day: day(last).ok_or_else(wrong)?,
            from_minute: minutes(from).ok_or_else(wrong)?,
            until_minute: minutes(until).ok_or_else(wrong)?,
            offset_minutes: sign * minutes(distance).ok_or_else(wrong)?,
        };
        if span.from_minute == span.until_minute || DAY_MINUTES <= span.from_minute {
            return Err(wrong());
        }

        Ok(span)
    }
}

/// `07:30` in minutes; `24:00` is the end of the day.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let short = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        short.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let sum = hours * 60 + minutes;

    (minutes < 60 && sum <= DAY_MINUTES).then_some(sum)
}

impl TryFrom<String> for Hours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |index: usize| DAYS.get(index).copied().unwrap_or_default();
        let (first, last) = (day(self.first_day), day(self.last_day));
        let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let (from, until) = (time(self.from_minute), time(self.until_minute));
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let offset = time(self.offset_minutes.abs());

        write!(f, "{first}-{last} {from}-{until} {sign}{offset}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_its_own_local_hours() {
        // 2026-02-09 was a Monday.
        check("mon-fri 07:00-20:00 +09:00", "2026-02-08T22:00:00Z", true);
        check("mon-fri 07:00-20:00 +09:00", "2026-02-08T21:59:59Z", false);
        check("mon-fri 07:00-20:00 +09:00", "2026-02-09T10:59:59Z", true);
        check("mon-fri 07:00-20:00 +09:00", "2026-02-09T11:00:00Z", false);
        check("sat-sun 07:00-20:00 +09:00", "2026-02-09T01:00:00Z", false);
        check("Sat-Mon 00:00-24:00 +09:00", "2026-02-09T01:00:00Z", true);
        check("tue 08:00-09:00 -05:30", "2026-02-10T13:45:00Z", true);
        check("sun 22:00-06:00 +09:00", "2026-02-08T16:50:00Z", true);
        check("sun 22:00-06:00 +09:00", "2026-02-09T16:50:00Z", false);
    }

    #[test]
    fn a_span_reads_back_as_it_was_written() {
        let text = "mon-fri 07:00-20:00 +09:00";
        assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_span_says_how_to_write_one() {
        for wrong in [
            "",
            "mon-fri 07:00-20:00",
            "mon-fri 7-20 +09:00",
            "mon-fry 07:00-20:00 +09:00",
            "mon-fri 07:00-07:00 +09:00",
            "mon-fri 07:00-25:00 +09:00",
            "mon-fri 24:00-07:00 +09:00",
            "mon-fri 07:60-20:00 +09:00",
            "mon-fri 07:00-20:00 09:00",
            "mon-fri 07:00-20:00 +09:00 x",
        ] {
            let error = wrong.parse::<Hours>().unwrap_err();
            assert!(error.contains("write days"), "{wrong}: {error}");
        }
    }

    #[track_caller]
    fn check(hours: &str, at: &str, expected: bool) {
        let hours: Hours = hours.parse().unwrap();
        assert_eq!(hours.contain(at.parse().unwrap()), expected, "{hours} {at}");
    }
}
