//! Guards that stop or are removed.

use std::collections::BTreeMap;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Protection, ProtectionKind, Severity};
use shirase_shared::ids::BurstId;

use super::{Around, Telling, is_recent};
use crate::observation::{GuardBefore, GuardSeen, Runs, Starts};

/// Guards remembered; there are never so many.
const GUARDS_MAX: usize = 256;

/// What is wrong with a guard. Ordered by how bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// It runs and will not at the next start.
    WillNotStart,
    /// It does not run.
    Stopped,
    /// It does not run and will not at the next start, or is not there at all.
    Removed,
}

impl Trouble {
    const fn of(seen: &GuardSeen) -> Option<Self> {
        match (seen.runs, seen.starts, seen.before) {
            (Runs::Running, Starts::Disabled | Starts::Masked, GuardBefore::Ran) => {
                Some(Self::WillNotStart)
            }
            (Runs::Running, _, _) => None,
            // Nobody knows whether it ever did; its absence is the reason for the event, not a removal.
            (Runs::Stopped | Runs::Missing, _, GuardBefore::Wanted) => Some(Self::Stopped),
            (Runs::Missing, _, GuardBefore::Ran | GuardBefore::RanByHand)
            | (Runs::Stopped, Starts::Masked, _)
            | (Runs::Stopped, Starts::Disabled, GuardBefore::Ran) => Some(Self::Removed),
            (Runs::Stopped, _, _) => Some(Self::Stopped),
        }
    }

    const fn kind(self) -> ProtectionKind {
        match self {
            Self::Stopped => ProtectionKind::GuardStopped,
            Self::WillNotStart | Self::Removed => ProtectionKind::GuardRemoved,
        }
    }
}

/// Every guard and what is wrong with it.
pub(super) struct Guards {
    grace_ms: u64,
    known: BTreeMap<String, Guard>,
}

struct Guard {
    seen: GuardSeen,
    /// What is wrong, and since when it has been just that.
    trouble: Option<(Trouble, Moment)>,
    /// Since when anything has been wrong.
    since: Option<Moment>,
    told: Option<Told>,
}

struct Told {
    burst: BurstId,
    trouble: Trouble,
    severity: Severity,
    first: Moment,
}

impl Guards {
    pub(super) const fn new(grace_ms: u64) -> Self {
        Self { grace_ms, known: BTreeMap::new() }
    }

    pub(super) fn note(&mut self, at: Moment, seen: &GuardSeen) {
        if GUARDS_MAX <= self.known.len() && !self.known.contains_key(&seen.name) {
            return;
        }
        let fresh = || Guard { seen: seen.clone(), trouble: None, since: None, told: None };
        let guard = self.known.entry(seen.name.clone()).or_insert_with(fresh);
        guard.seen = seen.clone();
        let trouble = Trouble::of(seen);
        if trouble != guard.trouble.map(|(trouble, _)| trouble) {
            guard.trouble = trouble.map(|trouble| (trouble, at));
        }
        guard.since = trouble.map(|_| guard.since.unwrap_or(at));
    }

    pub(super) fn decide(&mut self, around: &Around, now: Moment) -> Vec<Event> {
        let grace_ms = self.grace_ms;
        let decide = |guard: &mut Guard| guard.decide(grace_ms, around, now);

        self.known.values_mut().filter_map(decide).collect()
    }
}

impl Guard {
    fn decide(&mut self, grace_ms: u64, around: &Around, now: Moment) -> Option<Event> {
        let Some(((trouble, since), first)) = self.trouble.zip(self.since) else {
            let told = self.told.take()?;
            let reason =
                format!("guard `{}` runs and starts with the system again", self.seen.name);
            let telling = Telling {
                phase: Phase::Ended,
                burst: Some(told.burst),
                severity: Severity::Low,
                first: told.first,
                reason,
            };
            return Some(telling.event(self.protection(told.trouble), now));
        };
        let grace_ms = match trouble {
            _ if around.mass_change(now) => 0,
            Trouble::Stopped => grace_ms,
            Trouble::WillNotStart | Trouble::Removed => grace_ms / 3,
        };
        let severity = severity(trouble, around, now);
        let known = self.told.as_ref();
        let worse = known.is_none_or(|told| told.trouble < trouble || told.severity < severity);
        if !worse || now.monotonic_ms.saturating_sub(since.monotonic_ms) < grace_ms {
            return None;
        }
        let (burst, phase) = match known {
            Some(told) => (told.burst, Phase::Grew),
            None => (BurstId::random(), Phase::Opened),
        };
        let severity = severity.max(known.map_or(Severity::Low, |told| told.severity));
        self.told = Some(Told { burst, trouble, severity, first });
        let reason = self.reason(trouble, first, around, now);
        let telling = Telling { phase, burst: Some(burst), severity, first, reason };

        Some(telling.event(self.protection(trouble), now))
    }

    fn protection(&self, trouble: Trouble) -> Protection {
        Protection {
            what: trouble.kind(),
            name: self.seen.name.clone(),
            detail: format!("{}, {}", runs(self.seen.runs), starts(self.seen.starts)),
        }
    }

    fn reason(&self, trouble: Trouble, first: Moment, around: &Around, now: Moment) -> String {
        let (name, since) = (&self.seen.name, first.wall);
        let for_secs = now.monotonic_ms.saturating_sub(first.monotonic_ms) / 1000;
        let what = match (trouble, self.seen.before) {
            (Trouble::WillNotStart, _) => {
                format!("still runs, and since {since} {}", starts(self.seen.starts))
            }
            (Trouble::Stopped | Trouble::Removed, GuardBefore::Wanted) => format!(
                "is listed in `sensors.protection.guards` and was not seen running for {for_secs} s ({})",
                runs(self.seen.runs)
            ),
            (Trouble::Stopped, _) => {
                format!("stopped at {since} and has been away for {for_secs} s")
            }
            (Trouble::Removed, _) => format!(
                "stopped since {since}: {}, {}",
                runs(self.seen.runs),
                starts(self.seen.starts)
            ),
        };
        let beside = if around.mass_change(now) {
            ", while files were changed in bulk on this host"
        } else if is_recent(around.log_ms, now) {
            ", while logs were cut or deleted"
        } else if around.maintenance(now) {
            ", within a maintenance window"
        } else {
            ""
        };

        format!(
            "guard `{name}` {what}{beside}; an upgrade that starts it again within its grace would have been quiet"
        )
    }
}

fn severity(trouble: Trouble, around: &Around, now: Moment) -> Severity {
    if around.mass_change(now) && trouble != Trouble::WillNotStart {
        return Severity::High;
    }
    match trouble {
        _ if around.maintenance(now) => Severity::Low,
        Trouble::WillNotStart => Severity::Medium,
        Trouble::Stopped if is_recent(around.log_ms, now) => Severity::High,
        Trouble::Stopped => Severity::Medium,
        Trouble::Removed => Severity::High,
    }
}

const fn runs(runs: Runs) -> &'static str {
    match runs {
        Runs::Running => "it runs",
        Runs::Stopped => "it does not run",
        Runs::Missing => "it is not installed",
    }
}

const fn starts(starts: Starts) -> &'static str {
    match starts {
        Starts::Yes => "it starts with the system",
        Starts::Disabled => "it is switched off for the next start of the system",
        Starts::Masked => "it is masked and cannot be started",
        Starts::Unknown => "whether it starts with the system is not known",
    }
}
