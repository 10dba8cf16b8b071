//! Who may, as tables; and over every small constellation of people, answers, settings and absences.

use super::*;

const AUTHOR: u128 = 1;
const CHIEF: u128 = 2;
const SECOND: u128 = 3;
const DEPUTY: u128 = 4;
const OTHER: u128 = 5;
/// When everything was submitted, and how long deputies wait where they do.
const WAIT_MINS: u32 = 30;

fn user(number: u128) -> UserId {
    UserId::from_uuid(uuid::Uuid::from_u128(number))
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + 60 * minute).unwrap()
}

/// CHIEF and SECOND approve, DEPUTY stands in for both.
fn both_named() -> Vec<NamedApprover> {
    [CHIEF, SECOND]
        .map(|number| NamedApprover { user: user(number), deputies: vec![user(DEPUTY)] })
        .to_vec()
}

fn standing() -> Standing {
    Standing {
        status: ReportStatus::Submitted,
        revision: Revision(5),
        authors: vec![user(AUTHOR)],
        submitted_at: at(0),
        rule: Rule::default(),
        given: Vec::new(),
        away: BTreeSet::new(),
        sending: Sending::NotYet,
        followed: false,
    }
}

fn asked(by: u128, minute: i64) -> Asked {
    Asked {
        revision: Revision(5),
        decision: Decision::Approved,
        manner: Manner::Ordinary,
        by: user(by),
        reason: String::new(),
        at: at(minute),
    }
}

fn given(by: u128, deputy_for: Option<u128>) -> Given {
    Given { by: user(by), deputy_for: deputy_for.map(user) }
}

/// Status, revision, decision, who, whether authors may approve, reason, and what comes of it.
type Judged =
    (ReportStatus, u32, Decision, u128, SelfApproval, &'static str, Result<Granted, Refusal>);
/// Status, revision, how far the delivery is, whether a later report follows, whether by an approver, reason, and what
/// comes of it.
type TakenBack = (ReportStatus, u32, Sending, bool, bool, &'static str, Result<(), Refusal>);

#[test]
fn who_may_decide_what_where_everybody_in_the_role_may() {
    use Decision::{Approved, Rejected};
    use ReportStatus::{Draft, Submitted, Withdrawn};
    use SelfApproval::{Allowed, Refused};

    let granted =
        |own_answers| Ok(Granted { own_answers, deputy_for: None, weight: Weight::Completes });
    let stale = Refusal::Stale { asked: Revision(4), current: Revision(5) };
    #[rustfmt::skip]
    let table: &[Judged] = &[
        (Submitted, 5, Approved, CHIEF,  Refused, "",   granted(OwnAnswers::None)),
        (Submitted, 5, Approved, CHIEF,  Allowed, "",   granted(OwnAnswers::None)),
        (Submitted, 5, Approved, AUTHOR, Refused, "",   Err(Refusal::OwnAnswers)),
        (Submitted, 5, Approved, AUTHOR, Allowed, "",   granted(OwnAnswers::Some)),
        (Submitted, 4, Approved, CHIEF,  Refused, "",   Err(stale)),
        (Submitted, 4, Rejected, CHIEF,  Refused, "x",  Err(stale)),
        (Draft,     5, Approved, CHIEF,  Refused, "",   Err(Refusal::NotSubmitted(Draft))),
        (Withdrawn, 5, Approved, CHIEF,  Refused, "",   Err(Refusal::NotSubmitted(Withdrawn))),
        (ReportStatus::Approved, 5, Approved, CHIEF, Refused, "", Err(Refusal::NotSubmitted(ReportStatus::Approved))),
        (ReportStatus::Approved, 5, Rejected, CHIEF, Refused, "x", Err(Refusal::NotSubmitted(ReportStatus::Approved))),
        (Submitted, 5, Rejected, CHIEF,  Refused, "数", granted(OwnAnswers::None)),
        (Submitted, 5, Rejected, AUTHOR, Refused, "数", granted(OwnAnswers::None)),
        (Submitted, 5, Rejected, CHIEF,  Refused, " ",  Err(Refusal::NoReason)),
    ];
    for (status, revision, decision, by, self_approval, reason, expected) in table {
        let rule = Rule { self_approval: *self_approval, ..Rule::default() };
        let standing = Standing { status: *status, rule, ..standing() };
        let asked = Asked {
            revision: Revision(*revision),
            decision: *decision,
            reason: (*reason).to_owned(),
            ..asked(*by, 1)
        };
        assert_eq!(&judge(&standing, &asked), expected, "{standing:?} {asked:?}");
    }
}

#[test]
fn named_approvers_and_their_deputies_as_a_table() {
    let early = |from| Err(Refusal::DeputyTooEarly { from });
    let counts = |deputy_for: Option<u128>| Ok((deputy_for, Weight::Counts));
    let completes = |deputy_for: Option<u128>| Ok((deputy_for, Weight::Completes));
    let from = Some(at(i64::from(WAIT_MINS)));
    type Case = (u128, i64, Vec<Given>, Vec<u128>, Result<(Option<u128>, Weight), Refusal>);
    #[rustfmt::skip]
    let table: Vec<Case> = vec![
        // who, at minute, given so far, away, outcome; two of two, deputies after 30 minutes
        (CHIEF,   1, vec![],                           vec![],       counts(None)),
        (SECOND,  1, vec![given(CHIEF, None)],         vec![],       completes(None)),
        (CHIEF,   1, vec![given(CHIEF, None)],         vec![],       Err(Refusal::ApprovedAlready)),
        (OTHER,   1, vec![],                           vec![],       Err(Refusal::NotNamed)),
        (DEPUTY,  1, vec![],                           vec![],       early(from)),
        (DEPUTY, 30, vec![],                           vec![],       counts(Some(CHIEF))),
        (DEPUTY,  1, vec![],                           vec![SECOND], counts(Some(SECOND))),
        (DEPUTY,  1, vec![given(CHIEF, None)],         vec![SECOND], completes(Some(SECOND))),
        (DEPUTY,  1, vec![given(CHIEF, None)],         vec![CHIEF],  early(from)),
        (DEPUTY, 31, vec![given(CHIEF, None)],         vec![],       completes(Some(SECOND))),
        (DEPUTY, 31, vec![given(DEPUTY, Some(CHIEF))], vec![SECOND], Err(Refusal::ApprovedAlready)),
        (CHIEF,  31, vec![given(DEPUTY, Some(CHIEF))], vec![],       Err(Refusal::PlaceTaken)),
        (SECOND, 31, vec![given(DEPUTY, Some(CHIEF))], vec![],       completes(None)),
        (AUTHOR,  1, vec![],                           vec![],       Err(Refusal::NotNamed)),
    ];
    for (by, minute, given, away, expected) in table {
        let rule = Rule {
            approvers: 2,
            named: both_named(),
            deputies_after_mins: WAIT_MINS,
            ..Rule::default()
        };
        let away = away.into_iter().map(user).collect();
        let standing = Standing { rule, given, away, ..standing() };
        let found = judge(&standing, &asked(by, minute))
            .map(|granted| (granted.deputy_for, granted.weight));
        let expected = expected.map(|(deputy_for, weight)| (deputy_for.map(user), weight));
        assert_eq!(found, expected, "{by} at {minute} in {standing:?}");
    }
}

#[test]
fn a_deputy_whose_answer_stands_in_the_report_cannot_approve_it_either() {
    let rule = Rule { named: both_named(), ..Rule::default() };
    let away = BTreeSet::from([user(CHIEF)]);
    let standing = Standing { rule, away, authors: vec![user(DEPUTY)], ..standing() };
    assert_eq!(judge(&standing, &asked(DEPUTY, 1)), Err(Refusal::OwnAnswers));
}

#[test]
fn one_person_releases_alone_only_where_it_is_allowed_and_with_a_reason() {
    let emergency = |allowed, by, reason: &str| {
        let rule =
            Rule { approvers: 2, named: both_named(), emergency: allowed, ..Rule::default() };
        let reason = reason.to_owned();
        let asked = Asked { manner: Manner::Emergency, reason, ..asked(by, 1) };
        judge(&Standing { rule, ..standing() }, &asked)
    };
    let granted =
        |own_answers| Ok(Granted { own_answers, deputy_for: None, weight: Weight::Completes });
    assert_eq!(emergency(Emergency::Refused, OTHER, "急"), Err(Refusal::NoEmergency));
    assert_eq!(emergency(Emergency::Allowed, OTHER, " "), Err(Refusal::NoReason));
    assert_eq!(emergency(Emergency::Allowed, OTHER, "急"), granted(OwnAnswers::None));
    assert_eq!(emergency(Emergency::Allowed, AUTHOR, "急"), granted(OwnAnswers::Some));
}

#[test]
fn what_may_be_withdrawn_as_a_table() {
    use ReportStatus::{Approved, Draft, Submitted, Withdrawn};
    use Sending::{Done, NotYet, UnderWay};

    let stale = Refusal::Stale { asked: Revision(4), current: Revision(5) };
    #[rustfmt::skip]
    let table: &[TakenBack] = &[
        // status, revision, delivery, later report, approver, reason
        (Submitted, 5, NotYet,   false, false, "x", Ok(())),
        (Submitted, 5, NotYet,   false, false, " ", Err(Refusal::NoReason)),
        (Submitted, 4, NotYet,   false, true,  "x", Err(stale)),
        (Approved,  5, NotYet,   false, true,  "x", Ok(())),
        (Approved,  5, NotYet,   false, false, "x", Err(Refusal::NotApprover)),
        (Approved,  5, NotYet,   true,  true,  "x", Err(Refusal::Followed)),
        (Approved,  5, UnderWay, false, true,  "x", Err(Refusal::UnderWay)),
        (Approved,  5, Done,     false, true,  "x", Err(Refusal::Delivered)),
        (Approved,  4, Done,     false, true,  "x", Err(stale)),
        (Approved,  5, NotYet,   false, true,  "",  Err(Refusal::NoReason)),
        (Draft,     5, NotYet,   false, true,  "x", Err(Refusal::NothingToWithdraw(Draft))),
        (Withdrawn, 5, NotYet,   false, true,  "x", Err(Refusal::NothingToWithdraw(Withdrawn))),
    ];
    for (status, revision, sending, followed, approver, reason, expected) in table {
        let standing =
            Standing { status: *status, sending: *sending, followed: *followed, ..standing() };
        let asked = WithdrawalAsked {
            revision: Revision(*revision),
            reason: (*reason).to_owned(),
            approver: *approver,
        };
        assert_eq!(&judge_withdrawal(&standing, &asked), expected, "{standing:?} {asked:?}");
    }
}

/// Lets everybody try again and again, in every order, in every constellation, until nobody can approve any more.
#[test]
fn whatever_the_constellation_a_released_report_has_enough_eyes() {
    let people = [AUTHOR, CHIEF, SECOND, DEPUTY, OTHER];
    let (mut released, mut stuck) = (0, 0);
    for seed in 0..7_680_u32 {
        let pick = |shift: u32, of: u32| (seed >> shift) % of;
        let rule = Rule {
            approvers: if pick(0, 2) == 0 { 1 } else { 2 },
            named: if pick(1, 2) == 0 { Vec::new() } else { both_named() },
            deputies_after_mins: if pick(2, 2) == 0 { 0 } else { WAIT_MINS },
            self_approval: if pick(3, 2) == 0 {
                SelfApproval::Refused
            } else {
                SelfApproval::Allowed
            },
            emergency: Emergency::Refused,
        };
        let authors: Vec<UserId> =
            if pick(4, 2) == 0 { vec![user(AUTHOR)] } else { vec![user(AUTHOR), user(CHIEF)] };
        let away = [CHIEF, SECOND].into_iter().enumerate();
        let away = away
            .filter(|(index, _)| pick(5, 4) & (1 << index) != 0)
            .map(|(_, number)| user(number))
            .collect();
        let minute = if pick(7, 2) == 0 { 1 } else { 60 };
        let mut standing = Standing { rule, authors, away, ..standing() };
        let turn = usize::try_from(seed / 256).unwrap();
        let mut order = people;
        order.rotate_left(turn % 5);
        if 15 <= turn {
            order.reverse();
        }
        let mut complete = false;
        for by in order.into_iter().chain(order) {
            let Ok(granted) = judge(&standing, &asked(by, minute)) else { continue };
            if complete {
                break;
            }
            right(&standing, by, minute, granted);
            standing
                .given
                .push(Given { by: user(by), deputy_for: granted.deputy_for });
            complete = granted.weight == Weight::Completes;
        }
        let by: BTreeSet<UserId> = standing.given.iter().map(|given| given.by).collect();
        let places: BTreeSet<UserId> = standing
            .given
            .iter()
            .map(|given| given.counts_as())
            .collect();
        assert_eq!((by.len(), places.len()), (standing.given.len(), standing.given.len()));
        assert_eq!(complete, by.len() == usize::from(standing.rule.approvers), "{standing:?}");
        if complete { released += 1 } else { stuck += 1 }
    }
    assert!(1000 < released && 100 < stuck, "{released} released, {stuck} not: both have to occur");
}

/// What every single grant has to keep, said without the code under test.
fn right(standing: &Standing, by: u128, minute: i64, granted: Granted) {
    let rule = &standing.rule;
    let author = standing.authors.contains(&user(by));
    assert!(!author || rule.self_approval == SelfApproval::Allowed, "{by} in {standing:?}");
    assert_eq!(author, granted.own_answers == OwnAnswers::Some);
    match granted.deputy_for {
        Some(approver) => {
            let waited =
                rule.deputies_after_mins != 0 && i64::from(rule.deputies_after_mins) <= minute;
            assert!(standing.away.contains(&approver) || waited, "{by} in {standing:?}");
            let named = rule.named.iter().find(|named| named.user == approver);
            assert!(named.is_some_and(|named| named.deputies.contains(&user(by))));
        }
        None => {
            let named = rule.named.iter().any(|named| named.user == user(by));
            assert!(rule.named.is_empty() || named, "{by} in {standing:?}");
        }
    }
}
