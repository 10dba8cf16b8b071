//! Fleet policy: what the hosts of a facility should watch and know, edited here, signed, pulled by the agents.
//!
//! ```text
//! text ─▶ checked as an agent checks it ─▶ revision (who, when, why) ─▶ named in each answer to a sign of life
//!                                                     └▶ asked for by its host alone ─▶ document, signed as orders are
//! sign of life ─▶ what is in force there, what differs, what was refused ─▶ Standing
//! ```
//!
//! Always holds: pure, no I/O and no clock; a revision is never changed; what an agent would refuse is refused here first.

mod adding;
mod revision;
mod standing;
mod difference;
mod words;

pub use adding::{Addition, with_accepted};
pub use difference::{Line, Turn, difference};
pub use revision::{Desired, NewRevision, PolicyError, Revision, Scope, desired, sign};
pub use standing::{Standing, State, standing};
pub use words::{Mistake, mistakes, refusal_key};

/// How late a host may be before it is told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyConfig {
    /// How long a host may take to put a saved policy into force before the console tells it as late, in minutes, 1 to
    /// 10080. An agent asks with its sign of life, every half a minute.
    pub late_after_minutes: u32,
}

/// Longest time that can be set, in minutes: a week.
const LATE_MAX_MINUTES: u32 = 7 * 24 * 60;

impl Default for PolicyConfig {
    fn default() -> Self {
        Self { late_after_minutes: 15 }
    }
}

impl PolicyConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<shirase_shared::config::Problem> {
        let remedy = format!("give 1 to {LATE_MAX_MINUTES}; 15 is the default");
        let message = format!("{} is out of range", self.late_after_minutes);
        let wrong = !(1..=LATE_MAX_MINUTES).contains(&self.late_after_minutes);
        let key = "policy.late_after_minutes";
        let problem = wrong.then(|| shirase_shared::config::Problem::of(key, message, remedy));

        problem.into_iter().collect()
    }

    /// Returns it as a span of time.
    #[must_use]
    pub fn late_after(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_mins(self.late_after_minutes.into())
    }
}

#[cfg(test)]
mod tests;
