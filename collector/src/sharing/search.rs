//! 「当院にもあったか」: whether indicators stand in what the collector stored.
//!
//! Always holds: what no event ever holds (names of notes, hashes of files) is said to be unknown, never to be absent; an
//! exercise's records answer an exercise's question alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::event::{Anomaly, Event};
use shirase_shared::ids::HostId;

use super::{Indicator, IndicatorKind};
use crate::records::SeenRecord;

/// Kinds of records that can hold an indicator.
pub const KINDS: [&str; 2] = ["mass_change", "logon"];

/// What came of looking for one indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Finding {
    /// No event holds such a thing.
    NotHeld,
    /// It stands in no stored event.
    Nowhere,
    /// It stands in events.
    Seen(Looked),
}

/// Where an indicator stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// In how many events.
    pub events: u64,
    /// The first of them.
    pub first_at: Timestamp,
    /// The last of them.
    pub last_at: Timestamp,
    /// On which hosts.
    pub hosts: BTreeSet<HostId>,
}

impl IndicatorKind {
    /// Whether events hold such a thing at all.
    #[must_use]
    pub const fn is_held(self) -> bool {
        match self {
            Self::Suffix | Self::Address | Self::Tool => true,
            // Names of files and what stands in them never leave a host.
            Self::NoteName | Self::Hash => false,
        }
    }
}

/// Looks for indicators in some records.
#[must_use]
pub fn look(
    wanted: &BTreeSet<Indicator>,
    records: &[SeenRecord],
    drill: bool,
) -> BTreeMap<Indicator, Finding> {
    let mut found: BTreeMap<Indicator, Finding> = wanted
        .iter()
        .map(|one| {
            let held = one.kind().is_held();
            (one.clone(), if held { Finding::Nowhere } else { Finding::NotHeld })
        })
        .collect();
    for record in records
        .iter()
        .filter(|record| record.drill.is_some() == drill)
    {
        let Some(event) = &record.event else { continue };
        for one in held_by(event) {
            if let Some(finding) = found.get_mut(&one) {
                let here = Looked {
                    events: 1,
                    first_at: record.corrected_at,
                    last_at: record.corrected_at,
                    hosts: BTreeSet::from([record.host]),
                };
                finding.add(&Finding::Seen(here));
            }
        }
    }
    found
}

/// Adds what came of looking into more records.
pub fn merge_findings(all: &mut BTreeMap<Indicator, Finding>, more: BTreeMap<Indicator, Finding>) {
    for (one, finding) in more {
        match all.get_mut(&one) {
            Some(known) => known.add(&finding),
            None => {
                all.insert(one, finding);
            }
        }
    }
}

impl Finding {
    fn add(&mut self, more: &Self) {
        match (&mut *self, more) {
            (Self::Seen(known), Self::Seen(more)) => {
                known.events += more.events;
                known.first_at = known.first_at.min(more.first_at);
                known.last_at = known.last_at.max(more.last_at);
                known.hosts.extend(&more.hosts);
            }
            (Self::Nowhere | Self::NotHeld, Self::Seen(more)) => *self = Self::Seen(more.clone()),
            (_, Self::Nowhere | Self::NotHeld) => {}
        }
    }
}

/// Returns every indicator an event holds in the clear.
fn held_by(event: &Event) -> BTreeSet<Indicator> {
    let mut held = BTreeSet::new();
    let mut put = |kind, text: &str| held.extend(Indicator::new(kind, text));
    match &event.anomaly {
        Anomaly::MassChange(change) => {
            for suffix in change.suffixes.keys() {
                put(IndicatorKind::Suffix, suffix);
            }
            for actor in &change.actors {
                put(IndicatorKind::Tool, &actor.program);
                put(IndicatorKind::Address, actor.client.as_deref().unwrap_or_default());
            }
        }
        Anomaly::Logon(logon) => {
            for source in &logon.sources {
                put(IndicatorKind::Address, source);
            }
        }
        Anomaly::Outage(_)
        | Anomaly::Pressure(_)
        | Anomaly::Loss(_)
        | Anomaly::Protection(_)
        | Anomaly::Backup(_)
        | Anomaly::Stops(_)
        | Anomaly::Print(_)
        | Anomaly::Agent(_) => {}
    }
    held
}
