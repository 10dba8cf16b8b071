//! Lists read and name every mistake; answers are read; sheets are found; two years are compared.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use shirase_shared::ids::{FacilityId, UserId};

use super::samples::{jp_2025, next_year};
use super::*;
use crate::audit::Actor;
use crate::facilities::{CareRole, Vendor};
use crate::locale::{Lang, Locale};

#[test]
fn the_list_of_fiscal_2025_has_the_items_of_the_facts_and_says_where_each_was_read() {
    let lists = Checklists::with_files(&[]).unwrap();
    let list = lists.list("jp-2025").unwrap();
    let ids: Vec<&str> = list
        .body
        .items
        .iter()
        .map(|item| item.id.as_str())
        .collect();
    let second: Vec<String> = (1..=13).map(|n| format!("2-{n}")).collect();
    let mut wanted = vec!["0", "1-1"];
    wanted.extend(second.iter().map(String::as_str));
    wanted.extend(["3-1", "3-2", "3-3", "4-1"]);
    assert_eq!(ids, wanted);
    let read = |wording: Wording| {
        let items = list
            .body
            .items
            .iter()
            .filter(|item| item.wording == wording);
        items
            .map(|item| item.id.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(read(Wording::Draft), "1-1 2-1 2-2 2-3 2-6 2-7 2-8 2-9 2-12 2-13 3-2");
    assert_eq!(read(Wording::Earlier), "2-11 3-1");
    assert_eq!(read(Wording::Unread), "0 2-4 2-5 2-10 3-3 4-1");
    assert_eq!(read(Wording::Official), "", "nobody compared it with the final paper");
    assert!(list.body.confidence.is_doubtful());
    for item in &list.body.items {
        assert!(item.doubt_key().is_some(), "{}: the doubt is shown", item.id);
    }
    let vendor: Vec<&str> = list
        .items(SheetKind::Vendor)
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(vendor.len(), 14, "parts 1 and 2: {vendor:?}");
    assert_eq!(list.items(SheetKind::Institution).count(), 19);
}

#[test]
fn mistakes_name_file_item_line_and_remedy() {
    check(
        "group = \"3\"\ntext.ja = \"インシデント",
        "group = \"9\"\ntext.ja = \"インシデント",
        "items.15.group",
        "`3-1`",
    );
    check(
        "text.ja = \"アクセスログ",
        "text.ja = \"\" # アクセスログ",
        "items.12.text.ja",
        "`2-11`",
    );
    check("id = \"2-2\"", "id = \"2-1\"", "items.3.id", "`2-1`");
    check("number = \"2-②\"", "number = \"2-①\"", "items.3.number", "`2-2`");
    check("id = \"4-1\"", "id = \"4 1\"", "items.18.id", "plain name");
    check(
        "sheets = [\"institution\"]\nevidence = [\"drills\"]",
        "sheets = []\nevidence = [\"drills\"]",
        "items.17.sheets",
        "`3-3`",
    );
    check(
        "evidence = [\"logs\"]",
        "evidence = [\"logs\", \"logs\"]",
        "items.12.evidence",
        "`2-11`",
    );
    check("evidence = [\"logs\"]", "evidence = [\"log\"]", "evidence", "unknown variant");
    check(
        "evidence = [\"logs\"]",
        "evidence = [\"logs\"]\nfollows = [\"2 9\"]",
        "items.12.follows",
        "`2-11`",
    );
    check("wording = \"earlier\"", "wording = \"old\"", "wording", "unknown variant");
    check("fiscal_year = 2025", "fiscal_year = 2024", "fiscal_year", "another year");
    check("valid_to = \"2026-03-31\"", "valid_to = \"2025-03-31\"", "valid_to", "before");
    check("source_url = \"https", "source_url = \"see https", "source_url", "not an address");
    check("en = \"Cyber security checklist, fiscal 2025\"", "en = \" \"", "title.en", "empty");
    check("[[groups]]\nid = \"1\"", "[[groups]]\nid = \"2\"", "groups.2.id", "twice");
    check("id = \"jp-2025\"", "id = \"jp-2027\"", "id", "jp-2025.toml");
    check("fiscal_year", "fiscal_yaer", "fiscal_yaer", "unknown field");
}

#[test]
fn several_mistakes_are_all_named_and_no_list_is_used_then() {
    let text = jp_2025()
        .replace("id = \"2-9\"", "id = \"2-8\"")
        .replace("valid_to = \"2026-03-31\"", "valid_to = \"soon\"")
        .replace("wording = \"earlier\"", "wording = 3");
    let errors = Checklists::with_files(&[("jp-2025.toml".to_owned(), text)]).unwrap_err();
    assert!(3 <= errors[0].problems.len(), "{errors:#?}");
}

#[test]
fn another_year_is_added_by_a_file_and_two_lists_for_one_year_are_refused() {
    let next = next_year();
    let lists = Checklists::with_files(&[("jp-2026.toml".to_owned(), next.clone())]).unwrap();
    let [new, old] = lists.newest_first()[..] else { panic!("two lists") };
    assert_eq!((new.body.fiscal_year, old.body.fiscal_year), (2026, 2025));
    assert_eq!(lists.before(new), Some(old));
    assert_eq!(lists.before(old), None);
    assert!(lists.covers(date(2026, 11, 26)) && !lists.covers(date(2027, 4, 1)));
    let twin = next.replace("jp-2026", "jp-2026-b");
    let files = [("jp-2026.toml".to_owned(), next), ("jp-2026-b.toml".to_owned(), twin)];
    let errors = Checklists::with_files(&files).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("`jp-2026` is for already"), "{}", errors[0]);
}

#[test]
fn an_answer_is_read_or_everything_wrong_with_it_is_told() {
    let today = date(2026, 11, 26);
    let flaws = |inputs: &[(&'static str, &str)]| read(&of(inputs), today).unwrap_err();
    let yes = read(&of(&[("answer", "yes"), ("target_on", "2027-01-01")]), today).unwrap();
    assert_eq!((yes.checked_on, yes.target_on), (today, None), "a target counts with no alone");
    let no = [("answer", "no"), ("checked_on", "2026-11-01"), ("target_on", "2027-03-31")];
    assert_eq!(read(&of(&no), today).unwrap().target_on, Some(date(2027, 3, 31)));
    let na = [("answer", "not_applicable"), ("note", " 該当する機器がない "), ("said_by", "鈴木")];
    assert_eq!(read(&of(&na), today).unwrap().note, "該当する機器がない");
    let lines = [("answer", "yes"), ("note", "一行\r\n二行\u{202e}")];
    assert_eq!(read(&of(&lines), today).unwrap().note, "一行\n二行[U+202E]");
    assert_eq!(flaws(&[]), [Flaw::NoAnswer]);
    assert_eq!(
        flaws(&[("answer", "maybe"), ("checked_on", "x")]),
        [Flaw::NoAnswer, Flaw::CheckedUnreadable]
    );
    assert_eq!(flaws(&[("answer", "no")]), [Flaw::TargetMissing]);
    assert_eq!(flaws(&[("answer", "no"), ("target_on", "x")]), [Flaw::TargetUnreadable]);
    assert_eq!(flaws(&[("answer", "no"), ("target_on", "2026-11-25")]), [Flaw::TargetBefore]);
    assert_eq!(flaws(&[("answer", "yes"), ("checked_on", "2026-11-27")]), [Flaw::CheckedAhead]);
    assert_eq!(flaws(&[("answer", "not_applicable")]), [Flaw::ReasonMissing]);
    let long = "あ".repeat(1001);
    let too_long = [("answer", "yes"), ("note", long.as_str()), ("said_by", long.as_str())];
    assert_eq!(flaws(&too_long), [Flaw::NameTooLong, Flaw::NoteTooLong]);
    for flaw in Flaw::ALL {
        let [ja, en] = [Lang::Ja, Lang::En].map(|lang| flaw.words(Locale::new(lang)));
        assert!(ja != en && !ja.starts_with("checklist-"), "{flaw:?}: {ja} {en}");
    }
}

#[test]
fn a_no_whose_day_is_over_is_overdue_from_the_next_day_on() {
    let entry = entry(Answered::No);
    let target = entry.target_on.unwrap();
    assert_eq!(Standing::of(Some(&entry), target), Standing::Planned);
    assert_eq!(Standing::of(Some(&entry), target.tomorrow().unwrap()), Standing::Overdue);
    let all = [
        None,
        Some(entry),
        Some(self::entry(Answered::Yes)),
        Some(self::entry(Answered::NotApplicable)),
    ];
    let tally = Tally::of(all.iter().map(|one| Standing::of(one.as_ref(), target)));
    let wanted = Tally { all: 4, open: 1, yes: 1, planned: 1, overdue: 0, not_applicable: 1 };
    assert_eq!(tally, wanted);
}

#[test]
fn each_company_has_one_sheet_whatever_it_maintains_and_a_filled_one_stays_when_it_goes() {
    let vendor = |system, company: &str| Vendor {
        system,
        company: company.to_owned(),
        person: String::new(),
        phone: String::new(),
        phone_24h: String::new(),
        mail: String::new(),
    };
    let known = [
        vendor(CareRole::Pacs, "みらい 電子カルテ"),
        vendor(CareRole::Ehr, "みらい　電子カルテ"),
        vendor(CareRole::Lab, " "),
        vendor(CareRole::Lab, "検査の会社"),
    ];
    let gone = SheetKey::of_company("去った会社").unwrap();
    let found = sheets(&known, &[filled(&gone, "去った会社")]);
    let shown: Vec<(String, usize, bool)> = found
        .iter()
        .map(|sheet| (sheet.company.clone(), sheet.systems.len(), sheet.current))
        .collect();
    let wanted = [
        ("", 0, true),
        ("みらい 電子カルテ", 2, true),
        ("検査の会社", 1, true),
        ("去った会社", 0, false),
    ];
    let wanted = wanted.map(|(name, systems, current)| (name.to_owned(), systems, current));
    assert_eq!(shown, wanted);
    for sheet in &found {
        assert_eq!(sheet.key.to_string().parse(), Ok(sheet.key.clone()));
    }
    for wrong in ["", "vendor-", "vendor-xyz", "vendor-0123456789ABCDEF", "../institution"] {
        assert!(wrong.parse::<SheetKey>().is_err(), "{wrong}");
    }
}

#[test]
fn two_years_are_compared_by_name_and_by_what_an_item_follows() {
    let files = [("jp-2026.toml".to_owned(), next_year())];
    let lists = Checklists::with_files(&files).unwrap();
    let (new, old) = (lists.list("jp-2026").unwrap(), lists.list("jp-2025").unwrap());
    let given = |answers: &[(&str, Answered)]| -> BTreeMap<String, Entry> {
        answers
            .iter()
            .map(|(id, answer)| ((*id).to_owned(), entry(*answer)))
            .collect()
    };
    let then = given(&[
        ("2-1", Answered::No),
        ("2-2", Answered::Yes),
        ("2-3", Answered::No),
        ("2-4", Answered::Yes),
        ("2-5", Answered::NotApplicable),
        ("2-7", Answered::Yes),
        ("2-8", Answered::No),
        ("2-9", Answered::Yes),
    ]);
    let now = given(&[
        ("2-1", Answered::Yes),
        ("2-2", Answered::No),
        ("2-3", Answered::No),
        ("2-4", Answered::Yes),
        ("2-5", Answered::Yes),
        ("2-6", Answered::Yes),
        ("passwords", Answered::Yes),
        ("mail", Answered::No),
    ]);
    let compared = compare(SheetKind::Institution, (new, &now), (old, &then));
    let turn = |id: &str| {
        let change = compared.changes.iter().find(|change| change.item.id == id);
        change.map(|change| (change.turn, change.reworded)).unwrap()
    };
    assert_eq!(turn("2-1"), (Turn::Better, false));
    assert_eq!(turn("2-2"), (Turn::Worse, true), "its words differ");
    assert_eq!(turn("2-3"), (Turn::StillNo, false));
    assert_eq!(turn("2-4"), (Turn::Same, false));
    assert_eq!(turn("2-5"), (Turn::Other, false));
    assert_eq!(turn("2-6"), (Turn::OnlyNow, false));
    assert_eq!(turn("passwords"), (Turn::Better, false), "of 2-7 yes and 2-8 no the no counts");
    assert_eq!(turn("mail"), (Turn::New, false));
    assert_eq!(turn("2-10"), (Turn::Waiting, false));
    let gone: Vec<_> = compared
        .gone
        .iter()
        .map(|(item, answer)| (item.id.as_str(), *answer))
        .collect();
    assert_eq!(gone, [("2-9", Some(Answered::Yes))]);
}

fn of(inputs: &[(&'static str, &str)]) -> Inputs {
    inputs
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()))
        .collect()
}

fn entry(answer: Answered) -> Entry {
    let target: Date = date(2026, 12, 1);
    Entry {
        answer,
        checked_on: date(2026, 11, 1),
        target_on: (answer == Answered::No).then_some(target),
        said_by: String::new(),
        note: String::new(),
    }
}

fn filled(sheet: &SheetKey, company: &str) -> Filled {
    let facility: FacilityId = "handa".parse().unwrap();
    Filled {
        facility,
        list: "jp-2025".to_owned(),
        sheet: sheet.clone(),
        company: company.to_owned(),
        item: "2-1".to_owned(),
        revision: 1,
        asked: "x".to_owned(),
        entry: entry(Answered::Yes),
        set_by: Actor::User(UserId::random()),
        set_at: "2026-11-25T00:00:00Z".parse().unwrap(),
    }
}

#[track_caller]
fn check(good: &str, bad: &str, key: &str, says: &str) {
    let text = jp_2025().replacen(good, bad, 1);
    assert_ne!(text, jp_2025(), "{good} does not stand in the list");
    let errors = Checklists::with_files(&[("jp-2025.toml".to_owned(), text.clone())]).unwrap_err();
    let [error] = errors.as_slice() else { panic!("{errors:#?}") };
    assert_eq!(error.file, "jp-2025.toml");
    let problem = error.problems.iter().find(|problem| problem.key == key);
    let problem = problem.unwrap_or_else(|| panic!("no problem about `{key}`: {error}"));
    assert!(!problem.remedy.is_empty());
    assert!(error.to_string().contains(says), "{error}");
    if key != "id" {
        let line = text
            .lines()
            .nth(problem.line.wrapping_sub(1))
            .unwrap_or_default();
        let name = key.rsplit('.').next().unwrap();
        assert!(line.contains(name), "line {} is `{line}`, not about `{key}`", problem.line);
    }
}
