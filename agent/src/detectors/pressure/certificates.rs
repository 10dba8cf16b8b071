//! Follows the certificates of probed services towards their end.
//!
//! Always holds: pure; each threshold is told at most once a day, also when two servers behind one address show an old
//! certificate and a new one by turns.

use std::collections::BTreeMap;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Phase, Severity, Target};
use shirase_shared::ids::BurstId;

use crate::observation::CertificateSeen;

/// With fewer days than this left, somebody has to act this week.
const MEDIUM_DAYS: u64 = 7;
const DAY_SECS: u64 = 86_400;
/// How long a threshold that was told stays told, by monotonic time.
const TOLD_AGAIN_AFTER_MS: u64 = DAY_SECS * 1000;
/// A certificate has been renewed once no old one was seen for this long.
const RENEWED_AFTER_MS: u64 = 10 * 60 * 1000;

/// What is known of certificates near their end.
#[derive(Debug, Default)]
pub(super) struct Certificates(BTreeMap<Target, Expiring>);

#[derive(Debug)]
struct Expiring {
    burst: BurstId,
    since: Moment,
    seen_ms: u64,
    told_ms: BTreeMap<Severity, u64>,
}

/// What is to be told of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tell {
    pub(super) phase: Phase,
    pub(super) burst: BurstId,
    pub(super) severity: Severity,
    pub(super) since: Moment,
}

impl Certificates {
    /// Takes a certificate that was seen.
    pub(super) fn seen(
        &mut self,
        seen: &CertificateSeen,
        warn_days: u64,
        now: Moment,
    ) -> Option<Tell> {
        let left = seen.not_after.as_second() - now.wall.as_second();
        let Some(severity) = severity(left, warn_days) else {
            let known = self.0.get(&seen.target)?;
            if now.monotonic_ms.saturating_sub(known.seen_ms) < RENEWED_AFTER_MS {
                return None;
            }
            let known = self.0.remove(&seen.target)?;
            let (burst, since) = (known.burst, known.since);
            return Some(Tell { phase: Phase::Ended, burst, severity: Severity::Low, since });
        };
        let known = self
            .0
            .entry(seen.target.clone())
            .or_insert_with(|| Expiring {
                burst: BurstId::random(),
                since: now,
                seen_ms: now.monotonic_ms,
                told_ms: BTreeMap::new(),
            });
        known.seen_ms = now.monotonic_ms;
        let phase = if known.told_ms.is_empty() { Phase::Opened } else { Phase::Grew };
        let fresh = |told: &u64| now.monotonic_ms.saturating_sub(*told) < TOLD_AGAIN_AFTER_MS;
        if known.told_ms.get(&severity).is_some_and(fresh) {
            return None;
        }
        known.told_ms.insert(severity, now.monotonic_ms);

        Some(Tell { phase, burst: known.burst, severity, since: known.since })
    }
}

/// Returns how much it matters that this many seconds are left; `None`: not yet.
fn severity(left_secs: i64, warn_days: u64) -> Option<Severity> {
    let Ok(left) = u64::try_from(left_secs) else { return Some(Severity::High) };
    if left == 0 {
        return Some(Severity::High);
    }
    if warn_days.saturating_mul(DAY_SECS) <= left {
        return None;
    }

    Some(if left < MEDIUM_DAYS * DAY_SECS { Severity::Medium } else { Severity::Low })
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use shirase_shared::event::WatchedAs;
    use shirase_shared::testing::builders::moment;

    use super::*;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn each_threshold_is_told_once_a_day_and_a_renewal_ends_it() {
        let mut probe = Probe::new(32 * DAY);
        // Every hour for 33 days: at 30 days left, daily from there, at 7 days, daily, at the end, daily.
        let told: Vec<_> = (0..33 * 24)
            .filter_map(|hour| probe.at(hour * HOUR))
            .collect();
        assert_eq!(told[0], "day 2: Opened low");
        assert_eq!(told[1], "day 3: Grew low");
        let medium: Vec<_> = told
            .iter()
            .filter(|told| told.ends_with("medium"))
            .collect();
        assert_eq!((medium.len(), medium[0].as_str()), (7, "day 25: Grew medium"), "{told:?}");
        let high: Vec<_> = told.iter().filter(|told| told.ends_with("high")).collect();
        assert_eq!(high, ["day 32: Grew high"], "{told:?}");
        assert_eq!(told.len(), 23 + 7 + 1, "{told:?}");

        probe.not_after += SignedDuration::from_hours(24 * 365);
        assert_eq!(probe.at(33 * DAY), Some("day 33: Ended low".to_owned()));
        assert_eq!(probe.at(33 * DAY + HOUR), None);
    }

    #[test]
    fn two_servers_that_take_turns_do_not_flutter() {
        let mut probe = Probe::new(5 * DAY);
        let (old, new) = (probe.not_after, probe.not_after + SignedDuration::from_hours(24 * 365));
        let told: Vec<_> = (0..HOUR)
            .filter_map(|second| {
                probe.not_after = if second % 20 < 10 { old } else { new };
                probe.at(second)
            })
            .collect();
        assert_eq!(told, ["day 0: Opened medium"]);
    }

    #[test]
    fn nothing_is_told_of_a_certificate_with_time_left() {
        assert_eq!(Probe::new(30 * DAY).at(0), None);
        assert_eq!(severity(DAY, 0), None);
        assert_eq!(severity(DAY, 3), Some(Severity::Medium));
        assert_eq!(severity(0, 0), Some(Severity::High));
        assert_eq!(severity(i64::MIN, 30), Some(Severity::High));
        assert_eq!(severity(i64::MAX, 30), None);
    }

    struct Probe {
        certificates: Certificates,
        not_after: Timestamp,
    }

    impl Probe {
        fn new(left_secs: i64) -> Self {
            let not_after = moment(0).wall + SignedDuration::from_secs(left_secs);
            Self { certificates: Certificates::default(), not_after }
        }

        fn at(&mut self, second: i64) -> Option<String> {
            let target = Target { watched_as: WatchedAs::Http, name: "ehr-web".to_owned() };
            let seen = CertificateSeen { target, not_after: self.not_after };
            let tell = self.certificates.seen(&seen, 30, moment(second))?;
            Some(format!("day {}: {:?} {}", second / DAY, tell.phase, tell.severity))
        }
    }
}
