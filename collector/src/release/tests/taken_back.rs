//! Withdrawals: what was taken back is released no more, and the way to a corrected report stays open.

use super::*;
use crate::approval::WithdrawalAsked;
use crate::deliver::{self, Addressee, Choice, Decided, Outcome, Purpose, Record, Way};
use crate::reports::answer::NamedPerson;

impl Night {
    /// Takes the report back as it stands, as an approver.
    pub(super) async fn take_back(&self, by: &NamedPerson) {
        let asked = self.wish(true).await;
        let verdict = self.verdict(by.clone()).await;
        self.releases.withdraw(&verdict, &asked).await.unwrap();
    }

    pub(super) async fn wish(&self, approver: bool) -> WithdrawalAsked {
        let revision = self.report().await.revision;
        WithdrawalAsked { revision, reason: "宛先を誤った".to_owned(), approver }
    }
}

#[tokio::test]
async fn an_author_takes_a_submitted_report_back_but_not_an_approved_one() {
    let mut night = Night::begin().await;
    night.attack().await;
    night.submit().await;
    let verdict = night.verdict(author()).await;
    let asked = night.wish(false).await;
    let unsaid = WithdrawalAsked { reason: " ".to_owned(), ..asked.clone() };
    let refused = night.releases.withdraw(&verdict, &unsaid).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NoReason))), "{refused:?}");
    night.releases.withdraw(&verdict, &asked).await.unwrap();
    assert_eq!(night.report().await.status, ReportStatus::Draft);
    let again = night.releases.withdraw(&verdict, &asked).await;
    assert!(
        matches!(again, Err(ReleaseError::Refused(Refusal::NothingToWithdraw(_)))),
        "{again:?}"
    );

    night.submit().await;
    night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap();
    let (verdict, asked) = (night.verdict(author()).await, night.wish(false).await);
    let refused = night.releases.withdraw(&verdict, &asked).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NotApprover))), "{refused:?}");
}

#[tokio::test]
async fn what_was_taken_back_can_never_be_taken_as_approved_and_is_corrected_instead() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    night.submit().await;
    let first = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap()
        .unwrap();
    night.take_back(&approver()).await;
    assert!(
        night
            .releases
            .approved(&night.facility, report.id)
            .await
            .unwrap()
            .is_none()
    );
    let draft = night
        .releases
        .file(&night.facility, report.id)
        .await
        .unwrap();
    assert!(draft.name.contains("draft"), "{}", draft.name);

    // Whoever reaches into the database cannot bring it back either.
    let force = async |status| night.store.force_status(report.id, status).await.unwrap();
    force(ReportStatus::Approved).await;
    let forged = night.releases.approved(&night.facility, report.id).await;
    assert!(matches!(forged, Err(ReleaseError::Tampered(Tampered::Withdrawn))), "{forged:?}");
    force(ReportStatus::Draft).await;

    let change = night
        .change(author(), Field::Summary, Value::text("訂正した概要"))
        .await;
    night
        .store
        .set_answer(&change, night.releases.now())
        .await
        .unwrap();
    night.submit().await;
    let second = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap()
        .unwrap();
    assert_ne!(first.answers_sha256(), second.answers_sha256());
    let decisions = night
        .store
        .decisions(&night.facility, report.id)
        .await
        .unwrap();
    let decided: Vec<Decision> = decisions.iter().map(|record| record.decision).collect();
    assert_eq!(decided, [Decision::Approved, Decision::Withdrawn, Decision::Approved]);
    assert_eq!(decisions[1].reason, "宛先を誤った");
}

#[tokio::test]
async fn a_report_a_later_one_builds_on_is_corrected_there() {
    let mut night = Night::begin().await;
    let first = grown(&mut night).await;
    let next = NewReport {
        facility: night.facility.clone(),
        incident: first.incident,
        profile: "jp-mhlw-followup".to_owned(),
        series: "jp-mhlw".to_owned(),
        kind: RoundKind::Interim,
        drill: None,
    };
    let (who, now) = (Actor::User(author().user), night.releases.now());
    night.store.next_report(&next, who, now).await.unwrap();
    let first = night.store.report(&night.facility, first.id).await.unwrap();
    let verdict = Verdict {
        facility: night.facility.clone(),
        report: first.id,
        revision: first.revision,
        by: approver(),
    };
    let asked = WithdrawalAsked { revision: first.revision, reason: "x".into(), approver: true };
    let refused = night.releases.withdraw(&verdict, &asked).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::Followed))), "{refused:?}");
}

#[tokio::test]
async fn what_is_on_its_way_or_delivered_stays_and_what_was_stopped_does_not() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    night.submit().await;
    night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap();
    let wish = deliver::Wish {
        facility: night.facility.clone(),
        report: report.id,
        way: Way::Phone,
        purpose: Purpose::Report,
        addressee: Addressee {
            organisation: "厚生労働省".to_owned(),
            person: String::new(),
            address: "03-0000-0000".to_owned(),
            drill_partner: false,
            contact: None,
            verified_on: None,
        },
        form: None,
        again: false,
        by: author(),
    };
    let now = night.releases.now();
    let first = night.store.create_delivery(&wish, now).await.unwrap();
    let refused = async |expected: Refusal| {
        let (verdict, asked) = (night.verdict(approver()).await, night.wish(true).await);
        let refused = night.releases.withdraw(&verdict, &asked).await;
        assert!(
            matches!(&refused, Err(ReleaseError::Refused(refusal)) if *refusal == expected),
            "{refused:?}"
        );
    };
    refused(Refusal::UnderWay).await;
    let stop = Decided {
        facility: night.facility.clone(),
        delivery: first.id,
        choice: Choice::Stop,
        note: "宛先を誤った".to_owned(),
        receipt: String::new(),
        by: author().user,
    };
    night.store.decide_delivery(&stop, now).await.unwrap();
    night.take_back(&approver()).await;

    night.submit().await;
    night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap();
    let second = night.store.create_delivery(&wish, now).await.unwrap();
    let record = Record {
        facility: night.facility.clone(),
        delivery: second.id,
        outcome: Outcome::Delivered,
        at: now,
        spoke_with: "担当官".to_owned(),
        answer: "受け付けました".to_owned(),
        receipt: "R-1".to_owned(),
        by: author().user,
    };
    night.store.record_delivery(&record, now).await.unwrap();
    refused(Refusal::Delivered).await;
}
