//! Two people at once, on a real store: each ends in one clear outcome.

use super::*;
use crate::approval::{RuleLayer, WithdrawalAsked};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_approvers_at_once_one_releases_and_the_other_is_told() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    let other = night.staff(31, "副院長 二").await;
    night.submit().await;
    let (one, two) = (night.verdict(approver()).await, night.verdict(other).await);
    let (first, second) = tokio::join!(night.releases.approve(&one), night.releases.approve(&two));
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert!(matches!(won, Ok(Some(_))), "{won:?}");
    assert!(
        matches!(lost, Err(ReleaseError::Refused(Refusal::NotSubmitted(ReportStatus::Approved)))),
        "{lost:?}"
    );
    let decisions = night
        .store
        .decisions(&night.facility, report.id)
        .await
        .unwrap();
    assert_eq!(decisions.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_both_have_to_both_count_and_the_files_name_both() {
    let mut night = Night::begin().await;
    night.attack().await;
    let other = night.staff(31, "副院長 二").await;
    night
        .rule(&RuleLayer { approvers: Some(2), ..RuleLayer::default() })
        .await;
    night.submit().await;
    let (one, two) = (night.verdict(approver()).await, night.verdict(other).await);
    let (first, second) = tokio::join!(night.releases.approve(&one), night.releases.approve(&two));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.is_some(), second.is_some(), "exactly one of them released it");
    let approved = first.or(second).unwrap();
    assert_eq!(approved.approvals().len(), 2);
    let html = &approved.rendering_of(Format::Html).unwrap().bytes;
    let html = String::from_utf8_lossy(html);
    assert!(html.contains("半田 太郎") && html.contains("副院長 二"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approving_and_taking_back_at_once_leave_one_of_the_two() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    for round in 0..3 {
        let submission = night.submit().await;
        let (yes, back) = (night.verdict(approver()).await, night.verdict(author()).await);
        let asked = WithdrawalAsked {
            revision: submission.revision,
            reason: "書き足す".to_owned(),
            approver: false,
        };
        let (approved, withdrawn) =
            tokio::join!(night.releases.approve(&yes), night.releases.withdraw(&back, &asked));
        let status = night.report().await.status;
        let released = night
            .releases
            .approved(&night.facility, report.id)
            .await
            .unwrap();
        match (approved, withdrawn) {
            (Ok(Some(_)), Err(ReleaseError::Refused(Refusal::NotApprover))) => {
                assert_eq!((status, released.is_some()), (ReportStatus::Approved, true));
                night.take_back(&approver()).await;
            }
            (Err(ReleaseError::Refused(Refusal::NotSubmitted(ReportStatus::Draft))), Ok(_)) => {
                assert_eq!((status, released.is_some()), (ReportStatus::Draft, false));
            }
            (approved, withdrawn) => panic!("round {round}: {approved:?} and {withdrawn:?}"),
        }
    }
}
