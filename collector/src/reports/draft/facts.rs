//! What the conclusions of an incident say about files, services and hosts, ready to be told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::event::{Anomaly, MassChange, OutageState};
use shirase_shared::ids::HostId;

use super::Input;
use crate::correlate::{Reason, RecordKey, Sighting};
use crate::facilities::CareRole;
use crate::records::SeenRecord;
use crate::reports::answer::RecordRef;
use crate::reports::text::plain_line;

/// Records one answer names at the most: the earliest and the latest.
const RECORDS_MAX: usize = 12;

/// Files that changed in bulk on one host.
pub(super) struct Harm<'a> {
    pub(super) host: HostId,
    pub(super) root: &'a str,
    pub(super) files: u64,
    pub(super) totals: &'a MassChange,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) records: &'a BTreeSet<RecordKey>,
}

impl Harm<'_> {
    /// Whether the files changed the way an encryptor changes them.
    pub(super) const fn encrypts(&self) -> bool {
        let totals = self.totals;
        0 < totals.suffix_appended
            + totals.extension_lost
            + totals.replaced
            + totals.magic_lost
            + totals.note_directories
    }
}

/// What an intruder did around the files.
pub(super) struct Intrusion<'a> {
    pub(super) host: HostId,
    pub(super) anomaly: &'a Anomaly,
    pub(super) first_at: Timestamp,
    pub(super) records: &'a BTreeSet<RecordKey>,
}

/// A service that is or was gone.
pub(super) struct Gone<'a> {
    pub(super) host: HostId,
    pub(super) target: &'a str,
    pub(super) state: OutageState,
    pub(super) since: Timestamp,
    pub(super) recovered_at: Option<Timestamp>,
    pub(super) roles: &'a BTreeSet<CareRole>,
    pub(super) records: &'a BTreeSet<RecordKey>,
}

/// A host that stopped reporting.
pub(super) struct Silent<'a> {
    pub(super) host: HostId,
    pub(super) last_heard_at: Timestamp,
    pub(super) returned_at: Option<Timestamp>,
    pub(super) roles: &'a BTreeSet<CareRole>,
}

/// Everything the answers are made of, by time.
pub(super) struct Facts<'a> {
    pub(super) harms: Vec<Harm<'a>>,
    pub(super) gone: Vec<Gone<'a>>,
    pub(super) silent: Vec<Silent<'a>>,
    pub(super) intrusions: Vec<Intrusion<'a>>,
    pub(super) sightings: Vec<&'a Sighting>,
    pub(super) by_key: BTreeMap<RecordKey, &'a SeenRecord>,
    names: BTreeMap<HostId, String>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        let mut facts = Self {
            harms: Vec::new(),
            gone: Vec::new(),
            silent: Vec::new(),
            intrusions: Vec::new(),
            sightings: Vec::new(),
            by_key: input
                .records
                .iter()
                .map(|record| (key_of(record), record))
                .collect(),
            names: input
                .hosts
                .iter()
                .map(|host| (host.id, plain_line(&host.name)))
                .collect(),
        };
        for conclusion in &input.incident.conclusions {
            if let Reason::Sighting { sighting } = &conclusion.reason {
                facts.sightings.push(sighting);
            }
            let Some(&host) = conclusion.hosts.first() else { continue };
            match &conclusion.reason {
                Reason::MassChange { root, files, totals, ended_at } => facts.harms.push(Harm {
                    host,
                    root: root.as_deref().unwrap_or_default(),
                    files: *files,
                    totals,
                    first_at: conclusion.first_at,
                    last_at: conclusion.last_at,
                    ended_at: *ended_at,
                    records: &conclusion.records,
                }),
                Reason::Outage { target, state, since, recovered_at, .. } => {
                    facts.gone.push(Gone {
                        host,
                        target: &target.name,
                        state: *state,
                        since: *since,
                        recovered_at: *recovered_at,
                        roles: &conclusion.care_roles,
                        records: &conclusion.records,
                    });
                }
                Reason::SilentHost { last_heard_at, returned_at, .. } => {
                    facts.silent.push(Silent {
                        host,
                        last_heard_at: *last_heard_at,
                        returned_at: *returned_at,
                        roles: &conclusion.care_roles,
                    });
                }
                Reason::Intrusion { evidence, .. } => facts.intrusions.push(Intrusion {
                    host,
                    anomaly: evidence,
                    first_at: conclusion.first_at,
                    records: &conclusion.records,
                }),
                // They stand upon those above, were taken before, or say nothing a report tells.
                Reason::RansomwareImpact { .. }
                | Reason::Spreading { .. }
                | Reason::Fork { .. }
                | Reason::Loss { .. }
                | Reason::Unread { .. }
                | Reason::Pressure { .. }
                | Reason::Sighting { .. } => {}
            }
        }
        facts.harms.sort_by_key(|harm| (harm.first_at, harm.host));
        facts.gone.sort_by_key(|gone| (gone.since, gone.host));
        facts
            .intrusions
            .sort_by_key(|seen| (seen.first_at, seen.host));
        facts
            .silent
            .sort_by_key(|silent| (silent.last_heard_at, silent.host));
        facts
            .sightings
            .sort_by_key(|sighting| (sighting.noticed_at, sighting.entered_at));

        facts
    }

    /// Returns the label of a host, or its identity while it has none.
    pub(super) fn name(&self, host: HostId) -> String {
        let name = self.names.get(&host).filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| host.to_string())
    }

    /// Returns the records of files and services, by time.
    pub(super) fn told(&self) -> Vec<RecordKey> {
        let harms = self.harms.iter().flat_map(|harm| harm.records);
        let gone = self.gone.iter().flat_map(|gone| gone.records);
        harms.chain(gone).copied().collect()
    }

    /// Names records as evidence: by time, the middle left out when there are many.
    pub(super) fn refs(&self, keys: impl IntoIterator<Item = RecordKey>) -> Vec<RecordRef> {
        let keys: BTreeSet<RecordKey> = keys.into_iter().collect();
        let found = keys.iter().filter_map(|key| self.by_key.get(key));
        let mut refs: Vec<RecordRef> = found.map(|record| self.reference(record)).collect();
        refs.sort();
        if RECORDS_MAX < refs.len() {
            let latest = refs.split_off(refs.len() - RECORDS_MAX / 2);
            refs.truncate(RECORDS_MAX / 2);
            refs.extend(latest);
        }
        refs
    }

    /// Returns the earliest record about files or services.
    pub(super) fn earliest(&self) -> Option<&'a SeenRecord> {
        let told = self.told();
        let records = told.iter().filter_map(|key| self.by_key.get(key));
        records
            .copied()
            .min_by_key(|record| (record.corrected_at, key_of(record)))
    }

    /// Returns the record of the first trace of all: a logon or a guard's end often comes before the files.
    pub(super) fn first_trace(&self) -> Option<&'a SeenRecord> {
        let harms = self.harms.iter().map(|harm| (harm.first_at, harm.records));
        let gone = self.gone.iter().map(|gone| (gone.since, gone.records));
        let intrusions = self
            .intrusions
            .iter()
            .map(|seen| (seen.first_at, seen.records));
        let (_, records) = harms
            .chain(gone)
            .chain(intrusions)
            .min_by_key(|(at, _)| *at)?;
        let records = records.iter().filter_map(|key| self.by_key.get(key));
        records
            .copied()
            .min_by_key(|record| (record.corrected_at, key_of(record)))
    }

    /// Returns the last moment anything was said about it.
    pub(super) fn last_at(&self) -> Option<Timestamp> {
        let told = self.told();
        let records = told.iter().filter_map(|key| self.by_key.get(key));
        let entered = self.sightings.iter().map(|sighting| sighting.entered_at);
        records
            .map(|record| record.corrected_at)
            .chain(entered)
            .max()
    }

    fn reference(&self, record: &SeenRecord) -> RecordRef {
        RecordRef {
            at: record.corrected_at,
            host_name: self.name(record.host),
            host: record.host,
            stream: record.stream,
            sequence: record.sequence,
            kind: record.kind.clone(),
            hash: record.hash.clone(),
        }
    }
}

fn key_of(record: &SeenRecord) -> RecordKey {
    RecordKey { host: record.host, stream: record.stream, sequence: record.sequence }
}
