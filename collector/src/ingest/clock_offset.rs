//! Puts a host's times on the collector's time line.
//!
//! ```text
//! sent {wall, boot, monotonic} + received ──measure──▶ ClockOffset of that boot (kept: the one with the least delay in it)
//! event {wall, boot, monotonic}           ──correct──▶ time ± uncertainty
//! ```
//!
//! Always holds:
//! - pure: no clock is read here;
//! - the wall clock of a host is used only for a boot the collector never heard from, and then with its error taken off;
//! - nothing happened after it was received, and nothing of an earlier boot after the present one began.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::ids::BootId;

/// What a request may have been under way without anybody noticing: the least uncertainty there is.
const TRANSIT_MS: i64 = 2_000;
/// How far a monotonic clock may run wrong: 100 parts in a million, the worst of ordinary crystals.
const DRIFT_DIVISOR: i64 = 10_000;
/// How long a measurement with less delay in it is preferred to a later one. After that a slower clock, or a collector
/// whose own clock was set, is believed.
const PREFER_MS: i64 = 120_000;
/// Least uncertainty of a time that only a wall clock vouches for.
const WALL_ONLY_MS: i64 = 300_000;

/// What is known of a host's clock in one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockOffset {
    /// Add to the host's boot-based time to get the collector's wall time.
    pub offset_ms: i64,
    /// Host wall minus collector wall when last heard.
    pub wall_error_ms: i64,
    /// The true value lies within `offset_ms` ± this.
    pub uncertainty_ms: i64,
    /// When it was measured.
    pub measured_at: Timestamp,
}

/// A time on the collector's time line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The best guess.
    pub at: Timestamp,
    /// The true time lies within `at` ± this.
    pub uncertainty: Duration,
}

impl ClockOffset {
    /// Measures from one request: what the host's clocks said when it was sent, and when it was received.
    #[must_use]
    pub fn measure(sent: Moment, received: Timestamp) -> Self {
        let received_ms = received.as_millisecond();

        Self {
            offset_ms: received_ms.saturating_sub(monotonic(sent)),
            wall_error_ms: sent.wall.as_millisecond().saturating_sub(received_ms),
            uncertainty_ms: TRANSIT_MS,
            measured_at: received,
        }
    }

    /// Joins an earlier measurement of the same boot with a later one.
    ///
    /// Delay only ever adds to an offset, so the smaller one has less delay in it and is kept, for a while; the wall
    /// clock's error is always the later one's.
    #[must_use]
    pub fn joined(self, later: Self) -> Self {
        let age = later.measured_at.as_millisecond() - self.measured_at.as_millisecond();
        let slack = drift(age).saturating_add(1);
        let less_delay = later.offset_ms <= self.offset_ms.saturating_add(slack);
        if less_delay || !(0..PREFER_MS).contains(&age) {
            return later;
        }

        Self { wall_error_ms: later.wall_error_ms, ..self }
    }
}

/// The time of an event on the collector's time line.
///
/// `offsets` holds what is known of the host's boots, that of `sent` included; `received` is when the batch came.
#[must_use]
pub fn correct(
    event: Moment,
    sent: Moment,
    offsets: &BTreeMap<BootId, ClockOffset>,
    received: Timestamp,
) -> Corrected {
    let present = offsets
        .get(&sent.boot)
        .copied()
        .unwrap_or_else(|| ClockOffset::measure(sent, received));
    let known =
        if event.boot == sent.boot { Some(present) } else { offsets.get(&event.boot).copied() };
    let (at_ms, uncertainty_ms) = match known {
        Some(offset) => by_boot(event, offset),
        None => by_wall(event, present),
    };
    let earlier_boot = event.boot != sent.boot;
    let latest = if earlier_boot { present.offset_ms } else { i64::MAX };
    let latest = latest.min(received.as_millisecond()).max(0);
    let clamped = at_ms.clamp(0, latest);

    Corrected {
        at: Timestamp::from_millisecond(clamped).unwrap_or(received),
        uncertainty: Duration::from_millis(uncertainty_ms.unsigned_abs()),
    }
}

fn by_boot(event: Moment, offset: ClockOffset) -> (i64, i64) {
    let at_ms = offset.offset_ms.saturating_add(monotonic(event));
    let away = offset
        .measured_at
        .as_millisecond()
        .saturating_sub(at_ms)
        .saturating_abs();

    (at_ms, offset.uncertainty_ms.saturating_add(drift(away)))
}

/// The wall clock may have been set between the event and now, so its present error is doubted by its own size.
fn by_wall(event: Moment, present: ClockOffset) -> (i64, i64) {
    let at_ms = event
        .wall
        .as_millisecond()
        .saturating_sub(present.wall_error_ms);
    let doubt = WALL_ONLY_MS.saturating_add(present.wall_error_ms.saturating_abs());

    (at_ms, doubt)
}

fn monotonic(moment: Moment) -> i64 {
    i64::try_from(moment.monotonic_ms).unwrap_or(i64::MAX)
}

const fn drift(elapsed_ms: i64) -> i64 {
    elapsed_ms.saturating_abs() / DRIFT_DIVISOR
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    /// Collector time at which the present boot of the host began.
    const BOOT: &str = "2026-02-08T16:00:00Z";

    fn boot_at() -> Timestamp {
        BOOT.parse().unwrap()
    }

    fn boot(number: u128) -> BootId {
        BootId::from_uuid(uuid::Uuid::from_u128(number))
    }

    /// A moment `seconds` into a boot, on a host whose wall clock is `ahead` seconds ahead.
    fn moment(number: u128, seconds: i64, ahead: i64) -> Moment {
        Moment {
            wall: boot_at() + SignedDuration::from_secs(seconds + ahead),
            boot: boot(number),
            monotonic_ms: u64::try_from(seconds.max(0)).unwrap() * 1000,
        }
    }

    /// Checks where an event told `sent` ends up, in seconds after the present boot, and how sure that is.
    #[track_caller]
    fn check(event: Moment, sent: Moment, expected_seconds: i64, uncertainty_ms: u64) {
        let received = boot_at() + SignedDuration::from_millis(monotonic(sent));
        let offsets = BTreeMap::from([(sent.boot, ClockOffset::measure(sent, received))]);
        let corrected = correct(event, sent, &offsets, received);
        let seconds = corrected.at.duration_since(boot_at()).as_secs();
        assert_eq!(
            (seconds, corrected.uncertainty),
            (expected_seconds, Duration::from_millis(uncertainty_ms))
        );
    }

    #[test]
    fn a_wrong_wall_clock_changes_nothing_within_one_boot() {
        for ahead in [0, 3600, -3600, 86_400 * 365] {
            check(moment(1, 100, ahead), moment(1, 160, ahead), 100, 2006);
        }
    }

    #[test]
    fn a_jump_between_event_and_sending_changes_nothing() {
        check(moment(1, 100, 7200), moment(1, 160, 0), 100, 2006);
        check(moment(1, 100, 0), moment(1, 160, -7200), 100, 2006);
    }

    #[test]
    fn an_event_of_an_unheard_boot_goes_by_the_wall_clock_and_says_how_unsure_it_is() {
        check(moment(7, -500, 0), moment(1, 60, 0), -500, 300_000);
        check(moment(7, -500, 120), moment(1, 60, 120), -500, 420_000);
    }

    #[test]
    fn nothing_of_an_earlier_boot_happened_after_the_present_one_began() {
        check(moment(7, 30, 0), moment(1, 60, 0), 0, 300_000);
    }

    #[test]
    fn an_event_before_a_reboot_goes_by_the_offset_of_its_own_boot() {
        let sent = moment(1, 60, 0);
        let received = boot_at() + SignedDuration::from_secs(60);
        let earlier = boot_at() - SignedDuration::from_secs(1000);
        let told = Moment { wall: earlier, boot: boot(7), monotonic_ms: 5_000 };
        let offsets = BTreeMap::from([
            (boot(1), ClockOffset::measure(sent, received)),
            (boot(7), ClockOffset::measure(told, earlier)),
        ]);
        let event = Moment { monotonic_ms: 65_000, wall: Timestamp::UNIX_EPOCH, boot: boot(7) };
        let corrected = correct(event, sent, &offsets, received);
        assert_eq!(corrected.at, earlier + SignedDuration::from_secs(60));
        assert_eq!(corrected.uncertainty, Duration::from_millis(2006));
    }

    #[test]
    fn a_monotonic_time_from_the_future_is_held_back_to_when_it_was_received() {
        check(moment(1, 900, 0), moment(1, 60, 0), 60, 2084);
        let mad = Moment { monotonic_ms: u64::MAX, ..moment(1, 0, 0) };
        let corrected = correct(mad, mad, &BTreeMap::new(), boot_at());
        assert_eq!(corrected.at, boot_at());
    }

    #[test]
    fn the_measurement_with_less_delay_stays_until_it_is_old() {
        let measured = |second: i64, delay_ms: i64| {
            let received = boot_at()
                + SignedDuration::from_secs(second)
                + SignedDuration::from_millis(delay_ms);
            ClockOffset::measure(moment(1, second, 5), received)
        };
        let quick = measured(10, 3);
        let slow = measured(40, 30_000);
        assert_eq!(quick.joined(slow).offset_ms, quick.offset_ms);
        assert_eq!(quick.joined(slow).wall_error_ms, slow.wall_error_ms);
        assert_eq!(slow.joined(measured(71, 4)), measured(71, 4));
        let late = measured(400, 50);
        assert_eq!(quick.joined(late), late);
    }
}
