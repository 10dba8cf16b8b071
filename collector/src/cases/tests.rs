//! What counts in a record, what is open in it, what may be entered, and where a thread could belong.

use jiff::SignedDuration;
use jiff::civil::Date;
use shirase_shared::ids::UserId;
use uuid::Uuid;

use super::*;
use crate::audit::Actor;
use crate::facilities::FacilityKind;
use crate::institutions::{Details, Institution, InstitutionAct};
use crate::locale::{Lang, Locale};

const TODAY: &str = "2026-02-12";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn somebody() -> NamedPerson {
    NamedPerson { user: UserId::from_uuid(Uuid::from_u128(1)), name: "山田 花子".to_owned() }
}

fn case(number: u64) -> Case {
    Case {
        facility: "handa-city".parse().unwrap(),
        id: CaseId::from_uuid(Uuid::from_u128(number.into())),
        number,
        institution: InstitutionId::from_uuid(Uuid::from_u128(7)),
        subject: "電子カルテ停止".to_owned(),
        drill: false,
        heard: Heard {
            way: HeardWay::Telephone,
            from: "半田中央病院 事務長".to_owned(),
            at: at("2026-02-09"),
            what: "電子カルテが開かない。".to_owned(),
            taken_by: "佐藤".to_owned(),
        },
        opened_by: somebody(),
        opened_at: at("2026-02-09"),
    }
}

fn said(kind: EntryKind) -> Statement {
    Statement {
        heading: Heading::Damage,
        kind,
        text: "外来を止めている。".to_owned(),
        source: Source::Told { by: "事務長".to_owned() },
        legal_basis: String::new(),
        on: day("2026-02-10"),
        follow_up: None,
        corrects: None,
        settles: None,
    }
}

fn letter(number: u8, came: bool, kind: PackageKind, reply_to: Option<u8>) -> Letter {
    let id = |number: u8| {
        format!("{number:02x}")
            .repeat(32)
            .parse::<PackageId>()
            .unwrap()
    };
    Letter {
        id: id(number),
        thread: id(1),
        came,
        kind,
        reply_to: reply_to.map(id),
        subject: format!("件名{number}"),
        made_at: at("2026-02-11"),
    }
}

/// A case with these entries, each checked as it would be.
fn file(statements: Vec<Statement>, letters: Vec<Letter>) -> CaseFile {
    let mut file = CaseFile { case: case(1), entries: Vec::new(), letters };
    for said in statements {
        add(&mut file, said).unwrap();
    }
    file
}

fn add(file: &mut CaseFile, said: Statement) -> Result<(), Refusal> {
    file.check(&said, day(TODAY))?;
    let n = u32::try_from(file.entries.len()).unwrap() + 1;
    file.entries
        .push(Entry { n, said, file: None, by: somebody(), at: at(TODAY) });
    Ok(())
}

fn question() -> Statement {
    said(EntryKind::Question)
}

fn look_again(on: &str) -> Statement {
    Statement { follow_up: Some(day(on)), ..said(EntryKind::Fact) }
}

fn settles(kind: EntryKind, n: u32) -> Statement {
    Statement { settles: Some(Settled::Entry(n)), ..said(kind) }
}

fn corrects(kind: EntryKind, n: u32) -> Statement {
    Statement { corrects: Some(n), ..said(kind) }
}

fn open(file: &CaseFile) -> String {
    let questions = file
        .open_questions()
        .into_iter()
        .map(|one| format!("?{}", one.what));
    let looks = file
        .follow_ups()
        .into_iter()
        .map(|one| format!("{}@{}", one.n, one.on));
    questions.chain(looks).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_question_is_open_until_it_is_answered_and_a_look_until_it_was_taken() {
    let mut file = file(vec![question(), look_again("2026-02-20")], vec![]);
    assert_eq!(open(&file), "?1 2@2026-02-20");
    assert_eq!(add(&mut file, said(EntryKind::Answer)), Err(Refusal::AnswersNothing));
    assert_eq!(add(&mut file, settles(EntryKind::Answer, 2)), Err(Refusal::AnswersNothing));
    assert_eq!(add(&mut file, settles(EntryKind::Fact, 9)), Err(Refusal::NothingToSettle));
    add(&mut file, settles(EntryKind::Answer, 1)).unwrap();
    assert_eq!(open(&file), "2@2026-02-20");
    assert_eq!(add(&mut file, settles(EntryKind::Answer, 1)), Err(Refusal::AnswersNothing));
    let later = Statement { follow_up: Some(day("2026-03-01")), ..settles(EntryKind::Fact, 2) };
    add(&mut file, later).unwrap();
    assert_eq!(open(&file), "4@2026-03-01", "looking again may lead to another look");
}

#[test]
fn a_corrected_entry_keeps_what_settled_it_and_a_void_answer_opens_the_question_again() {
    let mut file = file(vec![question(), settles(EntryKind::Answer, 1)], vec![]);
    add(&mut file, corrects(EntryKind::Question, 1)).unwrap();
    assert_eq!(open(&file), "", "the answer was to this question, however it is worded now");
    assert_eq!(add(&mut file, corrects(EntryKind::Fact, 1)), Err(Refusal::NothingToCorrect));
    assert_eq!(file.replaced_by(1), Some(3));
    add(&mut file, corrects(EntryKind::Void, 2)).unwrap();
    assert_eq!(open(&file), "?3");
    assert_eq!(file.standing().map(|entry| entry.n).collect::<Vec<_>>(), [3]);
    assert_eq!(file.entries.len(), 4, "nothing is lost");
    assert_eq!(add(&mut file, corrects(EntryKind::Fact, 4)), Err(Refusal::NothingToCorrect));
}

#[test]
fn the_correction_of_an_answer_may_answer_what_the_answer_did_but_not_itself() {
    let mut file = file(vec![question(), settles(EntryKind::Answer, 1)], vec![]);
    let corrected = Statement { corrects: Some(2), ..settles(EntryKind::Answer, 1) };
    add(&mut file, corrected).unwrap();
    assert_eq!(open(&file), "");
    add(&mut file, look_again("2026-02-20")).unwrap();
    let itself = Statement { corrects: Some(4), ..settles(EntryKind::Fact, 4) };
    assert_eq!(add(&mut file, itself), Err(Refusal::NothingToSettle));
}

#[test]
fn a_question_that_went_as_a_package_is_answered_by_theirs_or_by_an_entry() {
    let asked = letter(2, false, PackageKind::Question, None);
    let theirs = letter(3, true, PackageKind::Question, None);
    let mut told = file(vec![], vec![asked.clone(), theirs]);
    let id = asked.id.clone();
    assert_eq!(open(&told), format!("?{id}"), "what they ask is not ours to wait for");
    let by_phone =
        Statement { settles: Some(Settled::Package(id.clone())), ..said(EntryKind::Answer) };
    add(&mut told, by_phone).unwrap();
    assert_eq!(open(&told), "");
    let answered = letter(4, true, PackageKind::Answer, Some(2));
    assert_eq!(open(&file(vec![], vec![asked.clone(), answered])), "");
    let our_own = letter(4, false, PackageKind::Answer, Some(2));
    assert_eq!(open(&file(vec![], vec![asked, our_own])), format!("?{id}"));
}

#[test]
fn every_entry_names_its_source_and_its_day_is_not_ahead() {
    let came = letter(1, true, PackageKind::Report, None);
    let mut file = file(vec![], vec![came.clone()]);
    let with = |source| Statement { source, ..said(EntryKind::Fact) };
    let nobody = with(Source::Told { by: " ".to_owned() });
    assert_eq!(add(&mut file, nobody), Err(Refusal::Sourceless));
    let nowhere = with(Source::Page { at: String::new() });
    assert_eq!(add(&mut file, nowhere), Err(Refusal::Sourceless));
    let other = letter(9, true, PackageKind::Report, None).id;
    assert_eq!(add(&mut file, with(Source::Package { id: other })), Err(Refusal::OtherPackage));
    add(&mut file, with(Source::Package { id: came.id })).unwrap();
    let ahead = Statement { on: day("2026-02-13"), ..said(EntryKind::Fact) };
    assert_eq!(add(&mut file, ahead), Err(Refusal::Ahead));
    assert_eq!(add(&mut file, look_again("2026-02-09")), Err(Refusal::FollowUpBefore));
    let empty = Statement { text: " \n".to_owned(), ..said(EntryKind::Fact) };
    assert_eq!(add(&mut file, empty), Err(Refusal::Text));
    let hidden =
        Statement { legal_basis: "医療法\u{202e}".to_owned(), ..said(EntryKind::Guidance) };
    assert_eq!(add(&mut file, hidden), Err(Refusal::Line));
}

#[test]
fn a_case_closes_when_nothing_is_left_and_takes_nothing_more_until_it_is_reopened() {
    let mut file = file(vec![question()], vec![]);
    assert_eq!(add(&mut file, said(EntryKind::Reopen)), Err(Refusal::NotClosed));
    assert_eq!(add(&mut file, said(EntryKind::Close)), Err(Refusal::OpenEnds));
    add(&mut file, settles(EntryKind::Answer, 1)).unwrap();
    let carrying = Statement { follow_up: Some(day("2026-03-01")), ..said(EntryKind::Close) };
    assert_eq!(add(&mut file, carrying), Err(Refusal::Unfit));
    add(&mut file, said(EntryKind::Close)).unwrap();
    assert!(!file.is_open() && overview(std::slice::from_ref(&file), day(TODAY)).is_empty());
    assert_eq!(add(&mut file, said(EntryKind::Fact)), Err(Refusal::Closed));
    assert_eq!(add(&mut file, corrects(EntryKind::Void, 3)), Err(Refusal::Closed));
    add(&mut file, said(EntryKind::Reopen)).unwrap();
    assert!(file.is_open());
    assert_eq!(add(&mut file, corrects(EntryKind::Void, 3)), Err(Refusal::NothingToCorrect));
}

#[test]
fn the_overview_names_what_is_due_first_then_the_nearest_day() {
    let numbered = |number, statements| {
        let mut file = file(statements, vec![]);
        file.case = case(number);
        file
    };
    let files = [
        numbered(1, vec![]),
        numbered(2, vec![look_again("2026-03-01")]),
        numbered(3, vec![look_again("2026-02-12"), question()]),
        numbered(4, vec![look_again("2026-02-20")]),
    ];
    let standings = overview(&files, day(TODAY));
    let order: Vec<_> = standings
        .iter()
        .map(|one| (one.file.case.number, one.due, one.questions))
        .collect();
    assert_eq!(order, [(3, true, 1), (4, false, 0), (2, false, 0), (1, false, 0)]);
    assert_eq!(standings[0].oldest_question, Some(day("2026-02-10")));
}

#[test]
fn a_thread_is_proposed_for_open_cases_of_its_partner_at_about_its_time() {
    let institution = |number: u128, partner: &str, act| Institution {
        facility: "handa-city".parse().unwrap(),
        id: InstitutionId::from_uuid(Uuid::from_u128(number)),
        revision: 1,
        details: Details {
            name: format!("病院{number}"),
            kind: FacilityKind::Hospital,
            code: String::new(),
            address: String::new(),
            person: String::new(),
            phone: String::new(),
            night_phone: String::new(),
            mail: String::new(),
            partner: Some(partner.parse().unwrap()),
        },
        act,
        reason: String::new(),
        set_by: Actor::CommandLine,
        set_at: at(TODAY),
    };
    let mut near = file(vec![], vec![]);
    near.case = Case { heard: Heard { at: at("2026-02-08"), ..case(2).heard }, ..case(2) };
    let mut drill = file(vec![], vec![]);
    drill.case = Case { drill: true, ..case(3) };
    let closed = file(vec![said(EntryKind::Close)], vec![]);
    let far = CaseFile { case: case(4), entries: vec![], letters: vec![] };
    let mut elsewhere = far.clone();
    elsewhere.case = Case { institution: InstitutionId::from_uuid(Uuid::from_u128(8)), ..case(5) };
    let files = [far, near, drill, closed, elsewhere];
    let register = [
        institution(7, "handa-hp", InstitutionAct::Added),
        institution(8, "other", InstitutionAct::Added),
    ];
    let partner = "handa-hp".parse().unwrap();
    let proposed = |began: &str, drill| {
        let proposals = propose((&partner, at(began), drill), &files, &register);
        let number = |case| {
            files
                .iter()
                .find(|file| file.case.id == case)
                .unwrap()
                .case
                .number
        };
        proposals
            .iter()
            .map(|one| (number(one.case), one.after.as_hours()))
            .collect::<Vec<_>>()
    };
    assert_eq!(proposed("2026-02-08", false), [(2, 0), (4, -24)]);
    assert_eq!(proposed("2026-02-23", false), [(4, 14 * 24)], "two weeks and no longer");
    assert_eq!(proposed("2026-02-09", true), [(3, 0)]);
    assert_eq!(
        SignedDuration::from_hours(0),
        propose((&partner, at("2026-02-08"), false), &files, &register)[0].after
    );
    let gone = [institution(7, "handa-hp", InstitutionAct::Closed)];
    assert!(propose((&partner, at("2026-02-09"), false), &files, &gone).is_empty());
}

#[test]
fn refusals_choices_and_bases_have_words_in_both_languages() {
    for lang in [Lang::Ja, Lang::En] {
        let locale = Locale::new(lang);
        let keys = Refusal::ALL.into_iter().map(Refusal::text_key);
        let keys = keys.chain(HeardWay::ALL.iter().map(|one| one.label_key()));
        let keys = keys.chain(Heading::ALL.iter().map(|one| one.label_key()));
        let keys = keys.chain(EntryKind::ALL.iter().map(|one| one.label_key()));
        for key in keys.chain(FacilityKind::ALL.into_iter().flat_map(usual_bases)) {
            assert_ne!(locale.text(key), key);
        }
    }
}

#[test]
fn article_25_is_for_hospitals_clinics_and_maternity_homes_alone() {
    let first = |kind| usual_bases(kind).next().unwrap();
    for kind in FacilityKind::ALL {
        let inspected = match kind {
            FacilityKind::Hospital
            | FacilityKind::Clinic
            | FacilityKind::DentalClinic
            | FacilityKind::MaternityHome => true,
            FacilityKind::Unknown | FacilityKind::Pharmacy | FacilityKind::Other => false,
        };
        assert_eq!(first(kind) == "legal-basis-medical-act-25", inspected, "{kind:?}");
    }
}

#[test]
fn a_year_begins_in_april_counts_exercises_apart_and_nothing_twice() {
    let heard = |number, at: &str, drill| {
        let mut file = file(vec![question(), said(EntryKind::Guidance)], vec![]);
        let heard = Heard { at: at.parse().unwrap(), ..case(1).heard };
        file.case = Case { heard, drill, ..case(number) };
        file
    };
    let mut last = heard(1, "2026-03-31T14:59:59Z", false);
    let sent = letter(2, false, PackageKind::Question, None);
    let cites = Statement { source: Source::Package { id: sent.id.clone() }, ..question() };
    last.letters = vec![sent, letter(3, true, PackageKind::Question, None)];
    add(&mut last, cites).unwrap();
    add(&mut last, corrects(EntryKind::Void, 2)).unwrap();
    let files =
        [last, heard(2, "2026-03-31T15:00:00Z", false), heard(3, "2026-05-31T00:00:00Z", true)];
    let years = figures(&files, &[]);
    let told = |year: i16| {
        let it = &years[&year];
        (it.cases, it.institutions, it.questions, it.guidance, it.drills)
    };
    assert_eq!(years.keys().copied().collect::<Vec<_>>(), [2025, 2026]);
    assert_eq!((told(2025), told(2026)), ((1, 1, 2, 0, 0), (1, 1, 1, 1, 1)));
    assert_eq!(years[&2025].ways, [(HeardWay::Telephone, 1)].into());
    assert_eq!(years[&2025].kinds, [(FacilityKind::Unknown, 1)].into());
}
