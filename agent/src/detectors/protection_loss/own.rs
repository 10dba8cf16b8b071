//! The agent's own program, settings, identity and service, changed by somebody else.

use std::collections::BTreeMap;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Event, Phase, Protection, ProtectionKind, Severity};
use shirase_shared::ids::BurstId;

use super::{Around, Telling};
use crate::observation::{OwnChange, OwnPart, OwnSeen, OwnWhen};

/// The same change of the same part is told again after this long.
const AGAIN_MS: u64 = 10 * 60_000;
/// Parts remembered; there are never so many.
const PARTS_MAX: usize = 256;

type Part = (OwnPart, String);

/// Parts of the agent that are not as they were.
pub(super) struct Own {
    grace_ms: u64,
    parts: BTreeMap<Part, Touched>,
}

struct Touched {
    at: Moment,
    change: OwnChange,
    when: OwnWhen,
    told: Option<Told>,
    pending: bool,
}

#[derive(Clone, Copy)]
struct Told {
    burst: Option<BurstId>,
    at_ms: u64,
    change: OwnChange,
}

impl Own {
    pub(super) const fn new(grace_ms: u64) -> Self {
        Self { grace_ms, parts: BTreeMap::new() }
    }

    pub(super) fn note(&mut self, at: Moment, seen: &OwnSeen) {
        let part = (seen.part, seen.name.clone());
        if PARTS_MAX <= self.parts.len() && !self.parts.contains_key(&part) {
            return;
        }
        let told = self.parts.get(&part).and_then(|touched| touched.told);
        let pending = match (seen.change, told) {
            (OwnChange::Restored, told) => told.is_some(),
            (_, Some(told)) if told.change == seen.change => {
                told.at_ms + AGAIN_MS <= at.monotonic_ms
            }
            (_, Some(_) | None) => true,
        };
        if seen.change == OwnChange::Restored && !pending {
            self.parts.remove(&part);
            return;
        }
        // The grace of a part that is changed again and again runs from the first time.
        let since = self
            .parts
            .get(&part)
            .filter(|touched| touched.pending && told.is_none());
        let at = since.map_or(at, |touched| touched.at);
        let touched = Touched { at, change: seen.change, when: seen.when, told, pending };
        self.parts.insert(part, touched);
    }

    pub(super) fn decide(&mut self, around: &Around, now: Moment) -> Vec<Event> {
        let grace_ms = self.grace_ms;
        let mut events = Vec::new();
        for (part, touched) in &mut self.parts {
            let for_ms = now.monotonic_ms.saturating_sub(touched.at.monotonic_ms);
            if touched.pending && grace(part.0, touched, grace_ms) <= for_ms {
                touched.pending = false;
                events.push(tell(part, touched, around, now));
            }
        }
        self.parts
            .retain(|_, touched| touched.pending || touched.change != OwnChange::Restored);
        events
    }
}

/// What an upgrade changes is told when the agent was not restarted soon after.
const fn grace(part: OwnPart, touched: &Touched, grace_ms: u64) -> u64 {
    match (part, touched.change, touched.when) {
        (_, OwnChange::Restored, _) | (_, _, OwnWhen::Away) => 0,
        (OwnPart::Identity | OwnPart::Service, _, OwnWhen::Running) => 0,
        (OwnPart::Settings, OwnChange::Changed, OwnWhen::Running) => 0,
        (OwnPart::Program | OwnPart::Unit | OwnPart::Settings, _, OwnWhen::Running) => grace_ms,
    }
}

fn tell(part: &Part, touched: &mut Touched, around: &Around, now: Moment) -> Event {
    let (part, name) = part;
    let lasting = match touched.change {
        OwnChange::Removed | OwnChange::Disabled | OwnChange::Masked => true,
        OwnChange::Changed | OwnChange::Added | OwnChange::Restored => false,
    };
    let known = touched.told.and_then(|told| told.burst);
    let (phase, burst) = match (touched.change, known) {
        (OwnChange::Restored, Some(burst)) => (Phase::Ended, Some(burst)),
        (_, Some(burst)) if lasting => (Phase::Grew, Some(burst)),
        _ if lasting => (Phase::Opened, Some(BurstId::random())),
        _ => (Phase::Once, None),
    };
    touched.told = Some(Told {
        burst: if lasting { burst } else { known },
        at_ms: now.monotonic_ms,
        change: touched.change,
    });
    let what = match part {
        OwnPart::Service => ProtectionKind::OwnServiceTouched,
        OwnPart::Unit => ProtectionKind::OwnServiceTouched,
        OwnPart::Program | OwnPart::Settings | OwnPart::Identity => ProtectionKind::OwnFilesTouched,
    };
    let detail = format!("{} {}", called(*part), changed(touched.change));
    let telling = Telling {
        phase,
        burst,
        severity: severity(*part, touched, around.maintenance(now)),
        first: touched.at,
        reason: reason(*part, name, touched, around.maintenance(now)),
    };

    telling.event(Protection { what, name: name.clone(), detail }, now)
}

const fn severity(part: OwnPart, touched: &Touched, covered: bool) -> Severity {
    match (part, touched.change) {
        (_, OwnChange::Restored) => Severity::Low,
        (OwnPart::Identity | OwnPart::Service, _) => Severity::High,
        _ if covered => Severity::Low,
        (OwnPart::Settings, OwnChange::Removed) => Severity::Medium,
        // What is in force now is told when it is in force.
        (OwnPart::Settings, _) => Severity::Low,
        (OwnPart::Program | OwnPart::Unit, OwnChange::Removed) => Severity::High,
        (OwnPart::Program, _) => match touched.when {
            OwnWhen::Running => Severity::High,
            OwnWhen::Away => Severity::Medium,
        },
        (OwnPart::Unit, _) => Severity::Medium,
    }
}

fn reason(part: OwnPart, name: &str, touched: &Touched, covered: bool) -> String {
    let (what, change, at) = (called(part), changed(touched.change), touched.at.wall);
    if touched.change == OwnChange::Restored {
        return format!("the agent's {what} `{name}` {change}");
    }
    let when = match touched.when {
        OwnWhen::Running => format!("at {at}, and not by the agent itself"),
        OwnWhen::Away => format!(
            "while the agent was not running, and it is the same version as before (seen at {at})"
        ),
    };
    let quiet = match part {
        _ if covered => "a maintenance window is in force",
        OwnPart::Program | OwnPart::Unit if touched.when == OwnWhen::Away => {
            "an upgrade to another version would have been quiet"
        }
        OwnPart::Program | OwnPart::Unit => {
            "an upgrade, which restarts the agent within its grace, would have been quiet"
        }
        OwnPart::Settings => {
            "whoever keeps this host may do that; what is in force now is told by the agent itself"
        }
        OwnPart::Identity => {
            "nobody but the agent and `shirase-agent enroll` has a reason to touch it"
        }
        OwnPart::Service => "nobody switches it off on a host that is to be watched",
    };

    format!("the agent's {what} `{name}` {change} {when}; {quiet}")
}

const fn called(part: OwnPart) -> &'static str {
    match part {
        OwnPart::Program => "program",
        OwnPart::Settings => "configuration",
        OwnPart::Identity => "identity file",
        OwnPart::Unit => "service definition",
        OwnPart::Service => "service",
    }
}

const fn changed(change: OwnChange) -> &'static str {
    match change {
        OwnChange::Changed => "was changed",
        OwnChange::Removed => "was removed",
        OwnChange::Added => "was added",
        OwnChange::Disabled => "was switched off for the next start of the system",
        OwnChange::Masked => "was masked, so that it cannot be started any more",
        OwnChange::Restored => "is as it should be again",
    }
}
