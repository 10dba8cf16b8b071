//! Writes down every half minute that the agent is alive, so that the next start knows since when nobody watched.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::clock::{Moment, SharedClock};
use shirase_shared::ids::BootId;
use tokio_util::sync::CancellationToken;

use crate::durable;
use crate::paths::StateDir;

/// Pause between two signs of life on disk. At the next start, this much more is looked at than was missed.
const PERIOD: Duration = Duration::from_secs(30);

/// A killed agent says so again after this long: one that is killed over and over tells it once an hour.
const KILLED_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// One sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sign {
    at: Timestamp,
    boot: BootId,
    /// Whether it is the last of a life that was asked to end. Unknown to versions that did not write it.
    #[serde(default)]
    last: Option<bool>,
    /// When it was last told that a life had ended by force.
    #[serde(default)]
    killed_told_at: Option<Timestamp>,
}

/// What the last sign of life tells a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// When it was given.
    pub(super) last_alive: Option<Timestamp>,
    /// Whether the machine was started anew since.
    pub(super) after_reboot: bool,
    /// Whether the last life ended by force while the machine ran on, and this has to be told.
    pub(super) killed: bool,
    killed_told_at: Option<Timestamp>,
}

/// Gives signs of life.
pub(super) struct Alive {
    path: PathBuf,
    clock: SharedClock,
    killed_told_at: Option<Timestamp>,
}

impl Alive {
    pub(super) fn new(state: &StateDir, clock: SharedClock) -> Self {
        Self { path: state.alive(), clock, killed_told_at: None }
    }

    /// Remembers what a start has told about the end of the life before.
    pub(super) fn after(mut self, before: Before) -> Self {
        self.killed_told_at =
            if before.killed { Some(self.clock.now()) } else { before.killed_told_at };
        self
    }

    /// Reads the last sign of life. One that does not read counts as none: then everything recent is looked at.
    pub(super) fn before(&self) -> Before {
        match durable::read_json::<Sign>(&self.path) {
            Ok(Some(sign)) => judge(&sign, self.clock.moment()),
            Ok(None) => Before::default(),
            Err(error) => {
                tracing::warn!(%error, "the last sign of life does not read");
                Before::default()
            }
        }
    }

    /// Gives one now, the last one or not.
    fn sign(&self, last: bool) -> io::Result<()> {
        let moment = self.clock.moment();
        let sign = Sign {
            at: moment.wall,
            boot: moment.boot,
            last: Some(last),
            killed_told_at: self.killed_told_at,
        };
        durable::replace_json(&self.path, &sign)
    }

    /// Gives one at once and then every half minute, and a last one when `stop` comes.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut told = false;
        loop {
            let last = stop.is_cancelled();
            match self.sign(last) {
                Ok(()) => told = false,
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(%error, "the sign of life was not written; the next start will look further back");
                }
                Err(error) => tracing::debug!(%error, "the sign of life was not written again"),
            }
            if last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }
}

fn judge(sign: &Sign, now: Moment) -> Before {
    let after_reboot = sign.boot != now.boot;
    let told_lately = sign
        .killed_told_at
        .is_some_and(|told_at| now.wall.duration_since(told_at).abs() < KILLED_AGAIN);
    Before {
        last_alive: Some(sign.at),
        after_reboot,
        killed: sign.last == Some(false) && !after_reboot && !told_lately,
        killed_told_at: sign.killed_told_at,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shirase_shared::clock::ManualClock;
    use shirase_shared::testing::builders::night;

    use super::*;

    #[test]
    fn the_next_start_knows_when_the_last_sign_of_life_was_given() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let alive = Alive::new(&state, Arc::new(ManualClock::new(night())));
        assert_eq!(alive.before(), Before::default());
        alive.sign(true).unwrap();
        let expected = Before { last_alive: Some(night()), ..Before::default() };
        assert_eq!(alive.before(), expected);
        let boot = BootId::random();
        assert_ne!(alive.clock.moment().boot, boot);
        let other =
            r#"{"at":"2026-02-09T01:50:00Z","boot":"00000000-0000-0000-0000-000000000007"}"#;
        std::fs::write(state.alive(), other).unwrap();
        let before = alive.before();
        assert!(before.after_reboot && !before.killed);
        std::fs::write(state.alive(), "torn").unwrap();
        assert_eq!(alive.before(), Before::default());
    }

    #[test]
    fn a_life_that_ended_by_force_is_told_once_an_hour_and_a_reboot_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let clock = Arc::new(ManualClock::new(night()));
        let alive = Alive::new(&state, clock.clone());
        alive.sign(false).unwrap();
        let before = alive.before();
        assert!(before.killed);

        let next = Alive::new(&state, clock.clone()).after(before);
        next.sign(false).unwrap();
        assert!(!next.before().killed);
        clock.advance(SignedDuration::from_hours(1));
        assert!(next.before().killed);

        let sign =
            Sign { at: night(), boot: BootId::random(), last: Some(false), killed_told_at: None };
        durable::replace_json(&state.alive(), &sign).unwrap();
        assert!(!alive.before().killed);
    }
}
