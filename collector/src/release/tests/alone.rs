//! Emergency releases: allowed, said everywhere, and looked at by another person.

use super::*;
use crate::approval::{Emergency, ReviewOutcome, RuleLayer};

#[tokio::test]
async fn one_person_releases_alone_where_it_is_allowed_and_every_file_says_so() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    let duty = night.staff(21, "当直 次郎").await;
    let rule = RuleLayer { approvers: Some(2), ..RuleLayer::default() };
    night.rule(&rule).await;
    night.submit().await;
    let verdict = night.verdict(duty.clone()).await;
    let reason = "院長・事務長とも連絡がとれない";
    let refused = night.releases.approve_in_emergency(&verdict, reason).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NoEmergency))), "{refused:?}");
    night
        .rule(&RuleLayer { emergency: Some(Emergency::Allowed), ..rule })
        .await;
    let refused = night.releases.approve_in_emergency(&verdict, "\n").await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NoReason))), "{refused:?}");
    let approved = night
        .releases
        .approve_in_emergency(&verdict, reason)
        .await
        .unwrap()
        .expect("released");

    show("emergency", &approved.rendering().bytes);
    for file in approved.renderings() {
        let said = match file.format {
            // What is compressed is read back where it is rendered.
            Format::Pdf | Format::Docx | Format::Xlsx | Format::Eml => continue,
            Format::Json => "\"emergency_release\": true",
            Format::Html => "【緊急承認】",
            Format::TimelineCsv
            | Format::HostsCsv
            | Format::IndicatorsCsv
            | Format::IndicatorsStix
            | Format::DamageCsv => "緊急承認（1名）",
        };
        let text = String::from_utf8_lossy(&file.bytes);
        assert!(text.contains(said), "{} does not say {said}", file.format);
    }
    let alone = approved.emergency().unwrap();
    assert_eq!((alone.decided_by, alone.reason.as_str()), (duty.user, reason));

    let open = night.store.open_reviews(&night.facility).await.unwrap();
    assert_eq!((open.len(), open[0].report), (1, report.id));
    let outcome = (ReviewOutcome::InOrder, "");
    let own = night.releases.review(&verdict, outcome).await;
    assert!(matches!(own, Err(ReleaseError::Refused(Refusal::OwnRelease))), "{own:?}");
    let other = night.verdict(approver()).await;
    let unsaid = night
        .releases
        .review(&other, (ReviewOutcome::Objection, ""))
        .await;
    assert!(matches!(unsaid, Err(ReleaseError::Refused(Refusal::NoReason))), "{unsaid:?}");
    night.releases.review(&other, outcome).await.unwrap();
    let again = night.releases.review(&other, outcome).await;
    assert!(matches!(again, Err(ReleaseError::Refused(Refusal::NothingToReview))), "{again:?}");
    assert!(
        night
            .store
            .open_reviews(&night.facility)
            .await
            .unwrap()
            .is_empty()
    );

    let audit = night
        .store
        .audit_of(&night.facility, None, 50)
        .await
        .unwrap();
    let entry = |action: &str| audit.iter().find(|entry| entry.action == action);
    let alone = entry("report.approved_in_emergency").expect("it is in the log");
    assert!(alone.detail.contains(reason), "{}", alone.detail);
    assert!(entry("report.emergency_reviewed").is_some());
}

#[tokio::test]
async fn the_duty_to_look_at_it_outlives_a_withdrawal() {
    let mut night = Night::begin().await;
    night.attack().await;
    night
        .rule(&RuleLayer { emergency: Some(Emergency::Allowed), ..RuleLayer::default() })
        .await;
    night.submit().await;
    let verdict = night.verdict(author()).await;
    let approved = night
        .releases
        .approve_in_emergency(&verdict, "急")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(approved.own_answers(), OwnAnswers::Some, "the author released it, and that shows");
    night.take_back(&approver()).await;
    let open = night.store.open_reviews(&night.facility).await.unwrap();
    assert_eq!(open.len(), 1, "the power was used");
    let other = Verdict { by: approver(), ..verdict };
    night
        .releases
        .review(&other, (ReviewOutcome::Objection, "宛先"))
        .await
        .unwrap();
    assert!(
        night
            .store
            .open_reviews(&night.facility)
            .await
            .unwrap()
            .is_empty()
    );
}
