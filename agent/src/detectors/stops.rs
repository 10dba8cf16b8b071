//! Sees that many services stopped together and stay away, as before their files are encrypted.
//!
//! ```text
//! stopped ─▶ down for 10 s ─▶ ten of them within a minute ─▶ opened ─▶ grew ─▶ ended (they run again, or an hour of rest)
//! started ─▶ was a restart
//! ```
//!
//! Always holds:
//! - pure; a restart, an upgrade and a backup that stops three services are quiet by their number and by coming back;
//! - a shutdown is no anomaly, and a change of the system's state (`systemctl isolate`) is a line in the timeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event, Phase, SCHEMA, Severity, Stops};
use shirase_shared::ids::BurstId;

use crate::observation::{Course, ServicesSeen};

/// A service that is back within this time was restarted.
const SETTLE_MS: u64 = 10_000;
/// How long before and after a change of the system's state services stop because of it.
const REGROUPING_MS: u64 = 30_000;
/// A story without a further stop for this long is over, though services may still be away.
const REST_MS: u64 = 3_600_000;
/// Services remembered as stopped; the one that has been so longest is forgotten for another.
const DOWN_MAX: usize = 1000;
/// Names told in one event.
const NAMES_MAX: usize = 16;
/// Names told in a sentence.
const WORDS_MAX: usize = 5;

/// When services that stop are an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StopsConfig {
    /// Services that stop within the window and stay away that make an event of severity high. What stops for a nightly
    /// backup must be fewer, or have a maintenance window.
    pub services: u64,
    /// The window in seconds.
    pub window_secs: u64,
}

impl Default for StopsConfig {
    fn default() -> Self {
        Self { services: 10, window_secs: 60 }
    }
}

impl StopsConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.services < 2 {
            let (key, remedy) = ("detectors.stops.services", "give at least 2; 10 is the default");
            problems.push(Problem::of(key, "is below 2, so that any stop were many", remedy));
        }
        if !(5..=3600).contains(&self.window_secs) {
            let key = "detectors.stops.window_secs";
            let message = "is not within 5 and 3600";
            problems.push(Problem::of(key, message, "60 is the default"));
        }
        problems
    }
}

/// The detector.
pub struct StopsDetector {
    config: StopsConfig,
    /// Services that stopped and did not start again.
    down: BTreeMap<String, Stopped>,
    regrouped_ms: Option<u64>,
    maintenance_until: Option<Timestamp>,
    told: Option<Told>,
}

#[derive(Clone, Copy)]
struct Stopped {
    at: Moment,
    cause: Cause,
}

/// Why a service stopped, as far as the system tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Somebody stopped it, or it ended by itself.
    Own,
    /// The system was put into another state.
    Regrouped,
}

/// What was told and not ended.
struct Told {
    burst: BurstId,
    first: Moment,
    names: BTreeSet<String>,
    /// How many there were when it was last told.
    count: usize,
    last_stop_ms: u64,
    severity: Severity,
}

impl StopsDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &StopsConfig) -> Self {
        Self {
            config: config.clone(),
            down: BTreeMap::new(),
            regrouped_ms: None,
            maintenance_until: None,
            told: None,
        }
    }

    /// Takes what stopped and started.
    pub fn seen(&mut self, at: Moment, seen: &ServicesSeen, now: Moment) -> Vec<Event> {
        for name in &seen.started {
            self.down.remove(name);
        }
        match seen.course {
            Course::Steady => {}
            Course::Regrouped => self.regroup(at),
            Course::Ending => {
                // Whatever stops now stops with the system.
                self.down.clear();
                return Vec::new();
            }
        }
        let since_regrouped = self
            .regrouped_ms
            .map(|ms| at.monotonic_ms.saturating_sub(ms));
        let cause = match since_regrouped {
            Some(ms) if ms <= REGROUPING_MS => Cause::Regrouped,
            Some(_) | None => Cause::Own,
        };
        for name in &seen.stopped {
            self.down.insert(name.clone(), Stopped { at, cause });
        }
        self.forget_oldest();

        self.decide(now).into_iter().collect()
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        self.decide(now).into_iter().collect()
    }

    /// Expects services to be stopped until then.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.maintenance_until = until;
    }

    fn regroup(&mut self, at: Moment) {
        self.regrouped_ms = Some(at.monotonic_ms);
        for stopped in self.down.values_mut() {
            if at.monotonic_ms.saturating_sub(stopped.at.monotonic_ms) <= REGROUPING_MS {
                stopped.cause = Cause::Regrouped;
            }
        }
    }

    fn forget_oldest(&mut self) {
        while DOWN_MAX < self.down.len() {
            let oldest = self
                .down
                .iter()
                .min_by_key(|(_, stopped)| stopped.at.monotonic_ms);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
            self.down.remove(&name);
        }
    }

    fn decide(&mut self, now: Moment) -> Option<Event> {
        let ms = now.monotonic_ms;
        let window_ms = self.config.window_secs * 1000;
        let settled = |stopped: &&Stopped| SETTLE_MS <= ms.saturating_sub(stopped.at.monotonic_ms);
        let recent = |stopped: &&Stopped| {
            ms.saturating_sub(stopped.at.monotonic_ms) <= window_ms + SETTLE_MS
        };
        let fresh: Vec<_> = self
            .down
            .iter()
            .filter(|(_, stopped)| settled(stopped) && recent(stopped))
            .collect();
        let enough =
            |count: usize| self.config.services <= u64::try_from(count).unwrap_or(u64::MAX);
        let own = fresh
            .iter()
            .filter(|(_, stopped)| stopped.cause == Cause::Own)
            .count();
        let covered = self.maintenance_until.is_some_and(|until| now.wall < until);
        let severity = if enough(own) && !covered { Severity::High } else { Severity::Low };
        let first = fresh
            .iter()
            .map(|(_, stopped)| stopped.at)
            .min_by_key(|at| at.monotonic_ms);
        let names: BTreeSet<_> = fresh.iter().map(|(name, _)| (*name).clone()).collect();
        let Some(told) = &mut self.told else {
            let first = first.filter(|_| enough(names.len()))?;
            let count = names.len();
            let burst = BurstId::random();
            let told = Told { burst, first, names, count, last_stop_ms: ms, severity };
            let event = self.event(&told, Phase::Opened, now);
            self.told = Some(told);
            return Some(event);
        };
        if !names.is_subset(&told.names) {
            told.names.extend(names);
            told.last_stop_ms = ms;
        }
        let down = &self.down;
        let away = told
            .names
            .iter()
            .filter(|name| down.contains_key(*name))
            .count();
        let rests = REST_MS <= ms.saturating_sub(told.last_stop_ms);
        if away == 0 || rests {
            let told = self.told.take()?;
            return Some(self.event(&told, Phase::Ended, now));
        }
        if told.count * 2 <= told.names.len() || told.severity < severity {
            told.count = told.names.len();
            told.severity = told.severity.max(severity);
            let told = self.told.take()?;
            let event = self.event(&told, Phase::Grew, now);
            self.told = Some(told);
            return Some(event);
        }

        None
    }

    fn event(&self, told: &Told, phase: Phase, now: Moment) -> Event {
        let stops = Stops {
            count: u64::try_from(told.names.len()).unwrap_or(u64::MAX),
            names: told.names.iter().take(NAMES_MAX).cloned().collect(),
            window_secs: self.config.window_secs,
        };
        let severity = if phase == Phase::Ended { Severity::Low } else { told.severity };

        Event {
            schema: SCHEMA,
            reason: self.reason(told, phase, now),
            anomaly: Anomaly::Stops(stops),
            phase,
            burst: Some(told.burst),
            severity,
            detected_at: now.wall,
            first_change_at: Some(told.first.wall),
            moment: now,
            root: None,
            files_affected: 0,
            drill: None,
        }
    }

    fn reason(&self, told: &Told, phase: Phase, now: Moment) -> String {
        let (count, since) = (told.names.len(), told.first.wall);
        let mut names: Vec<_> = told
            .names
            .iter()
            .take(WORDS_MAX)
            .map(|name| format!("`{name}`"))
            .collect();
        if WORDS_MAX < count {
            names.push(format!("{} more", count - WORDS_MAX));
        }
        let names = names.join(", ");
        if phase == Phase::Ended {
            let away = told
                .names
                .iter()
                .filter(|name| self.down.contains_key(*name))
                .count();
            return match away {
                0 => format!("all {count} services that stopped since {since} run again"),
                _ => format!(
                    "no further service stopped for an hour; {away} of the {count} that stopped since {since} are still away"
                ),
            };
        }
        let (limit, window) = (self.config.services, self.config.window_secs);
        let quiet = match told.severity {
            Severity::Low if self.maintenance_until.is_some_and(|until| now.wall < until) => {
                "a maintenance window covers it".to_owned()
            }
            Severity::Low => {
                "the system was put into another state at that time, which stops what does not belong to it".to_owned()
            }
            Severity::Medium | Severity::High | Severity::Critical => format!(
                "fewer than {limit} within {window} s, a restart within {} s, a shutdown or a maintenance window would \
                 have been quiet",
                SETTLE_MS / 1000
            ),
        };

        format!("{count} services stopped together since {since} and stay away: {names}; {quiet}")
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    fn stop(from: usize, count: usize) -> ServicesSeen {
        let stopped = (from..from + count)
            .map(|n| format!("s{n}.service"))
            .collect();
        ServicesSeen { stopped, ..ServicesSeen::default() }
    }

    fn start(count: usize) -> ServicesSeen {
        ServicesSeen { started: stop(0, count).stopped, ..ServicesSeen::default() }
    }

    fn detector() -> StopsDetector {
        StopsDetector::new(&StopsConfig::default())
    }

    #[test]
    fn ten_that_stay_away_open_a_story_and_their_return_ends_it() {
        let mut detector = detector();
        assert_eq!(detector.seen(moment(0), &stop(0, 6), moment(0)), []);
        assert_eq!(detector.seen(moment(5), &stop(6, 4), moment(5)), []);
        assert_eq!(detector.tick(moment(14)), []);
        let opened = detector.tick(moment(15)).remove(0);
        assert_eq!((opened.phase, opened.severity), (Phase::Opened, Severity::High));
        assert_eq!(opened.first_change_at, Some(moment(0).wall));
        assert_eq!(detector.seen(moment(30), &start(9), moment(30)), []);
        let ended = detector.seen(moment(40), &start(10), moment(40)).remove(0);
        assert_eq!((ended.phase, ended.burst), (Phase::Ended, opened.burst));
    }

    #[test]
    fn ten_within_ten_minutes_are_not_many() {
        let mut detector = detector();
        for n in 0..20 {
            let at = moment(i64::try_from(n).unwrap() * 60);
            assert_eq!(detector.seen(at, &stop(n, 1), at), []);
        }
    }

    #[test]
    fn what_was_opened_as_planned_grows_when_more_stops_unplanned() {
        let mut detector = detector();
        detector.maintenance_until(Some(moment(60).wall));
        detector.seen(moment(0), &stop(0, 12), moment(0));
        assert_eq!(detector.tick(moment(10))[0].severity, Severity::Low);
        detector.seen(moment(100), &stop(20, 12), moment(100));
        let grew = detector.tick(moment(110)).remove(0);
        assert_eq!((grew.phase, grew.severity), (Phase::Grew, Severity::High));
    }
}
