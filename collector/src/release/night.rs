//! A night at one hospital for tests: hosts tell, the rules conclude, the draft is made, people decide.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::SignedDuration;
use shirase_shared::clock::{Clock as _, ManualClock};
use shirase_shared::event::{Event, OutageState, Phase, Severity};
use shirase_shared::ids::{BurstId, FacilityId, HostId, StreamId, UserId};
use shirase_shared::testing::builders::{mass_change, night, numbered, outage};
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::record_hash;

use super::Releases;
use crate::approval::{RuleLayer, Submission, Verdict};
use crate::audit::Actor;
use crate::correlate::CorrelateConfig;
use crate::enrolment::{Applicant, Token};
use crate::facilities::{
    CareRole, Duty, Facility, FacilityKind, Master, Person, SelfApproval, Vendor,
};
use crate::incidents::{Act, Incident};
use crate::jobs::correlate::correlate_facility;
use crate::jobs::draft_reports::DraftReportsJob;
use crate::jobs::{Job, Nudge, Outcome};
use crate::keys::SigningKey;
use crate::locale::{Lang, Locale};
use crate::people::{Grants, Role, User};
use crate::records::{NewRecord, SeenRecord};
use crate::reports::answer::{AnswerStatus, NamedPerson, Value};
use crate::reports::fields::Field;
use crate::reports::profile::Profiles;
use crate::reports::{AnswerChange, Report, Sheet};
use crate::store::{RuleChange, Store};

/// One key for all tests of this process; making one is slow.
static KEY: LazyLock<Arc<SigningKey>> =
    LazyLock::new(|| Arc::new(SigningKey::generate().expect("random numbers")));

pub(crate) struct Night {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) facility: FacilityId,
    pub(crate) releases: Releases,
    pub(crate) file_server: HostId,
    pub(crate) records_server: HostId,
    nudge: Nudge,
    job: DraftReportsJob,
    streams: BTreeMap<HostId, (StreamId, u64)>,
    _dir: tempfile::TempDir,
}

pub(crate) fn author() -> NamedPerson {
    person(1, "山田 花子")
}

pub(crate) fn approver() -> NamedPerson {
    person(2, "半田 太郎")
}

fn person(number: u128, name: &str) -> NamedPerson {
    let user = UserId::from_uuid(uuid::Uuid::from_u128(number));
    NamedPerson { user, name: name.to_owned() }
}

fn master() -> Master {
    let staff = |duty, name: &str| Person {
        duty,
        name: name.to_owned(),
        phone: "0569-00-0001".to_owned(),
        mail: String::new(),
        phone_24h: "090-0000-0001".to_owned(),
    };
    let vendor = Vendor {
        system: CareRole::Ehr,
        company: "日本電子カルテ保守株式会社".to_owned(),
        person: String::new(),
        phone: "052-000-0000".to_owned(),
        phone_24h: String::new(),
        mail: String::new(),
    };
    Master {
        name: "半田中央総合病院".to_owned(),
        founder: "医療法人社団知多会".to_owned(),
        kind: FacilityKind::Hospital,
        beds: Some(412),
        people: vec![staff(Duty::Director, "半田 太郎"), staff(Duty::Contact, "山田 花子")],
        vendors: vec![vendor],
        ..Master::default()
    }
}

impl Night {
    pub(crate) async fn begin() -> Self {
        Self::with(Path::new("")).await
    }

    /// Begins with a font of one's own choice.
    pub(crate) async fn with(font: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let clock = Arc::new(ManualClock::new(night() + SignedDuration::from_secs(600)));
        let facility: FacilityId = "handa-hp".parse().unwrap();
        let made = Facility::create(facility.clone(), master(), clock.now());
        store.add_facility(&made.facility).await.unwrap();
        let nudge = Nudge::default();
        let profiles = Arc::new(Profiles::with_files(&[]).unwrap());
        let releases = Releases::new(store.clone(), clock.clone(), profiles, KEY.clone(), font);
        let locale = Locale::new(Lang::Ja);
        let job = DraftReportsJob::new(store.clone(), clock.clone(), nudge.clone(), locale);
        let mut night = Self {
            file_server: HostId::random(),
            records_server: HostId::random(),
            streams: BTreeMap::new(),
            _dir: dir,
            store,
            clock,
            facility,
            releases,
            nudge,
            job,
        };
        night.file_server = night.enrol("file-sv01", CareRole::FileShare).await;
        night.records_server = night.enrol("ehr-db1", CareRole::Ehr).await;
        night
    }

    async fn enrol(&self, name: &str, role: CareRole) -> HostId {
        let now = self.clock.now();
        let token = Token {
            facility: self.facility.clone(),
            sha256: sha256_hex(name.as_bytes()),
            label: name.to_owned(),
            created_at: now,
            expires_at: now + SignedDuration::from_hours(1),
            revoked_at: None,
            used_at: None,
            used_key_sha256: None,
            host: None,
        };
        self.store.add_token(&token).await.unwrap();
        let applicant = Applicant {
            token_sha256: &token.sha256,
            key_sha256: name,
            hostname: name,
            os: "Debian GNU/Linux 12",
        };
        let let_in = self.store.let_in(&applicant, now).await.unwrap().unwrap();
        let roles = BTreeSet::from([role]);
        let key = (&self.facility, let_in.host);
        self.store
            .set_host_care(key, &roles, &BTreeMap::new())
            .await
            .unwrap();
        let_in.host
    }

    /// A host tells something, the rules run and the drafts follow; returns what the job came to.
    pub(crate) async fn tell(&mut self, host: HostId, events: Vec<Event>) -> Outcome {
        let stream = self
            .streams
            .entry(host)
            .or_insert_with(|| (StreamId::random(), 0));
        let mut records = Vec::new();
        for mut record in numbered(stream.0, events) {
            record.sequence.0 += stream.1;
            let raw = serde_json::to_vec(&record).unwrap();
            let event = record.event;
            let seen = SeenRecord {
                facility: self.facility.clone(),
                host,
                stream: stream.0,
                sequence: record.sequence,
                hash: record_hash(&raw),
                kind: event.anomaly.kind().to_owned(),
                severity: Some(event.severity),
                burst: event.burst,
                drill: event.drill,
                detected_at: Some(event.detected_at),
                corrected_at: event.detected_at,
                uncertainty: Duration::from_millis(40),
                received_at: self.clock.now(),
                event: Some(event),
            };
            records.push(NewRecord { seen, raw });
        }
        stream.1 += u64::try_from(records.len()).unwrap();
        self.store.store_batch(&records).await.unwrap();
        self.follow().await
    }

    /// Lets the rules and the drafting job run once.
    pub(crate) async fn follow(&mut self) -> Outcome {
        let now = self.clock.now();
        let config = CorrelateConfig::default();
        correlate_facility(&self.store, &self.facility, &config, &self.nudge, now)
            .await
            .unwrap();
        self.job.activate().await
    }

    /// The story of most tests: files change in bulk, then the records system stops.
    pub(crate) async fn attack(&mut self) -> Report {
        let burst = BurstId::random();
        let mut grew = mass_change(burst, Phase::Grew, 9_400, 95);
        grew.severity = Severity::Critical;
        let opened = mass_change(burst, Phase::Opened, 128, 12);
        self.tell(self.file_server, vec![opened, grew]).await;
        let down = outage("postgresql", OutageState::Down, BurstId::random(), 300);
        self.tell(self.records_server, vec![down]).await;
        self.report().await
    }

    pub(crate) async fn incident(&self) -> Incident {
        let incidents = self.store.incidents(&self.facility).await.unwrap();
        incidents
            .into_iter()
            .find(|incident| incident.merged_into.is_none())
            .unwrap()
    }

    /// The report that is no withdrawn one, or any.
    pub(crate) async fn report(&self) -> Report {
        let incident = self.incident().await.id;
        let reports = self
            .store
            .reports_of_incident(&self.facility, incident)
            .await
            .unwrap();
        reports.into_iter().next().expect("a report")
    }

    pub(crate) async fn sheet(&self) -> Sheet {
        let report = self.report().await;
        self.store.sheet(&self.facility, report.id).await.unwrap()
    }

    pub(crate) async fn act(&self, act: Act) {
        let incident = self.incident().await.id;
        let now = self.clock.now();
        let key = (&self.facility, incident);
        self.store
            .act_on_incident(key, &act, author().user, now)
            .await
            .unwrap();
    }

    pub(crate) async fn change(&self, by: NamedPerson, field: Field, value: Value) -> AnswerChange {
        let report = self.report().await;
        AnswerChange {
            facility: self.facility.clone(),
            incident: report.incident,
            report: Some(report.id),
            field,
            value,
            status: AnswerStatus::Confirmed,
            basis: String::new(),
            reason: "訂正".to_owned(),
            by,
            expected: report.revision,
        }
    }

    pub(crate) async fn verdict(&self, by: NamedPerson) -> Verdict {
        let report = self.report().await;
        Verdict {
            facility: self.facility.clone(),
            report: report.id,
            revision: report.revision,
            by,
        }
    }

    /// Makes an approver of this facility, known by number.
    pub(crate) async fn staff(&self, number: u128, name: &str) -> NamedPerson {
        let who = person(number, name);
        let user = User {
            id: who.user,
            login: format!("staff{number}"),
            name: name.to_owned(),
            must_change: false,
            second_factor: true,
            created: self.clock.now(),
            disabled: None,
        };
        let grants = Grants::default().with(&self.facility, Role::Approver);
        let by = Actor::CommandLine;
        self.store
            .insert_user(&user, "no password", &grants, by)
            .await
            .unwrap();
        who
    }

    /// Sets the facility's rule of approval.
    pub(crate) async fn rule(&self, layer: &RuleLayer) {
        let (whole, _) = self.store.approval_rules(&self.facility).await.unwrap();
        let change = RuleChange {
            facility: &self.facility,
            profile: None,
            layer,
            seen: whole.updated_at,
            files: &BTreeMap::new(),
        };
        let now = self.clock.now();
        self.store
            .set_approval_rule(&change, Actor::CommandLine, now)
            .await
            .unwrap();
    }

    /// Submits the report in the author's name.
    pub(crate) async fn submit(&self) -> Submission {
        let verdict = self.verdict(author()).await;
        self.releases.submit(&verdict).await.unwrap()
    }

    pub(crate) async fn allow_self_approval(&self) {
        let now = self.clock.now();
        let allowed = SelfApproval::Allowed;
        self.store
            .set_self_approval(&self.facility, allowed, now)
            .await
            .unwrap();
    }
}
