//! Tells what could not be seen: queues that ran over, roots that are gone or unreadable, blind sensors.
//!
//! Always holds: the first loss of a kind is told at once, more of the same are added up and told every ten seconds;
//! a root that is seen again ends its trouble.

use std::collections::BTreeMap;

use shirase_shared::clock::Moment;
use shirase_shared::event::{Anomaly, Event, Loss, LossKind, Phase, SCHEMA, Severity};
use shirase_shared::ids::BurstId;

use crate::observation::{Extent, Lost, RescanCause, Rescanned, RootSeen, Sight};

/// Pause between two events about the same kind of loss.
const TOLD_EVERY_MS: u64 = 10_000;

/// The detector.
#[derive(Default)]
pub struct SightDetector {
    losses: BTreeMap<LossKind, Told>,
    roots: BTreeMap<String, Trouble>,
}

struct Told {
    at_ms: u64,
    times: u64,
    count: Option<u64>,
    detail: String,
}

struct Trouble {
    burst: BurstId,
    what: LossKind,
}

impl SightDetector {
    /// Takes a loss.
    pub fn lost(&mut self, lost: &Lost, now: Moment) -> Vec<Event> {
        let recent = self.losses.get_mut(&lost.what);
        if let Some(told) = recent.filter(|told| now.monotonic_ms < told.at_ms + TOLD_EVERY_MS) {
            told.times += 1;
            told.count = match (told.count, lost.count) {
                (Some(sum), Some(more)) => Some(sum + more),
                (sum, more) => sum.or(more),
            };
            told.detail.clone_from(&lost.detail);
            return Vec::new();
        }
        let told = Told { at_ms: now.monotonic_ms, times: 0, count: None, detail: String::new() };
        self.losses.insert(lost.what, told);

        vec![once(lost.what, lost.count, &lost.detail, None, now)]
    }

    /// Tells what was added up meanwhile.
    pub fn tick(&mut self, now: Moment) -> Vec<Event> {
        let mut events = Vec::new();
        for (what, told) in &mut self.losses {
            if told.times == 0 || now.monotonic_ms < told.at_ms + TOLD_EVERY_MS {
                continue;
            }
            let detail = format!("{} more times: {}", told.times, told.detail);
            events.push(once(*what, told.count.take(), &detail, None, now));
            (told.at_ms, told.times) = (now.monotonic_ms, 0);
        }
        events
    }

    /// Takes how a root is seen from now on.
    pub fn root(&mut self, seen: &RootSeen, now: Moment) -> Vec<Event> {
        let label = &seen.root.label;
        let trouble = match seen.sight {
            Sight::Whole => None,
            Sight::Partial | Sight::Unreadable => Some(LossKind::RootUnreadable),
            Sight::Gone => Some(LossKind::RootGone),
        };
        let before = self.roots.remove(label);
        let mut events = Vec::new();
        if let Some(before) = &before
            && trouble != Some(before.what)
        {
            let detail = format!("{}; {}", words(before.what, "no longer true"), sight(seen.sight));
            let ended = (Phase::Ended, Some(before.burst));
            events.push(event(before.what, None, &detail, Some(label), ended, Severity::Low, now));
        }
        let Some(what) = trouble else { return events };
        let known = before.filter(|before| before.what == what);
        let (burst, phase) = match known {
            Some(before) => (before.burst, Phase::Grew),
            None => (BurstId::random(), Phase::Opened),
        };
        self.roots.insert(label.clone(), Trouble { burst, what });
        let severity = match seen.sight {
            Sight::Whole | Sight::Partial => Severity::Low,
            Sight::Unreadable => Severity::Medium,
            Sight::Gone => Severity::High,
        };
        let detail = format!("{}: {}", sight(seen.sight), seen.detail);
        events.push(event(what, None, &detail, Some(label), (phase, Some(burst)), severity, now));
        events
    }

    /// Takes the end of a rescan. One at start that found nothing and saw everything is not worth a word.
    pub fn rescanned(&mut self, done: &Rescanned, now: Moment) -> Vec<Event> {
        let what = match done.cause {
            RescanCause::Start => LossKind::NotRunning,
            RescanCause::Overflow => LossKind::KernelQueue,
            RescanCause::RootBack => LossKind::RootGone,
        };
        let quiet = done.suspicious == 0 && done.extent == Extent::Whole;
        if quiet && done.cause == RescanCause::Start {
            return Vec::new();
        }
        let cause = match done.cause {
            RescanCause::Start => "changes made while the agent was not running",
            RescanCause::Overflow => "changes the queue lost",
            RescanCause::RootBack => "changes made while the root was gone",
        };
        let extent = match done.extent {
            Extent::Whole => "the whole root was seen",
            Extent::Limited => "the limit of the rescan was reached, the rest was not seen",
        };
        let detail = format!(
            "rescan for {cause}: {} files looked at, {} changed, {} look harmed; {extent}",
            done.looked_at, done.changed, done.suspicious
        );

        vec![once(what, Some(done.suspicious), &detail, Some(&done.root.label), now)]
    }
}

const fn sight(sight: Sight) -> &'static str {
    match sight {
        Sight::Whole => "the root is seen as a whole",
        Sight::Partial => "the root is seen in part",
        Sight::Unreadable => "the root cannot be read",
        Sight::Gone => "the root is gone",
    }
}

fn words(what: LossKind, end: &str) -> String {
    let what = match what {
        LossKind::RootGone => "the root is gone",
        LossKind::RootUnreadable => "the root is unreadable",
        LossKind::KernelQueue
        | LossKind::OwnQueue
        | LossKind::NotRunning
        | LossKind::BufferFull
        | LossKind::BufferReplaced
        | LossKind::RecordSetAside
        | LossKind::SensorBlind => "something is not seen",
    };
    format!("`{what}` is {end}")
}

fn once(
    what: LossKind,
    count: Option<u64>,
    detail: &str,
    root: Option<&str>,
    now: Moment,
) -> Event {
    let severity = match what {
        LossKind::KernelQueue
        | LossKind::OwnQueue
        | LossKind::NotRunning
        | LossKind::SensorBlind => Severity::Medium,
        LossKind::RootUnreadable | LossKind::BufferFull | LossKind::RecordSetAside => {
            Severity::Medium
        }
        LossKind::RootGone => Severity::Low,
        LossKind::BufferReplaced => Severity::High,
    };

    event(what, count, detail, root, (Phase::Once, None), severity, now)
}

fn event(
    what: LossKind,
    count: Option<u64>,
    detail: &str,
    root: Option<&str>,
    (phase, burst): (Phase, Option<BurstId>),
    severity: Severity,
    now: Moment,
) -> Event {
    Event {
        schema: SCHEMA,
        anomaly: Anomaly::Loss(Loss { what, count, detail: detail.to_owned() }),
        phase,
        burst,
        severity,
        detected_at: now.wall,
        first_change_at: None,
        moment: now,
        root: root.map(str::to_owned),
        files_affected: 0,
        reason: detail.to_owned(),
        drill: None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use shirase_shared::redact::Names;
    use shirase_shared::testing::builders::moment;

    use super::*;
    use crate::observation::Root;

    fn overflow() -> Lost {
        Lost { what: LossKind::KernelQueue, count: None, detail: "ran over".to_owned() }
    }

    #[test]
    fn a_storm_of_losses_is_told_at_once_and_then_added_up() {
        let mut detector = SightDetector::default();
        assert_eq!(detector.lost(&overflow(), moment(0)).len(), 1);
        for _ in 0..500 {
            assert_eq!(detector.lost(&overflow(), moment(1)), []);
        }
        assert_eq!(detector.tick(moment(5)), []);
        let told = detector.tick(moment(10));
        assert!(told[0].reason.starts_with("500 more times"), "{told:?}");
        assert_eq!(detector.tick(moment(30)), []);
    }

    #[test]
    fn a_root_that_goes_and_returns_opens_and_ends_one_trouble() {
        let path = PathBuf::from("/r");
        let root = Arc::new(Root { label: "r".to_owned(), path, names: Names::Hidden });
        let seen = |sight| RootSeen { root: root.clone(), sight, detail: String::new() };
        let mut detector = SightDetector::default();
        let opened = detector.root(&seen(Sight::Gone), moment(0));
        assert_eq!((opened[0].phase, opened[0].severity), (Phase::Opened, Severity::High));
        let ended = detector.root(&seen(Sight::Whole), moment(9));
        assert_eq!((ended[0].phase, ended[0].burst), (Phase::Ended, opened[0].burst));
        assert_eq!(detector.root(&seen(Sight::Whole), moment(10)), []);
    }
}
