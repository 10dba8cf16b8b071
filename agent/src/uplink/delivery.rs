//! Sends what waits, batch after batch, and acts on each verdict.
//!
//! Always holds: one batch is under way at a time, so records arrive in order unless an answer was lost.

use std::time::Duration;

use shirase_shared::backoff::Backoff;
use shirase_shared::error::Chain;
use shirase_shared::event::Record;
use shirase_shared::wire::SYSTEM_LOG_SEVERITY;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::batch::Outgoing;
use super::state::Parts;
use super::verdict::Verdict;
use crate::buffer::{BufferError, Mark};

/// Most bytes of lines in one batch before compression: small enough for a slow line, and for memory.
const BATCH_LINES_BYTES: usize = 1024 * 1024;
/// Pause while nothing waits; an append ends it at once.
const IDLE: Duration = Duration::from_secs(60);
/// Failures in a row after which critical events go to the system's own log.
const FAILURES_BEFORE_SYSTEM_LOG: u32 = 2;

enum Wake {
    Stop,
    Appended,
    PauseOver,
}

/// What to do after a pass.
enum Next {
    /// Nothing waits.
    Idle,
    /// It did not work: not before this pause is over.
    Pause(Duration),
}

pub(super) async fn run(parts: &Parts, stop: &CancellationToken) {
    let appended = parts.buffer.appended();
    let mut courier = Courier::new(parts);
    let mut next = courier.pass_unless(stop).await;
    loop {
        let (due, pausing) = match next {
            Next::Idle => (Instant::now() + IDLE, false),
            Next::Pause(pause) => (Instant::now() + pause, true),
        };
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            () = appended.notified(), if !pausing => Wake::Appended,
            () = sleep_until(due) => Wake::PauseOver,
        };
        match wake {
            Wake::Stop => return,
            Wake::Appended => next = courier.pass_unless(stop).await,
            Wake::PauseOver => next = courier.pass_unless(stop).await,
        }
    }
}

struct Courier<'a> {
    parts: &'a Parts,
    backoff: Backoff,
    /// Most records in the next batch; less than configured after a 413.
    most: usize,
    /// Up to where critical events have been looked for.
    looked_through: Mark,
}

impl<'a> Courier<'a> {
    fn new(parts: &'a Parts) -> Self {
        let first = Duration::from_millis(parts.config.retry_first_ms);
        let longest = Duration::from_secs(parts.config.retry_longest_secs);

        Self {
            parts,
            backoff: Backoff::new(first, longest),
            most: parts.config.batch_max_records,
            looked_through: Mark::default(),
        }
    }

    /// A pass that a stop interrupts: a batch under way is sent again at the next start.
    async fn pass_unless(&mut self, stop: &CancellationToken) -> Next {
        tokio::select! {
            biased;
            () = stop.cancelled() => Next::Idle,
            next = self.pass() => next,
        }
    }

    async fn pass(&mut self) -> Next {
        loop {
            let most = self.most;
            let lines = self
                .parts
                .with_buffer(move |buffer| buffer.peek(most, BATCH_LINES_BYTES))
                .await;
            let outgoing = match lines.map(Outgoing::of) {
                Ok(Some(outgoing)) => outgoing,
                Ok(None) => return Next::Idle,
                Err(error) => return self.buffer_failed(&error),
            };
            let (upstream, client) = self.parts.chosen();
            let answer = client
                .send(&outgoing.batch(self.parts.clock.moment()))
                .await;
            let verdict = Verdict::judge(&outgoing, answer);
            tracing::debug!(batch.len = outgoing.lines().len(), ?verdict, "sent a batch");
            let acted = match verdict {
                Verdict::Stored { .. } | Verdict::SetAside { .. } | Verdict::Halve => {
                    self.parts.answered(upstream);
                    self.act(&outgoing, verdict).await
                }
                Verdict::Resend { why } => {
                    self.parts.failed(upstream, &why);
                    return self.resend(&why).await;
                }
            };
            if let Err(error) = acted {
                return self.buffer_failed(&error);
            }
        }
    }

    /// Does what a verdict that decided something asks for.
    async fn act(&mut self, outgoing: &Outgoing, verdict: Verdict) -> Result<(), BufferError> {
        let stream = outgoing.stream();
        match verdict {
            Verdict::Stored { through } => {
                self.parts
                    .with_buffer(move |buffer| buffer.remove_through(stream, through))
                    .await?;
                let now = self.parts.clock.now();
                self.parts.board.update(|state| state.last_ack = Some(now));
                self.recovered();
                self.most = (self.most * 2).min(self.parts.config.batch_max_records);
            }
            Verdict::SetAside { sequence, reason } => {
                let reason = format!("the collector will never take it: {reason:?}");
                tracing::error!("set aside record {sequence} of stream {stream}: {reason}");
                self.parts
                    .with_buffer(move |buffer| buffer.set_aside(stream, sequence, &reason))
                    .await?;
                self.recovered();
            }
            Verdict::Halve => self.most = (outgoing.lines().len() / 2).max(1),
            Verdict::Resend { .. } => {}
        }

        Ok(())
    }

    fn recovered(&mut self) {
        if 0 < self.backoff.failures() {
            tracing::info!("records reach the collector again");
        }
        self.backoff.reset();
    }

    async fn resend(&mut self, why: &str) -> Next {
        if self.backoff.failures() == 0 {
            tracing::warn!(why, "batch not stored; kept and sent again later");
        } else {
            tracing::debug!(why, failures = self.backoff.failures(), "batch still not stored");
        }
        let pause = self.backoff.fail(self.parts.random());
        if FAILURES_BEFORE_SYSTEM_LOG <= self.backoff.failures() {
            self.tell_system_log().await;
        }

        Next::Pause(pause)
    }

    fn buffer_failed(&mut self, error: &BufferError) -> Next {
        tracing::warn!(error = %Chain(error), "buffer did not answer the uplink; trying again later");
        Next::Pause(self.backoff.fail(self.parts.random()))
    }

    /// Writes critical events nobody has been told of yet to the system's own log.
    async fn tell_system_log(&mut self) {
        loop {
            let mark = self.looked_through;
            let page = self
                .parts
                .with_buffer(move |buffer| buffer.waiting_after(mark))
                .await;
            let (lines, mark) = match page {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(error = %Chain(&error), "buffer not read for the system's log");
                    return;
                }
            };
            self.looked_through = mark;
            if lines.is_empty() {
                return;
            }
            for text in lines.iter().filter_map(|line| critical_text(&line.line)) {
                (self.parts.system_log)(&text);
                self.parts
                    .board
                    .update(|state| state.written_to_system_log += 1);
            }
        }
    }
}

/// Returns a line for the system's log if a record is critical.
fn critical_text(line: &[u8]) -> Option<String> {
    let record: Record = serde_json::from_slice(line).ok()?;
    if record.event.severity < SYSTEM_LOG_SEVERITY {
        return None;
    }
    let reason: String = record
        .event
        .reason
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let root = record
        .event
        .root
        .map(|root| format!(" root={root}"))
        .unwrap_or_default();
    let drill = record
        .event
        .drill
        .map(|drill| format!(" drill={drill}"))
        .unwrap_or_default();

    Some(format!(
        "no collector answers; critical event {} detected at {}:{root}{drill} {reason} (stream {}, record {})",
        record.event.anomaly.kind(),
        record.event.detected_at,
        record.stream,
        record.sequence,
    ))
}
