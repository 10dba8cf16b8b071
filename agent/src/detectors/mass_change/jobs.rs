//! Work that is expected: a maintenance window someone ordered, or a job the configuration names.
//!
//! Always holds: lost content, decoys and ransom notes are expected by nobody; what is expected is told as low and
//! recorded, never passed over.

use jiff::Timestamp;
use shirase_shared::settings::job::{Day, Job, Work};

use super::evidence::Tally;
use super::windows::{Counts, Slot};

const MINUTES_OF_DAY: i64 = 24 * 60;

/// Whether a job may be at work now.
fn is_on(job: &Job, now: Timestamp, offset_minutes: i32) -> bool {
    let (day, minute) = local(now, offset_minutes);
    let begins = |day: i64| job.days.is_empty() || job.days.contains(&weekday(day));
    let (from, until) = (job.from.minutes(), job.until.minutes());
    if from < until {
        return begins(day) && (from..until).contains(&minute);
    }

    (begins(day) && from <= minute) || (begins(day - 1) && minute < until)
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
            return Self { work: Work::all(), by: "a maintenance window is open".to_owned() };
        }
        let mut expected = Self::default();
        let on = |job: &&Job| job.root == root && is_on(job, now, offset);
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
            assert_eq!(is_on(&job, time.parse().unwrap(), JAPAN), on, "{time}");
        }
        assert_eq!(job.expects, [Work::Removals, Work::Renames]);
        assert!(job.problems("jobs").is_empty());
    }
}
