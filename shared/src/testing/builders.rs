//! Events from few words.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Moment;
use crate::event::{
    Anomaly, Event, MassChange, Outage, OutageState, Phase, Record, SCHEMA, Severity, Target,
    WatchedAs,
};
use crate::ids::{BootId, BurstId, Sequence, StreamId};

/// A fixed night: 2026-02-09 01:50 in Japan, when Musashi-Kosugi's nurse-call terminals failed.
///
/// # Panics
/// Never: the text is a constant.
#[must_use]
pub fn night() -> Timestamp {
    "2026-02-08T16:50:00Z"
        .parse()
        .expect("a constant that was read before")
}

/// The moment `seconds` into that night.
#[must_use]
pub fn moment(seconds: i64) -> Moment {
    Moment {
        wall: night() + SignedDuration::from_secs(seconds),
        boot: BootId::from_uuid(uuid::Uuid::from_u128(1)),
        monotonic_ms: u64::try_from(60 + seconds).unwrap_or(0) * 1000,
    }
}

fn event(anomaly: Anomaly, phase: Phase, severity: Severity, seconds: i64) -> Event {
    let moment = moment(seconds);
    Event {
        schema: SCHEMA,
        anomaly,
        phase,
        burst: None,
        severity,
        detected_at: moment.wall,
        first_change_at: Some(moment.wall),
        moment,
        root: None,
        files_affected: 0,
        reason: String::new(),
        drill: None,
    }
}

/// A mass change of `files` files that gained `.locked`, told `seconds` into the night.
#[must_use]
pub fn mass_change(burst: BurstId, phase: Phase, files: u64, seconds: i64) -> Event {
    let evidence = MassChange {
        suffix_appended: files,
        suffixes: BTreeMap::from([("locked".to_owned(), files)]),
        directories: 1 + files / 20,
        ..MassChange::default()
    };
    Event {
        burst: Some(burst),
        root: Some("share".to_owned()),
        files_affected: files,
        reason: format!("{files} files gained `.locked`"),
        ..event(Anomaly::MassChange(evidence), phase, Severity::High, seconds)
    }
}

/// An outage of a service, or its recovery, told `seconds` into the night.
#[must_use]
pub fn outage(name: &str, state: OutageState, burst: BurstId, seconds: i64) -> Event {
    let evidence = Outage {
        target: Target { watched_as: WatchedAs::Service, name: name.to_owned() },
        state,
        since: moment(seconds).wall,
        last_good: None,
        changes: 0,
        detail: "inactive (dead)".to_owned(),
    };
    let phase = match state {
        OutageState::Down | OutageState::Flapping => Phase::Opened,
        OutageState::Recovered => Phase::Ended,
    };
    Event { burst: Some(burst), ..event(Anomaly::Outage(evidence), phase, Severity::High, seconds) }
}

/// Numbers events the way a buffer does.
#[must_use]
pub fn numbered(stream: StreamId, events: Vec<Event>) -> Vec<Record> {
    let number =
        |(index, event): (u64, Event)| Record { stream, sequence: Sequence(index + 1), event };
    (0_u64..).zip(events).map(number).collect()
}
