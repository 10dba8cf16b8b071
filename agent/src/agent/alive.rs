//! Writes down every half minute that the agent is alive, so that the next start knows since when nobody watched.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::clock::SharedClock;
use shirase_shared::ids::BootId;
use tokio_util::sync::CancellationToken;

use crate::durable;
use crate::paths::StateDir;

/// Pause between two signs of life on disk. At the next start, this much more is looked at than was missed.
const PERIOD: Duration = Duration::from_secs(30);

/// One sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sign {
    at: Timestamp,
    boot: BootId,
}

/// What the last sign of life tells a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// When it was given.
    pub(super) last_alive: Option<Timestamp>,
    /// Whether the machine was started anew since.
    pub(super) after_reboot: bool,
}

/// Gives signs of life.
pub(super) struct Alive {
    path: PathBuf,
    clock: SharedClock,
}

impl Alive {
    pub(super) fn new(state: &StateDir, clock: SharedClock) -> Self {
        Self { path: state.alive(), clock }
    }

    /// Reads the last sign of life. One that does not read counts as none: then everything recent is looked at.
    pub(super) fn before(&self) -> Before {
        match durable::read_json::<Sign>(&self.path) {
            Ok(Some(sign)) => Before {
                last_alive: Some(sign.at),
                after_reboot: sign.boot != self.clock.moment().boot,
            },
            Ok(None) => Before::default(),
            Err(error) => {
                tracing::warn!(%error, "the last sign of life does not read");
                Before::default()
            }
        }
    }

    /// Gives one now.
    pub(super) fn sign(&self) -> io::Result<()> {
        let moment = self.clock.moment();
        durable::replace_json(&self.path, &Sign { at: moment.wall, boot: moment.boot })
    }

    /// Gives one at once and then every half minute, and a last one when `stop` comes.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut told = false;
        loop {
            match self.sign() {
                Ok(()) => told = false,
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(%error, "the sign of life was not written; the next start will look further back");
                }
                Err(error) => tracing::debug!(%error, "the sign of life was not written again"),
            }
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
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
        alive.sign().unwrap();
        let expected = Before { last_alive: Some(night()), after_reboot: false };
        assert_eq!(alive.before(), expected);
        let boot = BootId::random();
        assert_ne!(alive.clock.moment().boot, boot);
        durable::replace_json(&state.alive(), &Sign { at: night(), boot }).unwrap();
        assert!(alive.before().after_reboot);
        std::fs::write(state.alive(), "torn").unwrap();
        assert_eq!(alive.before(), Before::default());
    }
}
