//! Several approvers, and deputies of those who are away.

use jiff::SignedDuration;
use shirase_shared::ids::AbsenceId;

use super::*;
use crate::approval::{Absence, NamedApprover, RuleLayer, RuleProblem};
use crate::reports::answer::NamedPerson;
use crate::store::{RuleChange, RuleFailure};

fn two() -> RuleLayer {
    RuleLayer { approvers: Some(2), ..RuleLayer::default() }
}

async fn approve(night: &Night, by: &NamedPerson) -> Result<Option<Approved>, ReleaseError> {
    night
        .releases
        .approve(&night.verdict(by.clone()).await)
        .await
}

/// What the document for programs says about who approved it.
fn approved_by(approved: &Approved) -> String {
    let json = &approved.rendering_of(Format::Json).unwrap().bytes;
    let json: serde_json::Value = serde_json::from_slice(json).unwrap();
    json["record"]["approved_by"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_two_the_first_is_recorded_and_the_second_releases() {
    let mut night = Night::begin().await;
    night.attack().await;
    let (first, second) = (night.staff(11, "院長 一").await, night.staff(12, "副院長 二").await);
    night.rule(&two()).await;
    night.submit().await;
    assert!(approve(&night, &first).await.unwrap().is_none());
    let report = night.report().await;
    assert_eq!(report.status, ReportStatus::Submitted, "one of two releases nothing");
    let again = approve(&night, &first).await;
    assert!(matches!(again, Err(ReleaseError::Refused(Refusal::ApprovedAlready))), "{again:?}");
    assert!(
        night
            .releases
            .approved(&night.facility, report.id)
            .await
            .unwrap()
            .is_none()
    );

    let approved = approve(&night, &second)
        .await
        .unwrap()
        .expect("two are enough");
    assert_eq!(approved.approvals().len(), 2);
    assert_eq!(approved_by(&approved), "院長 一、副院長 二");
    let csv = approved
        .renderings()
        .find(|file| file.format.is_attachment())
        .expect("an attachment");
    let text = String::from_utf8_lossy(&csv.bytes);
    assert!(text.contains("院長 一") && text.contains("副院長 二"), "{text}");
}

#[tokio::test]
async fn a_rejection_by_one_sends_it_back_and_takes_the_other_approval_along() {
    let mut night = Night::begin().await;
    night.attack().await;
    let (first, second) = (night.staff(11, "院長 一").await, night.staff(12, "副院長 二").await);
    night.rule(&two()).await;
    night.submit().await;
    approve(&night, &first).await.unwrap();
    let verdict = night.verdict(second.clone()).await;
    night
        .releases
        .reject(&verdict, "件数が違います")
        .await
        .unwrap();
    assert_eq!(night.report().await.status, ReportStatus::Draft);
    night.submit().await;
    assert!(
        approve(&night, &second).await.unwrap().is_none(),
        "what was approved before is another revision"
    );
    assert!(approve(&night, &first).await.unwrap().is_some());
}

#[tokio::test]
async fn a_deputy_approves_while_the_approver_is_away_or_has_waited_and_the_file_says_so() {
    let mut night = Night::begin().await;
    night.attack().await;
    let (chief, deputy) = (night.staff(11, "院長 一").await, night.staff(12, "当直 二").await);
    let named = vec![NamedApprover { user: chief.user, deputies: vec![deputy.user] }];
    let rule =
        RuleLayer { named: Some(named), deputies_after_mins: Some(30), ..RuleLayer::default() };
    night.rule(&rule).await;
    let other = night.staff(13, "別人 三").await;
    night.submit().await;
    let early = approve(&night, &deputy).await;
    assert!(
        matches!(early, Err(ReleaseError::Refused(Refusal::DeputyTooEarly { from: Some(_) }))),
        "{early:?}"
    );
    let refused = approve(&night, &other).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NotNamed))), "{refused:?}");

    let now = night.releases.now();
    let absence = Absence {
        id: AbsenceId::random(),
        facility: night.facility.clone(),
        who: chief.clone(),
        from: now,
        until: now + SignedDuration::from_mins(10),
        ended_at: None,
    };
    let by = Actor::CommandLine;
    night.store.add_absence(&absence, by, now).await.unwrap();
    let approved = approve(&night, &deputy)
        .await
        .unwrap()
        .expect("the chief is away");
    assert_eq!(approved_by(&approved), "当直 二（院長 一 の代行）");
    show("deputy", &approved.rendering().bytes);
    let key = (&night.facility, absence.id);
    night.store.end_absence(key, by, now).await.unwrap();
    let twice = night.store.end_absence(key, by, now).await;
    assert!(matches!(twice, Err(StoreError::Missing(_))), "{twice:?}");

    night.take_back(&other).await;
    night.submit().await;
    assert!(approve(&night, &deputy).await.is_err(), "the absence was ended");
    night.clock.advance(SignedDuration::from_mins(30));
    assert!(approve(&night, &deputy).await.unwrap().is_some(), "half an hour is gone");
}

#[tokio::test]
async fn a_rule_changes_for_one_profile_alone_and_never_unseen_or_so_that_nobody_can_meet_it() {
    let mut night = Night::begin().await;
    night.attack().await;
    let (first, second) = (night.staff(11, "院長 一").await, night.staff(12, "副院長 二").await);
    let named = |people: &[&NamedPerson]| {
        let people = people.iter();
        Some(
            people
                .map(|one| NamedApprover { user: one.user, deputies: vec![] })
                .collect(),
        )
    };
    night
        .rule(&RuleLayer { named: named(&[&first]), ..RuleLayer::default() })
        .await;
    let files = BTreeMap::from([("jp-mhlw-contact".to_owned(), RuleLayer::default())]);
    let facility = &night.facility;
    let set = async |layer: &RuleLayer, seen| {
        let profile = Some("jp-mhlw-contact");
        let change = RuleChange { facility, profile, layer, seen, files: &files };
        let now = night.releases.now();
        night
            .store
            .set_approval_rule(&change, Actor::CommandLine, now)
            .await
    };
    let refused = set(&two(), None).await;
    let few = RuleProblem::TooFew { needed: 2, named: 1 };
    assert!(
        matches!(&refused, Err(RuleFailure::Problem { problem, .. }) if *problem == few),
        "{refused:?}"
    );
    let own = RuleLayer { named: named(&[&first, &second]), ..two() };
    set(&own, None).await.unwrap();
    let refused = set(&RuleLayer::default(), None).await;
    assert!(matches!(refused, Err(RuleFailure::Store(StoreError::Stale(_)))), "{refused:?}");

    night.submit().await;
    assert!(approve(&night, &first).await.unwrap().is_none(), "this profile needs two");
    assert!(approve(&night, &second).await.unwrap().is_some());
    let audit = night
        .store
        .audit_of(&night.facility, None, 50)
        .await
        .unwrap();
    let set: Vec<_> = audit
        .iter()
        .filter(|entry| entry.action == "approval_rule.set")
        .collect();
    assert_eq!(set.len(), 2, "every change is in the log, and no refused one");
}
