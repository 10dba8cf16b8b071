//! The rules of delivery as tables.

use shirase_shared::ids::UserId;
use uuid::Uuid;

use super::*;

const PARTNER: bool = true;
const STRANGER: bool = false;

#[test]
fn who_may_get_which_report_as_a_table() {
    use ReportStatus::{Approved, Draft, Submitted, Withdrawn};

    let drill = Err(Refusal::DrillToOthers);
    #[rustfmt::skip]
    let table = [
        // the report is …, an exercise's, to a drill partner
        (Approved,  false, STRANGER, Ok(())),
        (Approved,  false, PARTNER,  Ok(())),
        (Approved,  true,  PARTNER,  Ok(())),
        (Approved,  true,  STRANGER, drill),
        (Draft,     false, STRANGER, Err(Refusal::NotApproved(Draft))),
        (Submitted, true,  PARTNER,  Err(Refusal::NotApproved(Submitted))),
        (Withdrawn, false, STRANGER, Err(Refusal::NotApproved(Withdrawn))),
    ];
    for (status, drill, partner, expected) in table {
        let standing = Standing { status, drill, others: &[] };
        assert_eq!(
            judge(standing, &wish("a@b.jp", partner)),
            expected,
            "{status} {drill} {partner}"
        );
    }
}

#[test]
fn nobody_gets_the_same_twice_by_accident() {
    let waiting = Err(Refusal::UnderWay(State::Waiting));
    let unknown = Err(Refusal::UnderWay(State::Unknown));
    let table = [
        (State::Waiting, "a@b.jp", false, waiting.clone()),
        (State::Waiting, "a@b.jp", true, waiting),
        (State::Unknown, "a@b.jp", true, unknown),
        (State::Delivered, "a@b.jp", false, Err(Refusal::HasIt)),
        (State::Delivered, "a@b.jp", true, Ok(())),
        (State::Stopped, "a@b.jp", false, Ok(())),
        (State::Waiting, "other@b.jp", false, Ok(())),
    ];
    for (state, address, again, expected) in table {
        let others = [Delivery { state, ..delivery(Way::Mail, "a@b.jp") }];
        let standing = Standing { status: ReportStatus::Approved, drill: false, others: &others };
        let wish = Wish { again, ..wish(address, STRANGER) };
        assert_eq!(judge(standing, &wish), expected, "{state} {address} {again}");
    }
}

#[test]
fn what_follows_from_an_attempt_as_a_table() {
    let table = [
        (Outcome::Delivered, 1, State::Delivered),
        (Outcome::NotYet, 1, State::Waiting),
        (Outcome::NotYet, 19, State::Waiting),
        (Outcome::NotYet, 20, State::Failed),
        (Outcome::Refused, 1, State::Refused),
        // Never a blind retry: however few attempts there were, a person decides.
        (Outcome::Unknown, 1, State::Unknown),
    ];
    for (outcome, failures, expected) in table {
        assert_eq!(after(outcome, failures, 20), expected, "{outcome:?} {failures}");
    }
}

#[test]
fn an_end_nobody_saw_is_unknown_once_the_text_was_leaving() {
    let attempt = |handed: bool| Attempt {
        number: 1,
        begun_at: at(0),
        handing_over_at: handed.then(|| at(1)),
        ended_at: None,
        outcome: None,
        answer: String::new(),
        by: None,
    };
    assert_eq!(broken_off(Way::Mail, &attempt(false)), Outcome::NotYet);
    assert_eq!(broken_off(Way::Mail, &attempt(true)), Outcome::Unknown);
    assert_eq!(broken_off(Way::Folder, &attempt(true)), Outcome::NotYet, "written whole or not");
}

#[test]
fn what_a_person_may_decide_as_a_table() {
    use Choice::{Again, Delivered, Stop};

    for state in State::ALL {
        let allowed: Vec<_> = [Delivered, Again, Stop]
            .into_iter()
            .filter_map(|choice| choice.on(state).ok())
            .collect();
        let expected: &[State] = match state {
            State::Waiting => &[State::Stopped],
            State::Unknown => &[State::Delivered, State::Waiting, State::Stopped],
            State::Refused | State::Failed => &[State::Waiting, State::Stopped],
            State::Delivered | State::Stopped => &[],
        };
        assert_eq!(allowed, expected, "{state}");
    }
}

#[test]
fn a_record_by_hand_names_a_person_and_a_possible_time() {
    let phone = delivery(Way::Phone, "03-0000-0000");
    let released = at(600);
    let now = at(1200);
    let good = record(at(700));
    assert_eq!(good.check(&phone, released, now), Ok(()));
    let check = |record: Record| record.check(&phone, released, now);
    assert_eq!(check(record(at(500))), Err(Refusal::Time), "before the release");
    assert_eq!(check(record(at(570))), Ok(()), "in the same minute as the release");
    assert_eq!(check(record(at(1300))), Err(Refusal::Time), "in the future");
    let nobody = Record { spoke_with: " ".to_owned(), ..good.clone() };
    assert_eq!(check(nobody.clone()), Err(Refusal::Text("spoke_with")));
    let busy = Record { outcome: Outcome::NotYet, ..nobody };
    assert_eq!(check(busy), Ok(()), "nobody answered");
    let lines = Record { answer: "受付\r\nしました".to_owned(), ..good.clone() };
    assert_eq!(check(lines), Err(Refusal::Text("answer")));
    let mail = delivery(Way::Mail, "a@b.jp");
    assert_eq!(good.check(&mail, released, now), Err(Refusal::NotByHand));
    let done = Delivery { state: State::Delivered, ..phone.clone() };
    assert_eq!(good.check(&done, released, now), Err(Refusal::NotNow(State::Delivered)));
}

#[test]
fn the_id_of_a_message_belongs_to_the_delivery() {
    let one = delivery(Way::Mail, "a@b.jp");
    assert_eq!(message_id(one.id), message_id(one.id));
    assert_ne!(message_id(one.id), message_id(DeliveryId::random()));
}

#[test]
fn every_name_reads_back() {
    assert!(
        Way::ALL
            .into_iter()
            .all(|way| Way::parse(way.as_str()) == Some(way))
    );
    assert!(
        State::ALL
            .into_iter()
            .all(|state| State::parse(state.as_str()) == Some(state))
    );
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_570_000 + second).unwrap()
}

fn user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(7))
}

fn wish(address: &str, drill_partner: bool) -> Wish {
    Wish {
        facility: "handa-hp".parse().unwrap(),
        report: ReportId::from_uuid(Uuid::from_u128(1)),
        way: Way::Mail,
        purpose: Purpose::Report,
        addressee: addressee(address, drill_partner),
        form: None,
        again: false,
        by: NamedPerson { user: user(), name: "山田 花子".to_owned() },
    }
}

fn addressee(address: &str, drill_partner: bool) -> Addressee {
    Addressee {
        organisation: "県庁 医療政策課".to_owned(),
        person: String::new(),
        address: address.to_owned(),
        drill_partner,
        contact: None,
        verified_on: None,
    }
}

fn delivery(way: Way, address: &str) -> Delivery {
    let id = DeliveryId::from_uuid(Uuid::from_u128(2));
    Delivery {
        facility: "handa-hp".parse().unwrap(),
        id,
        report: ReportId::from_uuid(Uuid::from_u128(1)),
        incident: IncidentId::from_uuid(Uuid::from_u128(3)),
        profile: "jp-mhlw-contact".to_owned(),
        revision: Revision(3),
        answers_sha256: "ab".repeat(32),
        drill: false,
        way,
        purpose: Purpose::Report,
        addressee: addressee(address, STRANGER),
        form: None,
        message_id: message_id(id),
        state: State::Waiting,
        attempts: 0,
        failures: 0,
        next_at: None,
        delivered_at: None,
        delivered_by: None,
        receipt: String::new(),
        note: String::new(),
        created_at: at(0),
        created_by: user(),
        updated_at: at(0),
    }
}

fn record(when: Timestamp) -> Record {
    Record {
        facility: "handa-hp".parse().unwrap(),
        delivery: DeliveryId::from_uuid(Uuid::from_u128(2)),
        outcome: Outcome::Delivered,
        at: when,
        spoke_with: "当直 鈴木様".to_owned(),
        answer: "受け付けました".to_owned(),
        receipt: "R8-123".to_owned(),
        by: user(),
    }
}
