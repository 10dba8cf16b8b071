//! Contacts read from texts and tables, how long a word counts, and the chart drawn from them.

use super::*;
use crate::facilities::{Master, Vendor};
use crate::locale::{Lang, Locale};
use crate::reports::profile::Profiles;

const TODAY: &str = "2026-11-25";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn texts(cells: &[(Column, &str)]) -> Filled {
    cells
        .iter()
        .map(|(column, text)| (*column, (*text).to_owned()))
        .collect()
}

fn vendor() -> Vec<(Column, &'static str)> {
    vec![
        (Column::Kind, "vendor"),
        (Column::Organisation, "株式会社みらい電子カルテ"),
        (Column::Phone, "０５６９－００－００００"),
    ]
}

fn contact(number: u128, cells: &[(Column, &str)]) -> Contact {
    let entry = read(&texts(cells), day(TODAY)).unwrap();
    Contact {
        facility: "handa".parse().unwrap(),
        id: ContactId::from_uuid(uuid::Uuid::from_u128(number)),
        revision: 1,
        details: entry.details,
        verified: entry.verified,
        act: ContactAct::Added,
        set_by: Actor::CommandLine,
        set_at: "2026-11-25T00:00:00Z".parse().unwrap(),
    }
}

#[track_caller]
fn check_flaw(column: Column, text: &str, expected: Option<FlawKind>) {
    let mut cells = vendor();
    cells.retain(|(other, _)| *other != column);
    cells.push((column, text));
    let found = read(&texts(&cells), day(TODAY));
    match expected {
        None => assert!(found.is_ok(), "{text}: {found:?}"),
        Some(kind) => {
            let flaws = found.unwrap_err();
            assert!(
                flaws.iter().any(|f| (f.column, f.kind) == (column, kind)),
                "{text}: {flaws:?}"
            );
        }
    }
}

#[test]
fn numbers_are_taken_as_people_write_them_and_wrong_ones_are_named() {
    for fine in [
        "0569-00-0000",
        "03(0000)0000",
        "090-0000-0000",
        "0120-00-0000",
        "＋８１－３－００００－００００",
        "03-0000-0000 内線 1234",
        "03-0000-0000（内線123）",
        "内線 2345",
        "院内PHS 7001",
        "110",
        "#9110",
    ] {
        check_flaw(Column::Phone, fine, None);
    }
    for (bad, kind) in [
        ("0569-00-000", FlawKind::PhoneLength),
        ("0569-00-00000-1", FlawKind::PhoneLength),
        ("12", FlawKind::PhoneLength),
        ("03-0000-0000/090-0000-0000", FlawKind::PhoneSeveral),
        ("代表へ", FlawKind::Phone),
        ("=1+2", FlawKind::Phone),
        ("内線", FlawKind::Phone),
    ] {
        check_flaw(Column::Phone, bad, Some(kind));
    }
    let read = contact(1, &vendor());
    assert_eq!(read.details.phone, "0569-00-0000", "stored in half width");
}

#[test]
fn mails_pages_and_dates_are_checked() {
    check_flaw(Column::Mail, "tantou@example.jp", None);
    for bad in ["tantou", "a@b.jp, c@d.jp", "a@b.jp\r\nBcc: x@y.jp"] {
        check_flaw(Column::Mail, bad, Some(FlawKind::Mail));
    }
    check_flaw(Column::Web, "https://www.ppc.go.jp/personalinfo/legal/leakAction/", None);
    for bad in ["www.example.jp", "javascript:alert(1)", "https://a b.jp/", "https://x"] {
        check_flaw(Column::Web, bad, Some(FlawKind::Web));
    }
    for fine in ["2026-02-09", "2026/2/9", "２０２６年２月９日", "2026.2.9"] {
        check_flaw(Column::ValidFrom, fine, None);
    }
    for bad in ["soon", "2026-02-30", "26/2/9", "R8.2.9"] {
        check_flaw(Column::ValidFrom, bad, Some(FlawKind::Date));
    }
    check_flaw(Column::ValidTo, "2026-11-24", Some(FlawKind::DateOrder));
    check_flaw(Column::VerifiedOn, "2026-11-26", Some(FlawKind::DateAhead));
    check_flaw(Column::Place, "0", Some(FlawKind::Place));
    check_flaw(Column::DrillPartner, "perhaps", Some(FlawKind::Choice));
    check_flaw(Column::Organisation, "a\u{202e}b", Some(FlawKind::Hidden));
}

#[test]
fn every_flaw_is_told_at_once_and_each_has_words_that_say_what_to_do() {
    let cells = texts(&[
        (Column::Kind, "staff"),
        (Column::Phone, "1"),
        (Column::Mail, "x"),
        (Column::VerifiedBy, "佐藤"),
    ]);
    let flaws = read(&cells, day(TODAY)).unwrap_err();
    let found: Vec<_> = flaws.iter().map(|flaw| (flaw.column, flaw.kind)).collect();
    assert_eq!(
        found,
        [
            (Column::Duty, FlawKind::DutyMissing),
            (Column::Person, FlawKind::Nameless),
            (Column::Phone, FlawKind::PhoneLength),
            (Column::Mail, FlawKind::Mail),
            (Column::VerifiedOn, FlawKind::HalfVerified),
        ]
    );
    let said = flaws[2].words(Locale::new(Lang::Ja));
    assert!(said.starts_with("電話（日中）「1」: 桁数が"), "{said}");
    for lang in [Lang::Ja, Lang::En] {
        for kind in FlawKind::ALL {
            assert_ne!(Locale::new(lang).text(kind.text_key()), kind.text_key());
        }
        for key in ContactKind::ALL
            .iter()
            .map(|kind| kind.label_key())
            .chain(StaffDuty::ALL.iter().map(|duty| duty.label_key()))
            .chain(Column::ALL.iter().map(|column| column.label_key()))
            .chain(ContactAct::ALL.iter().map(|act| act.label_key()))
        {
            assert_ne!(Locale::new(lang).text(key), key);
        }
    }
    assert_eq!(read(&Filled::new(), day(TODAY)).unwrap_err()[0].kind, FlawKind::Missing);
    let mut cells = vendor();
    cells[2].1 = "";
    let flaws = read(&texts(&cells), day(TODAY)).unwrap_err();
    assert_eq!(flaws[0].kind, FlawKind::Unreachable);
}

#[test]
fn a_word_counts_for_a_year_and_not_for_another_number() {
    let mut cells = vendor();
    cells.extend([
        (Column::ValidFrom, "2020-04-01"),
        (Column::VerifiedOn, "2025-11-26"),
        (Column::VerifiedBy, "佐藤"),
    ]);
    let known = contact(1, &cells);
    assert_eq!(known.standing(day("2026-11-25")), Standing::Verified);
    assert_eq!(known.standing(day("2026-11-26")), Standing::Stale);
    assert_eq!(known.standing(day("2020-03-31")), Standing::Ahead);
    let ended = Details { valid_to: Some(day("2026-11-25")), ..known.details.clone() };
    let ended = Contact { details: ended, ..known.clone() };
    assert_eq!(ended.standing(day("2026-11-26")), Standing::Retired);

    let other = Details { phone: "0569-00-0001".to_owned(), ..known.details.clone() };
    assert_eq!(known.verification_after(&other, None), None);
    assert_eq!(known.verification_after(&other, known.verified.clone()), None);
    let given = Verified { on: day(TODAY), by: "鈴木".to_owned() };
    assert_eq!(known.verification_after(&other, Some(given.clone())), Some(given));
    let noted = Details { note: "契約番号 A-1".to_owned(), ..known.details.clone() };
    assert_eq!(known.verification_after(&noted, None), known.verified);
}

#[test]
fn a_leap_days_word_lapses_on_the_last_of_february() {
    let verified = Verified { on: day("2024-02-29"), by: "佐藤".to_owned() };
    assert_eq!(verified.lapses_on(), day("2025-02-28"));
}

fn book() -> Vec<Contact> {
    let staff = |number, duty, person, night| {
        let cells = [
            (Column::Kind, "staff"),
            (Column::Duty, duty),
            (Column::Person, person),
            (Column::Phone, "内線 2345"),
            (Column::NightPhone, night),
        ];
        contact(number, &cells)
    };
    let mut vendor = vendor();
    vendor.extend([(Column::System, "ehr"), (Column::Note, "=cmd|' /C calc'!A0")]);
    vec![
        staff(1, "incident_commander", "院長 半田 太郎", "090-0000-0001"),
        staff(2, "it_lead", "佐藤 花子", ""),
        staff(3, "public_relations", "広報 次郎", ""),
        contact(4, &vendor),
        contact(
            5,
            &[
                (Column::Kind, "mhlw"),
                (Column::Organisation, "厚生労働省"),
                (Column::Phone, "+81-3-0000-0000"),
                (Column::VerifiedOn, "2026-11-01"),
                (Column::VerifiedBy, "佐藤"),
            ],
        ),
    ]
}

#[test]
fn a_table_reads_back_in_both_languages_and_holds_no_formula() {
    for lang in [Lang::Ja, Lang::En] {
        let bytes = to_table(&book(), Locale::new(lang));
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with('\u{feff}') && text.contains("'=cmd"), "{text}");
        let lines = parse_table(&bytes).unwrap();
        assert_eq!(lines.len(), 5);
        let plans = plan(&lines, &book(), day(TODAY)).unwrap();
        assert!(plans.iter().all(|plan| matches!(plan, Plan::Same(_))), "{plans:?}");
    }
    let japanese = to_table(&book(), Locale::new(Lang::Ja));
    let japanese = String::from_utf8(japanese).unwrap();
    let japanese = japanese.trim_start_matches('\u{feff}');
    let (shift_jis, _, lost) = encoding_rs::SHIFT_JIS.encode(japanese);
    assert!(!lost);
    assert_eq!(parse_table::<Column>(&shift_jis).unwrap().len(), 5, "as Excel saves it in Japan");
    let mut utf16 = vec![0xff, 0xfe];
    let tabs = japanese.replace(',', "\t");
    utf16.extend(tabs.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(parse_table::<Column>(&utf16).unwrap().len(), 5, "as Excel saves Unicode text");
}

#[test]
fn a_list_kept_elsewhere_finds_its_contacts_again_and_leaves_out_what_it_does_not_have() {
    let text = "区分,組織,担当システム,電話（日中）\n\
                保守会社・電子カルテ事業者,株式会社みらい電子カルテ,電子カルテ,0569-00-9999\n\
                警察,半田警察署,,0569-00-0110\n";
    let lines = parse_table(text.as_bytes()).unwrap();
    let plans = plan(&lines, &book(), day(TODAY)).unwrap();
    let [Plan::Change(id, changed), Plan::Add(added)] = plans.as_slice() else {
        panic!("{plans:?}");
    };
    assert_eq!((*id, changed.details.phone.as_str()), (book()[3].id, "0569-00-9999"));
    assert_eq!(changed.details.note, book()[3].details.note, "no column, no change");
    assert_eq!(added.details.kind, ContactKind::Police);
}

#[track_caller]
fn check_table(bytes: &[u8], expected: &[&str]) {
    let read = parse_table(bytes).and_then(|lines| plan(&lines, &book(), day(TODAY)));
    let said: Vec<String> = read
        .unwrap_err()
        .iter()
        .map(|fault| fault.words(Locale::new(Lang::En)))
        .collect();
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn every_fault_of_a_table_names_its_line_and_its_column() {
    check_table(b"", &["line 1: there is no heading"]);
    check_table(&[0x80, 0xff, 0xfe, 0x00], &["encoding"]);
    check_table(b"kind,colour\n", &["line 1: heading `colour`"]);
    check_table(b"kind,phone,phone\n", &["`phone` stands twice"]);
    check_table(b"organisation\nx\n", &["no column `Kind`"]);
    check_table(b"kind,phone\npolice,110,1\n", &["line 2: the line has other cells"]);
    check_table(
        "kind,organisation,phone,mail\n\npolice,半田警察署,1,\nvendor,A,0569-00-0000,nobody\n"
            .as_bytes(),
        &["line 3: Phone (day) `1`", "line 4: Mail `nobody`"],
    );
    let id = book()[4].id;
    let gone = ContactId::from_uuid(uuid::Uuid::from_u128(99));
    check_table(
        format!("id,kind\n{id},mhlw\n{gone},mhlw\nx,mhlw\n{id},mhlw\n").as_bytes(),
        &["line 3: nothing in use here has this id", "line 4: Id", "line 5: is the same as line 2"],
    );
    let long = "kind\n".to_owned() + &"police\n".repeat(2001);
    check_table(long.as_bytes(), &["line 2002: there are too many"]);
}

#[test]
fn the_chart_puts_the_calls_in_order_and_tells_what_is_missing() {
    let now = "2026-11-25T03:00:00Z".parse().unwrap();
    let profiles = Profiles::with_files(&[]).unwrap();
    let offices = offices(&profiles, now);
    let chart = Chart::of(&book(), &offices, now);
    let chain: Vec<_> = chart.chain.iter().map(|step| step.duty).collect();
    assert_eq!(chain, [StaffDuty::ItLead, StaffDuty::IncidentCommander]);
    assert_eq!(chart.called_in[0].duty, StaffDuty::PublicRelations);
    assert_eq!(chart.flagged, 4, "only the ministry was verified");
    let by_it = &chart.outside[0];
    assert_eq!(by_it.caller, StaffDuty::ItLead);
    assert_eq!(by_it.calls[0].contact.details.kind, ContactKind::Vendor);
    for gap in [
        Gap::Duty(StaffDuty::NightDesk),
        Gap::Night(StaffDuty::ItLead),
        Gap::Kind(ContactKind::Ppc),
        Gap::Kind(ContactKind::Police),
    ] {
        assert!(chart.gaps.contains(&gap), "{gap:?}: {:?}", chart.gaps);
    }
    assert!(!chart.gaps.contains(&Gap::Kind(ContactKind::Mhlw)));
    assert!(
        !chart
            .gaps
            .contains(&Gap::Night(StaffDuty::IncidentCommander))
    );
    assert!(Chart::of(&[], &offices, now).is_empty());
}

#[test]
fn a_number_of_a_profile_that_nobody_confirmed_is_left_out() {
    let now = "2026-11-25T03:00:00Z".parse().unwrap();
    let built_in = Profiles::with_files(&[]).unwrap();
    let text = &built_in.profile("jp-ceptoar").unwrap().text;
    let doubtful = text.replace("phone = \"\"", "phone = \"0120-00-0000\"");
    let with = |text: String| {
        let profiles = Profiles::with_files(&[("jp-ceptoar.toml".to_owned(), text)]).ok()?;
        let offices = offices(&profiles, now);
        let found = offices.iter().find(|one| one.kind == ContactKind::Ceptoar);
        Some(found.unwrap().phone.clone())
    };
    assert_eq!(with(text.clone()), Some(String::new()));
    assert_eq!(with(doubtful.clone()), None, "a file with such a number is refused");
    let confirmed = doubtful.replace("\"secondary\"", "\"confirmed\"");
    assert_eq!(with(confirmed), Some("0120-00-0000".to_owned()));
}

#[test]
fn the_vendors_of_the_book_are_right_and_the_master_data_fills_in() {
    let typed = |system, company: &str| Vendor {
        system,
        company: company.to_owned(),
        person: String::new(),
        phone: "03-0000-0000".to_owned(),
        phone_24h: String::new(),
        mail: String::new(),
    };
    let master = Master {
        vendors: vec![typed(CareRole::Ehr, "前の社"), typed(CareRole::Pacs, "画像社")],
        ..Master::default()
    };
    let company = |more: &[(Column, &'static str)]| {
        let name = [
            (Column::Kind, "vendor"),
            (Column::System, "ehr"),
            (Column::Organisation, "今の社"),
            (Column::NightPhone, "0120-000-111"),
            (Column::ValidFrom, "2020-01-01"),
        ];
        contact(1, &[&name[..], more].concat())
    };
    let named = |book: &[Contact]| -> Vec<(CareRole, String)> {
        let found = vendors(book, &master, day(TODAY)).into_iter();
        found.map(|one| (one.system, one.company)).collect()
    };
    let typed_in = [(CareRole::Ehr, "前の社".to_owned()), (CareRole::Pacs, "画像社".to_owned())];
    assert_eq!(named(&[]), typed_in);
    assert_eq!(named(&[company(&[(Column::ValidTo, "2025-12-31")])]), typed_in, "it ended");
    let now = [company(&[])];
    assert_eq!(
        named(&now),
        [(CareRole::Ehr, "今の社".to_owned()), (CareRole::Pacs, "画像社".to_owned())]
    );
    assert_eq!(vendors(&now, &master, day(TODAY))[0].phone_24h, "0120-000-111");
}
