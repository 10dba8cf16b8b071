//! Places what happened a while ago on the clock that is used now.

use jiff::Timestamp;
use shirase_shared::clock::Moment;

/// Returns when something happened by the clock that is used now, so that the past keeps its intervals. The future is
/// now.
pub(super) fn moment_of(happened: Timestamp, now: Moment) -> Moment {
    let age = u64::try_from(now.wall.duration_since(happened).as_millis()).unwrap_or(0);
    let wall = happened.min(now.wall);

    Moment { wall, monotonic_ms: now.monotonic_ms.saturating_sub(age), ..now }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::moment;

    use super::*;

    #[test]
    fn the_past_keeps_its_intervals() {
        let now = moment(100);
        let [then, later] = [moment(10).wall, moment(13).wall].map(|wall| moment_of(wall, now));
        assert_eq!((then.wall, later.monotonic_ms - then.monotonic_ms), (moment(10).wall, 3000));
        assert_eq!(moment_of(moment(200).wall, now), now);
    }
}
