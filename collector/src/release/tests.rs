//! Decisions on a real store: four eyes, stale revisions, frozen answers, signed files.

mod alone;
mod at_once;
mod several;
mod taken_back;

use super::night::{Night, approver, author};
use super::*;
use crate::approval::{Decision, OwnAnswers, SignedParts, Verdict, verify_rendering};
use crate::audit::Actor;
use crate::reports::AnswerChange;
use crate::reports::ReportStatus;
use crate::reports::answer::{AnswerProblem, AnswerStatus, Revision, RoundKind, Value};
use crate::reports::fields::Field;
use crate::store::{AnswerError, NewReport, RoundRefused};

#[tokio::test]
async fn a_second_person_approves_what_was_frozen_and_the_file_proves_it() {
    let mut night = Night::begin().await;
    let drafted = night.attack().await;
    let submission = night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    assert_eq!(submission.revision, drafted.revision.next());
    let frozen: Frozen = serde_json::from_str(&submission.frozen_json).unwrap();
    let reported_at = frozen.answer(Field::ReportedAt).unwrap();
    assert_eq!(reported_at.value, Value::DateTime { at: submission.submitted_at });

    let approved = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap()
        .expect("one approval is enough");
    assert_eq!(approved.answers_sha256(), submission.answers_sha256);
    assert_eq!(
        (approved.approved_by(), approved.own_answers()),
        (approver().user, OwnAnswers::None)
    );
    assert!(approved.rendering().bytes.starts_with(b"%PDF-"));
    let file = night
        .releases
        .file(&night.facility, drafted.id)
        .await
        .unwrap();
    assert_eq!(file.bytes, approved.rendering().bytes, "asked for again it is the stored one");
    assert!(!file.name.contains("draft"), "{}", file.name);
    for format in Format::DOCUMENTS {
        let stored = approved
            .rendering_of(format)
            .expect("it was made and signed");
        let file = night
            .releases
            .file_as(&night.facility, drafted.id, format)
            .await
            .unwrap();
        assert!(file.bytes == stored.bytes, "{format} is the stored one");
    }

    let key = night.releases.0.report_key.public_base64();
    let rendering = approved.rendering();
    let parts = SignedParts {
        report: drafted.id,
        revision: submission.revision,
        answers_sha256: approved.answers_sha256(),
        format: rendering.format,
        file_sha256: &rendering.sha256,
    };
    let verify = |parts, bytes: &[u8]| verify_rendering(parts, bytes, &rendering.signature, &key);
    assert_eq!(verify(&parts, &rendering.bytes), Ok(()));
    assert!(matches!(verify(&parts, b"%PDF-other"), Err(Tampered::File { .. })));
    let other = SignedParts { revision: Revision(99), ..parts };
    assert_eq!(verify(&other, &rendering.bytes), Err(Tampered::Signature));
}

#[tokio::test]
async fn an_author_and_the_submitter_cannot_approve_unless_the_facility_says_so() {
    let mut night = Night::begin().await;
    night.attack().await;
    let value = Value::text("職員が書いた概要");
    let change = night.change(approver(), Field::Summary, value).await;
    night
        .store
        .set_answer(&change, night.releases.now())
        .await
        .unwrap();
    night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    for person in [author(), approver()] {
        let refused = night.releases.approve(&night.verdict(person).await).await;
        assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::OwnAnswers))), "{refused:?}");
    }
    night.allow_self_approval().await;
    let approved = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap()
        .expect("one approval is enough");
    assert_eq!(approved.own_answers(), OwnAnswers::Some);
    let audit = night
        .store
        .audit_of(&night.facility, None, 50)
        .await
        .unwrap();
    let actions: Vec<&str> = audit.iter().map(|entry| entry.action.as_str()).collect();
    for action in ["report.drafted", "report.answered", "report.submitted", "report.approved"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
}

#[tokio::test]
async fn a_stale_revision_is_refused_everywhere() {
    let mut night = Night::begin().await;
    night.attack().await;
    let stale = night.verdict(author()).await;
    let one = night
        .change(author(), Field::DataLeak, choice("feared"))
        .await;
    let same = night
        .change(approver(), Field::DataLeak, choice("no"))
        .await;
    let other = night
        .change(approver(), Field::CareHindered, choice("yes"))
        .await;
    let now = night.releases.now();
    night.store.set_answer(&one, now).await.unwrap();
    let refused = night.store.set_answer(&same, now).await;
    assert!(matches!(refused, Err(AnswerError::Store(StoreError::Stale(_)))), "{refused:?}");
    night
        .store
        .set_answer(&other, now)
        .await
        .expect("another field is nobody's loss");

    let refused = night.releases.submit(&stale).await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::Stale { .. }))), "{refused:?}");
    night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    let refused = night
        .releases
        .approve(&Verdict { by: approver(), ..stale })
        .await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::Stale { .. }))), "{refused:?}");
}

#[tokio::test]
async fn submitted_answers_stand_until_they_are_rejected() {
    let mut night = Night::begin().await;
    night.attack().await;
    let change = night
        .change(author(), Field::Summary, Value::text("一"))
        .await;
    let first = night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    let now = night.releases.now();
    let refused = night.store.set_answer(&change, now).await;
    assert!(matches!(refused, Err(AnswerError::Store(StoreError::Stale(_)))), "{refused:?}");
    night.attack().await;
    assert_eq!(night.report().await.revision, first.revision, "the machine leaves it alone too");
    let again = night.releases.submit(&night.verdict(author()).await).await;
    assert!(matches!(again, Err(ReleaseError::Refused(Refusal::NotDraft(_)))), "{again:?}");

    let verdict = night.verdict(approver()).await;
    let refused = night.releases.reject(&verdict, "  ").await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NoReason))), "{refused:?}");
    let record = night
        .releases
        .reject(&verdict, "件数を確かめてください")
        .await
        .unwrap();
    assert_eq!(record.reason, "件数を確かめてください");
    assert_eq!(night.report().await.status, ReportStatus::Draft);
    let change = night
        .change(author(), Field::Summary, Value::text("二"))
        .await;
    night.store.set_answer(&change, now).await.unwrap();
    let second = night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    assert!(first.revision < second.revision && first.answers_sha256 != second.answers_sha256);
    night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap();
    let decisions = night
        .store
        .decisions(&night.facility, verdict.report)
        .await
        .unwrap();
    let decided: Vec<Decision> = decisions.iter().map(|record| record.decision).collect();
    assert_eq!(decided, [Decision::Rejected, Decision::Approved]);
    let refused = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await;
    assert!(matches!(refused, Err(ReleaseError::Refused(Refusal::NotSubmitted(_)))), "{refused:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_stand_is_refused_with_its_reason() {
    let mut night = Night::begin().await;
    night.attack().await;
    let now = night.releases.now();
    let mut change = night
        .change(author(), Field::DataLeak, choice("feared"))
        .await;
    change.status = AnswerStatus::Estimated;
    let refused = night.store.set_answer(&change, now).await;
    assert!(matches!(refused, Err(AnswerError::Problem(AnswerProblem::NoEvidence))), "{refused:?}");
    change.basis = "外部への大量通信の記録".to_owned();
    night.store.set_answer(&change, now).await.unwrap();
    let wrong = night
        .change(author(), Field::DataLeak, Value::text("おそれ"))
        .await;
    let refused = night.store.set_answer(&wrong, now).await;
    assert!(
        matches!(refused, Err(AnswerError::Problem(AnswerProblem::WrongType { field: 20 }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn every_version_of_an_answer_is_kept() {
    let mut night = Night::begin().await;
    let report = night.attack().await;
    for text in ["一", "二"] {
        let change = night
            .change(author(), Field::Summary, Value::text(text))
            .await;
        night
            .store
            .set_answer(&change, night.releases.now())
            .await
            .unwrap();
    }
    let history = night
        .store
        .answer_history(&night.facility, report.incident, Field::Summary)
        .await
        .unwrap();
    let texts: Vec<_> = history
        .iter()
        .rev()
        .take(2)
        .map(|v| v.answer.value.clone())
        .collect();
    assert_eq!(texts, [Value::text("二"), Value::text("一")]);
    assert!(3 <= history.len() && history[0].answer.source.user().is_none());
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].answer.revision < pair[1].answer.revision)
    );
}

/// Releases a first report that says 10,000 people, and then lets an author say 130,000.
async fn grown(night: &mut Night) -> Report {
    let first = night.attack().await;
    let now = night.releases.now();
    let change = night
        .change(author(), Field::Persons, count(10_000, "共有フォルダ"))
        .await;
    night.store.set_answer(&change, now).await.unwrap();
    night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap();
    let sheet = night
        .store
        .incident_sheet(&night.facility, first.incident)
        .await
        .unwrap();
    let grown = AnswerChange {
        expected: sheet.revision,
        report: None,
        value: count(130_000, "全サーバの調査"),
        ..change
    };
    night.store.set_answer(&grown, now).await.unwrap();
    first
}

fn count(maximum: u64, basis: &str) -> Value {
    Value::People { confirmed: None, maximum: Some(maximum), basis: basis.to_owned() }
}

#[tokio::test]
async fn the_next_report_goes_on_from_the_one_before_and_freezes_what_changed() {
    let mut night = Night::begin().await;
    let first = grown(&mut night).await;
    let shown = night.store.sheet(&night.facility, first.id).await.unwrap();
    let frozen = &shown.answers[&Field::Persons].value;
    assert_eq!(*frozen, count(10_000, "共有フォルダ"), "the first report shows what it froze");

    let next = NewReport {
        facility: night.facility.clone(),
        incident: first.incident,
        profile: "jp-mhlw-followup".to_owned(),
        series: "jp-mhlw".to_owned(),
        kind: RoundKind::Interim,
        drill: None,
    };
    let (who, now) = (Actor::User(author().user), night.releases.now());
    let second = night.store.next_report(&next, who, now).await.unwrap();
    assert_eq!(second.round.number, 2);
    let refused = night.store.next_report(&next, who, now).await;
    assert!(matches!(refused, Err(RoundRefused::Open(ReportStatus::Draft))), "{refused:?}");
    let verdict = |by, report: &Report| Verdict {
        facility: report.facility.clone(),
        report: report.id,
        revision: report.revision,
        by,
    };
    let submission = night
        .releases
        .submit(&verdict(author(), &second))
        .await
        .unwrap();
    let frozen: Frozen = serde_json::from_str(&submission.frozen_json).unwrap();
    let former = frozen.former.as_ref().unwrap();
    assert_eq!((former.number, former.report), (1, first.id));
    let changed: Vec<Field> = former.changed.iter().map(|changed| changed.field).collect();
    assert_eq!(changed, [Field::Persons], "{former:?}");
    let before = former.changed[0].answer.as_ref().unwrap();
    assert_eq!(before.value, count(10_000, "共有フォルダ"));
    let round = &frozen.answer(Field::Round).unwrap().value;
    assert_eq!(*round, Value::Round { kind: RoundKind::Interim, number: 2 });

    let second = night
        .store
        .report(&night.facility, second.id)
        .await
        .unwrap();
    let approved = night
        .releases
        .approve(&verdict(approver(), &second))
        .await
        .unwrap()
        .expect("one approval is enough");
    assert!(approved.rendering().bytes.starts_with(b"%PDF-"));
    show("followup", &approved.rendering().bytes);
    let handed_in = night
        .store
        .handed_in(&night.facility, first.incident)
        .await
        .unwrap();
    assert!(handed_in.is_empty(), "an approval hands nothing in");
}

/// Leaves a document where a person can look at it, if the environment names a folder.
fn show(name: &str, bytes: &[u8]) {
    if let Ok(folder) = std::env::var("SHIRASE_SHOW_REPORTS") {
        fs::write(Path::new(&folder).join(format!("{name}.pdf")), bytes).unwrap();
    }
}

#[tokio::test]
async fn every_profile_that_is_switched_on_renders() {
    let mut night = Night::begin().await;
    let first = night.attack().await;
    for profile in night.releases.shared_profiles().all() {
        let body = &profile.body;
        if !body.enabled || body.series == "jp-mhlw" {
            continue;
        }
        let new = NewReport {
            facility: night.facility.clone(),
            incident: first.incident,
            profile: body.id.clone(),
            // One series each: the rounds before are not out.
            series: body.id.clone(),
            kind: body.round.kinds()[0],
            drill: None,
        };
        let now = night.releases.now();
        let who = Actor::User(author().user);
        let report = night.store.next_report(&new, who, now).await.unwrap();
        let file = night
            .releases
            .file(&night.facility, report.id)
            .await
            .unwrap();
        assert!(file.bytes.starts_with(b"%PDF-"), "{}", body.id);
        show(&body.id, &file.bytes);
    }
}

#[tokio::test]
async fn without_a_font_nothing_is_approved_and_everything_else_goes_on() {
    let mut night = Night::with(Path::new("/no/such/font.ttf")).await;
    night.attack().await;
    night
        .releases
        .submit(&night.verdict(author()).await)
        .await
        .unwrap();
    let refused = night
        .releases
        .approve(&night.verdict(approver()).await)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("/no/such/font.ttf"), "{refused}");
    assert_eq!(night.report().await.status, ReportStatus::Submitted);
    assert!(night.releases.find_font().await.is_err());
}

#[test]
fn a_hospitals_own_profile_is_read_from_the_data_directory_and_its_mistakes_named() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(read_profiles(dir.path()).unwrap().all().count(), 22);
    let own = dir.path().join(PROFILES_DIR);
    fs::create_dir(&own).unwrap();
    fs::write(own.join("jp-mhlw-contact.toml"), "id = \"jp-mhlw-contact\"\nfields = [3, 999]\n")
        .unwrap();
    let message = read_profiles(dir.path()).unwrap_err().to_string();
    assert!(message.contains("jp-mhlw-contact.toml") && message.contains("line 2"), "{message}");
}

fn choice(code: &str) -> Value {
    Value::Choices { chosen: vec![code.to_owned()], note: String::new() }
}
