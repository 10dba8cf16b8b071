//! Sees that a service, program or port is not there, comes and goes, or is back.
//!
//! ```text
//! up ──down──▶ missing ──longer than its grace──▶ outage opened ──up and stays up──▶ outage ended
//!  └── too many changes within the window ──▶ flapping opened ──no change for as long──▶ ended
//! ```
//!
//! Always holds: pure; spans are measured by monotonic time, so a wrong wall clock neither makes nor hides an outage.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{
    Anomaly, Event, Outage, OutageState, Phase, SCHEMA, Severity, Target, WatchedAs,
};
use shirase_shared::ids::BurstId;

use crate::observation::{Presence, TargetSeen};

/// Changes remembered of one target.
const CHANGES_MAX: usize = 1000;

/// When an absence is an outage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutageConfig {
    /// How long a target may be away, in seconds, unless it has a grace of its own. A restart takes less.
    pub grace_secs: u64,
    /// How long it must stay back before the outage has ended, in seconds.
    pub settle_secs: u64,
    /// Span in which changes are counted, in seconds.
    pub flapping_window_secs: u64,
    /// Changes within that span that make it flapping; going down and coming back are two.
    pub flapping_changes: u32,
}

impl Default for OutageConfig {
    fn default() -> Self {
        Self { grace_secs: 60, settle_secs: 30, flapping_window_secs: 600, flapping_changes: 6 }
    }
}

impl OutageConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.flapping_changes < 3 {
            let key = "detectors.outage.flapping_changes";
            let remedy = "give at least 3; 6 is the default";
            problems.push(Problem::of(
                key,
                "is below 3, so that one restart were flapping",
                remedy,
            ));
        }
        if self.flapping_window_secs == 0 {
            let key = "detectors.outage.flapping_window_secs";
            problems.push(Problem::of(key, "is 0", "give at least 1 second; 600 is the default"));
        }
        problems
    }
}

/// The detector.
pub struct OutageDetector {
    config: OutageConfig,
    targets: BTreeMap<Target, Watch>,
}

/// What is known of one target.
struct Watch {
    presence: Presence,
    since: Moment,
    last_good: Option<Timestamp>,
    detail: String,
    grace_ms: u64,
    changes: VecDeque<u64>,
    told: Option<Told>,
}

/// What was told of one target and not ended.
struct Told {
    burst: BurstId,
    state: OutageState,
    first: Timestamp,
}

impl OutageDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &OutageConfig) -> Self {
        Self { config: config.clone(), targets: BTreeMap::new() }
    }

    /// Takes how a target was found.
    pub fn seen(&mut self, at: Moment, seen: &TargetSeen, now: Moment) -> Vec<Event> {
        let grace_ms = seen.grace_secs.unwrap_or(self.config.grace_secs) * 1000;
        let watch = self
            .targets
            .entry(seen.target.clone())
            .or_insert_with(|| Watch {
                presence: seen.presence,
                since: at,
                last_good: None,
                detail: String::new(),
                grace_ms,
                changes: VecDeque::new(),
                told: None,
            });
        if watch.presence != seen.presence {
            (watch.presence, watch.since) = (seen.presence, at);
            watch.changes.push_back(at.monotonic_ms);
            if CHANGES_MAX < watch.changes.len() {
                watch.changes.pop_front();
            }
        }
        if seen.presence == Presence::Up {
            watch.last_good = Some(at.wall);
        }
        watch.detail.clone_from(&seen.detail);
        watch.grace_ms = grace_ms;

        decide(&self.config, &seen.target, watch, now)
            .into_iter()
            .collect()
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let config = &self.config;
        let decide = |(target, watch): (&Target, &mut Watch)| decide(config, target, watch, now);
        self.targets.iter_mut().filter_map(decide).collect()
    }
}

fn decide(config: &OutageConfig, target: &Target, watch: &mut Watch, now: Moment) -> Option<Event> {
    let window_ms = config.flapping_window_secs * 1000;
    while watch
        .changes
        .front()
        .is_some_and(|at| at + window_ms < now.monotonic_ms)
    {
        watch.changes.pop_front();
    }
    let changes = u32::try_from(watch.changes.len()).unwrap_or(u32::MAX);
    let for_ms = now.monotonic_ms.saturating_sub(watch.since.monotonic_ms);
    let down = watch.presence == Presence::Down && watch.grace_ms <= for_ms;
    let flapping = config.flapping_changes <= changes;
    let settled = watch.presence == Presence::Up && config.settle_secs * 1000 <= for_ms;
    let told = watch.told.as_ref().map(|told| told.state);
    let state = match told {
        None if down => OutageState::Down,
        None if flapping => OutageState::Flapping,
        None => return None,
        Some(OutageState::Flapping) if down => OutageState::Down,
        Some(OutageState::Down) if settled && !flapping => OutageState::Recovered,
        // Still changing too often to be called back.
        Some(OutageState::Down) if settled => OutageState::Flapping,
        Some(OutageState::Flapping) if settled && changes == 0 => OutageState::Recovered,
        Some(OutageState::Down | OutageState::Flapping | OutageState::Recovered) => return None,
    };
    let (burst, phase, first) = match (&watch.told, state) {
        (Some(told), OutageState::Recovered) => (told.burst, Phase::Ended, told.first),
        (Some(told), OutageState::Down | OutageState::Flapping) => {
            (told.burst, Phase::Grew, told.first)
        }
        (None, _) => (BurstId::random(), Phase::Opened, watch.since.wall),
    };
    watch.told = match state {
        OutageState::Recovered => None,
        OutageState::Down | OutageState::Flapping => Some(Told { burst, state, first }),
    };

    Some(event(target, watch, state, changes, (burst, phase, first), now))
}

fn event(
    target: &Target,
    watch: &Watch,
    state: OutageState,
    changes: u32,
    (burst, phase, first): (BurstId, Phase, Timestamp),
    now: Moment,
) -> Event {
    let kind = match target.watched_as {
        WatchedAs::Service => "service",
        WatchedAs::Process => "program",
        WatchedAs::Tcp => "port",
        WatchedAs::Http => "web address",
        WatchedAs::Hl7 => "HL7 interface",
        WatchedAs::Dicom => "DICOM node",
        WatchedAs::Postgres => "database",
    };
    let name = &target.name;
    let for_secs = now.monotonic_ms.saturating_sub(watch.since.monotonic_ms) / 1000;
    let (severity, reason) = match state {
        OutageState::Down => (
            Severity::High,
            format!("{kind} `{name}` has been down for {for_secs} s: {}", watch.detail),
        ),
        OutageState::Flapping => (
            Severity::Medium,
            format!("{kind} `{name}` went up and down {changes} times: {}", watch.detail),
        ),
        OutageState::Recovered => {
            (Severity::Low, format!("{kind} `{name}` is back and has stayed so for {for_secs} s"))
        }
    };
    let outage = Outage {
        target: target.clone(),
        state,
        since: watch.since.wall,
        last_good: watch.last_good,
        changes: if state == OutageState::Flapping { changes } else { 0 },
        detail: watch.detail.clone(),
    };

    Event {
        schema: SCHEMA,
        anomaly: Anomaly::Outage(outage),
        phase,
        burst: Some(burst),
        severity,
        detected_at: now.wall,
        first_change_at: Some(first),
        moment: now,
        root: None,
        files_affected: 0,
        reason,
        drill: None,
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    #[test]
    fn what_a_target_does_becomes_the_story_of_its_outage() {
        // One character every ten seconds: `+` up, `-` down.
        check("++++++", "");
        check("++---+++", "");
        check("+--------", "7:opened down");
        check("--------", "6:opened down");
        check("+--------++++", "7:opened down, 12:ended recovered");
        check("+--------+-+++++", "7:opened down, 14:ended recovered");
        check("+-+-+-+-", "6:opened flapping");
        check("+-+-+-+--------", "6:opened flapping, 13:grew down");
    }

    #[test]
    fn a_wall_clock_that_jumps_makes_no_outage() {
        let mut detector = OutageDetector::new(&OutageConfig::default());
        let mut jumped = moment(10);
        jumped.wall = moment(100_000).wall;
        assert_eq!(detector.seen(moment(0), &seen('-'), moment(0)), []);
        assert_eq!(detector.seen(jumped, &seen('-'), jumped), []);
    }

    fn seen(sign: char) -> TargetSeen {
        TargetSeen {
            target: Target { watched_as: WatchedAs::Tcp, name: "ehr-db".to_owned() },
            presence: if sign == '+' { Presence::Up } else { Presence::Down },
            detail: "no connection".to_owned(),
            grace_secs: None,
        }
    }

    #[track_caller]
    fn check(signs: &str, expected: &str) {
        let mut detector = OutageDetector::new(&OutageConfig::default());
        let mut told = Vec::new();
        for (step, sign) in signs.chars().enumerate() {
            let now = moment(i64::try_from(step).unwrap() * 10);
            let mut events = detector.seen(now, &seen(sign), now);
            events.extend(detector.tick(now));
            for event in events {
                let Anomaly::Outage(outage) = &event.anomaly else { panic!("{event:?}") };
                let line = format!("{step}:{:?} {:?}", event.phase, outage.state);
                told.push(line.to_lowercase());
            }
        }
        assert_eq!(told.join(", "), expected, "{signs}");
    }
}
