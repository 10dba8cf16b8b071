//! Which of two collectors to use.
//!
//! Always holds: pure; the caller passes the moment. The first is used unless it has been silent for long enough.

use std::time::Duration;

/// A collector in the order of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upstream {
    First,
    Second,
}

/// Remembers since when the first collector has been silent. Moments are monotonic milliseconds.
#[derive(Debug)]
pub(super) struct Route {
    patience: Duration,
    has_second: bool,
    silent_since: Option<u64>,
}

impl Route {
    pub(super) const fn new(has_second: bool, patience: Duration) -> Self {
        Self { patience, has_second, silent_since: None }
    }

    /// Notes that the first collector gave a usable answer.
    pub(super) const fn first_answered(&mut self) {
        self.silent_since = None;
    }

    /// Notes that it did not.
    pub(super) fn first_failed(&mut self, now_ms: u64) {
        self.silent_since.get_or_insert(now_ms);
    }

    /// Returns the collector to use.
    pub(super) fn choose(&self, now_ms: u64) -> Upstream {
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        let lost = self
            .silent_since
            .is_some_and(|since| patience <= now_ms.saturating_sub(since));
        if self.has_second && lost { Upstream::Second } else { Upstream::First }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_used_only_after_the_first_was_silent_long_enough() {
        let mut route = Route::new(true, Duration::from_secs(120));
        assert_eq!(route.choose(0), Upstream::First);
        route.first_failed(1_000);
        route.first_failed(100_000);
        assert_eq!(route.choose(120_999), Upstream::First);
        assert_eq!(route.choose(121_000), Upstream::Second);
        route.first_answered();
        assert_eq!(route.choose(500_000), Upstream::First);
    }

    #[test]
    fn without_a_second_there_is_no_choice() {
        let mut route = Route::new(false, Duration::from_secs(10));
        route.first_failed(0);
        assert_eq!(route.choose(1_000_000), Upstream::First);
    }
}
