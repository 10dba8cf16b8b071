//! How long to wait before trying again: doubling, capped, with full jitter.
//!
//! Always holds: pure; the caller supplies the randomness, so a test can fix it.

use std::time::Duration;

/// A growing pause between attempts at the same thing.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Starts a pause that doubles from `first` up to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Returns how often in a row it failed.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets earlier failures after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure and returns the pause before the next attempt.
    ///
    /// The pause lies between half the doubled base and the whole of it, chosen by `random`, so that a
    /// thousand agents that lost the same collector do not come back in the same second.
    pub fn fail(&mut self, random: u64) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2u32.saturating_pow(self.failures.min(20)));
        let whole = doubled.min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let half = whole / 2;
        let span = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);

        half + Duration::from_millis(random % span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_cap_and_starts_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let pauses: Vec<_> = (0..8).map(|_| backoff.fail(0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        backoff.reset();
        assert_eq!(backoff.fail(u64::MAX).as_millis() / 1000, 0);
    }
}
