//! What staff are told of matters that wait for a person.

use shirase_shared::event::Severity;
use shirase_shared::ids::UserId;

use super::*;
use crate::deliver::{Addressee, Purpose, State, Way, message_id};
use crate::exchange::kind::{PackageKind, Tlp};
use crate::notify::ChannelKind;
use crate::reports::answer::NamedPerson;

fn release(revision: u32) -> EmergencyRelease {
    let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
    EmergencyRelease {
        incident: IncidentId::from_uuid(uuid::Uuid::from_u128(2)),
        report: ReportId::from_uuid(uuid::Uuid::from_u128(3)),
        revision: Revision(revision),
        by: NamedPerson { user, name: "当直 次郎".to_owned() },
        at: "2026-02-08T18:12:00Z".parse().unwrap(),
        reason: "院長・事務長とも\r\nBcc: x@y と連絡がとれない".to_owned(),
        review: None,
    }
}

fn delivery(way: Way, state: State, attempts: u32) -> Delivery {
    let id = DeliveryId::from_uuid(uuid::Uuid::from_u128(4));
    let at = "2026-02-08T18:12:00Z".parse().unwrap();
    Delivery {
        facility: "handa".parse().unwrap(),
        id,
        report: ReportId::from_uuid(uuid::Uuid::from_u128(3)),
        incident: IncidentId::from_uuid(uuid::Uuid::from_u128(2)),
        profile: "jp-mhlw-contact".to_owned(),
        revision: Revision(5),
        answers_sha256: "00".repeat(32),
        drill: false,
        way,
        purpose: Purpose::Report,
        addressee: Addressee {
            organisation: "医政局\r\nBcc: x@y".to_owned(),
            person: String::new(),
            address: "report@mhlw.example".to_owned(),
            drill_partner: false,
            contact: None,
            verified_on: None,
        },
        form: None,
        message_id: message_id(id),
        state,
        attempts,
        failures: 0,
        next_at: None,
        delivered_at: None,
        delivered_by: None,
        receipt: String::new(),
        note: String::new(),
        created_at: at,
        created_by: UserId::from_uuid(uuid::Uuid::from_u128(1)),
        updated_at: at,
    }
}

fn channel(id: &str, min_severity: Severity) -> Channel {
    Channel {
        facility: "handa".parse().unwrap(),
        id: id.parse().unwrap(),
        kind: ChannelKind::Mail,
        target: "a@example.jp".to_owned(),
        min_severity,
    }
}

fn told(matter: Matter, subject: Subject) -> MatterTold {
    let key = missing(&[matter], &[channel("all", Severity::Low)], &BTreeSet::new());
    MatterTold {
        key: key.into_iter().next().unwrap(),
        created_at: release(5).at,
        facility: "半田中央病院".to_owned(),
        number: 7,
        drill: false,
        title: Both { ja: "第一報（連絡）".to_owned(), en: "First contact".to_owned() },
        subject,
        link: "https://collector.example/facilities/handa/reports/3".to_owned(),
    }
}

#[test]
fn each_matter_is_told_once_over_every_channel() {
    let channels = [channel("all", Severity::Low), channel("night", Severity::Critical)];
    let (five, seven) = (Matter::of_release(&release(5)), Matter::of_release(&release(7)));
    let mut outbox = BTreeSet::new();
    let first = missing(std::slice::from_ref(&five), &channels, &outbox);
    assert_eq!(first.len(), 2);
    outbox.extend(first);
    assert!(missing(std::slice::from_ref(&five), &channels, &outbox).is_empty());
    assert_eq!(missing(&[five, seven], &channels, &outbox).len(), 2);
}

#[test]
fn a_delivery_of_the_machine_that_stopped_is_a_matter_and_again_after_another_attempt() {
    let of = |way, state, attempts| Matter::of_delivery(&delivery(way, state, attempts));
    for state in State::ALL {
        assert_eq!(of(Way::Mail, state, 1).is_some(), state.asks_a_person(), "{state}");
        assert_eq!(of(Way::Phone, state, 1), None, "who telephoned knows it");
    }
    assert_ne!(of(Way::Mail, State::Unknown, 1), of(Way::Mail, State::Unknown, 2));
}

#[test]
fn the_letter_of_a_release_says_who_why_and_what_is_left_to_do_in_one_line_each() {
    let matter = Matter::of_release(&release(5));
    let told = told(matter, Subject::Release(Box::new(release(5))));
    let letter = told.letter(None);
    assert!(letter.subject.contains("緊急承認") && letter.subject.contains("半田中央病院"));
    for part in ["当直 次郎", "2026-02-09 03:12:00 JST", "事後確認", "First contact"] {
        assert!(letter.body.contains(part), "{part} in {}", letter.body);
    }
    assert!(!letter.body.contains('\r') && !letter.body.contains("\nBcc"));
    let post = serde_json::to_value(told.post()).unwrap();
    assert_eq!(
        (&post["kind"], &post["is_reviewed"], &post["revision"]),
        (&"emergency_release".into(), &false.into(), &5.into())
    );
    let drill = MatterTold { drill: true, ..told };
    assert!(drill.post().text.starts_with("【訓練】"));
    assert!(drill.letter(None).body.starts_with("【訓練】"));
}

#[test]
fn the_letter_of_a_delivery_says_to_whom_how_it_stands_and_that_a_person_decides() {
    let stopped = delivery(Way::Mail, State::Unknown, 2);
    let matter = Matter::of_delivery(&stopped).unwrap();
    let answer = "no answer after the text\r\nBcc: x@y".to_owned();
    let open = told(matter.clone(), Subject::Delivery(Box::new(stopped), answer.clone()));
    let letter = open.letter(None);
    assert!(letter.subject.contains("結果不明"), "{}", letter.subject);
    for part in ["医政局", "no answer after the text", "判断を記録", "record a decision"] {
        assert!(letter.body.contains(part), "{part} in {}", letter.body);
    }
    assert!(!letter.body.contains('\r') && !letter.body.contains("\nBcc"));
    let post = serde_json::to_value(open.post()).unwrap();
    assert_eq!((&post["kind"], &post["state"]), (&"delivery".into(), &"unknown".into()));

    let late = Subject::Delivery(Box::new(delivery(Way::Mail, State::Delivered, 2)), answer);
    let body = told(matter, late).letter(None).body;
    assert!(body.contains("すでに判断") && !body.contains("判断を記録"), "{body}");
}

#[test]
fn the_letter_of_a_package_says_from_whom_and_nothing_of_what_is_for_the_addressed_alone() {
    let id: PackageId = "ab".repeat(32).parse().unwrap();
    let came = |tlp| PackageCame {
        id: id.clone(),
        thread: id.clone(),
        kind: PackageKind::Notice,
        partner: "愛知県\r\nBcc: x@y".to_owned(),
        subject: "VPN装置の緊急更新".to_owned(),
        tlp,
    };
    let told = |tlp| {
        let subject = Subject::Package(Box::new(came(tlp)));
        let title = Both { ja: "通知".to_owned(), en: "notice".to_owned() };
        MatterTold { title, ..told(Matter::Package(id.clone()), subject) }
    };
    let letter = told(Tlp::Green).letter(None);
    assert!(
        letter.subject.contains("愛知県") && letter.subject.contains("通知"),
        "{}",
        letter.subject
    );
    for part in ["VPN装置の緊急更新", "TLP:GREEN", "読みました", "A notice has arrived"]
    {
        assert!(letter.body.contains(part), "{part} in {}", letter.body);
    }
    assert!(!letter.subject.contains('\r') && !letter.body.contains("\nBcc"));
    let post = serde_json::to_value(told(Tlp::Green).post()).unwrap();
    assert_eq!((&post["kind"], &post["package_kind"]), (&"package".into(), &"notice".into()));
    assert!(post.get("incident").is_none() && post.get("number").is_none());

    let red = told(Tlp::Red);
    let post = serde_json::to_string(&red.post()).unwrap();
    let whole = format!("{} {} {post}", red.letter(None).subject, red.letter(None).body);
    assert!(!whole.contains("VPN"), "{whole}");
}
