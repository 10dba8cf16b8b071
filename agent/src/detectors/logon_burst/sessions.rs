//! Remote sessions outside the hours in which people usually work.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, LogonKind, Phase, Severity};
use shirase_shared::ids::BurstId;

use super::telling::{Tale, Teller, many, since, sources};
use super::{Hours, LogonBurstConfig};
use crate::observation::{Account, LogonSeen, Manner};

/// Pairs of account and source told at one time.
const OPEN_MAX: usize = 256;
/// Sessions of one account from one source are one story until none began for this long.
const QUIET_MS: u64 = 3_600_000;

/// The part of the detector that hears of sessions.
pub(super) struct Sessions {
    teller: Teller,
    usual: Vec<Hours>,
    expected: BTreeSet<String>,
    pub(super) maintenance: Option<Timestamp>,
    open: BTreeMap<(Account, String), Open>,
}

struct Open {
    burst: BurstId,
    severity: Severity,
    count: u64,
    first: Timestamp,
    last_ms: u64,
}

impl Sessions {
    pub(super) fn new(config: &LogonBurstConfig, teller: Teller) -> Self {
        let expected = config.expected_sources.iter().cloned().collect();
        let usual = config.usual_hours.clone();
        Self { teller, usual, expected, maintenance: None, open: BTreeMap::new() }
    }

    /// Takes a logon that succeeded.
    pub(super) fn began(&mut self, at: Moment, seen: &LogonSeen, now: Moment) -> Vec<Event> {
        let is_remote = match seen.manner {
            Manner::Remote => true,
            Manner::Share | Manner::Console | Manner::Elevation => false,
        };
        let Some(source) = seen.source.as_ref().filter(|_| is_remote) else { return Vec::new() };
        let usual = self.usual.is_empty() || self.usual.iter().any(|hours| hours.contain(at.wall));
        if usual || self.expected.contains(source) {
            return Vec::new();
        }
        let pair = (seen.account.clone(), source.clone());
        if let Some(open) = self.open.get_mut(&pair) {
            open.count += 1;
            open.last_ms = at.monotonic_ms;
            return Vec::new();
        }
        let mut events = Vec::new();
        if OPEN_MAX <= self.open.len() {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.last_ms);
            if let Some(oldest) = oldest.map(|(pair, _)| pair.clone()) {
                events.extend(self.end(&oldest, now));
            }
        }
        let in_maintenance = self.maintenance.is_some_and(|until| now.wall < until);
        let severity = if in_maintenance { Severity::Low } else { Severity::Medium };
        let open = Open {
            burst: BurstId::random(),
            severity,
            count: 1,
            first: at.wall,
            last_ms: at.monotonic_ms,
        };
        let why = match in_maintenance {
            true => "a maintenance window is open, so it is a line in the timeline",
            false => {
                "quiet would be a source listed in `expected_sources`; an open maintenance window would have made it a line in the timeline"
            }
        };
        events.push(self.tell(&pair, &open, Phase::Opened, why, now));
        self.open.insert(pair, open);
        events
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Moment) -> Vec<Event> {
        let is_over = |(_, open): &(&_, &Open)| open.last_ms + QUIET_MS <= now.monotonic_ms;
        let over: Vec<_> = self
            .open
            .iter()
            .filter(is_over)
            .map(|(pair, _)| pair.clone())
            .collect();

        over.iter().filter_map(|pair| self.end(pair, now)).collect()
    }

    fn end(&mut self, pair: &(Account, String), now: Moment) -> Option<Event> {
        let open = self.open.remove(pair)?;

        Some(self.tell(pair, &open, Phase::Ended, "no further one began for a while", now))
    }

    fn tell(
        &self,
        (account, source): &(Account, String),
        open: &Open,
        phase: Phase,
        why: &str,
        now: Moment,
    ) -> Event {
        let accounts = BTreeSet::from([account.clone()]);
        let from = BTreeSet::from([source.clone()]);
        let reason = format!(
            "{} of {} {} {} began outside the usual hours; {why}",
            many(open.count, "remote session"),
            self.teller.accounts(&accounts),
            sources(&from),
            since(open.first, now),
        );
        let tale = Tale {
            what: LogonKind::RemoteOutOfHours,
            phase,
            burst: open.burst,
            severity: open.severity,
            count: open.count,
            accounts: &accounts,
            sources: &from,
            first: open.first,
            reason,
        };

        self.teller.event(tale, now)
    }
}
