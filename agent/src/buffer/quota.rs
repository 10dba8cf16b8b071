//! Who may still come in as the buffer fills, and when it is worth rewriting.
//!
//! ```text
//! 0 ───────────────── ordinary share ──────────────┬──── reserve ────┬─ loss room ─┐ limit
//!   everything                                     │ high, critical, │ loss counts │
//!                                                  │ loss counts     │ only        │
//! ```
//!
//! Always holds: pure; refusing is the only answer to a full buffer, nothing kept ever makes room.

use shirase_shared::event::{Anomaly, Event, Severity};

use super::BufferConfig;
use super::engine::GROWTH_STEP_BYTES;

/// The loss room is this share of the limit.
const LOSS_ROOM_DIVISOR: u64 = 32;
/// Free disk that no event may touch: what sled needs to open its files and to note what leaves. For ordinary events
/// the ballast does not count as free, for serious ones it does.
const FREE_DISK_FLOOR_BYTES: u64 = 8 * 1024 * 1024;
/// Loss counts are few and small and may use a little of that.
const LOSS_FLOOR_BYTES: u64 = 6 * 1024 * 1024;
/// A file below this size is not worth rewriting while it is idle.
const REWRITE_FROM_BYTES: u64 = 32 * 1024 * 1024;
/// A file this many times larger than what lives in it is rewritten.
const REWRITE_FACTOR: u64 = 4;

/// How much an event may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Below high.
    Ordinary,
    /// High and critical.
    Serious,
    /// Tells what was lost.
    LossCount,
}

impl Class {
    /// Returns the class of an event.
    pub(super) fn of(event: &Event) -> Self {
        match (&event.anomaly, event.severity) {
            (Anomaly::Loss(_), _) => Self::LossCount,
            (
                Anomaly::MassChange(_)
                | Anomaly::Outage(_)
                | Anomaly::Pressure(_)
                | Anomaly::Logon(_)
                | Anomaly::Protection(_)
                | Anomaly::Backup(_)
                | Anomaly::Stops(_)
                | Anomaly::Print(_)
                | Anomaly::Agent(_),
                Severity::High | Severity::Critical,
            ) => Self::Serious,
            (
                Anomaly::MassChange(_)
                | Anomaly::Outage(_)
                | Anomaly::Pressure(_)
                | Anomaly::Logon(_)
                | Anomaly::Protection(_)
                | Anomaly::Backup(_)
                | Anomaly::Stops(_)
                | Anomaly::Print(_)
                | Anomaly::Agent(_),
                Severity::Low | Severity::Medium,
            ) => Self::Ordinary,
        }
    }
}

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// Bytes of `db` on disk.
    pub(super) used_bytes: u64,
    /// Bytes of everything that lives in it.
    pub(super) live_bytes: u64,
    /// Free bytes of the disk, where the system tells.
    pub(super) free_disk_bytes: Option<u64>,
    /// Bytes that giving up the ballast would add to them.
    pub(super) ballast_bytes: u64,
}

/// Whether an event comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Write it.
    Admit,
    /// Rewrite the file first: most of it is dead. Then ask again.
    Rewrite,
    /// Refuse and count it.
    Refuse,
}

/// Decides about one event.
pub(super) fn admit(class: Class, usage: Usage, config: &BufferConfig) -> Admission {
    if !disk_has_room(class, usage) {
        return Admission::Refuse;
    }
    if usage.used_bytes < share(class, config) {
        return Admission::Admit;
    }
    if mostly_dead(usage) {
        return Admission::Rewrite;
    }

    Admission::Refuse
}

fn disk_has_room(class: Class, usage: Usage) -> bool {
    let with_ballast = |free: u64| free.saturating_add(usage.ballast_bytes);
    usage.free_disk_bytes.is_none_or(|free| match class {
        Class::Ordinary => FREE_DISK_FLOOR_BYTES <= free,
        Class::Serious => FREE_DISK_FLOOR_BYTES <= with_ballast(free),
        Class::LossCount => LOSS_FLOOR_BYTES <= with_ballast(free),
    })
}

/// Whether an idle moment should be used to rewrite the file.
pub(super) fn is_worth_rewriting(usage: Usage) -> bool {
    REWRITE_FROM_BYTES < usage.used_bytes && mostly_dead(usage)
}

fn mostly_dead(usage: Usage) -> bool {
    // An empty database still takes two steps.
    let live = usage.live_bytes.saturating_add(GROWTH_STEP_BYTES);
    let room = usage.free_disk_bytes.is_none_or(|free| {
        usage
            .live_bytes
            .saturating_mul(2)
            .saturating_add(FREE_DISK_FLOOR_BYTES)
            < free
    });
    room && live.saturating_mul(REWRITE_FACTOR) < usage.used_bytes
}

/// Returns the size of `db` up to which a class is admitted; it grows by one step beyond at the most.
fn share(class: Class, config: &BufferConfig) -> u64 {
    let whole = config.limit_bytes.saturating_sub(GROWTH_STEP_BYTES);
    let below_loss = whole - whole / LOSS_ROOM_DIVISOR;
    match class {
        Class::Ordinary => {
            below_loss.saturating_sub(config.limit_bytes / 100 * u64::from(config.reserve_percent))
        }
        Class::Serious => below_loss,
        Class::LossCount => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[track_caller]
    fn check(used_mib: u64, live_mib: u64, free_mib: Option<u64>, expected: [Admission; 3]) {
        let config =
            BufferConfig { limit_bytes: 64 * MIB, reserve_percent: 25, ..BufferConfig::default() };
        let usage = Usage {
            used_bytes: used_mib * MIB,
            live_bytes: live_mib * MIB,
            free_disk_bytes: free_mib.map(|free| free * MIB),
            ballast_bytes: 2 * MIB,
        };
        let found = [Class::Ordinary, Class::Serious, Class::LossCount]
            .map(|class| admit(class, usage, &config));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_reserve_is_for_serious_events_and_the_last_room_for_loss_counts() {
        use Admission::{Admit, Refuse};
        check(0, 0, None, [Admit, Admit, Admit]);
        check(45, 30, None, [Admit, Admit, Admit]);
        check(46, 30, None, [Refuse, Admit, Admit]);
        check(61, 30, None, [Refuse, Admit, Admit]);
        check(62, 30, None, [Refuse, Refuse, Admit]);
        check(64, 30, None, [Refuse, Refuse, Refuse]);
    }

    #[test]
    fn a_file_full_of_dead_bytes_is_rewritten_instead_of_refusing() {
        use Admission::{Admit, Refuse, Rewrite};
        check(50, 8, None, [Rewrite, Admit, Admit]);
        check(64, 8, None, [Rewrite, Rewrite, Rewrite]);
        check(64, 8, Some(10), [Refuse, Refuse, Refuse]);
    }

    #[test]
    fn a_nearly_full_disk_refuses_events_before_it_keeps_sled_from_draining() {
        use Admission::{Admit, Refuse};
        check(1, 1, Some(9), [Admit, Admit, Admit]);
        check(1, 1, Some(7), [Refuse, Admit, Admit]);
        check(1, 1, Some(5), [Refuse, Refuse, Admit]);
        check(1, 1, Some(3), [Refuse, Refuse, Refuse]);
    }

    #[test]
    fn a_small_file_is_left_alone() {
        let usage = |used| Usage {
            used_bytes: used * MIB,
            live_bytes: MIB,
            free_disk_bytes: None,
            ballast_bytes: 0,
        };
        assert!(!is_worth_rewriting(usage(32)));
        assert!(is_worth_rewriting(usage(33)));
    }
}
