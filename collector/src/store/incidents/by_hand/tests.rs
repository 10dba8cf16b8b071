//! What a person noticed opens one incident, meets what the machine saw, and is joined without losing anything.

use std::collections::BTreeSet;

use shirase_shared::clock::Clock as _;
use shirase_shared::ids::{DrillId, UserId};

use super::*;
use crate::correlate::fixtures::{at, facility};
use crate::correlate::{Rule, Sighting, SightingPlace, SightingWay, SightingWeight};
use crate::incidents::{Act, Status};
use crate::release::night::{Night, author};
use crate::reports::answer::{AnswerStatus, Source, Value};
use crate::reports::fields::Field;

const NURSE: UserId = UserId::from_uuid(uuid::Uuid::from_u128(5));

fn sighting(subject: &str, seconds: i64) -> Sighting {
    Sighting {
        subject: subject.to_owned(),
        way: SightingWay::Staff,
        noticed_by: "3階病棟 看護師長".to_owned(),
        noticed_at: at(seconds),
        what: "患者一覧が開けない。".to_owned(),
        kind: String::new(),
        entered_at: at(seconds + 60),
        case: None,
    }
}

fn place(weight: SightingWeight) -> SightingPlace {
    SightingPlace { hosts: BTreeSet::new(), care_roles: BTreeSet::new(), weight, drill: None }
}

fn told(here: &FacilityId, key: &str, weight: SightingWeight) -> Conclusion {
    sighting("電子カルテが開けない", 0).conclude(here, key, place(weight))
}

async fn site() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let made = crate::facilities::Facility::create(facility(), Default::default(), at(-86_400));
    store.add_facility(&made.facility).await.unwrap();
    (dir, store)
}

#[tokio::test]
async fn a_form_sent_twice_opens_one_incident_in_the_persons_name() {
    let (_dir, store) = site().await;
    let conclusion = told(&facility(), "form", SightingWeight::High);
    let first = store.open_incident(conclusion.clone(), NURSE, at(60)).await;
    let again = store.open_incident(conclusion, NURSE, at(61)).await;
    assert_eq!(first.unwrap(), again.unwrap());
    let [incident] = &store.incidents(&facility()).await.unwrap()[..] else { panic!() };
    assert_eq!((incident.rule, incident.status), (Rule::Sighting, Status::Open));
    let entries = store
        .incident_entries(&facility(), incident.id)
        .await
        .unwrap();
    assert!(entries.iter().all(|entry| entry.who == Some(NURSE)), "{entries:?}");
    let aware = |entry: &&crate::incidents::StoredEntry| matches!(entry.what, Entry::Noted { moment: Moment::Aware, at: when, .. } if when == at(0));
    assert_eq!(entries.iter().filter(aware).count(), 1);
}

#[tokio::test]
async fn what_is_only_odd_sets_no_clock_running() {
    let (_dir, store) = site().await;
    let conclusion = told(&facility(), "odd", SightingWeight::Medium);
    let id = store
        .open_incident(conclusion, NURSE, at(60))
        .await
        .unwrap();
    let entries = store.incident_entries(&facility(), id).await.unwrap();
    assert!(
        !entries
            .iter()
            .any(|entry| matches!(entry.what, Entry::Noted { .. }))
    );
    let incident = store.incident(&facility(), id).await.unwrap().unwrap();
    assert_eq!(incident.is_reportable(), crate::incidents::Reportable::No);
}

#[tokio::test]
async fn what_a_person_noticed_on_a_server_and_what_its_agent_saw_are_one_incident() {
    let mut night = Night::begin().await;
    // Ten minutes before: the agent's first word comes after the person's.
    let noticed = Sighting {
        noticed_at: night.clock.now() - SignedDuration::from_mins(10),
        entered_at: night.clock.now(),
        ..sighting("ファイルが開けない", 0)
    };
    let on_the_server =
        SightingPlace { hosts: BTreeSet::from([night.file_server]), ..place(SightingWeight::High) };
    let conclusion = noticed.conclude(&night.facility, "ward", on_the_server);
    let opened = night
        .store
        .open_incident(conclusion, author().user, night.clock.now());
    let opened = opened.await.unwrap();
    night.attack().await;
    let incident = night.incident().await;
    assert_eq!((incident.id, incident.rule), (opened, Rule::RansomwareImpact));
    let sheet = night.sheet().await;
    let Value::Text { text } = &sheet.answers[&Field::Summary].value else { panic!() };
    assert!(text.contains("3階病棟 看護師長") && text.contains("9,400件"), "{text}");
    assert_eq!(sheet.answers[&Field::Discovery].value.chosen(), ["staff"]);
    assert_eq!(sheet.answers[&Field::Kind].value.chosen(), ["ransomware"], "the files tell more");
}

#[tokio::test]
async fn a_draft_over_words_alone_says_what_was_said_and_leaves_the_rest_open() {
    let mut night = Night::begin().await;
    let now = night.clock.now();
    let noticed =
        Sighting { noticed_at: now, entered_at: now, ..sighting("脅迫文が印刷された", 0) };
    let noticed = Sighting { kind: "ransomware".to_owned(), ..noticed };
    let conclusion = noticed.conclude(&night.facility, "x", place(SightingWeight::Critical));
    night
        .store
        .open_incident(conclusion, author().user, now)
        .await
        .unwrap();
    night.follow().await;
    let sheet = night.sheet().await;
    let status = |field| sheet.answers[&field].status;
    assert_eq!(status(Field::Summary), AnswerStatus::Confirmed);
    assert_eq!(status(Field::Kind), AnswerStatus::Estimated);
    assert_eq!(status(Field::OccurredAt), AnswerStatus::Estimated);
    assert_eq!(status(Field::DetectedAt), AnswerStatus::Confirmed);
    assert_eq!(status(Field::Systems), AnswerStatus::Investigating);
    for (field, answer) in &sheet.answers {
        assert_eq!(answer.check(), Ok(()), "{field:?}: {answer:?}");
        assert_eq!(field.check(&answer.value), Ok(()), "{field:?}");
    }
    assert_eq!(night.follow().await, crate::jobs::Outcome::NothingToDo, "nothing new was said");
}

#[tokio::test]
async fn joining_carries_conclusions_drafts_and_peoples_answers_over() {
    let mut night = Night::begin().await;
    night.attack().await;
    let stays = night.incident().await;
    let now = night.clock.now();
    let noticed =
        Sighting { noticed_at: now, entered_at: now, ..sighting("印刷が止まらない", 0) };
    let conclusion = noticed.conclude(&night.facility, "y", place(SightingWeight::High));
    let by = author().user;
    let goes = night
        .store
        .open_incident(conclusion, by, now)
        .await
        .unwrap();
    night.follow().await;
    let reports = night
        .store
        .reports_of_incident(&night.facility, goes)
        .await
        .unwrap();
    let answered = night
        .change(author(), Field::Cause, Value::text("VPN装置"))
        .await;
    let answered = crate::reports::AnswerChange {
        incident: goes,
        report: reports.first().map(|report| report.id),
        expected: night
            .store
            .incident_sheet(&night.facility, goes)
            .await
            .unwrap()
            .revision,
        ..answered
    };
    night.store.set_answer(&answered, now).await.unwrap();

    let into = night
        .store
        .join_incidents((&night.facility, goes), stays.number, by, now);
    assert_eq!(into.await.unwrap(), stays.id);
    let gone = night
        .store
        .incident(&night.facility, goes)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((gone.status, gone.merged_into), (Status::Merged, Some(stays.id)));
    let joined = night.incident().await;
    assert_eq!(joined.conclusions.len(), stays.conclusions.len() + 1);
    let sheet = night
        .store
        .incident_sheet(&night.facility, stays.id)
        .await
        .unwrap();
    let cause = &sheet.answers[&Field::Cause];
    assert_eq!(cause.value, Value::text("VPN装置"));
    assert!(matches!(&cause.source, Source::Person { user, .. } if *user == by));
    night.follow().await;
    assert_eq!(night.incident().await.conclusions.len(), joined.conclusions.len());
}

#[tokio::test]
async fn only_open_incidents_of_one_kind_are_joined() {
    let (_dir, store) = site().await;
    let here = facility();
    let open = async |key: &str, drill: Option<DrillId>| {
        let place = SightingPlace { drill, ..place(SightingWeight::High) };
        let conclusion = sighting("電子カルテが開けない", 0).conclude(&here, key, place);
        store
            .open_incident(conclusion, NURSE, at(60))
            .await
            .unwrap()
    };
    let (one, two) = (open("1", None).await, open("2", None).await);
    let drill = open("3", Some(DrillId::random())).await;
    let join = async |from, into| {
        let joined = store
            .join_incidents((&here, from), into, NURSE, at(70))
            .await;
        joined.map_err(|error| error.text_key())
    };
    assert_eq!(join(one, 1).await, Err(Some("join-refused-same")));
    assert_eq!(join(one, 9).await, Err(Some("join-refused-number")));
    assert_eq!(join(drill, 1).await, Err(Some("join-refused-drill")));
    let close = Act::Close { text: String::new() };
    store
        .act_on_incident((&here, two), &close, NURSE, at(65))
        .await
        .unwrap();
    assert_eq!(join(one, 2).await, Err(Some("join-refused-status")));
}
