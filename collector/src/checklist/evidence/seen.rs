//! What hosts told over the last year: how often, and when last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::event::{AgentState, Anomaly, LogonKind, Phase};
use shirase_shared::ids::HostId;

use super::{Evidence, Known, Scope};
use crate::facilities::Host;

/// Sources named at the most.
const SOURCES_MAX: usize = 5;

/// One kind of thing a host told of one thing, counted.
pub(super) struct Told<'a> {
    /// The host.
    pub(super) host: &'a Host,
    /// What it is about: a guard, a log, a backup.
    pub(super) name: String,
    /// How often.
    pub(super) count: u64,
    /// When last, on the collector's time line.
    pub(super) last: Timestamp,
}

impl Told<'_> {
    /// Says it as something to look at.
    pub(super) fn look(self, key: &'static str) -> Evidence {
        let said = Evidence::look(key, self.last).of(self.host);
        said.with("name", self.name).with("count", self.count)
    }
}

/// Counts what hosts in scope told, each burst once and drills not at all; `name` chooses and names it.
pub(super) fn told<'a>(
    known: &'a Known<'_>,
    scope: &'a Scope,
    name: impl Fn(&Anomaly) -> Option<String>,
) -> Vec<Told<'a>> {
    let mut counted: BTreeMap<(HostId, String), (u64, Timestamp)> = BTreeMap::new();
    for record in known.records.iter().filter(|record| record.drill.is_none()) {
        let Some(event) = &record.event else { continue };
        if !matches!(event.phase, Phase::Opened | Phase::Once) {
            continue;
        }
        let Some(name) = name(&event.anomaly) else { continue };
        let entry = counted
            .entry((record.host, name))
            .or_insert((0, record.corrected_at));
        entry.0 += 1;
        entry.1 = entry.1.max(record.corrected_at);
    }
    let mut found = Vec::new();
    for host in known.hosts_of(scope) {
        let of_host = counted.iter().filter(|((id, _), _)| *id == host.id);
        found.extend(of_host.map(|((_, name), (count, last))| Told {
            host,
            name: name.clone(),
            count: *count,
            last: *last,
        }));
    }
    found
}

pub(super) fn remote_sessions(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = logons(known, scope, &[LogonKind::RemoteOutOfHours])
        .into_iter()
        .map(|(one, sources)| one.look("evidence-remote").with("sources", sources))
        .collect();
    if found.is_empty() && known.hosts_of(scope).next().is_some() {
        found.push(Evidence::plain("evidence-remote-none", known.now).dated("since", known.since));
    }
    found
}

pub(super) fn logon_failures(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let bursts = logons(known, scope, &[LogonKind::FailureBurst]);
    let after = logons(known, scope, &[LogonKind::SuccessAfterFailures]);
    let said =
        |key| move |(one, sources): (Told<'_>, String)| one.look(key).with("sources", sources);
    let mut found: Vec<Evidence> = bursts.into_iter().map(said("evidence-failures")).collect();
    found.extend(
        after
            .into_iter()
            .map(said("evidence-success-after-failures")),
    );
    if found.is_empty() && known.hosts_of(scope).next().is_some() {
        found
            .push(Evidence::plain("evidence-failures-none", known.now).dated("since", known.since));
    }
    found
}

pub(super) fn new_administrators(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    logons(known, scope, &[LogonKind::NewAdministrator])
        .into_iter()
        .map(|(one, _)| one.look("evidence-new-administrator"))
        .collect()
}

pub(super) fn drills(known: &Known<'_>) -> Vec<Evidence> {
    let mut done: BTreeMap<HostId, (u64, Timestamp)> = BTreeMap::new();
    for record in known.records {
        let Some(event) = &record.event else { continue };
        if let Anomaly::Agent(AgentState::DrillEnded { .. }) = event.anomaly {
            let entry = done.entry(record.host).or_insert((0, record.corrected_at));
            entry.0 += 1;
            entry.1 = entry.1.max(record.corrected_at);
        }
    }
    let of_host = |host: &Host| {
        let (count, last) = done.get(&host.id)?;
        Some(
            Evidence::plain("evidence-drill", *last)
                .of(host)
                .with("count", count),
        )
    };
    let found: Vec<Evidence> = known
        .hosts_of(&Scope::Institution)
        .filter_map(of_host)
        .collect();
    if found.is_empty() {
        return vec![Evidence::look("evidence-drill-none", known.now).dated("since", known.since)];
    }
    found
}

/// Counts logons of some kinds by host, with the addresses they came from.
fn logons<'a>(
    known: &'a Known<'_>,
    scope: &'a Scope,
    kinds: &[LogonKind],
) -> Vec<(Told<'a>, String)> {
    let counted = told(known, scope, |anomaly| {
        let Anomaly::Logon(logon) = anomaly else { return None };
        kinds.contains(&logon.what).then(String::new)
    });
    let with_sources = |one: Told<'a>| {
        let sources = sources(known, one.host.id, kinds);
        (one, sources)
    };
    counted.into_iter().map(with_sources).collect()
}

/// Returns the first addresses of a host's logons, and a mark where there are more; a dash where nobody could tell.
fn sources(known: &Known<'_>, host: HostId, kinds: &[LogonKind]) -> String {
    let mut found: Vec<&str> = Vec::new();
    for record in known.records.iter().filter(|record| record.host == host) {
        let Some(Anomaly::Logon(logon)) = record.event.as_ref().map(|event| &event.anomaly) else {
            continue;
        };
        if record.drill.is_some() || !kinds.contains(&logon.what) {
            continue;
        }
        for source in &logon.sources {
            if !found.contains(&source.as_str()) {
                found.push(source);
            }
        }
    }
    if found.is_empty() {
        return "–".to_owned();
    }
    let more = if SOURCES_MAX < found.len() { " …" } else { "" };
    let first: Vec<&str> = found.into_iter().take(SOURCES_MAX).collect();
    format!("{}{more}", first.join(" "))
}
