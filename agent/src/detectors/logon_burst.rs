//! Sees that somebody guesses passwords, gets in by it, becomes an administrator, or comes at an unusual hour.
//!
//! ```text
//! failure ─▶ of a source, else on an account, else on the whole host ─ many ─▶ failure burst ─ success ─▶ high, critical
//!    ▲ taken back when the person gets in after a few mistakes
//! rights given ─▶ new administrator          remote session outside the configured hours ─▶ out of hours
//! ```
//!
//! Always holds: pure; spans are measured by monotonic time. A failure belongs to one story only. Names of people leave
//! as keyed hashes. A maintenance window covers sessions out of hours and softens new rights; it covers no guessing.

mod guesses;
mod rights;
mod scope;
mod sessions;
mod telling;
mod watch;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::Moment;
use shirase_shared::config::Problem;
use shirase_shared::event::Event;
use shirase_shared::redact::Redactor;

use crate::observation::{LogonSeen, Outcome, RightsSeen};
use guesses::Guesses;
use rights::Rights;
use sessions::Sessions;
use telling::Teller;

pub use shirase_shared::settings::hours::Hours;

/// Most failures a threshold may ask for: as many are remembered of each source.
const THRESHOLD_MAX: u64 = 250;
/// Longest span failures are counted in, in seconds.
const WINDOW_MAX_SECS: u64 = 3600;

/// When logons are an anomaly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogonBurstConfig {
    /// Failures from one source, or on one account from anywhere, within `window_secs` that make a burst of severity
    /// medium. A person who gets in after at most five of them takes them back.
    pub failures: u64,
    /// Span in which failures are counted, in seconds.
    pub window_secs: u64,
    /// Failures from one source, or on one account, within a day that make a burst of severity medium: guessing that
    /// takes its time, or a program with an old password.
    pub failures_per_day: u64,
    /// Failures within `window_secs` that make a burst high: faster than a program with an old password.
    pub high_failures: u64,
    /// Accounts one source fails for within `window_secs` that make its burst high: one password tried on many.
    pub spray_accounts: u64,
    /// A burst has ended when nobody failed for this long, in seconds.
    pub quiet_secs: u64,
    /// Hours in which remote sessions are usual. Empty: sessions are never out of hours.
    pub usual_hours: Vec<Hours>,
    /// Addresses from which remote sessions are usual at any hour, such as a monitoring system's.
    pub expected_sources: Vec<String>,
}

impl Default for LogonBurstConfig {
    fn default() -> Self {
        Self {
            failures: 10,
            window_secs: 300,
            failures_per_day: 100,
            high_failures: 100,
            spray_accounts: 5,
            quiet_secs: 600,
            usual_hours: Vec::new(),
            expected_sources: Vec::new(),
        }
    }
}

impl LogonBurstConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let key = |name: &str| format!("detectors.logon_burst.{name}");
        let mut problems = Vec::new();
        for (name, value) in [
            ("failures", self.failures),
            ("failures_per_day", self.failures_per_day),
            ("high_failures", self.high_failures),
        ] {
            if !(4..=THRESHOLD_MAX).contains(&value) {
                let message = format!("{value} is not between 4 and {THRESHOLD_MAX}");
                let remedy = "give a number above the three times a person mistypes";
                problems.push(Problem::of(&key(name), message, remedy));
            }
        }
        if !(10..=WINDOW_MAX_SECS).contains(&self.window_secs) {
            let message = format!("{} is not between 10 and {WINDOW_MAX_SECS}", self.window_secs);
            problems.push(Problem::of(&key("window_secs"), message, "300 is the default"));
        }
        if self.high_failures < self.failures {
            let remedy = "give at least as many as `failures`; 100 is the default";
            problems.push(Problem::of(&key("high_failures"), "is below `failures`", remedy));
        }
        if self.spray_accounts < 2 {
            let remedy = "give at least 2; 5 is the default";
            problems.push(Problem::of(&key("spray_accounts"), "is below 2", remedy));
        }
        if self.quiet_secs == 0 {
            problems.push(Problem::of(&key("quiet_secs"), "is 0", "600 is the default"));
        }
        problems
    }
}

/// The detector.
pub struct LogonBurstDetector {
    guesses: Guesses,
    rights: Rights,
    sessions: Sessions,
}

impl LogonBurstDetector {
    /// Starts without a past.
    #[must_use]
    pub fn new(config: &LogonBurstConfig, redactor: Arc<Redactor>) -> Self {
        let teller = Teller::new(redactor);
        Self {
            guesses: Guesses::new(config, teller.clone()),
            rights: Rights::new(teller.clone()),
            sessions: Sessions::new(config, teller),
        }
    }

    /// Takes an attempt to log on.
    pub fn logon(&mut self, at: Moment, seen: &LogonSeen, now: Moment) -> Vec<Event> {
        match seen.outcome {
            Outcome::Failed => self.guesses.failed(at, seen, now),
            Outcome::Succeeded => {
                let mut events = self.guesses.succeeded(at, seen, now);
                if !events.is_empty() {
                    self.rights.somebody_got_in(now);
                }
                events.extend(self.sessions.began(at, seen, now));
                events
            }
        }
    }

    /// Takes that rights were given or taken.
    pub fn rights(&mut self, at: Moment, seen: &RightsSeen, now: Moment) -> Vec<Event> {
        self.rights.changed(at, seen, now).into_iter().collect()
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = self.guesses.tick(now);
        events.extend(self.sessions.tick(now));
        events
    }

    /// Expects maintenance until then; `None` ends it.
    pub fn maintenance_until(&mut self, until: Option<Timestamp>) {
        self.rights.maintenance = until;
        self.sessions.maintenance = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_below_what_people_mistype_is_a_mistake() {
        assert_eq!(LogonBurstConfig::default().problems(), []);
        let config = LogonBurstConfig {
            failures: 3,
            window_secs: 0,
            failures_per_day: 1000,
            high_failures: 2,
            spray_accounts: 1,
            quiet_secs: 0,
            ..LogonBurstConfig::default()
        };
        let keys: Vec<_> = config
            .problems()
            .into_iter()
            .map(|problem| problem.key)
            .collect();
        let table = "detectors.logon_burst.";
        let named = [
            "failures",
            "failures_per_day",
            "high_failures",
            "window_secs",
            "high_failures",
            "spray_accounts",
            "quiet_secs",
        ];
        assert_eq!(keys, named.map(|key| format!("{table}{key}")));
    }
}
