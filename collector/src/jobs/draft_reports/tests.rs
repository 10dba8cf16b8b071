//! Drafts follow incidents: made, refreshed, proposed beside people's answers, withdrawn, brought back.

use shirase_shared::clock::Clock as _;
use shirase_shared::event::{OutageState, Phase, Severity};
use shirase_shared::ids::{BurstId, DrillId};
use shirase_shared::testing::builders::{mass_change, outage};

use super::*;
use crate::incidents::{Act, EmergencyStep, StepOutcome};
use crate::release::night::{Night, author};
use crate::reports::ReportStatus;
use crate::reports::answer::{Answer, AnswerStatus, Source, Value};
use crate::reports::fields::Field;

#[tokio::test]
async fn an_attack_fills_the_draft_without_anyone_typing() {
    let mut night = Night::begin().await;
    night.attack().await;
    let sheet = night.sheet().await;
    let status = |field| sheet.answers[&field].status;
    for (field, expected) in [
        (Field::Facility, AnswerStatus::Confirmed),
        (Field::People, AnswerStatus::Confirmed),
        (Field::Kind, AnswerStatus::Estimated),
        (Field::Summary, AnswerStatus::Confirmed),
        (Field::OccurredAt, AnswerStatus::Estimated),
        (Field::DetectedAt, AnswerStatus::Investigating),
        (Field::Discovery, AnswerStatus::Confirmed),
        (Field::Systems, AnswerStatus::Confirmed),
        (Field::ServiceState, AnswerStatus::Confirmed),
        (Field::CareImpact, AnswerStatus::Estimated),
        (Field::CareHindered, AnswerStatus::Investigating),
        (Field::DataLeak, AnswerStatus::Investigating),
        (Field::Contacted, AnswerStatus::Investigating),
        (Field::HelpRequested, AnswerStatus::Unknown),
    ] {
        assert_eq!(status(field), expected, "{field:?}: {:?}", sheet.answers[&field]);
    }
    assert!(!sheet.answers.contains_key(&Field::ReportedAt), "it is set by submitting");
    for (field, answer) in &sheet.answers {
        assert_eq!(answer.check(), Ok(()), "{field:?}");
        assert_eq!(field.check(&answer.value), Ok(()), "{field:?}");
    }
    let Value::Text { text } = &sheet.answers[&Field::Summary].value else { panic!() };
    for told in [
        "file-sv01",
        "ファイル共有",
        "9,400件",
        "「.locked」",
        "ehr-db1",
        "電子カルテ",
        "停止している",
        "2026年2月9日",
    ] {
        assert!(text.contains(told), "`{told}` is missing in {text}");
    }
    assert_eq!(chosen(&sheet.answers[&Field::Kind]), ["ransomware"]);
    assert_eq!(chosen(&sheet.answers[&Field::ServiceState]), ["stopped"]);
    assert!(chosen(&sheet.answers[&Field::CareImpact]).contains(&"outpatient".to_owned()));
    assert!(chosen(&sheet.answers[&Field::DataLeak]).is_empty(), "a person decides");
    let Value::Systems { systems } = &sheet.answers[&Field::Systems].value else { panic!() };
    assert_eq!(systems.len(), 2);
    assert!(
        systems
            .iter()
            .any(|s| s.name == "ehr-db1" && s.vendor.contains("日本電子カルテ保守"))
    );
    let Source::Machine { records, .. } = &sheet.answers[&Field::CareImpact].source else {
        panic!()
    };
    assert!(!records.is_empty() && records.iter().all(|record| record.hash.len() == 64));
}

#[tokio::test]
async fn the_same_state_changes_nothing_and_news_change_their_fields_alone() {
    let mut night = Night::begin().await;
    let drafted = night.attack().await;
    assert_eq!(night.follow().await, Outcome::NothingToDo);
    assert_eq!(night.report().await.revision, drafted.revision);

    let back = outage("postgresql", OutageState::Recovered, BurstId::random(), 900);
    let before = night.sheet().await;
    night.tell(night.records_server, vec![back]).await;
    let after = night.sheet().await;
    assert_eq!(before.answers[&Field::Facility], after.answers[&Field::Facility]);
    assert_ne!(before.answers[&Field::Timeline].value, after.answers[&Field::Timeline].value);
}

#[tokio::test]
async fn once_a_person_answered_the_machine_only_proposes() {
    let mut night = Night::begin().await;
    night.attack().await;
    let change = night
        .change(author(), Field::Summary, Value::text("職員の言葉"))
        .await;
    night
        .store
        .set_answer(&change, night.clock.now())
        .await
        .unwrap();
    assert!(night.sheet().await.proposals.is_empty());

    let more = mass_change(BurstId::random(), Phase::Opened, 500, 200);
    night.tell(night.file_server, vec![more]).await;
    let sheet = night.sheet().await;
    assert_eq!(sheet.answers[&Field::Summary].value, Value::text("職員の言葉"));
    let proposal = &sheet.proposals[&Field::Summary];
    assert!(matches!(proposal.source, Source::Machine { .. }));
    assert_ne!(proposal.value, Value::text("職員の言葉"));
    assert_eq!(night.follow().await, Outcome::NothingToDo, "one proposal is enough");

    let taken = night
        .change(author(), Field::Summary, proposal.value.clone())
        .await;
    night
        .store
        .set_answer(&taken, night.clock.now())
        .await
        .unwrap();
    assert!(night.sheet().await.proposals.is_empty(), "taken over, it is gone");
}

#[tokio::test]
async fn what_people_note_on_the_incident_fills_the_report() {
    let mut night = Night::begin().await;
    night.attack().await;
    night.act(Act::Acknowledge).await;
    let at = night.clock.now();
    let call =
        Act::VendorCalled { whom: "保守会社 佐藤".into(), number: "052-000-0000".into(), at };
    night.act(call).await;
    night
        .act(Act::Comment { text: "患者 山田一郎 のカルテ".into() })
        .await;
    let backup_cut = Act::TakeStep {
        step: EmergencyStep::BackupPath,
        outcome: StepOutcome::Done,
        at,
        text: "ケーブルを抜いた".into(),
    };
    night.act(backup_cut).await;
    night.follow().await;
    let sheet = night.sheet().await;
    assert_eq!(sheet.answers[&Field::DetectedAt].status, AnswerStatus::Confirmed);
    let Value::Lines { lines } = &sheet.answers[&Field::FirstResponse].value else { panic!() };
    let told = lines
        .iter()
        .map(|line| line.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    assert!(told.contains("バックアップへの経路") && told.contains("ケーブルを抜いた"), "{told}");
    let Value::Lines { lines } = &sheet.answers[&Field::Contacted].value else { panic!() };
    assert_eq!(lines.len(), 1);
    assert!(lines[0].at == Some(at) && lines[0].text.contains("保守会社 佐藤"), "{lines:?}");
    let all = serde_json::to_string(&sheet.answers.values().collect::<Vec<_>>()).unwrap();
    assert!(!all.contains("山田一郎"), "a comment stays inside");
}

#[tokio::test]
async fn a_false_alarm_withdraws_the_draft_and_reopening_brings_it_back() {
    let mut night = Night::begin().await;
    let drafted = night.attack().await;
    night
        .act(Act::FalseAlarm { reason: "計画された移行作業".into() })
        .await;
    night.follow().await;
    assert_eq!(night.report().await.status, ReportStatus::Withdrawn);
    assert_eq!(night.follow().await, Outcome::NothingToDo);
    night
        .act(Act::Reopen { reason: "移行作業ではなかった".into() })
        .await;
    night.follow().await;
    let report = night.report().await;
    assert_eq!((report.status, report.id), (ReportStatus::Draft, drafted.id));
}

#[tokio::test]
async fn an_outage_alone_is_a_system_failure_and_a_full_disk_no_report() {
    let mut night = Night::begin().await;
    let down = outage("postgresql", OutageState::Down, BurstId::random(), 10);
    night.tell(night.records_server, vec![down]).await;
    let sheet = night.sheet().await;
    assert_eq!(chosen(&sheet.answers[&Field::Kind]), ["system-failure"]);

    let mut quiet = Night::begin().await;
    let mut small = mass_change(BurstId::random(), Phase::Once, 12, 10);
    small.severity = Severity::Medium;
    quiet.tell(quiet.file_server, vec![small]).await;
    let reports = quiet.store.reports(&quiet.facility).await.unwrap();
    assert!(reports.is_empty(), "{reports:?}");
}

#[tokio::test]
async fn a_drill_nobody_ordered_is_no_drill() {
    let mut night = Night::begin().await;
    let mut event = mass_change(BurstId::random(), Phase::Opened, 100, 5);
    event.drill = Some(DrillId::random());
    night.tell(night.file_server, vec![event]).await;
    assert_eq!(night.report().await.drill, None);
}

#[tokio::test]
async fn hostile_names_and_suffixes_are_cleaned_before_they_reach_an_answer() {
    let mut night = Night::begin().await;
    let mut event = mass_change(BurstId::random(), Phase::Opened, 100, 5);
    event.root = Some("share\u{202e}\u{0}\n#import".to_owned());
    night.tell(night.file_server, vec![event]).await;
    let sheet = night.sheet().await;
    let all = serde_json::to_string(&sheet.answers.values().collect::<Vec<_>>()).unwrap();
    assert!(!all.contains('\u{202e}') && !all.contains("\\u0000"), "{all}");
}

fn chosen(answer: &Answer) -> Vec<String> {
    let Value::Choices { chosen, .. } = &answer.value else {
        panic!("no choices: {answer:?}");
    };
    chosen.clone()
}
