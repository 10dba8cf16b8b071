//! Nights told in few words, for tests.
//!
//! One line a fact: `seconds host word …`. Hosts are `ehr1`, `ehr2` (電子カルテ), `pacs1`, `share1`, `backup1` and
//! `misc1` (no role). Words: `change BURST FILES SEVERITY [.SUFFIX] [ended] [drill]`, `down|flap|up TARGET OUTAGE`,
//! `disk`, `clock`, `loss`, `logon [ADDRESS]`, `print`, `stops`, `unguarded`, `backup harmed|late`, `stopping`, `started`, `heard`, `fork NUMBER`, `unread KIND`, `listening-until SECONDS`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::event::{
    AgentState, Anomaly, BackupKind, BackupLoss, Event, Logon, LogonKind, Loss, LossKind,
    MassChange, Outage, OutageState, Phase, Pressure, PrintBurst, Protection, ProtectionKind,
    SCHEMA, Severity, StopCause, Stops, Target, WatchedAs,
};
use shirase_shared::ids::{BurstId, DrillId, FacilityId, HostId, Sequence, StreamId};
use shirase_shared::testing::builders::{moment, night};
use uuid::Uuid;

use super::{Conclusion, CorrelateConfig, Input, Names};
use crate::facilities::{CareRole, Host};
use crate::records::{Fork, ListeningSpan, SeenRecord};

/// The hosts a scene can name, with what they do for care.
const HOSTS: &[(&str, &[CareRole])] = &[
    ("ehr1", &[CareRole::Ehr]),
    ("ehr2", &[CareRole::Ehr]),
    ("pacs1", &[CareRole::Pacs]),
    ("share1", &[CareRole::FileShare]),
    ("backup1", &[CareRole::Backup]),
    ("misc1", &[]),
];

pub(crate) fn facility() -> FacilityId {
    "handa-hp".parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    night() + SignedDuration::from_secs(seconds)
}

fn id_of(space: u128, name: &str) -> Uuid {
    let number = name
        .bytes()
        .fold(0_u128, |sum, byte| sum * 256 + u128::from(byte));
    Uuid::from_u128((space << 96) + number)
}

pub(crate) fn host(name: &str) -> HostId {
    assert!(HOSTS.iter().any(|(known, _)| *known == name), "no host `{name}`");
    HostId::from_uuid(id_of(1, name))
}

pub(crate) fn drill() -> DrillId {
    DrillId::from_uuid(id_of(9, "drill"))
}

pub(crate) fn names() -> Names {
    let hosts = HOSTS
        .iter()
        .map(|(name, _)| (host(name), (*name).to_owned()));
    Names { hosts: hosts.collect(), users: BTreeMap::new() }
}

/// Hosts as they are stored.
pub(crate) fn hosts() -> Vec<Host> {
    let host = |(name, roles): &(&str, &[CareRole])| Host {
        facility: facility(),
        id: host(name),
        name: (*name).to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
        roles: roles.iter().copied().collect(),
        watched: BTreeMap::new(),
        enrolled_at: at(-86_400),
        revoked_at: None,
        certificate_expires_at: Some(at(86_400)),
    };
    HOSTS.iter().map(host).collect()
}

/// Reads a night. It is frozen at its last second; the collector was listening all the time unless it says otherwise.
#[track_caller]
pub(crate) fn scene(lines: &str) -> Input {
    let mut input = Input {
        facility: facility(),
        as_of: at(0),
        config: CorrelateConfig::default(),
        hosts: hosts().into_iter().map(|host| (host.id, host)).collect(),
        records: Vec::new(),
        heartbeats: BTreeMap::new(),
        listening: Vec::new(),
        forks: Vec::new(),
        ordered_drills: HOSTS
            .iter()
            .map(|(name, _)| (host(name), drill()))
            .collect(),
        windows: Vec::new(),
        known: Vec::new(),
    };
    let mut until = None;
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let seconds: i64 = words[0]
            .parse()
            .unwrap_or_else(|_| panic!("no seconds in `{line}`"));
        input.as_of = input.as_of.max(at(seconds));
        let number = u64::try_from(input.records.len()).unwrap() + 1;
        match &words[1..] {
            ["listening-until", last] => until = Some(at(last.parse().unwrap())),
            [name, "heard"] => drop(input.heartbeats.insert(host(name), at(seconds))),
            [name, "fork", sequence] => input.forks.push(Fork {
                host: host(name),
                stream: stream(name),
                sequence: Sequence(sequence.parse().unwrap()),
                noticed_at: at(seconds),
            }),
            [name, "unread", kind] => {
                input.records.push(SeenRecord {
                    event: None,
                    kind: (*kind).to_owned(),
                    ..seen(name, number, tell(&["disk"], seconds))
                });
            }
            [name, told @ ..] => input.records.push(seen(name, number, tell(told, seconds))),
            [] => panic!("nothing happens in `{line}`"),
        }
    }
    let last_at = until.unwrap_or(input.as_of);
    input
        .listening
        .push(ListeningSpan { started_at: at(-86_400), last_at });

    input
}

fn stream(host: &str) -> StreamId {
    StreamId::from_uuid(id_of(2, host))
}

fn seen(name: &str, number: u64, event: Event) -> SeenRecord {
    SeenRecord {
        facility: facility(),
        host: host(name),
        stream: stream(name),
        sequence: Sequence(number),
        hash: format!("{number:064x}"),
        kind: event.anomaly.kind().to_owned(),
        severity: Some(event.severity),
        burst: event.burst,
        drill: event.drill,
        detected_at: Some(event.detected_at),
        corrected_at: event.detected_at,
        uncertainty: Duration::from_millis(40),
        received_at: event.detected_at + SignedDuration::from_secs(1),
        event: Some(event),
    }
}

#[track_caller]
fn tell(words: &[&str], seconds: i64) -> Event {
    let plain = |anomaly, severity| event(anomaly, Phase::Once, severity, seconds);
    match words {
        ["change", burst, files, severity, more @ ..] => {
            change((burst, files.parse().unwrap()), severity, more, seconds)
        }
        ["down", target, burst] => outage((target, burst), OutageState::Down, seconds),
        ["flap", target, burst] => outage((target, burst), OutageState::Flapping, seconds),
        ["up", target, burst] => outage((target, burst), OutageState::Recovered, seconds),
        ["disk"] => {
            let pressure =
                Pressure::DiskNearlyFull { mount: "/".to_owned(), free_bytes: 5, total_bytes: 100 };
            plain(Anomaly::Pressure(pressure), Severity::High)
        }
        ["clock"] => {
            plain(Anomaly::Pressure(Pressure::ClockJump { by_ms: -90_000 }), Severity::Low)
        }
        ["loss"] => {
            let loss =
                Loss { what: LossKind::KernelQueue, count: None, detail: "16384".to_owned() };
            plain(Anomaly::Loss(loss), Severity::High)
        }
        ["logon", from @ ..] => plain(
            Anomaly::Logon(Logon {
                what: LogonKind::SuccessAfterFailures,
                count: 1,
                accounts: vec!["root".to_owned()],
                sources: vec![from.first().map_or("192.0.2.7", |from| from).to_owned()],
            }),
            Severity::High,
        ),
        ["print"] => {
            let burst = PrintBurst { jobs: 120, printers: 9, same_title: 120, window_secs: 60 };
            plain(Anomaly::Print(burst), Severity::High)
        }
        ["stops"] => {
            let names = vec!["postgresql.service".to_owned(), "smbd.service".to_owned()];
            plain(Anomaly::Stops(Stops { count: 7, names, window_secs: 60 }), Severity::High)
        }
        ["unguarded"] => plain(
            Anomaly::Protection(Protection {
                what: ProtectionKind::GuardStopped,
                name: "clamav-daemon.service".to_owned(),
                detail: String::new(),
            }),
            Severity::High,
        ),
        ["backup", what] => {
            let (what, severity) = match *what {
                "harmed" => (BackupKind::TreeHarmed, Severity::High),
                "late" => (BackupKind::JobOverdue, Severity::High),
                other => panic!("`{other}` does not happen to a backup"),
            };
            let loss = BackupLoss {
                what,
                name: "nightly".to_owned(),
                count: 30,
                last_good: Some(at(-86_400)),
                detail: String::new(),
            };
            plain(Anomaly::Backup(loss), severity)
        }
        ["stopping"] => plain(stopping(StopCause::Unsaid), Severity::Low),
        ["rebooting"] => plain(stopping(StopCause::Reboot), Severity::Low),
        ["started"] => {
            let started = AgentState::Started {
                version: "0.1.0".to_owned(),
                after_reboot: false,
                last_alive: None,
            };
            plain(Anomaly::Agent(started), Severity::Low)
        }
        other => panic!("`{other:?}` cannot be told"),
    }
}

const fn stopping(cause: StopCause) -> Anomaly {
    Anomaly::Agent(AgentState::Stopping { cause })
}

fn event(anomaly: Anomaly, phase: Phase, severity: Severity, seconds: i64) -> Event {
    Event {
        schema: SCHEMA,
        anomaly,
        phase,
        burst: None,
        severity,
        detected_at: at(seconds),
        first_change_at: Some(at(seconds)),
        moment: moment(seconds.max(0)),
        root: None,
        files_affected: 0,
        reason: String::new(),
        drill: None,
    }
}

fn change((burst, files): (&str, u64), severity: &str, more: &[&str], seconds: i64) -> Event {
    let severity = serde_json::from_value(severity.into()).unwrap();
    let mut phase = Phase::Grew;
    let mut suffixes = BTreeMap::new();
    let mut drill_id = None;
    for word in more {
        match (*word, word.strip_prefix('.')) {
            (_, Some(suffix)) => drop(suffixes.insert(suffix.to_owned(), files)),
            ("ended", None) => phase = Phase::Ended,
            ("drill", None) => drill_id = Some(drill()),
            (other, None) => panic!("`{other}` says nothing of a change"),
        }
    }
    let evidence =
        MassChange { suffix_appended: files, suffixes, directories: 3, ..MassChange::default() };
    Event {
        burst: Some(BurstId::from_uuid(id_of(3, burst))),
        root: Some("share".to_owned()),
        files_affected: files,
        drill: drill_id,
        ..event(Anomaly::MassChange(evidence), phase, severity, seconds)
    }
}

fn outage((name, burst): (&str, &str), state: OutageState, seconds: i64) -> Event {
    let evidence = Outage {
        target: Target { watched_as: WatchedAs::Service, name: name.to_owned() },
        state,
        since: at(seconds),
        last_good: None,
        changes: 0,
        detail: "inactive (dead)".to_owned(),
    };
    let (phase, severity) = match state {
        OutageState::Down => (Phase::Opened, Severity::Medium),
        OutageState::Flapping => (Phase::Grew, Severity::Medium),
        OutageState::Recovered => (Phase::Ended, Severity::Low),
    };
    Event {
        burst: Some(BurstId::from_uuid(id_of(4, burst))),
        ..event(Anomaly::Outage(evidence), phase, severity, seconds)
    }
}

/// Names a host as the scene does.
pub(crate) fn name(id: HostId) -> &'static str {
    let found = HOSTS.iter().find(|(name, _)| host(name) == id);
    found.map_or("unknown", |(name, _)| name)
}

/// Shows a conclusion in one line: rule, severity, hosts, and 訓練 for a drill.
pub(crate) fn show(conclusion: &Conclusion) -> String {
    let hosts: BTreeSet<&str> = conclusion.hosts.iter().map(|id| name(*id)).collect();
    let hosts = hosts.into_iter().collect::<Vec<_>>().join("+");
    let mark = if conclusion.drill.is_some() { " drill" } else { "" };
    format!("{} {} {hosts}{mark}", conclusion.rule, conclusion.severity)
}
