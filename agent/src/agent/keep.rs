//! Puts events into the buffer, one after the other; a critical one that cannot be kept goes to the system's own log.

use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use shirase_shared::event::{Event, Record, Severity};
use shirase_shared::wire::SYSTEM_LOG_SEVERITY;
use tokio::sync::mpsc;

use crate::buffer::{Buffer, BufferError, Kept};
use crate::condition::Condition;
use crate::service;

/// The stage between detectors and uplink.
pub(super) struct Keeping {
    pub(super) buffer: Buffer,
    pub(super) clock: SharedClock,
    pub(super) condition: Condition,
}

impl Keeping {
    /// Keeps what comes until nobody sends any more.
    pub(super) async fn run(self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.keep(event).await;
        }
    }

    async fn keep(&self, event: Event) {
        let (buffer, copy) = (self.buffer.clone(), event.clone());
        let kept = match tokio::task::spawn_blocking(move || buffer.append(copy)).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "the buffer broke off while keeping an event");
                self.cry_out(&event);
                return;
            }
        };
        tell(&event, &kept);
        if kept.is_err() {
            self.cry_out(&event);
        }
        if let Ok(Kept { stream, sequence, .. }) = kept {
            self.condition.remember(Record { stream, sequence, event });
        }
    }

    /// Writes a critical event to the system's own log.
    fn cry_out(&self, event: &Event) {
        if event.severity < SYSTEM_LOG_SEVERITY {
            return;
        }
        let line = in_system_log(event);
        if let Err(error) = service::write_system_log(&line, self.clock.now()) {
            tracing::error!(%error, "a critical event was neither kept nor written to the system's log");
        }
    }
}

fn in_system_log(event: &Event) -> String {
    let drill = if event.drill.is_some() { "DRILL (訓練) " } else { "" };
    format!("{drill}{} {}: {}", event.severity, event.anomaly.kind(), event.reason)
}

fn tell(event: &Event, kept: &Result<Kept, BufferError>) {
    let (kind, severity) = (event.anomaly.kind(), event.severity);
    match kept {
        Ok(kept) if Severity::High <= severity => {
            let sequence = kept.sequence.0;
            let files = event.files_affected;
            tracing::warn!(event.kind = kind, event.severity = %severity, event.files = files, "kept event {sequence}: {}", event.reason);
        }
        Ok(kept) => {
            let sequence = kept.sequence.0;
            tracing::info!(event.kind = kind, event.severity = %severity, "kept event {sequence}: {}", event.reason);
        }
        Err(error) => {
            tracing::error!(event.kind = kind, event.severity = %severity, error = %Chain(error), "an event was not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::event::Phase;
    use shirase_shared::ids::{BurstId, DrillId};
    use shirase_shared::testing::builders::mass_change;

    use super::*;

    #[test]
    fn the_system_log_says_what_happened_and_whether_it_is_a_drill() {
        let mut event = mass_change(BurstId::random(), Phase::Opened, 40, 0);
        event.severity = Severity::Critical;
        assert_eq!(in_system_log(&event), "critical mass_change: 40 files gained `.locked`");
        event.drill = Some(DrillId::random());
        assert!(in_system_log(&event).starts_with("DRILL (訓練) critical"));
    }
}
