//! Sees that what protects a host is taken away: its guards, its logs, the agent itself.
//!
//! ```text
//! guard (stopped, removed) ─▶ its grace ─┐
//! log (shorter, gone) ─▶ was it a rotation? ─┼─▶ severity, more beside a mass change ─▶ event
//! own part (changed, removed) ─▶ an upgrade? ─┘
//! ```
//!
//! Always holds:
//! - pure; ordinary work is quiet by what it does: an upgrade brings the guard back, a rotation leaves the old log
//!   beside the new one, an upgrade of the agent restarts it;
//! - a maintenance window lowers what happens to guards, to the agent's program and to its settings to a line in the
//!   timeline. It does not cover logs, keys and the agent's own service: they are the record of what happens in it.

mod guards;
mod logs;
mod own;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event, Phase, Protection, SCHEMA, Severity};
use shirase_shared::ids::BurstId;

use crate::observation::{GuardSeen, LogSeen, OwnSeen};
use guards::Guards;
use logs::Logs;
use own::Own;

/// How long after a mass change what protects the host is part of the same story.
const BESIDE_MS: u64 = 30 * 60_000;
/// Longest grace that can be configured, in seconds.
const GRACE_MAX_SECS: u64 = 3600;

/// When protection that is taken away is an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProtectionLossConfig {
    /// How long a guard may be stopped before that is an event, in seconds: an upgrade takes less. One that was also
    /// removed or switched off has a third of it, and beside a mass change there is none.
    pub guard_grace_secs: u64,
    /// How long the agent's program and the definition of its service may be changed before that is an event, in
    /// seconds: an upgrade restarts the agent sooner.
    pub own_grace_secs: u64,
}

impl Default for ProtectionLossConfig {
    fn default() -> Self {
        Self { guard_grace_secs: 180, own_grace_secs: 60 }
    }
}

impl ProtectionLossConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let graces =
            [("guard_grace_secs", self.guard_grace_secs), ("own_grace_secs", self.own_grace_secs)];
        let problem = |(name, _): (&str, u64)| {
            let key = format!("detectors.protection_loss.{name}");
            let message = format!("is longer than {GRACE_MAX_SECS} seconds");
            Problem::of(&key, message, "give a time within which an upgrade is done")
        };
        let long = |(_, secs): &(&str, u64)| GRACE_MAX_SECS < *secs;

        graces.into_iter().filter(long).map(problem).collect()
    }
}

/// The detector.
pub struct ProtectionLossDetector {
    guards: Guards,
    logs: Logs,
    own: Own,
    around: Around,
}

/// What happens around a loss and makes it more or less than it is by itself.
#[derive(Clone, Copy, Default)]
struct Around {
    mass_change_ms: Option<u64>,
    maintenance_until: Option<Timestamp>,
    /// When a guard or a log was last told as lost.
    guard_ms: Option<u64>,
    log_ms: Option<u64>,
}

impl Around {
    fn mass_change(&self, now: Moment) -> bool {
        is_recent(self.mass_change_ms, now)
    }

    fn maintenance(&self, now: Moment) -> bool {
        self.maintenance_until.is_some_and(|until| now.wall < until)
    }
}

fn is_recent(at_ms: Option<u64>, now: Moment) -> bool {
    at_ms.is_some_and(|ms| now.monotonic_ms.saturating_sub(ms) <= BESIDE_MS)
}

impl ProtectionLossDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &ProtectionLossConfig) -> Self {
        Self {
            guards: Guards::new(config.guard_grace_secs * 1000),
            logs: Logs::default(),
            own: Own::new(config.own_grace_secs * 1000),
            around: Around::default(),
        }
    }

    /// Takes how a guard was found.
    pub fn guard(&mut self, at: Moment, seen: &GuardSeen, now: Moment) -> Vec<Event> {
        self.guards.note(at, seen);
        self.decide(now)
    }

    /// Takes what has become of a log.
    pub fn log(&mut self, at: Moment, seen: &LogSeen, now: Moment) -> Vec<Event> {
        self.logs.note(at, seen);
        self.decide(now)
    }

    /// Takes what has become of a part of the agent.
    pub fn own(&mut self, at: Moment, seen: &OwnSeen, now: Moment) -> Vec<Event> {
        self.own.note(at, seen);
        self.decide(now)
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        self.decide(now)
    }

    /// Files were harmed in bulk just now, by no drill.
    pub fn mass_change(&mut self, now: Moment) {
        self.around.mass_change_ms = Some(now.monotonic_ms);
    }

    /// Expects guards to be upgraded until then.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.around.maintenance_until = until;
    }

    fn decide(&mut self, now: Moment) -> Vec<Event> {
        let mut events = self.guards.decide(&self.around, now);
        if events
            .iter()
            .any(|event| Severity::Medium <= event.severity)
        {
            self.around.guard_ms = Some(now.monotonic_ms);
        }
        let of_logs = self.logs.decide(&self.around, now);
        if of_logs.iter().any(|event| event.phase != Phase::Ended) {
            self.around.log_ms = Some(now.monotonic_ms);
        }
        events.extend(of_logs);
        events.extend(self.own.decide(&self.around, now));
        events
    }
}

/// What an event about protection says besides its evidence.
struct Telling {
    phase: Phase,
    burst: Option<BurstId>,
    severity: Severity,
    first: Moment,
    reason: String,
}

impl Telling {
    fn event(self, protection: Protection, now: Moment) -> Event {
        Event {
            schema: SCHEMA,
            anomaly: Anomaly::Protection(protection),
            phase: self.phase,
            burst: self.burst,
            severity: self.severity,
            detected_at: now.wall,
            first_change_at: Some(self.first.wall),
            moment: now,
            root: None,
            files_affected: 0,
            reason: self.reason,
            drill: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::{GuardBefore, Runs, Starts};

    #[test]
    fn beside_a_mass_change_a_stopped_guard_has_no_grace_and_is_high() {
        let guard = |runs| GuardSeen {
            name: "av.service".to_owned(),
            runs,
            starts: Starts::Yes,
            before: GuardBefore::Ran,
        };
        let mut detector = ProtectionLossDetector::new(&ProtectionLossConfig::default());
        assert_eq!(detector.guard(moment(0), &guard(Runs::Running), moment(0)), []);
        assert_eq!(detector.guard(moment(5), &guard(Runs::Stopped), moment(5)), []);
        detector.mass_change(moment(9));
        let told = detector.tick(moment(10));
        assert_eq!((told[0].phase, told[0].severity), (Phase::Opened, Severity::High));
        assert!(told[0].reason.contains("changed in bulk"), "{}", told[0].reason);
        assert_eq!(detector.tick(moment(400)), []);
    }
}
