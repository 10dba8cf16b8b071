//! Two facilities with people of every role, hosts that told of an attack, and what the jobs made of it.

mod asking;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::SignedDuration;
use shirase_shared::clock::{Clock, ManualClock};
use shirase_shared::event::{Event, OutageState, Phase, Severity};
use shirase_shared::ids::{
    BurstId, ContactId, DeliveryId, DrillId, FacilityId, HostId, IncidentId, ReportId, StreamId,
    UserId,
};
use shirase_shared::testing::builders::{mass_change, moment, night, numbered, outage};
use shirase_shared::tls::{install_crypto_provider, sha256_hex};
use shirase_shared::wire::{Heartbeat, SensorReport, SensorState};

use crate::approval::Verdict;
use crate::audit::Actor;
use crate::config::Config;
use crate::contacts::Column;
use crate::deliver::{Addressee, Purpose, Way, Wish};
use crate::enrolment::authority::Authority;
use crate::enrolment::{Applicant, issue_token};
use crate::exchange::OrganisationKind;
use crate::facilities::{CareRole, Duty, Facility, FacilityKind, Master, Person, Vendor};
use crate::http::{ConsoleState, EnrolmentPlace, SignInLimits, console_router};
use crate::jobs::correlate::CorrelateJob;
use crate::jobs::draft_reports::DraftReportsJob;
use crate::jobs::{Job as _, Nudge, Outcome};
use crate::keys::SigningKey;
use crate::locale::{Lang, Locale};
use crate::notify::courier::Courier;
use crate::notify::mail::MailConfig;
use crate::notify::{Channel, ChannelKind};
use crate::people::{Grants, NewUser, Role, Session, Stage, create_user};
use crate::post::Post;
use crate::records::{ManifestSeen, NewRecord, SeenRecord};
use crate::release::{ChecklistDesk, Releases, read_checklists, read_profiles};
use crate::reports::answer::NamedPerson;
use crate::store::{IssuedCertificate, Store};

pub(super) use asking::Answered;

/// Names with everything that could do harm on a page.
pub(super) const HOSTILE: &str =
    "<img src=x onerror=alert(1)>\u{202e}\u{7}'\"&{{7*7}}</textarea><script>";

/// A console with a filled database.
pub(super) struct Site {
    pub(super) store: Store,
    pub(super) clock: Arc<ManualClock>,
    pub(super) router: Router,
    pub(super) state: ConsoleState,
    pub(super) here: FacilityId,
    pub(super) there: FacilityId,
    _dir: tempfile::TempDir,
}

impl Site {
    /// Makes two facilities without hosts or people.
    pub(super) async fn empty() -> Self {
        Self::empty_as(OrganisationKind::Hospital).await
    }

    /// The same for an organisation of a kind.
    pub(super) async fn empty_as(kind: OrganisationKind) -> Self {
        install_crypto_provider();
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let clock = Arc::new(ManualClock::new(night() + SignedDuration::from_mins(5)));
        let (here, there): (FacilityId, FacilityId) =
            ("handa".parse().unwrap(), "oki".parse().unwrap());
        for (id, name) in [(&here, "半田中央病院"), (&there, "隠岐島前診療所")] {
            let new = Facility::create(id.clone(), master(name), clock.now());
            store.add_facility(&new.facility).await.unwrap();
        }
        let report_key = Arc::new(SigningKey::generate().unwrap());
        let shared: shirase_shared::clock::SharedClock = clock.clone();
        let authority = Authority::open(dir.path(), clock.now()).unwrap();
        let mut config = Config::default();
        config.organisation.kind = kind;
        let post = Post::new(&config, (&store, &shared), &authority, Arc::clone(&report_key));
        let profiles = Arc::new(read_profiles(dir.path()).unwrap());
        let state = ConsoleState {
            store: store.clone(),
            clock: shared.clone(),
            trusted_proxies: Arc::new([]),
            silence: SignedDuration::from_secs(90),
            policy_late: SignedDuration::from_mins(15),
            enrolment: EnrolmentPlace {
                url: "https://collector.example:8445".to_owned(),
                fingerprint: "ab".repeat(32),
            },
            order_key: Arc::new(SigningKey::generate().unwrap()),
            releases: Releases::new(store.clone(), shared, profiles, report_key, Path::new("")),
            checklists: ChecklistDesk {
                lists: Arc::new(read_checklists(dir.path()).unwrap()),
                events_days: 1096,
                silence: SignedDuration::from_secs(90),
            },
            post,
            nudge: Nudge::default(),
            courier: Courier::new(&MailConfig::default()).unwrap(),
            limits: SignInLimits::default(),
        };
        let router = console_router(state.clone());

        Self { store, clock, router, state, here, there, _dir: dir }
    }

    /// The same with hosts, an attack on one of them, a drill on another, and the drafts the jobs made.
    pub(super) async fn filled() -> Self {
        Self::filled_as(OrganisationKind::Hospital).await
    }

    /// The same for an organisation of a kind.
    pub(super) async fn filled_as(kind: OrganisationKind) -> Self {
        let site = Self::empty_as(kind).await;
        let ehr = site
            .host("ehr-db1", &[CareRole::Ehr, CareRole::Orders])
            .await;
        let share = site.host(HOSTILE, &[CareRole::FileShare]).await;
        let burst = BurstId::random();
        let mut grew = mass_change(burst, Phase::Grew, 4812, 40);
        grew.severity = Severity::Critical;
        let events = vec![
            mass_change(burst, Phase::Opened, 60, 0),
            grew,
            outage("postgresql", OutageState::Down, BurstId::random(), 95),
        ];
        site.records(ehr, events).await;
        let mut trained = mass_change(BurstId::random(), Phase::Opened, 120, 30);
        trained.drill = Some(DrillId::random());
        site.order(share, trained.drill.unwrap()).await;
        site.records(share, vec![trained]).await;
        let mut loss = outage(HOSTILE, OutageState::Down, BurstId::random(), 100);
        loss.root = Some(HOSTILE.to_owned());
        site.records(share, vec![loss]).await;
        let manifest = ManifestSeen {
            facility: site.here.clone(),
            host: ehr,
            burst,
            sha256: "cd".repeat(32),
            bytes: 4096,
            files: 4812,
            received_at: site.clock.now(),
        };
        site.store.add_manifest(&manifest).await.unwrap();
        for (id, kind, target) in [
            ("night-duty", ChannelKind::Mail, "night-duty@hospital.example"),
            ("chat", ChannelKind::Webhook, "https://chat.example/hooks/secret"),
        ] {
            let id = id.parse().unwrap();
            let (facility, target) = (site.here.clone(), target.to_owned());
            let channel = Channel { facility, id, kind, target, min_severity: Severity::High };
            site.store.put_alert_channel(&channel).await.unwrap();
        }
        issue_token(&site.store, &site.here, HOSTILE, SignedDuration::from_hours(4), &*site.clock)
            .await
            .unwrap();
        site.work().await;
        site
    }

    /// Lets the jobs do what is due.
    pub(super) async fn work(&self) {
        let clock: shirase_shared::clock::SharedClock = self.clock.clone();
        let nudge = self.state.nudge.clone();
        let config = crate::correlate::CorrelateConfig::default();
        let mut job = CorrelateJob::new(self.store.clone(), clock.clone(), nudge.clone(), config);
        let outcome = job.activate().await;
        assert!(!matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
        let mut job = DraftReportsJob::new(self.store.clone(), clock, nudge, Locale::new(Lang::Ja));
        let outcome = job.activate().await;
        assert!(!matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    }

    /// Enrols a host that reports.
    pub(super) async fn host(&self, name: &str, roles: &[CareRole]) -> HostId {
        let now = self.clock.now();
        let hours = SignedDuration::from_hours(1);
        let (token, _) = issue_token(&self.store, &self.here, name, hours, &*self.clock)
            .await
            .unwrap();
        let applicant = Applicant {
            token_sha256: &token.sha256,
            key_sha256: &sha256_hex(name.as_bytes()),
            hostname: name,
            os: "Debian GNU/Linux 12",
        };
        let host = self
            .store
            .let_in(&applicant, now)
            .await
            .unwrap()
            .unwrap()
            .host;
        let certificate = IssuedCertificate {
            facility: self.here.clone(),
            host,
            serial: host.as_uuid().simple().to_string(),
            key_sha256: sha256_hex(name.as_bytes()),
            authority_sha256: String::new(),
            issued_at: now,
            expires_at: now + SignedDuration::from_hours(2000),
        };
        self.store.add_certificate(&certificate).await.unwrap();
        let roles: BTreeSet<CareRole> = roles.iter().copied().collect();
        let watched = [("postgresql".to_owned(), CareRole::Ehr)].into();
        self.store
            .set_host_care((&self.here, host), &roles, &watched)
            .await
            .unwrap();
        self.beat(host, name).await;
        host
    }

    async fn beat(&self, host: HostId, name: &str) {
        let sensor = |name: &str, state, detail: &str| SensorReport {
            name: name.to_owned(),
            state,
            detail: detail.to_owned(),
        };
        let heartbeat = Heartbeat {
            stream: StreamId::random(),
            last_sequence: shirase_shared::ids::Sequence(3),
            buffer_used_bytes: 800_000,
            buffer_limit_bytes: 64_000_000,
            waiting: 2,
            sensors: vec![
                sensor("files", SensorState::Well, "notify"),
                sensor("probe ehr-web", SensorState::Blind, name),
            ],
            version: "0.1.0".to_owned(),
            hostname: name.to_owned(),
            os: "Debian GNU/Linux 12".to_owned(),
            sent: moment(290),
            config_problems: vec![],
            maintenance_until: None,
            policy: None,
            authorities: Vec::new(),
            posture: None,
        };
        let place = (&self.here, host);
        self.store
            .save_heartbeat(place, &heartbeat, self.clock.now())
            .await
            .unwrap();
    }

    async fn order(&self, host: HostId, drill: DrillId) {
        let action = shirase_shared::wire::Action::Drill { drill, files: 120 };
        let place = (self.here.clone(), host);
        let issued = crate::orders::issue(place, action, &self.state.order_key, night());
        self.store.add_order(&issued).await.unwrap();
    }

    pub(super) async fn records(&self, host: HostId, events: Vec<Event>) {
        let read = |record: shirase_shared::event::Record| {
            let raw = serde_json::to_vec(&record).unwrap();
            let event = record.event;
            let seen = SeenRecord {
                facility: self.here.clone(),
                host,
                stream: record.stream,
                sequence: record.sequence,
                hash: sha256_hex(&raw),
                kind: event.anomaly.kind().to_owned(),
                severity: Some(event.severity),
                burst: event.burst,
                drill: event.drill,
                detected_at: Some(event.detected_at),
                corrected_at: event.detected_at,
                uncertainty: Duration::from_millis(120),
                received_at: event.detected_at,
                event: Some(event),
            };
            NewRecord { seen, raw }
        };
        let records: Vec<_> = numbered(StreamId::random(), events)
            .into_iter()
            .map(read)
            .collect();
        self.store.store_batch(&records).await.unwrap();
    }

    /// Makes a person and returns the cookie and the token of a full session of theirs.
    pub(super) async fn person(&self, login: &str, grants: Grants) -> (UserId, String, String) {
        self.person_at(login, grants, Stage::Full).await
    }

    /// The same at an earlier stage of signing in.
    pub(super) async fn person_at(
        &self,
        login: &str,
        grants: Grants,
        stage: Stage,
    ) -> (UserId, String, String) {
        let name = format!("{login} {HOSTILE}").replace(['\u{202e}', '\u{7}'], "");
        let new = NewUser { login: login.to_owned(), name, grants };
        let made = create_user(&self.store, new, Actor::CommandLine, &*self.clock).await;
        let (user, _) = made.unwrap();
        let cookie = self.session(user.id, stage).await;
        (user.id, cookie, format!("csrf-{login}-{stage}"))
    }

    pub(super) async fn session(&self, user: UserId, stage: Stage) -> String {
        let login = self.store.user(user).await.unwrap().login;
        let value = format!("cookie-{login}-{stage}");
        let csrf = format!("csrf-{login}-{stage}");
        let session = Session::begin(user, stage, csrf, self.clock.now());
        self.store
            .begin_session(&sha256_hex(value.as_bytes()), &session, None)
            .await
            .unwrap();
        format!("__Host-shirase={value}")
    }

    /// Approves a report and lets it wait to be told by telephone.
    pub(super) async fn delivery(&self, report: ReportId) -> DeliveryId {
        self.approve(report).await;
        let user = UserId::random();
        let wish = Wish {
            facility: self.here.clone(),
            report,
            way: Way::Phone,
            purpose: Purpose::Report,
            addressee: Addressee {
                organisation: HOSTILE.replace(['\u{202e}', '\u{7}'], ""),
                person: String::new(),
                address: "03-0000-0000".to_owned(),
                drill_partner: true,
                contact: None,
                verified_on: None,
            },
            form: None,
            again: true,
            by: NamedPerson { user, name: "山田 花子".to_owned() },
        };
        let made = self.store.create_delivery(&wish, self.clock.now()).await;
        made.unwrap().id
    }

    /// Enters a contact in the address book.
    pub(super) async fn contact(&self, cells: &[(&str, &str)]) -> ContactId {
        let cell =
            |(column, text): &(&str, &str)| (Column::parse(column).unwrap(), (*text).to_owned());
        let cells = cells.iter().map(cell).collect();
        let entry = crate::contacts::read(&cells, "2026-02-09".parse().unwrap()).unwrap();
        let who = (Actor::CommandLine, self.clock.now());
        let added = self.store.add_contact(&self.here, &entry, who).await;
        added.unwrap().id
    }

    /// Submits a report and approves it as somebody else.
    pub(super) async fn approve(&self, report: ReportId) {
        for name in ["提出 太郎", "承認 花子"] {
            let by = NamedPerson { user: UserId::random(), name: name.to_owned() };
            let revision = self
                .store
                .report(&self.here, report)
                .await
                .unwrap()
                .revision;
            let verdict = Verdict { facility: self.here.clone(), report, revision, by };
            if name.starts_with("提出") {
                self.state.releases.submit(&verdict).await.unwrap();
            } else {
                self.state.releases.approve(&verdict).await.unwrap();
            }
        }
    }

    /// Returns the incident that is no drill, and its report.
    pub(super) async fn incident(&self) -> (IncidentId, ReportId) {
        for incident in self.store.incidents(&self.here).await.unwrap() {
            let reports = self
                .store
                .reports_of_incident(&self.here, incident.id)
                .await
                .unwrap();
            if let (None, Some(report)) = (incident.drill, reports.first()) {
                return (incident.id, report.id);
            }
        }
        panic!("there is no reportable incident");
    }
}

/// Returns the time at a site.
pub(super) fn now(site: &Site) -> jiff::Timestamp {
    site.clock.now()
}

fn master(name: &str) -> Master {
    let vendor = |system, company: &str, night: &str| Vendor {
        system,
        company: company.to_owned(),
        person: "夜間受付".to_owned(),
        phone: "052-000-0000".to_owned(),
        phone_24h: night.to_owned(),
        mail: "support@vendor.example".to_owned(),
    };
    Master {
        name: name.to_owned(),
        founder: "医療法人知多会".to_owned(),
        kind: FacilityKind::Hospital,
        beds: Some(320),
        code: "2310000001".to_owned(),
        address: "愛知県半田市1-1".to_owned(),
        prefecture: "愛知県".to_owned(),
        jurisdiction: "愛知県".to_owned(),
        people: vec![Person {
            duty: Duty::SafetyManager,
            name: "佐藤 花子".to_owned(),
            phone: "0569-00-0000".to_owned(),
            mail: "sato@hospital.example".to_owned(),
            phone_24h: "090-0000-0000".to_owned(),
        }],
        vendors: vec![
            vendor(CareRole::Ehr, "電子カルテ保守株式会社", "0120-000-111"),
            vendor(CareRole::Pacs, "画像システム株式会社", "0120-000-222"),
        ],
        ..Master::default()
    }
}

/// Returns a grant at each of several facilities.
pub(super) fn grants(facility: &FacilityId, role: Role) -> Grants {
    Grants::default().with(facility, role)
}
