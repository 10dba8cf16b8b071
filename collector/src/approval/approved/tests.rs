//! Tampering with any part of a stored approval is found; the hash changes exactly when an answer does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{Format, signed_text};
use super::*;
use crate::keys::SigningKey;
use crate::reports::answer::{Answer, AnswerStatus, Revision, Value};
use crate::reports::fields::Field;
use crate::reports::render::samples::{after, answers, author, frozen, line, person, report, uuid};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

#[test]
fn an_untouched_record_stands() {
    assert!(Approved::verify(stored(), &KEY.public_base64()).is_ok());
}

#[test]
fn whatever_is_changed_in_the_record_is_found() {
    check(
        |s| s.submission.frozen_json = s.submission.frozen_json.replace("41,208件", "12件"),
        "answers",
    );
    check(
        |s| {
            s.submission.frozen_json = s.submission.frozen_json.replace("41,208件", "12件");
            s.submission.answers_sha256 = sha256_hex(s.submission.frozen_json.as_bytes());
        },
        "decision",
    );
    check(
        |s| {
            s.submission.frozen_json.insert(1, ' ');
            s.submission.answers_sha256 = sha256_hex(s.submission.frozen_json.as_bytes());
            s.decisions[0].answers_sha256 = s.submission.answers_sha256.clone();
        },
        "not canonical",
    );
    check(|s| s.submission.report = shirase_shared::ids::ReportId::random(), "not canonical");
    check(|s| s.submission.facility = "other-hp".parse().unwrap(), "not canonical");
    check(|s| s.decisions[0].decision = Decision::Rejected, "withdrawn");
    check(|s| s.decisions[0].answers_sha256 = sha256_hex(b"other"), "decision");
    check(|s| s.decisions[0].revision = Revision(9), "decision");
    check(|s| s.decisions.clear(), "decision");
    check(|s| s.decisions[0].approvers_needed = 2, "decision");
    check(
        |s| {
            s.decisions[0].approvers_needed = 2;
            s.decisions.push(s.decisions[0].clone());
        },
        "decision",
    );
    check(
        |s| {
            let withdrawn = Decision::Withdrawn;
            s.decisions
                .push(DecisionRecord { decision: withdrawn, ..s.decisions[0].clone() });
        },
        "withdrawn",
    );
    for status in [ReportStatus::Draft, ReportStatus::Submitted, ReportStatus::Withdrawn] {
        check(|s| s.status = status, "withdrawn");
    }
    check(|s| s.rendering.revision = Revision(4), "decision");
    check(|s| s.rendering.bytes.push(b'x'), "file");
    check(
        |s| {
            s.rendering.bytes.push(b'x');
            s.rendering.sha256 = sha256_hex(&s.rendering.bytes);
        },
        "signature",
    );
    check(|s| s.others[1].revision = Revision(4), "decision");
    check(|s| s.others[1].bytes.push(b'x'), "file");
    check(|s| s.others[0].format = Format::Xlsx, "signature");
    check(|s| s.others[0].signature = s.others[1].signature.clone(), "signature");
    check(|s| s.rendering.signature = KEY.sign_base64(b"something else"), "signature");
    check(|s| s.rendering.signature = "not base64!".to_owned(), "signature");
}

#[test]
fn two_people_and_one_in_an_emergency_release_too() {
    let mut two = stored();
    two.decisions[0].approvers_needed = 2;
    let second = UserId::from_uuid(uuid(13));
    two.decisions
        .push(DecisionRecord { decided_by: second, ..two.decisions[0].clone() });
    let approved = Approved::verify(two, &KEY.public_base64()).unwrap();
    assert_eq!((approved.approved_by(), approved.approvals().len()), (second, 2));
    let mut alone = stored();
    alone.decisions[0].approvers_needed = 2;
    alone.decisions[0].manner = Manner::Emergency;
    let approved = Approved::verify(alone, &KEY.public_base64()).unwrap();
    assert!(approved.emergency().is_some());
}

#[test]
fn the_key_of_another_collector_signs_nothing_here() {
    let other = SigningKey::generate().unwrap();
    let refused = Approved::verify(stored(), &other.public_base64());
    assert_eq!(refused.unwrap_err(), Tampered::Signature);
}

#[test]
fn the_frozen_text_reads_back_and_holds_the_profile_it_names() {
    let frozen = frozen(&answers(), None);
    let text = frozen.canonical().unwrap();
    let again: Frozen = serde_json::from_str(&text).unwrap();
    assert_eq!(again, frozen);
    assert!(again.is_coherent());
    assert_eq!(again.authors, [author()]);
    let mut other = frozen;
    other.profile.text.push('#');
    assert!(!other.is_coherent());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Same answers, same hash; one answer that says anything else, another hash.
    #[test]
    fn the_hash_changes_exactly_when_an_answer_does(
        field in 0..Field::ALL.len(),
        text in any::<String>(),
        status in 0_usize..4,
        seconds in 0_i64..10_000,
    ) {
        let field = Field::ALL[field];
        let old = answers();
        let mut new = old.clone();
        let line = line(Some(seconds), "x", &text);
        let value = Value::Lines { lines: vec![line] };
        let answer = Answer { as_of: after(seconds), ..person(value, AnswerStatus::ALL[status], &text) };
        new.insert(field, answer);
        prop_assert_eq!(old == new, hash(&old) == hash(&new));
        prop_assert_eq!(hash(&new), hash(&new.clone()));
    }
}

fn hash(answers: &BTreeMap<Field, Answer>) -> String {
    sha256_hex(frozen(answers, None).canonical().unwrap().as_bytes())
}

fn stored() -> StoredApproval {
    let report = report(None);
    let frozen_json = frozen(&answers(), None).canonical().unwrap();
    let answers_sha256 = sha256_hex(frozen_json.as_bytes());
    let signed = |format: Format, bytes: &[u8]| {
        let sha256 = sha256_hex(bytes);
        let parts = SignedParts {
            report: report.id,
            revision: report.revision,
            answers_sha256: &answers_sha256,
            format,
            file_sha256: &sha256,
        };
        let signature = KEY.sign_base64(signed_text(&parts).as_bytes());
        Rendering {
            revision: report.revision,
            format,
            sha256,
            signature,
            bytes: bytes.to_vec(),
            made_at: after(6000),
        }
    };
    let rendering = signed(Format::Pdf, b"%PDF-1.7 a file");
    let others = vec![signed(Format::Docx, b"a letter"), signed(Format::TimelineCsv, b"a table")];
    let approver = UserId::from_uuid(uuid(12));
    StoredApproval {
        status: ReportStatus::Approved,
        submission: Submission {
            facility: report.facility.clone(),
            report: report.id,
            revision: report.revision,
            frozen_json,
            answers_sha256: answers_sha256.clone(),
            submitted_by: author().user,
            submitted_at: after(5400),
        },
        decisions: vec![DecisionRecord {
            revision: report.revision,
            decision: Decision::Approved,
            answers_sha256,
            decided_by: approver,
            decided_name: "院長 半田 太郎".to_owned(),
            decided_at: after(6000),
            own_answers: OwnAnswers::None,
            deputy_for: None,
            manner: Manner::Ordinary,
            approvers_needed: 1,
            reason: String::new(),
        }],
        rendering,
        others,
    }
}

#[track_caller]
fn check(tamper: impl FnOnce(&mut StoredApproval), expected: &str) {
    let mut record = stored();
    tamper(&mut record);
    let refused = Approved::verify(record, &KEY.public_base64()).unwrap_err();
    let name = match refused {
        Tampered::Answers { .. } => "answers",
        Tampered::NotCanonical => "not canonical",
        Tampered::Decision => "decision",
        Tampered::Withdrawn => "withdrawn",
        Tampered::File { .. } => "file",
        Tampered::Signature => "signature",
    };
    assert_eq!(name, expected, "{refused}");
}
