//! What the rules look at: everything about one facility, frozen at one moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;
use shirase_shared::event::{Anomaly, Event};
use shirase_shared::ids::{DrillId, FacilityId, HostId};

use super::conclusion::{Conclusion, RecordKey};
use crate::facilities::{CareRole, Host};
use crate::orders::Window;
use crate::records::{Fork, ListeningSpan, SeenRecord};

/// The furthest a first change is believed to lie before its detection: a clock set from 1970 to today tells nonsense.
const FIRST_CHANGE_MAX: SignedDuration = SignedDuration::from_hours(24 * 31);

/// How close together things must be to be one story.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorrelateConfig {
    /// Minutes between two happenings that may still belong together: the same host's, or a mass change and the loss
    /// of a system. 1 joins hardly anything; 1440 joins a whole day. 1 to 1440.
    pub window_minutes: u32,
    /// Hours within which the same new suffix on two hosts counts as spreading. 1 to 168.
    pub same_suffix_hours: u32,
    /// Seconds without a heartbeat, while this collector was listening, after which a host counts as silent. Agents
    /// send one every 30 seconds and the collector looks every 5, so that 75 tells of a host that died within 90 seconds,
    /// lets one be lost and the next be 15 seconds late. 60 to 3600.
    pub silence_seconds: u32,
}

impl Default for CorrelateConfig {
    fn default() -> Self {
        Self { window_minutes: 30, same_suffix_hours: 24, silence_seconds: 75 }
    }
}

impl CorrelateConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let bounds = [
            ("correlate.window_minutes", self.window_minutes, 1, 1440),
            ("correlate.same_suffix_hours", self.same_suffix_hours, 1, 168),
            ("correlate.silence_seconds", self.silence_seconds, 60, 3600),
        ];
        let broken = bounds
            .into_iter()
            .filter(|(_, value, least, most)| value < least || most < value);
        broken
            .map(|(key, value, least, most)| {
                let message = format!("{value} is out of range");
                Problem::of(key, message, format!("give a number from {least} to {most}"))
            })
            .collect()
    }

    /// Returns [`Self::window_minutes`] as a duration.
    #[must_use]
    pub fn window(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.window_minutes))
    }

    pub(super) fn same_suffix(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.same_suffix_hours))
    }

    pub(super) fn silence(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.silence_seconds))
    }
}

/// Everything the rules may look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Whose.
    pub facility: FacilityId,
    /// The moment it was frozen, by the collector's clock.
    pub as_of: Timestamp,
    /// How close together things must be.
    pub config: CorrelateConfig,
    /// The facility's hosts with what they do for care.
    pub hosts: BTreeMap<HostId, Host>,
    /// Records, in any order, doubled or not.
    pub records: Vec<SeenRecord>,
    /// The last heartbeat of each host that ever sent one.
    pub heartbeats: BTreeMap<HostId, Timestamp>,
    /// When the collector itself was listening.
    pub listening: Vec<ListeningSpan>,
    /// Copied agents, noticed.
    pub forks: Vec<Fork>,
    /// Drills this collector ordered, by host. A drill mark without an order counts for nothing.
    pub ordered_drills: BTreeSet<(HostId, DrillId)>,
    /// Maintenance that was announced, by host.
    pub windows: Vec<(HostId, Window)>,
    /// What earlier runs concluded, as far back as it can matter.
    pub known: Vec<Conclusion>,
}

/// A record the rules can read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// The record as stored.
    pub(crate) record: &'a SeenRecord,
    /// What it tells.
    pub(crate) event: &'a Event,
    /// The drill it belongs to, if this collector ordered it.
    pub(crate) drill: Option<DrillId>,
}

impl Seen<'_> {
    /// Returns the key that names it as evidence.
    pub(crate) const fn key(&self) -> RecordKey {
        key_of(self.record)
    }

    /// Returns a time of the host's wall clock on the collector's time line.
    pub(crate) fn corrected(&self, host_wall: Timestamp) -> Timestamp {
        let before = self
            .event
            .detected_at
            .duration_since(host_wall)
            .clamp(SignedDuration::ZERO, FIRST_CHANGE_MAX);
        to_millisecond(self.record.corrected_at - before)
    }

    /// Returns when the first change happened, on the collector's time line.
    pub(crate) fn first_change(&self) -> Timestamp {
        self.event
            .first_change_at
            .map_or(self.record.corrected_at, |at| self.corrected(at))
    }
}

/// Returns the key that names a record as evidence.
pub(crate) const fn key_of(record: &SeenRecord) -> RecordKey {
    RecordKey { host: record.host, stream: record.stream, sequence: record.sequence }
}

/// One story of one host: the records of one burst, or a single record, in order of time.
#[derive(Clone, Debug)]
pub(crate) struct Story<'a> {
    /// What the natural key of its conclusion is.
    pub(crate) key: String,
    /// Where.
    pub(crate) host: HostId,
    /// The drill all of it belongs to.
    pub(crate) drill: Option<DrillId>,
    /// At least one, by corrected time, then by number.
    pub(crate) records: Vec<Seen<'a>>,
}

/// The input, put in order.
pub(crate) struct Facts<'a> {
    /// What was put in order.
    pub(crate) input: &'a Input,
    /// Readable records, each once, by corrected time, then by number.
    seen: Vec<Seen<'a>>,
}

impl<'a> Facts<'a> {
    /// Sorts the records and removes doubles, so that no rule depends on how they came.
    pub(crate) fn of(input: &'a Input) -> Self {
        let mut records: Vec<&SeenRecord> = input.records.iter().collect();
        records.sort_by(|a, b| order_of(a).cmp(&order_of(b)));
        records.dedup_by(|a, b| order_of(a) == order_of(b));
        let readable = |record: &'a SeenRecord| {
            let event = record.event.as_ref()?;
            let ordered = |drill: &DrillId| input.ordered_drills.contains(&(record.host, *drill));
            Some(Seen { record, event, drill: event.drill.filter(ordered) })
        };

        Self { input, seen: records.into_iter().filter_map(readable).collect() }
    }

    /// Returns the readable records by corrected time.
    pub(crate) fn seen(&self) -> &[Seen<'a>] {
        &self.seen
    }

    /// Groups the records `tag` names into stories. A burst of a drill and one of real life are two, whatever they
    /// are called.
    pub(crate) fn stories(&self, tag: impl Fn(&Anomaly) -> Option<String>) -> Vec<Story<'a>> {
        let mut stories: BTreeMap<String, Story<'a>> = BTreeMap::new();
        for seen in &self.seen {
            let Some(tag) = tag(&seen.event.anomaly) else { continue };
            let record = seen.record;
            let mut key = match seen.event.burst {
                Some(burst) => format!("{tag}/{}/{burst}", record.host),
                None => format!("{tag}/{}/{}:{}", record.host, record.stream, record.sequence),
            };
            if let Some(drill) = seen.drill {
                key = format!("{key}/drill/{drill}");
            }
            let story = stories.entry(key.clone()).or_insert_with(|| Story {
                key,
                host: record.host,
                drill: seen.drill,
                records: Vec::new(),
            });
            story.records.push(*seen);
        }

        stories.into_values().collect()
    }

    /// Returns what a host does for care.
    pub(crate) fn roles(&self, host: HostId) -> BTreeSet<CareRole> {
        self.input
            .hosts
            .get(&host)
            .map(|host| host.roles.clone())
            .unwrap_or_default()
    }

    /// Returns what a watched target does for care.
    pub(crate) fn roles_of(&self, host: HostId, target: &str) -> BTreeSet<CareRole> {
        self.input
            .hosts
            .get(&host)
            .map(|host| host.roles_of(target))
            .unwrap_or_default()
    }
}

/// Cuts a time to what the database keeps of it, so that what was stored equals what is concluded again.
fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

type Order<'a> = (Timestamp, HostId, shirase_shared::ids::StreamId, u64, &'a str);

fn order_of(record: &SeenRecord) -> Order<'_> {
    (record.corrected_at, record.host, record.stream, record.sequence.0, &record.hash)
}
