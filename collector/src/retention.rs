//! How long the collector keeps what it was told, what it concluded, and what people wrote.
//!
//! ```text
//! incidents, manifests, bytes in use ─▶ plan(config, now) ─▶ what may go ─▶ store, directory of manifests
//! ```
//!
//! Always holds:
//! - nothing under an incident that is open goes, whatever its age and however full the disk: not its own events, and
//!   no other event of its facility from a week before it began;
//! - what belongs to an incident stays as long as the incident: its events, manifests, sheet, reports, deliveries;
//! - an incident whose cause still stands stays (a host never heard again, a copied agent): it would come again;
//! - the audit log stays for ever.
//!
//! Not here: SQL (see `store::retention`) and when it runs (see `jobs::retention`).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shirase_shared::config::Problem;
use shirase_shared::ids::IncidentId;

use crate::correlate::{NaturalKey, Reason, RecordKey};
use crate::incidents::{Incident, Status};
use crate::records::ManifestSeen;

/// However full the disk is, what is younger stays: rules look back a month.
const YOUNG: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long before an open incident the events of its facility stay.
const BEFORE_AN_OPEN_ONE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest time that can be asked for: a hundred years.
const DAYS_MAX: u32 = 36_525;
/// Least days of what rules and people still look at.
const DAYS_MIN: u32 = 90;
const MIB: u64 = 1024 * 1024;

/// How long what is kept. Nothing goes that belongs to an incident that is open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Days an event stays that belongs to no incident. 90 to 36525; 0 keeps it for ever.
    pub events_days: u32,
    /// Days a closed incident stays after the last change to it, with its events, manifests, sheet, reports and
    /// deliveries. 90 to 36525; 0 keeps it for ever.
    pub incidents_days: u32,
    /// Days a damage manifest stays that belongs to no incident. 90 to 36525; 0 keeps it for ever.
    pub manifests_days: u32,
    /// Most the database holds, in MiB: beyond it the oldest events go that belong to no incident and are older than a
    /// month. 64 and more; 0 sets no limit.
    pub database_max_mib: u64,
    /// Most the damage manifests take, in MiB, likewise. 64 and more; 0 sets no limit.
    pub manifests_max_mib: u64,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            events_days: 1096,
            incidents_days: 3653,
            manifests_days: 1096,
            database_max_mib: 20_480,
            manifests_max_mib: 20_480,
        }
    }
}

impl RetentionConfig {
    /// Returns every rule the values break.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let days = [
            ("retention.events_days", self.events_days),
            ("retention.incidents_days", self.incidents_days),
            ("retention.manifests_days", self.manifests_days),
        ];
        let sizes = [
            ("retention.database_max_mib", self.database_max_mib),
            ("retention.manifests_max_mib", self.manifests_max_mib),
        ];
        let bad_days = days
            .into_iter()
            .filter(|(_, days)| *days != 0 && !(DAYS_MIN..=DAYS_MAX).contains(days));
        let bad_sizes = sizes.into_iter().filter(|(_, mib)| (1..64).contains(mib));
        let told = bad_days.map(|(key, days)| {
            let remedy = format!("give a number from {DAYS_MIN} to {DAYS_MAX}, or 0 for ever");
            Problem::of(key, format!("{days} is out of range"), remedy)
        });
        let told_sizes = bad_sizes.map(|(key, mib)| {
            Problem::of(key, format!("{mib} is too little"), "give 64 or more, or 0 for no limit")
        });

        told.chain(told_sizes).collect()
    }

    /// Returns how many bytes the database may hold.
    #[must_use]
    pub const fn database_max_bytes(&self) -> Option<u64> {
        limit(self.database_max_mib)
    }
}

const fn limit(mib: u64) -> Option<u64> {
    if mib == 0 { None } else { Some(mib.saturating_mul(MIB)) }
}

/// What of one facility may go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Incidents, each with all that belongs to it.
    pub incidents: Vec<IncidentId>,
    /// Events of no incident before this moment.
    pub events_before: Option<Timestamp>,
    /// Where space is wanting, events of no incident before this one, the oldest first.
    pub pressed_before: Timestamp,
    /// Events that stay all the same.
    pub kept: BTreeSet<RecordKey>,
    /// Manifests.
    pub manifests: Vec<ManifestSeen>,
}

/// Decides what of one facility may go.
#[must_use]
pub fn plan(
    incidents: &[Incident],
    manifests: &[ManifestSeen],
    config: &RetentionConfig,
    now: Timestamp,
) -> Plan {
    let gone: BTreeSet<IncidentId> = incidents_to_go(incidents, config, now);
    let stay = || {
        incidents
            .iter()
            .filter(|incident| !gone.contains(&incident.id))
    };
    let conclusions = || stay().flat_map(|incident| &incident.conclusions);
    let guard = stay()
        .filter(|incident| is_open(incident.status))
        .map(|incident| incident.first_at - BEFORE_AN_OPEN_ONE)
        .min();
    let guarded = |before: Timestamp| guard.map_or(before, |guard| before.min(guard));
    let bursts: BTreeSet<&str> = conclusions()
        .filter_map(|conclusion| last_part(&conclusion.natural_key))
        .collect();

    Plan {
        events_before: aged(config.events_days, now).map(guarded),
        pressed_before: guarded(now - YOUNG),
        kept: conclusions()
            .flat_map(|conclusion| conclusion.records.iter().copied())
            .collect(),
        manifests: manifests_to_go(manifests, &bursts, config, now),
        incidents: gone.into_iter().collect(),
    }
}

fn aged(days: u32, now: Timestamp) -> Option<Timestamp> {
    (days != 0).then(|| {
        now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
            .unwrap_or(Timestamp::MIN)
    })
}

const fn is_open(status: Status) -> bool {
    match status {
        Status::Open | Status::Acknowledged => true,
        Status::Closed | Status::FalseAlarm | Status::Merged => false,
    }
}

fn incidents_to_go(
    incidents: &[Incident],
    config: &RetentionConfig,
    now: Timestamp,
) -> BTreeSet<IncidentId> {
    let Some(before) = aged(config.incidents_days, now) else { return BTreeSet::new() };
    // Numbers count on from the highest.
    let last = incidents.iter().map(|incident| incident.number).max();
    let old = |incident: &&Incident| {
        incident.updated_at < before
            && Some(incident.number) != last
            && !is_open(incident.status)
            && !incident.conclusions.iter().any(|c| still_stands(&c.reason))
    };
    let mut gone: BTreeSet<IncidentId> = incidents.iter().filter(old).map(|i| i.id).collect();
    // A part goes with the whole; chains of parts are short.
    loop {
        let before = gone.len();
        let stays = |id: &IncidentId| {
            !gone.contains(id) && incidents.iter().any(|incident| incident.id == *id)
        };
        let parts_of_what_stays: Vec<IncidentId> = incidents
            .iter()
            .filter(|incident| incident.merged_into.as_ref().is_some_and(stays))
            .map(|incident| incident.id)
            .collect();
        for part in parts_of_what_stays {
            gone.remove(&part);
        }
        if gone.len() == before {
            return gone;
        }
    }
}

/// Whether the rules would conclude the same again from what is still so.
const fn still_stands(reason: &Reason) -> bool {
    match reason {
        Reason::SilentHost { returned_at, .. } => returned_at.is_none(),
        Reason::Fork { .. } => true,
        Reason::MassChange { .. }
        | Reason::Outage { .. }
        | Reason::RansomwareImpact { .. }
        | Reason::Spreading { .. }
        | Reason::Loss { .. }
        | Reason::Unread { .. }
        | Reason::Intrusion { .. }
        | Reason::Pressure { .. }
        | Reason::Sighting { .. } => false,
    }
}

/// The last part of a natural key, which for what has a burst is that burst.
fn last_part(key: &NaturalKey) -> Option<&str> {
    key.as_str().rsplit('/').next()
}

fn manifests_to_go(
    manifests: &[ManifestSeen],
    bursts: &BTreeSet<&str>,
    config: &RetentionConfig,
    now: Timestamp,
) -> Vec<ManifestSeen> {
    let mut oldest_first: Vec<&ManifestSeen> = manifests.iter().collect();
    oldest_first.sort_by(|a, b| (a.received_at, &a.sha256).cmp(&(b.received_at, &b.sha256)));
    let before = aged(config.manifests_days, now);
    let mut used: u64 = manifests.iter().map(|manifest| manifest.bytes).sum();
    let mut gone = Vec::new();
    for manifest in oldest_first {
        let of_an_incident = bursts.contains(manifest.burst.to_string().as_str());
        let is_old = before.is_some_and(|before| manifest.received_at < before);
        let presses = limit(config.manifests_max_mib).is_some_and(|most| most < used)
            && manifest.received_at < now - YOUNG;
        if !of_an_incident && (is_old || presses) {
            used -= manifest.bytes;
            gone.push(manifest.clone());
        }
    }

    gone
}

#[cfg(test)]
mod tests;
