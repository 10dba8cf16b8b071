//! Notes that this collector is listening: silence of a host counts only within such a span.

use std::time::Duration;

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;

use super::{Job, Outcome, What};
use crate::records::ListeningSpan;
use crate::store::Store;

/// Notes the span of this start.
pub struct ListeningJob {
    store: Store,
    clock: SharedClock,
    span: ListeningSpan,
}

impl ListeningJob {
    /// Begins a span now.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock) -> Self {
        let now = clock.now();
        Self { store, clock, span: ListeningSpan { started_at: now, last_at: now } }
    }
}

impl Job for ListeningJob {
    const NAME: &'static str = "listening";
    const PERIOD: Duration = Duration::from_secs(10);
    const WOKEN_BY: &'static [What] = &[];

    async fn activate(&mut self) -> Outcome {
        let now = self.clock.now();
        // A machine that slept, or whose clock was set, was not listening all the time: a new span begins.
        let pause = now.duration_since(self.span.last_at);
        let step = jiff::SignedDuration::try_from(Self::PERIOD * 3).unwrap_or_default();
        if pause < jiff::SignedDuration::ZERO || step < pause {
            self.span.started_at = now;
        }
        self.span.last_at = now;
        match self.store.note_listening(self.span).await {
            Ok(()) => Outcome::NothingToDo,
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        }
    }
}
