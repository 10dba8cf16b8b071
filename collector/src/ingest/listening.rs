//! Notes when the collector itself was listening: silence of a host counts only then.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio_util::sync::CancellationToken;

use crate::records::ListeningSpan;
use crate::store::Store;

/// How often the present span is extended.
const EXTEND_INTERVAL: Duration = Duration::from_secs(5);
/// A longer gap between two looks at the clock means that nobody was listening: the machine slept, or its clock was set.
const GAP_MAX: SignedDuration = SignedDuration::from_secs(30);

/// Begins a span now and extends it every few seconds, until told to stop. Call it once the listeners are open.
pub async fn keep_noting(store: Store, clock: SharedClock, stop: CancellationToken) {
    let now = clock.now();
    let mut span = ListeningSpan { started_at: now, last_at: now };
    loop {
        if let Err(error) = store.note_listening(span).await {
            tracing::error!(error = %Chain(&error), "failed to note that the collector is listening");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EXTEND_INTERVAL) => {}
        }
        span = extended(span, clock.now());
    }
}

/// Returns the span that holds at `now`: the same one longer, or a new one after a gap or a clock that went back.
#[must_use]
pub fn extended(span: ListeningSpan, now: Timestamp) -> ListeningSpan {
    let since = now.duration_since(span.last_at);
    if since < SignedDuration::ZERO || GAP_MAX < since {
        return ListeningSpan { started_at: now, last_at: now };
    }

    ListeningSpan { last_at: now, ..span }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_grows_with_the_clock_and_ends_with_a_gap_or_a_step_back() {
        let start: Timestamp = "2026-02-09T01:50:00Z".parse().unwrap();
        let at = |seconds| start + SignedDuration::from_secs(seconds);
        let span = ListeningSpan { started_at: start, last_at: at(5) };
        for (now, expected) in
            [(10, (0, 10)), (35, (0, 35)), (36, (36, 36)), (4, (4, 4)), (5, (0, 5))]
        {
            let (started, last) = expected;
            let expected = ListeningSpan { started_at: at(started), last_at: at(last) };
            assert_eq!(extended(span, at(now)), expected, "at {now}");
        }
    }
}
