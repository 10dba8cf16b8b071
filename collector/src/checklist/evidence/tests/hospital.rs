//! A hospital of which everything is known that can be.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shirase_shared::event::{
    AgentState, Anomaly, BackupKind, BackupLoss, Event, Logon, LogonKind, Phase, Protection,
    ProtectionKind, Severity,
};
use shirase_shared::ids::{DrillId, HostId, Sequence, StreamId, UserId};
use shirase_shared::posture::{
    Accounts, Few, IdleAccount, Listener, Look, Posture, Reach, Transport, Unseen, UsbBar,
    UsbStorage,
};
use shirase_shared::testing::builders::moment;
use shirase_shared::wire::{Heartbeat, SensorReport, SensorState};

use super::super::*;
use crate::contacts::{Column, ContactAct, Filled, offices};
use crate::facilities::Master;
use crate::locale::Lang;
use crate::reports::profile::Profiles;

pub(super) fn now() -> Timestamp {
    "2026-11-26T00:00:00Z".parse().unwrap()
}

/// A hospital with two hosts: one that sees everything and is heard, one that is silent.
pub(super) struct Hospital {
    facility: Facility,
    hosts: Vec<Host>,
    pub(super) heard: BTreeMap<HostId, HeartbeatSeen>,
    records: Vec<SeenRecord>,
    users: Vec<User>,
    contacts: Vec<Contact>,
}

impl Hospital {
    pub(super) fn bare() -> Self {
        let new = Facility::create("handa".parse().unwrap(), Master::default(), now());
        Self {
            facility: new.facility,
            hosts: Vec::new(),
            heard: BTreeMap::new(),
            records: Vec::new(),
            users: Vec::new(),
            contacts: Vec::new(),
        }
    }

    fn host(
        &mut self,
        name: &str,
        role: CareRole,
        sensors: &[(&str, SensorState, &str)],
    ) -> HostId {
        let id = HostId::random();
        let hours = SignedDuration::from_hours(24);
        self.hosts.push(Host {
            facility: self.facility.id.clone(),
            id,
            name: name.to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            roles: [role].into(),
            watched: BTreeMap::new(),
            enrolled_at: now() - hours,
            revoked_at: None,
            certificate_expires_at: Some(now() + hours),
        });
        let report = |(name, state, detail): &(&str, SensorState, &str)| SensorReport {
            name: (*name).to_owned(),
            state: *state,
            detail: (*detail).to_owned(),
        };
        let heartbeat = Heartbeat {
            stream: StreamId::random(),
            last_sequence: Sequence(3),
            buffer_used_bytes: 1,
            buffer_limit_bytes: 2,
            waiting: 0,
            sensors: sensors.iter().map(report).collect(),
            version: "0.1.0".to_owned(),
            hostname: name.to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            sent: moment(0),
            config_problems: Vec::new(),
            maintenance_until: None,
            policy: None,
            authorities: Vec::new(),
            posture: None,
        };
        self.heard
            .insert(id, HeartbeatSeen { host: id, received_at: now(), heartbeat });
        id
    }

    fn told(&mut self, host: HostId, anomaly: Anomaly, hours_ago: i64, drill: Option<DrillId>) {
        let at = now() - SignedDuration::from_hours(hours_ago);
        let kind = anomaly.kind().to_owned();
        let event = Event {
            schema: 1,
            anomaly,
            phase: Phase::Once,
            burst: None,
            severity: Severity::High,
            detected_at: at,
            first_change_at: None,
            moment: moment(0),
            root: None,
            files_affected: 0,
            reason: String::new(),
            drill,
        };
        self.records.push(SeenRecord {
            facility: self.facility.id.clone(),
            host,
            stream: StreamId::random(),
            sequence: Sequence(1),
            hash: String::new(),
            kind,
            severity: Some(Severity::High),
            burst: None,
            drill,
            event: Some(event),
            detected_at: Some(at),
            corrected_at: at,
            uncertainty: Duration::ZERO,
            received_at: at,
        });
    }

    fn user(&mut self, second_factor: bool, must_change: bool, disabled: Option<Timestamp>) {
        self.users.push(User {
            id: UserId::random(),
            login: "x".to_owned(),
            name: "x".to_owned(),
            must_change,
            second_factor,
            created: now(),
            disabled,
        });
    }

    fn contact(&mut self, cells: &[(Column, &str)]) {
        let cells: Filled = cells
            .iter()
            .map(|(column, text)| (*column, (*text).to_owned()))
            .collect();
        let entry = crate::contacts::read(&cells, crate::contacts::today(now())).unwrap();
        self.contacts.push(Contact {
            facility: self.facility.id.clone(),
            id: shirase_shared::ids::ContactId::random(),
            revision: 1,
            details: entry.details,
            verified: entry.verified,
            act: ContactAct::Added,
            set_by: crate::audit::Actor::CommandLine,
            set_at: now(),
        });
    }

    /// Says what is known for a basis: `host! words` where it wants to be looked at, `host words` where not.
    pub(super) fn said(&self, basis: Basis, scope: &Scope, lang: Lang) -> Vec<String> {
        let profiles = Profiles::with_files(&[]).unwrap();
        let chart = Chart::of(&self.contacts, &offices(&profiles, now()), now());
        let known = Known {
            facility: &self.facility,
            hosts: &self.hosts,
            heard: &self.heard,
            records: &self.records,
            since: now() - SignedDuration::from_hours(365 * 24),
            users: &self.users,
            contacts: &self.contacts,
            chart: &chart,
            events_days: 1096,
            silence: SignedDuration::from_secs(90),
            now: now(),
        };
        let found = evidence(basis, &known, scope);
        let line = |one: &Evidence| {
            let look = if one.weight == EvidenceWeight::Look { "!" } else { "" };
            let host = one.host.clone().unwrap_or_default();
            format!("{host}{look} {}", one.words(Locale::new(lang)))
        };
        found.iter().map(line).collect()
    }

    pub(super) fn en(&self, basis: Basis) -> String {
        self.said(basis, &Scope::Institution, Lang::En).join("\n")
    }
}

fn posture() -> Posture {
    let listener = |program: &str, port, reach| Listener {
        program: program.to_owned(),
        transport: Transport::Tcp,
        port,
        reach,
    };
    let idle = |name: &str, last: Option<&str>| IdleAccount {
        name: name.to_owned(),
        last: last.map(|last| last.parse().unwrap()),
    };
    Posture {
        looked_at: now(),
        listeners: Look::Seen(Few {
            first: vec![
                listener("smbd", 139, Reach::Network),
                listener("smbd", 445, Reach::Network),
                listener("sshd", 22, Reach::Network),
                listener("postgres", 5432, Reach::Host),
            ],
            more: 3,
        }),
        remote_tools: Look::Seen(Few::of(vec!["AnyDesk".to_owned(), "xrdp".to_owned()])),
        accounts: Look::Seen(Accounts {
            usable: 4,
            idle_days: 90,
            idle: 2,
            named: Some(Few::of(vec![
                idle("left", None),
                idle("sato", Some("2026-04-30T20:00:00Z")),
            ])),
        }),
        usb_storage: Look::Seen(UsbStorage {
            barred_by: vec![UsbBar::DriverDisabled, UsbBar::PolicyDenied],
            attached: 0,
        }),
        logs_since: Look::Unseen(Unseen::NoRight),
    }
}

pub(super) fn full() -> Hospital {
    let mut hospital = Hospital::bare();
    let well = SensorState::Well;
    let ehr = hospital.host(
        "ehr1",
        CareRole::Ehr,
        &[
            ("service manager", well, "systemd, 2 guards"),
            ("administrators", well, "3 of them"),
            ("logons", well, "reads the journal"),
            ("packages", well, "dpkg, last change 2026-11-20T03:00:00Z"),
            ("logs and own files", well, "4 logs"),
            ("backup nightly", well, "newest file from 2026-11-25T18:00:00Z"),
        ],
    );
    let pacs = hospital.host(
        "pacs1",
        CareRole::Pacs,
        &[
            ("service manager", well, "systemd, 0 guards"),
            ("packages", well, "dpkg, last change 2026-08-20T03:00:00Z"),
        ],
    );
    if let Some(heard) = hospital.heard.get_mut(&ehr) {
        heard.heartbeat.posture = Some(posture());
    }
    if let Some(heard) = hospital.heard.get_mut(&pacs) {
        heard.received_at = now() - SignedDuration::from_hours(5);
    }
    let guard = |what| {
        Anomaly::Protection(Protection {
            what,
            name: "av.service".to_owned(),
            detail: String::new(),
        })
    };
    let logon = |what| {
        Anomaly::Logon(Logon {
            what,
            count: 9,
            accounts: vec![],
            sources: vec!["192.0.2.7".to_owned()],
        })
    };
    for hours in [50, 20] {
        hospital.told(ehr, guard(ProtectionKind::GuardStopped), hours, None);
    }
    hospital.told(ehr, guard(ProtectionKind::GuardStopped), 1, Some(DrillId::random()));
    hospital.told(pacs, guard(ProtectionKind::LogTruncated), 30, None);
    hospital.told(ehr, logon(LogonKind::FailureBurst), 30, None);
    hospital.told(ehr, logon(LogonKind::NewAdministrator), 10, None);
    let overdue = BackupLoss {
        what: BackupKind::JobOverdue,
        name: "nightly".to_owned(),
        count: 0,
        last_good: None,
        detail: String::new(),
    };
    hospital.told(ehr, Anomaly::Backup(overdue), 40, None);
    let started =
        AgentState::Started { version: "0.1.0".to_owned(), after_reboot: true, last_alive: None };
    hospital.told(ehr, Anomaly::Agent(started), 100, None);
    let drilled = Anomaly::Agent(AgentState::DrillEnded { files: 40 });
    hospital.told(ehr, drilled, 60, Some(DrillId::random()));
    hospital.user(true, false, None);
    hospital.user(false, true, None);
    hospital.user(true, false, Some(now()));
    hospital.contact(&[
        (Column::Kind, "staff"),
        (Column::Duty, "safety_manager"),
        (Column::Person, "佐藤 花子"),
        (Column::Phone, "0569-00-0000"),
    ]);
    hospital
}
