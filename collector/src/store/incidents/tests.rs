//! Incidents in a real database: opened once, acted upon, joined, and never overrun.

use shirase_shared::event::Severity;
use shirase_shared::ids::UserId;
use tempfile::TempDir;

use super::*;
use crate::correlate::fixtures::{at, facility, hosts, scene, show};
use crate::correlate::{Rule, correlate};
use crate::facilities::{Facility, Master};
use crate::incidents::assembler::assemble;
use crate::incidents::{Act, Entry, Status, timeline};
use crate::jobs::correlate::correlate_facility;
use crate::jobs::{Nudge, What};
use crate::records::{ListeningSpan, NewRecord};

struct Site {
    _dir: TempDir,
    store: Store,
    nudge: Nudge,
}

impl Site {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).await.unwrap();
        let made = Facility::create(facility(), Master::default(), at(-86_400));
        store.add_facility(&made.facility).await.unwrap();
        for host in hosts() {
            sqlx::query(
                "INSERT INTO hosts (facility_id, host_id, name, os, roles_json, enrolled_ms) VALUES (?, ?, ?, '', ?, 0)",
            )
            .bind(facility().as_str())
            .bind(host.id.to_string())
            .bind(&host.name)
            .bind(to_json("roles", &host.roles).unwrap())
            .execute(&store.writer)
            .await
            .unwrap();
        }
        Self { _dir: dir, store, nudge: Nudge::default() }
    }

    /// Stores the records of a scene and brings the incidents in step at its end.
    async fn receive(&self, night: &str) -> usize {
        let input = scene(night);
        let new = |seen: &SeenRecord| NewRecord { seen: seen.clone(), raw: b"{}".to_vec() };
        let batch: Vec<NewRecord> = input.records.iter().map(new).collect();
        self.store.store_batch(&batch).await.unwrap();
        self.run(input.as_of).await
    }

    async fn run(&self, now: Timestamp) -> usize {
        let config = CorrelateConfig::default();
        correlate_facility(&self.store, &facility(), &config, &self.nudge, now)
            .await
            .unwrap()
    }

    async fn only(&self) -> Incident {
        let mut all = self.store.incidents(&facility()).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    async fn act(&self, incident: &Incident, act: Act, seconds: i64) -> Result<Status, ActFailure> {
        let (facility, by) = (facility(), UserId::from_uuid(uuid::Uuid::from_u128(5)));
        self.store
            .act_on_incident((&facility, incident.id), &act, by, at(seconds))
            .await
    }

    async fn draft_for(&self, incident: &Incident, report: &str) {
        sqlx::query(
            "INSERT INTO reports (facility_id, report_id, incident_id, profile, series, round, round_kind, status, revision, created_ms, updated_ms)
             VALUES (?, ?, ?, 'jp-mhlw-contact', 'jp-mhlw', 1, 'preliminary', 'draft', 1, 0, 0)",
        )
        .bind(facility().as_str())
        .bind(report)
        .bind(incident.id.to_string())
        .execute(&self.store.writer)
        .await
        .unwrap();
    }

    async fn reports(&self) -> Vec<(String, String, String)> {
        sqlx::query_as("SELECT report_id, incident_id, status FROM reports ORDER BY report_id")
            .fetch_all(&self.store.readers)
            .await
            .unwrap()
    }
}

const CHANGE: &str = "0 share1 change a 300 high .x";

#[tokio::test]
async fn an_incident_is_opened_once_told_to_listeners_and_reads_back_whole() {
    let site = Site::open().await;
    let mut listener = site.nudge.listen();
    assert_eq!(site.receive(CHANGE).await, 1);
    assert_eq!(site.receive(CHANGE).await, 0, "a second run finds nothing to do");
    let incident = site.only().await;
    assert_eq!((incident.number, incident.status), (1, Status::Open));
    assert_eq!((incident.rule, incident.severity), (Rule::MassChange, Severity::High));
    assert_eq!(incident.first_at, at(0));
    let change = listener.recv().await.unwrap();
    assert_eq!((change.incident, change.what), (Some(incident.id), What::Incident));

    let expected = correlate(&scene(CHANGE));
    assert_eq!(incident.conclusions, expected);
    let by_number = site.store.incident_by_number(&facility(), 1).await.unwrap();
    assert_eq!(by_number, Some(incident.clone()));
    assert_eq!(site.store.incident_by_number(&facility(), 2).await.unwrap(), None);
    let records = site.store.incident_records(&incident).await.unwrap();
    let entries = site
        .store
        .incident_entries(&facility(), incident.id)
        .await
        .unwrap();
    assert_eq!((records.len(), entries.len()), (1, 2));
    assert_eq!(timeline(&incident, &records, &entries).len(), 3);
}

#[tokio::test]
async fn an_incident_grows_and_its_timeline_says_how() {
    let site = Site::open().await;
    site.receive(CHANGE).await;
    let more = format!("{CHANGE}\n60 share1 change a 900 critical .x\n90 ehr1 down pg o");
    assert!(0 < site.receive(&more).await);
    assert_eq!(site.run(at(95)).await, 0);
    let incident = site.only().await;
    assert_eq!((incident.rule, incident.severity), (Rule::RansomwareImpact, Severity::Critical));
    let entries = site
        .store
        .incident_entries(&facility(), incident.id)
        .await
        .unwrap();
    let raised = Entry::Raised {
        from: Severity::High,
        to: Severity::Critical,
        rule: Rule::RansomwareImpact,
    };
    assert!(entries.iter().any(|entry| entry.what == raised), "{entries:?}");
}

#[tokio::test]
async fn a_false_alarm_withdraws_the_draft_and_stays_one_and_a_reopening_brings_it_back() {
    let site = Site::open().await;
    site.receive(CHANGE).await;
    let incident = site.only().await;
    site.draft_for(&incident, "r1").await;
    let reason = || "年次の移行作業".to_owned();
    let nothing = site
        .act(&incident, Act::FalseAlarm { reason: String::new() }, 10)
        .await;
    assert!(matches!(nothing, Err(ActFailure::Refused(_))));
    assert_eq!(site.reports().await[0].2, "draft");

    let status = site
        .act(&incident, Act::FalseAlarm { reason: reason() }, 10)
        .await
        .unwrap();
    assert_eq!(status, Status::FalseAlarm);
    assert_eq!(site.reports().await[0].2, "withdrawn");
    site.receive(&format!("{CHANGE}\n60 share1 change a 900 critical .x"))
        .await;
    let after = site.only().await;
    assert_eq!((after.status, after.severity), (Status::FalseAlarm, Severity::High));
    assert_eq!(show(&after.conclusions[0]), "mass_change critical share1");

    let again = site.act(&incident, Act::Acknowledge, 70).await;
    assert!(matches!(again, Err(ActFailure::Refused(_))));
    site.act(&incident, Act::Reopen { reason: reason() }, 80)
        .await
        .unwrap();
    assert_eq!(site.reports().await[0].2, "draft");
    site.run(at(90)).await;
    assert_eq!(site.only().await.severity, Severity::Critical, "open again, it is judged anew");
    let audited = site.store.audit_of(&facility(), None, 10).await.unwrap();
    let actions: Vec<&str> = audited.iter().map(|entry| entry.action.as_str()).collect();
    assert!(actions.contains(&"incident.false_alarm") && actions.contains(&"incident.reopened"));
}

#[tokio::test]
async fn a_page_lists_what_is_live_and_of_the_past_only_so_much() {
    let site = Site::open().await;
    for (night, at_seconds) in [("0 ehr1 change a 300 high .x", 10), ("0 pacs1 loss", 20)] {
        site.receive(night).await;
        let all = site.store.incidents(&facility()).await.unwrap();
        let newest = all.first().unwrap().clone();
        let text = "済".to_owned();
        site.act(&newest, Act::Close { text }, at_seconds)
            .await
            .unwrap();
    }
    site.receive("0 misc1 down cups o").await;
    let numbers = async |past| {
        let shown = site
            .store
            .incidents_to_show(&facility(), past)
            .await
            .unwrap();
        shown
            .iter()
            .map(|incident| incident.number)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(0).await, [3]);
    assert_eq!(numbers(1).await, [3, 2]);
    assert_eq!(numbers(9).await, [3, 2, 1]);
}

#[tokio::test]
async fn joined_incidents_keep_what_people_did_and_the_draft_moves_along() {
    let site = Site::open().await;
    site.receive("0 ehr1 down pg o").await;
    site.receive("0 ehr1 down pg o\n4000 ehr1 down pg p").await;
    let all = site.store.incidents(&facility()).await.unwrap();
    let [later, earlier] = &all[..] else { panic!("{all:?}") };
    assert_eq!((earlier.number, later.number), (1, 2));
    site.draft_for(later, "r2").await;
    let call = Act::VendorCalled { whom: "保守".to_owned(), number: String::new(), at: at(4100) };
    site.act(later, call, 4200).await.unwrap();

    // A late batch tells what lies between.
    let late = "0 ehr1 down pg o\n4000 ehr1 down pg p\n1500 ehr1 change a 300 high .x\n3000 ehr1 change a 900 high .x";
    site.receive(late).await;
    let all = site.store.incidents(&facility()).await.unwrap();
    let [later, earlier] = &all[..] else { panic!("{all:?}") };
    assert_eq!((later.status, later.merged_into), (Status::Merged, Some(earlier.id)));
    assert_eq!((earlier.status, earlier.conclusions.len()), (Status::Open, 4));
    assert!(later.conclusions.is_empty());
    assert_eq!(
        site.reports().await,
        [("r2".to_owned(), earlier.id.to_string(), "draft".to_owned())]
    );
    let entries = site
        .store
        .incident_entries(&facility(), earlier.id)
        .await
        .unwrap();
    let called = |entry: &&StoredEntry| matches!(entry.what, Entry::VendorCalled { .. });
    assert_eq!(entries.iter().filter(called).count(), 1);
    let on_merged = site.act(later, Act::Acknowledge, 5000).await;
    assert!(matches!(on_merged, Err(ActFailure::Refused(_))));
    assert_eq!(site.run(at(5000)).await, 0);
}

#[tokio::test]
async fn silence_is_noticed_by_its_job_and_its_end_is_noted() {
    use crate::jobs::silence::SilenceJob;
    use crate::jobs::{Job, Outcome};
    use shirase_shared::clock::{Clock, ManualClock, Moment};
    use shirase_shared::wire::Heartbeat;
    use std::sync::Arc;

    let site = Site::open().await;
    let clock = Arc::new(ManualClock::new(at(0)));
    let sent: Moment = clock.moment();
    let heartbeat = Heartbeat {
        stream: shirase_shared::ids::StreamId::random(),
        last_sequence: shirase_shared::ids::Sequence(0),
        buffer_used_bytes: 0,
        buffer_limit_bytes: 1,
        waiting: 0,
        sensors: Vec::new(),
        version: String::new(),
        hostname: String::new(),
        os: String::new(),
        sent,
        config_problems: Vec::new(),
        maintenance_until: None,
        policy: None,
        authorities: Vec::new(),
        posture: None,
    };
    let host = hosts().remove(0).id;
    let facility = facility();
    let beat = async |seconds| {
        let store = &site.store;
        store
            .save_heartbeat((&facility, host), &heartbeat, at(seconds))
            .await
            .unwrap();
    };
    let listen = async |to| {
        let span = ListeningSpan { started_at: at(-600), last_at: at(to) };
        site.store.note_listening(span).await.unwrap();
    };
    beat(0).await;
    let config = CorrelateConfig::default();
    let mut job = SilenceJob::new(site.store.clone(), clock.clone(), site.nudge.clone(), config);

    clock.advance(SignedDuration::from_secs(74));
    listen(74).await;
    assert_eq!(job.activate().await, Outcome::NothingToDo);
    clock.advance(SignedDuration::from_secs(18));
    listen(92).await;
    assert_eq!(job.activate().await, Outcome::Changed(1));
    assert_eq!(job.activate().await, Outcome::NothingToDo);
    let silent = site.only().await;
    assert_eq!((silent.rule, silent.severity), (Rule::SilentHost, Severity::High));

    beat(95).await;
    clock.advance(SignedDuration::from_secs(5));
    assert_eq!(job.activate().await, Outcome::Changed(1));
    assert_eq!(job.activate().await, Outcome::NothingToDo);
    assert_eq!(site.only().await.status, Status::Open, "a return closes nothing");
}

#[tokio::test]
async fn a_host_that_was_away_for_longer_than_the_rules_look_back_is_heard_all_the_same() {
    let site = Site::open().await;
    let mut input = scene(CHANGE);
    let month = 30 * 86_400;
    input.records[0].received_at = at(month);
    let record = NewRecord { seen: input.records[0].clone(), raw: b"{}".to_vec() };
    site.store.store_batch(&[record]).await.unwrap();
    assert_eq!(site.run(at(month + 1)).await, 1);
    assert_eq!(site.only().await.first_at, at(0));
}

#[tokio::test]
async fn news_are_told_once_and_by_facility() {
    let site = Site::open().await;
    let (none, mark) = site
        .store
        .facilities_with_news(RecordMark::default())
        .await
        .unwrap();
    assert_eq!((none.len(), mark), (0, RecordMark::default()));
    site.receive(CHANGE).await;
    let (some, mark) = site.store.facilities_with_news(mark).await.unwrap();
    assert_eq!(some, BTreeSet::from([facility()]));
    let (none, same) = site.store.facilities_with_news(mark).await.unwrap();
    assert_eq!((none.len(), same), (0, mark));
}

#[tokio::test]
async fn a_persons_decision_between_reading_and_writing_is_not_overrun() {
    let site = Site::open().await;
    site.receive(CHANGE).await;
    let incident = site.only().await;
    let more = correlate(&scene("0 share1 change a 300 high .x\n60 share1 down smb o"));
    site.act(&incident, Act::Close { text: String::new() }, 30)
        .await
        .unwrap();
    // Concluded before the closing, written down after it.
    let decide = |stored: &[Incident]| assemble(&more, stored, SignedDuration::from_mins(30));
    site.store
        .reconcile_incidents(&facility(), &more, at(61), decide)
        .await
        .unwrap();
    let all = site.store.incidents(&facility()).await.unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|incident| (incident.number, incident.status))
        .collect();
    assert_eq!(told, [(2, Status::Open), (1, Status::Closed)]);
}
