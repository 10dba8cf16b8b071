//! Work that is expected: a maintenance window someone ordered, or a job the configuration names.
//!
//! Always holds: lost content, decoys and ransom notes are expected by nobody; what is expected is told as low and
//! recorded, never passed over.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;

use super::evidence::Tally;
use super::windows::{Counts, Slot};

const MINUTES_OF_DAY: i64 = 24 * 60;

/// Work that is expected on a root at certain times.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What people call it.
    pub name: String,
    /// Label of the root it works on.
    pub root: String,
    /// Days on which it begins; none means every day.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it may begin, in local time.
    pub from: TimeOfDay,
    /// When it is over, in local time; before `from` means on the next day.
    pub until: TimeOfDay,
    /// What it does to files that were there before.
    #[serde(default = "all_work")]
    pub expects: Vec<Work>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// What ordinary mass work can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It deletes, moves away or empties files.
    Removals,
    /// It gives files other suffixes or none.
    Renames,
}

fn all_work() -> Vec<Work> {
    vec![Work::Removals, Work::Renames]
}

/// A time of day, written `02:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: i64,
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = |text: &str, below: i64| -> Option<i64> {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.filter(|number| *number < below)
        };
        let minutes = text
            .split_once(':')
            .and_then(|(hours, minutes)| Some(number(hours, 24)? * 60 + number(minutes, 60)?));

        minutes
            .map(|minutes| Self { minutes })
            .ok_or_else(|| format!("`{text}` is no time of day; write `02:30`"))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl Job {
    pub(super) fn problems(&self, key: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.is_empty() || self.root.is_empty() {
            let remedy = "name the job and the label of the root it works on";
            problems.push(Problem::of(key, "has a job without `name` or `root`", remedy));
        }
        if self.from == self.until {
            let message = format!("has the job `{}` that ends when it begins", self.name);
            problems.push(Problem::of(key, message, "give a later `until`; 24 hours are no job"));
        }
        if self.expects.is_empty() {
            let message = format!("has the job `{}` that does nothing", self.name);
            problems.push(Problem::of(key, message, "give `removals`, `renames` or both"));
        }
        problems
    }

    /// Whether it may be at work now.
    fn is_on(&self, now: Timestamp, offset_minutes: i32) -> bool {
        let (day, minute) = local(now, offset_minutes);
        let begins = |day: i64| self.days.is_empty() || self.days.contains(&weekday(day));
        if self.from < self.until {
            return begins(day) && (self.from.minutes..self.until.minutes).contains(&minute);
        }

        (begins(day) && self.from.minutes <= minute)
            || (begins(day - 1) && minute < self.until.minutes)
    }
}

/// Returns the day since 1970 and the minute of the day in local time.
pub(super) fn local(now: Timestamp, offset_minutes: i32) -> (i64, i64) {
    let minutes = now.as_second().div_euclid(60) + i64::from(offset_minutes);

    (minutes.div_euclid(MINUTES_OF_DAY), minutes.rem_euclid(MINUTES_OF_DAY))
}

/// The first of January 1970 was a Thursday.
fn weekday(day: i64) -> Day {
    match (day + 3).rem_euclid(7) {
        0 => Day::Mon,
        1 => Day::Tue,
        2 => Day::Wed,
        3 => Day::Thu,
        4 => Day::Fri,
        5 => Day::Sat,
        _ => Day::Sun,
    }
}

/// What ordinary mass work is expected on one root right now, and by whose word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    work: Vec<Work>,
    /// Who says so, in words; empty if nothing is expected.
    pub(super) by: String,
}

impl Expected {
    /// What a maintenance window and the jobs of a root allow.
    pub(super) fn of(
        window: Window,
        jobs: &[Job],
        root: &str,
        now: Timestamp,
        offset: i32,
    ) -> Self {
        if window == Window::Open {
            return Self { work: all_work(), by: "a maintenance window is open".to_owned() };
        }
        let mut expected = Self::default();
        let on = |job: &&Job| job.root == root && job.is_on(now, offset);
        for job in jobs.iter().filter(on) {
            expected.work.extend(&job.expects);
            expected.by = format!("the job `{}` is expected", job.name);
        }
        expected
    }

    pub(super) const fn is_nothing(&self) -> bool {
        self.work.is_empty()
    }

    /// Whether work of this kind is expected.
    fn covers(&self, slot: Slot) -> bool {
        match slot {
            Slot::Name => self.work.contains(&Work::Renames),
            Slot::RemovedValued | Slot::RemovedCommon => self.work.contains(&Work::Removals),
            Slot::Weak | Slot::Doubt | Slot::Shape => !self.work.is_empty(),
            Slot::Content | Slot::Canary => false,
        }
    }

    /// Whether a file that counts for so much is expected.
    pub(super) fn covers_tally(&self, tally: Tally) -> bool {
        Slot::of(tally).is_some_and(|slot| self.covers(slot))
    }

    /// Returns what is left once everything expected is taken away.
    pub(super) fn without(&self, counts: Counts) -> Counts {
        Slot::ALL
            .into_iter()
            .filter(|slot| self.covers(*slot))
            .fold(counts, Counts::cleared)
    }
}

/// Whether a maintenance window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Open,
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAPAN: i32 = 540;

    #[test]
    fn a_job_is_on_at_its_local_times_and_over_midnight() {
        let text = r#"name = "retention"
            root = "share"
            days = ["sun"]
            from = "23:30"
            until = "02:00""#;
        let job: Job = toml::from_str(text).unwrap();
        // 2026-02-08 was a Sunday.
        for (time, on) in [
            ("2026-02-08T23:29:59+09:00", false),
            ("2026-02-08T23:30:00+09:00", true),
            ("2026-02-09T01:59:59+09:00", true),
            ("2026-02-09T02:00:00+09:00", false),
            ("2026-02-08T01:00:00+09:00", false),
            ("2026-02-09T23:45:00+09:00", false),
        ] {
            assert_eq!(job.is_on(time.parse().unwrap(), JAPAN), on, "{time}");
        }
        assert_eq!(job.expects, [Work::Removals, Work::Renames]);
        assert!(job.problems("jobs").is_empty());
    }

    #[test]
    fn a_time_of_day_that_is_none_is_named() {
        for wrong in ["", "2:30", "24:00", "12:60", "12.30", "aa:bb", "+1:00"] {
            let error = TimeOfDay::try_from(wrong.to_owned()).unwrap_err();
            assert!(error.contains("02:30"), "{wrong}: {error}");
        }
        assert_eq!(TimeOfDay::try_from("02:05".to_owned()).unwrap().to_string(), "02:05");
    }
}
