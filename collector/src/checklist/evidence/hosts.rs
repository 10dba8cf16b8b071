//! What signs of life say of each host.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::event::{AgentState, Anomaly, BackupKind, ProtectionKind};
use shirase_shared::wire::{SensorReport, SensorState};

use super::seen::{Told, told};
use super::{Evidence, Known, Scope};
use crate::facilities::{CareRole, Host, HostStanding};
use crate::records::HeartbeatSeen;

/// After how many days without a change to its packages a host wants to be looked at: two rounds of monthly updates missed.
const PACKAGES_OLD_DAYS: i64 = 62;
/// Names of the agent's sensors, as signs of life carry them.
const GUARDS: &str = "service manager";
const PACKAGES: &str = "packages";
const ADMINISTRATORS: &str = "administrators";
const LOGONS: &str = "logons";
const LOG_FILES: &str = "logs and own files";
/// How the sensor of a backup begins.
const BACKUP: &str = "backup ";

pub(super) fn care_systems(known: &Known<'_>) -> Vec<Evidence> {
    let mut counts: BTreeMap<CareRole, usize> = BTreeMap::new();
    for host in known.hosts_of(&Scope::Institution) {
        for role in &host.roles {
            *counts.entry(*role).or_default() += 1;
        }
    }
    let said = |(role, count): (CareRole, usize)| {
        Evidence::plain("evidence-care-system", known.now)
            .named("system", vec![role.label_key()])
            .with("count", count)
    };
    counts.into_iter().map(said).collect()
}

pub(super) fn hosts(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let found: Vec<Evidence> = known
        .hosts_of(scope)
        .map(|host| host_line(known, host))
        .collect();
    if found.is_empty() {
        return vec![Evidence::look("evidence-no-host", known.now)];
    }
    found
}

fn host_line(known: &Known<'_>, host: &Host) -> Evidence {
    let roles = host.roles.iter().map(|role| role.label_key()).collect();
    let enrolled = crate::contacts::today(host.enrolled_at);
    let Some(heard) = known.heard.get(&host.id) else {
        let said = Evidence::look("evidence-host-never", host.enrolled_at);
        return said.of(host).with("os", &host.os).named("roles", roles);
    };
    let at = heard.received_at;
    let silent = known.silence < known.now.duration_since(at);
    let said = match host.standing(known.now) {
        HostStanding::Lapsed | HostStanding::Revoked => Evidence::look("evidence-host-lapsed", at),
        HostStanding::Enrolled if silent => Evidence::look("evidence-host-silent", at),
        HostStanding::Enrolled => Evidence::plain("evidence-host", at),
    };
    said.of(host)
        .with("os", &heard.heartbeat.os)
        .with("version", &heard.heartbeat.version)
        .named("roles", roles)
        .on("enrolled", enrolled)
}

pub(super) fn versions(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let rebooted = told(known, scope, |anomaly| {
        matches!(anomaly, Anomaly::Agent(AgentState::Started { after_reboot: true, .. }))
            .then(String::new)
    });
    let mut found = Vec::new();
    for (host, heard) in heard(known, scope) {
        let beat = &heard.heartbeat;
        found.push(
            Evidence::plain("evidence-version", heard.received_at)
                .of(host)
                .with("os", &beat.os)
                .with("version", &beat.version),
        );
        found.extend(packages(known, host, heard));
        let last = rebooted.iter().find(|one| one.host.id == host.id);
        found.extend(last.map(|last| Evidence::plain("evidence-rebooted", last.last).of(host)));
    }
    found
}

/// Says when packages of a host last changed, where its agent tells: `dpkg, last change 2026-11-20T03:00:00Z`.
fn packages(known: &Known<'_>, host: &Host, heard: &HeartbeatSeen) -> Option<Evidence> {
    let detail = &sensor(heard, PACKAGES)?.detail;
    let at: Timestamp = detail.split_whitespace().last()?.parse().ok()?;
    let age = known.now.duration_since(at);
    let said = if SignedDuration::from_hours(24 * PACKAGES_OLD_DAYS) < age {
        Evidence::look("evidence-packages", at)
    } else {
        Evidence::plain("evidence-packages", at)
    };
    Some(said.of(host))
}

pub(super) fn guards(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (host, heard) in heard(known, scope) {
        let at = heard.received_at;
        let Some(report) = sensor(heard, GUARDS) else {
            found.push(Evidence::look("evidence-guards-unseen", at).of(host));
            continue;
        };
        found.push(match (report.state, number_before(&report.detail, "guards")) {
            (SensorState::Blind, _) | (_, None) => {
                Evidence::look("evidence-guards-unseen", at).of(host)
            }
            (_, Some(0)) => Evidence::look("evidence-guards-none", at).of(host),
            (_, Some(count)) => Evidence::plain("evidence-guards", at)
                .of(host)
                .with("count", count),
        });
    }
    for (kind, key) in [
        (ProtectionKind::GuardStopped, "evidence-guard-stopped"),
        (ProtectionKind::GuardRemoved, "evidence-guard-removed"),
    ] {
        found.extend(
            protection(known, scope, kind)
                .into_iter()
                .map(|one| one.look(key)),
        );
    }
    found
}

pub(super) fn administrators(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (host, heard) in heard(known, scope) {
        let at = heard.received_at;
        let report = sensor(heard, ADMINISTRATORS);
        let count = report.and_then(|report| number_before(&report.detail, "of"));
        found.push(match count {
            Some(count) => Evidence::plain("evidence-administrators", at)
                .of(host)
                .with("count", count),
            None => Evidence::look("evidence-administrators-unseen", at).of(host),
        });
    }
    found.extend(super::seen::new_administrators(known, scope));
    found
}

pub(super) fn logs(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (host, heard) in heard(known, scope) {
        for (name, seen, unseen) in [
            (LOGONS, "evidence-logons-watched", "evidence-logons-unwatched"),
            (LOG_FILES, "evidence-logs-watched", "evidence-logs-unwatched"),
        ] {
            let state = sensor(heard, name).map(|report| report.state);
            let at = heard.received_at;
            found.push(match state {
                Some(SensorState::Well | SensorState::Degraded) => {
                    Evidence::plain(seen, at).of(host)
                }
                Some(SensorState::Blind) | None => Evidence::look(unseen, at).of(host),
            });
        }
    }
    found.extend(super::posture::log_reach(known, scope));
    for (kind, key) in [
        (ProtectionKind::LogTruncated, "evidence-log-truncated"),
        (ProtectionKind::LogRemoved, "evidence-log-removed"),
    ] {
        found.extend(
            protection(known, scope, kind)
                .into_iter()
                .map(|one| one.look(key)),
        );
    }
    if *scope == Scope::Institution {
        found.push(match known.events_days {
            0 => Evidence::plain("evidence-kept-for-ever", known.now),
            days => Evidence::plain("evidence-kept-days", known.now).with("days", days),
        });
    }
    found
}

pub(super) fn backups(known: &Known<'_>, scope: &Scope) -> Vec<Evidence> {
    let mut found = Vec::new();
    for (host, heard) in heard(known, scope) {
        let reports = heard.heartbeat.sensors.iter();
        for report in reports.filter(|report| report.name.starts_with(BACKUP)) {
            let name = report.name.strip_prefix(BACKUP).unwrap_or_default();
            let said = match report.state {
                SensorState::Well | SensorState::Degraded => {
                    Evidence::plain("evidence-backup", heard.received_at)
                }
                SensorState::Blind => Evidence::look("evidence-backup-blind", heard.received_at),
            };
            found.push(
                said.of(host)
                    .with("name", name)
                    .with("detail", &report.detail),
            );
        }
    }
    if found.is_empty() {
        found.push(Evidence::look("evidence-backup-unwatched", known.now));
    }
    for (kind, key) in [
        (BackupKind::JobOverdue, "evidence-backup-overdue"),
        (BackupKind::TreeHarmed, "evidence-backup-harmed"),
        (BackupKind::SnapshotsRemoved, "evidence-snapshots-removed"),
    ] {
        let lost = told(known, scope, |anomaly| {
            let Anomaly::Backup(loss) = anomaly else { return None };
            (loss.what == kind).then(|| loss.name.clone())
        });
        found.extend(lost.into_iter().map(|one| one.look(key)));
    }
    found
}

fn protection<'a>(known: &'a Known<'_>, scope: &'a Scope, kind: ProtectionKind) -> Vec<Told<'a>> {
    told(known, scope, |anomaly| {
        let Anomaly::Protection(lost) = anomaly else { return None };
        (lost.what == kind).then(|| lost.name.clone())
    })
}

/// Returns the hosts in scope that were ever heard.
pub(super) fn heard<'a>(
    known: &'a Known<'_>,
    scope: &'a Scope,
) -> impl Iterator<Item = (&'a Host, &'a HeartbeatSeen)> {
    known
        .hosts_of(scope)
        .filter_map(|host| Some((host, known.heard.get(&host.id)?)))
}

fn sensor<'a>(heard: &'a HeartbeatSeen, name: &str) -> Option<&'a SensorReport> {
    heard
        .heartbeat
        .sensors
        .iter()
        .find(|report| report.name == name)
}

/// Returns the number that stands before a word in what a sensor says of itself, such as `systemd, 2 guards`.
fn number_before(detail: &str, word: &str) -> Option<u64> {
    let words: Vec<&str> = detail.split_whitespace().collect();
    words.windows(2).find_map(|pair| match pair {
        [number, next] if next.trim_end_matches(',') == word => number.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_where_sensors_put_it_and_nowhere_else() {
        assert_eq!(number_before("systemd, 2 guards", "guards"), Some(2));
        assert_eq!(number_before("service control manager, 0 guards", "guards"), Some(0));
        assert_eq!(number_before("3 of them", "of"), Some(3));
        assert_eq!(number_before("no bus", "guards"), None);
        assert_eq!(number_before("guards", "guards"), None);
    }
}
