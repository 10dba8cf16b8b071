//! One merged timeline of an incident for pages and reports: what the hosts told, what was concluded, what people did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::event::{AgentState, Anomaly, Event, OutageState, Phase, Severity};
use shirase_shared::ids::{HostId, IncidentId, UserId};

use super::{Entry, Incident, StoredEntry};
use crate::correlate::{Arg, Conclusion, NaturalKey, RecordKey, Text, explain};
use crate::records::SeenRecord;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineItem {
    /// When, on the collector's time line.
    pub at: Timestamp,
    /// When by the host's own wall clock, for what a host told.
    pub host_time: Option<Timestamp>,
    /// The true time lies within `at` ± this, for what a host told.
    pub uncertainty: Option<Duration>,
    /// Which host told it.
    pub host: Option<HostId>,
    /// Which person did it.
    pub who: Option<UserId>,
    /// How much it matters, where that can be said.
    pub severity: Option<Severity>,
    /// What it is.
    pub what: ItemKind,
    /// What happened, to be put into words by a locale.
    pub text: Text,
    /// Why, where there is more to say.
    pub why: Option<Text>,
}

/// What a line of a timeline is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A record of a host.
    Record {
        /// Which.
        key: RecordKey,
        /// Its hash: the two sides of a fork have one key.
        hash: String,
    },
    /// Something the machine did to the incident.
    Machine {
        /// The incident it was written for.
        incident: IncidentId,
        /// Its number among the entries.
        entry: u64,
    },
    /// Something a person did to the incident.
    Person {
        /// The incident it was written for.
        incident: IncidentId,
        /// Its number among the entries.
        entry: u64,
    },
}

/// Returns the timeline of an incident, earliest first.
///
/// Of `records` only those are told that a conclusion of the incident stands on.
#[must_use]
pub fn timeline(
    incident: &Incident,
    records: &[SeenRecord],
    entries: &[StoredEntry],
) -> Vec<TimelineItem> {
    let evidence: BTreeSet<RecordKey> = incident
        .conclusions
        .iter()
        .flat_map(|c| c.records.iter().copied())
        .collect();
    let conclusions: BTreeMap<&NaturalKey, &Conclusion> = incident
        .conclusions
        .iter()
        .map(|c| (&c.natural_key, c))
        .collect();
    let key = |record: &SeenRecord| RecordKey {
        host: record.host,
        stream: record.stream,
        sequence: record.sequence,
    };
    let told = records
        .iter()
        .filter(|record| evidence.contains(&key(record)));
    let mut items: Vec<TimelineItem> = told.map(|record| of_record(key(record), record)).collect();
    items.extend(entries.iter().map(|entry| of_entry(entry, &conclusions)));
    items.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
    items.dedup_by(|a, b| a.what == b.what);

    items
}

fn of_record(key: RecordKey, record: &SeenRecord) -> TimelineItem {
    TimelineItem {
        at: record.corrected_at,
        host_time: record.detected_at,
        uncertainty: Some(record.uncertainty),
        host: Some(record.host),
        who: None,
        severity: record.severity,
        what: ItemKind::Record { key, hash: record.hash.clone() },
        text: record.event.as_ref().map_or_else(
            || Text::new("timeline-unread").with("kind", Arg::Plain(record.kind.clone())),
            told,
        ),
        why: None,
    }
}

/// Says what an event tells.
fn told(event: &Event) -> Text {
    match &event.anomaly {
        Anomaly::MassChange(_) => {
            let key = match event.phase {
                Phase::Opened | Phase::Once => "timeline-mass-change-opened",
                Phase::Grew => "timeline-mass-change-grew",
                Phase::Ended => "timeline-mass-change-ended",
            };
            Text::new(key)
                .with("files", Arg::Number(event.files_affected))
                .with("root", Arg::Plain(event.root.clone().unwrap_or_default()))
        }
        Anomaly::Outage(outage) => {
            let key = match outage.state {
                OutageState::Down => "timeline-outage-down",
                OutageState::Flapping => "timeline-outage-flapping",
                OutageState::Recovered => "timeline-outage-recovered",
            };
            Text::new(key).with("target", Arg::Plain(outage.target.name.clone()))
        }
        Anomaly::Pressure(pressure) => crate::correlate::explain_pressure(pressure),
        Anomaly::Loss(loss) => crate::correlate::explain_loss(loss.what, loss.count),
        Anomaly::Logon(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_) => {
            let what = crate::correlate::explain_intrusion(&event.anomaly);
            let what = what.unwrap_or(Text::new("why-intrusion"));
            match event.phase {
                Phase::Opened | Phase::Grew | Phase::Once => what,
                Phase::Ended => Text::new("timeline-over").with("what", Arg::List(vec![what])),
            }
        }
        Anomaly::Agent(state) => Text::new(match state {
            AgentState::Started { .. } => "timeline-agent-started",
            AgentState::Stopping { .. } => "timeline-agent-stopping",
            AgentState::ConfigInvalid { .. } => "timeline-agent-config-invalid",
            AgentState::ConfigLoaded => "timeline-agent-config-loaded",
            AgentState::DrillStarted => "timeline-agent-drill-started",
            AgentState::DrillEnded { .. } => "timeline-agent-drill-ended",
            AgentState::OrderRefused { .. } => "timeline-agent-order-refused",
            AgentState::Contained { .. } => "timeline-agent-contained",
            AgentState::Released { .. } => "timeline-agent-released",
            AgentState::BudgetReached { .. } => "timeline-agent-budget-reached",
        }),
    }
}

fn of_entry(
    stored: &StoredEntry,
    conclusions: &BTreeMap<&NaturalKey, &Conclusion>,
) -> TimelineItem {
    let entry = stored.entry;
    let conclusion = match &stored.what {
        Entry::Concluded { natural_key, .. } | Entry::Grew { natural_key, .. } => {
            conclusions.get(natural_key).copied()
        }
        Entry::Opened { .. }
        | Entry::Raised { .. }
        | Entry::TookIn { .. }
        | Entry::BecamePart { .. }
        | Entry::Acknowledged
        | Entry::Commented { .. }
        | Entry::Closed { .. }
        | Entry::FalseAlarm { .. }
        | Entry::Reopened { .. }
        | Entry::VendorCalled { .. }
        | Entry::StepTaken { .. }
        | Entry::Noted { .. } => None,
    };
    TimelineItem {
        at: stored.at,
        host_time: None,
        uncertainty: None,
        host: conclusion.and_then(|c| c.hosts.first().copied()),
        who: stored.who,
        severity: severity_of(&stored.what),
        what: match stored.who {
            Some(_) => ItemKind::Person { incident: stored.incident, entry },
            None => ItemKind::Machine { incident: stored.incident, entry },
        },
        text: done(&stored.what),
        why: conclusion.map(explain),
    }
}

const fn severity_of(entry: &Entry) -> Option<Severity> {
    match entry {
        Entry::Opened { severity, .. }
        | Entry::Concluded { severity, .. }
        | Entry::Grew { severity, .. }
        | Entry::Raised { to: severity, .. } => Some(*severity),
        Entry::TookIn { .. }
        | Entry::BecamePart { .. }
        | Entry::Acknowledged
        | Entry::Commented { .. }
        | Entry::Closed { .. }
        | Entry::FalseAlarm { .. }
        | Entry::Reopened { .. }
        | Entry::VendorCalled { .. }
        | Entry::StepTaken { .. }
        | Entry::Noted { .. } => None,
    }
}

/// Says what was done to the incident.
fn done(entry: &Entry) -> Text {
    let plain = |text: &str| Arg::Plain(text.to_owned());
    match entry {
        Entry::Opened { rule, .. } => {
            Text::new("timeline-opened").with("rule", Arg::Key(rule.title_key()))
        }
        Entry::Concluded { rule, .. } => {
            Text::new("timeline-concluded").with("rule", Arg::Key(rule.title_key()))
        }
        Entry::Grew { rule, severity, .. } => Text::new("timeline-grew")
            .with("rule", Arg::Key(rule.title_key()))
            .with("severity", Arg::Severity(*severity)),
        Entry::Raised { from, to, .. } => Text::new("timeline-raised")
            .with("from", Arg::Severity(*from))
            .with("to", Arg::Severity(*to)),
        Entry::TookIn { number, .. } => {
            Text::new("timeline-took-in").with("number", Arg::Number(*number))
        }
        Entry::BecamePart { number, .. } => {
            Text::new("timeline-became-part").with("number", Arg::Number(*number))
        }
        Entry::Acknowledged => Text::new("timeline-acknowledged"),
        Entry::Commented { text } => Text::new("timeline-commented").with("text", plain(text)),
        Entry::Closed { text } => Text::new("timeline-closed").with("text", plain(text)),
        Entry::FalseAlarm { reason } => {
            Text::new("timeline-false-alarm").with("reason", plain(reason))
        }
        Entry::Reopened { reason } => Text::new("timeline-reopened").with("reason", plain(reason)),
        Entry::Noted { moment, at, text } => Text::new("timeline-noted")
            .with("moment", Arg::Key(moment.label_key()))
            .with("at", Arg::Time(*at))
            .with("text", plain(text)),
        Entry::StepTaken { step, outcome, at, text } => Text::new("timeline-step")
            .with("step", Arg::Key(step.label_key()))
            .with("outcome", Arg::Key(outcome.label_key()))
            .with("at", Arg::Time(*at))
            .with("text", plain(text)),
        Entry::VendorCalled { whom, number, called_at } => Text::new("timeline-vendor-called")
            .with("whom", plain(whom))
            .with("number", plain(number))
            .with("at", Arg::Time(*called_at)),
    }
}

#[cfg(test)]
mod tests;
