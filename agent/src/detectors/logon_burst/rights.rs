//! Accounts that become administrators.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, LogonKind, Phase, Severity};
use shirase_shared::ids::BurstId;

use super::telling::{Tale, Teller};
use crate::observation::{RightsChange, RightsSeen};

/// New administrators remembered.
const TOLD_MAX: usize = 256;
/// How long after somebody guessed their way in new rights are the work of the same.
const SAME_STORY_MS: u64 = 3_600_000;

/// The part of the detector that hears of rights.
pub(super) struct Rights {
    teller: Teller,
    pub(super) maintenance: Option<Timestamp>,
    got_in_ms: Option<u64>,
    told: BTreeMap<String, Told>,
}

struct Told {
    burst: BurstId,
    first: Timestamp,
    since_ms: u64,
}

impl Rights {
    pub(super) const fn new(teller: Teller) -> Self {
        Self { teller, maintenance: None, got_in_ms: None, told: BTreeMap::new() }
    }

    /// Somebody was let in after many failures.
    pub(super) const fn somebody_got_in(&mut self, now: Moment) {
        self.got_in_ms = Some(now.monotonic_ms);
    }

    /// Takes a change; the same grant seen in a log and in a file is told once.
    pub(super) fn changed(&mut self, at: Moment, seen: &RightsSeen, now: Moment) -> Option<Event> {
        let name = &seen.account.name;
        let shown = self.teller.shown(&seen.account);
        let (phase, told, severity, reason) = match seen.change {
            RightsChange::Granted if self.told.contains_key(name) => return None,
            RightsChange::Granted => {
                self.make_room();
                let told =
                    Told { burst: BurstId::random(), first: at.wall, since_ms: at.monotonic_ms };
                let (severity, why) = self.weigh(now);
                let by = &seen.by;
                let reason = format!("account `{shown}` got administrator's rights by {by}; {why}");
                (Phase::Opened, told, severity, reason)
            }
            RightsChange::Withdrawn => {
                let told = self.told.remove(name)?;
                let reason = format!("account `{shown}` has no administrator's rights any more");
                (Phase::Ended, told, Severity::Low, reason)
            }
        };
        let accounts = BTreeSet::from([seen.account.clone()]);
        let tale = Tale {
            what: LogonKind::NewAdministrator,
            phase,
            burst: told.burst,
            severity,
            count: 1,
            accounts: &accounts,
            sources: &BTreeSet::new(),
            first: told.first,
            reason,
        };
        let event = self.teller.event(tale, now);
        if phase == Phase::Opened {
            self.told.insert(name.clone(), told);
        }

        Some(event)
    }

    fn weigh(&self, now: Moment) -> (Severity, &'static str) {
        let same_story = self
            .got_in_ms
            .is_some_and(|got_in| now.monotonic_ms < got_in.saturating_add(SAME_STORY_MS));
        if same_story {
            return (
                Severity::Critical,
                "within the hour before, somebody was let in after many failed logons",
            );
        }
        if self.maintenance.is_some_and(|until| now.wall < until) {
            return (
                Severity::Low,
                "a maintenance window is open, so it is a line in the timeline",
            );
        }

        (Severity::High, "an open maintenance window would have made it a line in the timeline")
    }

    fn make_room(&mut self) {
        if self.told.len() < TOLD_MAX {
            return;
        }
        let oldest = self.told.iter().min_by_key(|(_, told)| told.since_ms);
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            self.told.remove(&oldest);
        }
    }
}
