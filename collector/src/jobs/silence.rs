//! Looks every few seconds whether a host fell silent or was heard again, and if so lets the rules run.

use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;

use super::correlate::correlate_facility;
use super::{Job, Nudge, Outcome, What};
use crate::correlate::{Conclusion, CorrelateConfig, Input, Rule, correlate};
use crate::store::{Store, StoreError};

/// Notices silence: the one thing no record tells.
pub struct SilenceJob {
    store: Store,
    clock: SharedClock,
    nudge: Nudge,
    config: CorrelateConfig,
}

impl SilenceJob {
    /// Makes the job.
    #[must_use]
    pub const fn new(
        store: Store,
        clock: SharedClock,
        nudge: Nudge,
        config: CorrelateConfig,
    ) -> Self {
        Self { store, clock, nudge, config }
    }

    async fn run(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut changed = 0;
        for facility in self.store.facilities().await? {
            let input = self
                .store
                .silence_input(&facility.id, &self.config, now)
                .await?;
            if !has_news(&input) {
                continue;
            }
            changed +=
                correlate_facility(&self.store, &facility.id, &self.config, &self.nudge, now)
                    .await?;
        }

        Ok(changed)
    }
}

/// Whether the rules say something about silence that is not stored yet.
fn has_news(input: &Input) -> bool {
    let mut silences = correlate(input)
        .into_iter()
        .filter(|c| c.rule == Rule::SilentHost);
    silences.any(|silence| {
        let known = input
            .known
            .iter()
            .find(|known| known.natural_key == silence.natural_key);
        known.is_none_or(|known| says_more(known, &silence))
    })
}

/// Without the records at hand a stop looks unannounced: only the end of a silence is news here.
fn says_more(known: &Conclusion, silence: &Conclusion) -> bool {
    known.last_at < silence.last_at
}

impl Job for SilenceJob {
    const NAME: &'static str = "silence";
    const PERIOD: Duration = Duration::from_secs(5);
    const WOKEN_BY: &'static [What] = &[];

    async fn activate(&mut self) -> Outcome {
        match self.run().await {
            Ok(0) => Outcome::NothingToDo,
            Ok(changed) => Outcome::Changed(changed),
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}
