//! Institutions read from forms and tables: what is wrong is named by line and column, and who is meant is found.

use super::*;
use crate::locale::{Lang, Locale};
use crate::tables::{FlawKind, parse_table};

fn texts(cells: &[(Column, &str)]) -> Filled {
    cells
        .iter()
        .map(|(column, text)| (*column, (*text).to_owned()))
        .collect()
}

fn hospital() -> Vec<(Column, &'static str)> {
    vec![
        (Column::Name, "半田中央病院"),
        (Column::Kind, "hospital"),
        (Column::Code, "２３１-００００００１"),
    ]
}

fn institution(number: u128, cells: &[(Column, &str)]) -> Institution {
    let partners = ["handa-hp".parse().unwrap()];
    let known = Known { institutions: &[], partners: &partners };
    Institution {
        facility: "handa-city".parse().unwrap(),
        id: InstitutionId::from_uuid(uuid::Uuid::from_u128(number)),
        revision: 1,
        details: read(&texts(cells), None, known).unwrap(),
        act: InstitutionAct::Added,
        reason: String::new(),
        set_by: Actor::CommandLine,
        set_at: "2026-11-25T00:00:00Z".parse().unwrap(),
    }
}

fn planned(table: &str, institutions: &[Institution]) -> Result<Vec<Plan>, Vec<String>> {
    let partners = ["handa-hp".parse().unwrap()];
    let known = Known { institutions, partners: &partners };
    let faults = |faults: Vec<Fault>| {
        let locale = Locale::new(Lang::Ja);
        faults
            .iter()
            .map(|fault| fault.words(locale))
            .collect::<Vec<_>>()
    };
    parse_table(table.as_bytes())
        .and_then(|lines| plan(&lines, known))
        .map_err(faults)
}

#[test]
fn what_is_wrong_with_an_institution_is_named_by_its_column() {
    let first = institution(1, &hospital());
    assert_eq!(first.details.code, "2310000001", "stored in half width without a dash");
    let known = Known { institutions: &[first], partners: &[] };
    for (column, text, expected) in [
        (Column::Name, "", FlawKind::Missing),
        (Column::Kind, "", FlawKind::Missing),
        (Column::Kind, "unknown", FlawKind::Choice),
        (Column::Code, "12345", FlawKind::Code),
        (Column::Code, "2310000001", FlawKind::CodeTaken),
        (Column::Phone, "0569-00-000", FlawKind::PhoneLength),
        (Column::NightPhone, "夜間受付へ", FlawKind::Phone),
        (Column::Mail, "tantou", FlawKind::Mail),
        (Column::Partner, "nobody", FlawKind::Partner),
        (Column::Address, "a\nb", FlawKind::Hidden),
    ] {
        let mut cells = texts(&[(Column::Name, "別の病院"), (Column::Kind, "病院")]);
        cells.insert(column, text.to_owned());
        let flaws = read(&cells, None, known).unwrap_err();
        assert_eq!(flaws.len(), 1, "{text}: {flaws:?}");
        assert_eq!((flaws[0].column, flaws[0].kind), (column, expected), "{text}");
    }
}

#[test]
fn a_partner_that_was_revoked_stays_with_the_institution_that_had_it() {
    let mut cells = hospital();
    cells.push((Column::Partner, "handa-hp"));
    let has = institution(1, &cells);
    let list = [has.clone(), institution(2, &[(Column::Name, "別"), (Column::Kind, "clinic")])];
    let known = Known { institutions: &list, partners: &[] };
    assert!(read(&filled(&has), Some(has.id), known).is_ok());
    let mut other = filled(&list[1]);
    other.insert(Column::Partner, "handa-hp".to_owned());
    assert!(read(&other, Some(list[1].id), known).is_err());
}

#[test]
fn every_mistake_of_a_table_is_told_with_line_and_column() {
    let table = "名称,種別,医療機関コード,電話（日中）,提携先\n\
                 甲病院,病院,2310000002,12,\n\
                 ,診療所,,,\n\
                 乙医院,医院,123,0569-00-0000,nobody\n";
    let faults = planned(table, &[]).unwrap_err().join("\n");
    for expected in [
        "2行目: 電話（日中）「12」",
        "3行目: 名称: 空欄",
        "4行目: 種別「医院」",
        "4行目: 医療機関コード「123」",
        "4行目: 提携先「nobody」",
    ] {
        assert!(faults.contains(expected), "{expected} in {faults}");
    }
    let faults = planned("名称\n甲病院\n", &[]).unwrap_err().join("\n");
    assert!(faults.contains("見出し「種別」の列がありません"), "{faults}");
}

#[test]
fn a_line_is_the_institution_with_its_code_else_its_name_and_kind() {
    let list = [
        institution(1, &hospital()),
        institution(2, &[(Column::Name, "乙医院"), (Column::Kind, "clinic")]),
    ];
    let table = "name,kind,code,phone\n\
                 半田中央病院（新館）,hospital,2310000001,0569-00-0000\n\
                 乙医院,clinic,,\n\
                 丙薬局,pharmacy,,\n";
    let plans = planned(table, &list).unwrap();
    let [Plan::Change(first, details), Plan::Same(second), Plan::Add(third)] = plans.as_slice()
    else {
        panic!("{plans:?}");
    };
    assert_eq!((*first, *second, third.name.as_str()), (list[0].id, list[1].id, "丙薬局"));
    assert_eq!(
        (details.name.as_str(), details.phone.as_str()),
        ("半田中央病院（新館）", "0569-00-0000")
    );
}

#[test]
fn two_lines_about_one_institution_and_a_closed_one_are_refused() {
    let mut closed = institution(1, &hospital());
    closed.act = InstitutionAct::Closed;
    let by_id = format!("id,name,kind\n{},甲,hospital\n", closed.id);
    let faults = planned(&by_id, &[closed]).unwrap_err();
    assert!(faults[0].starts_with("2行目: この番号のもの"), "{faults:?}");
    for table in [
        "name,kind,code\n甲,hospital,2310000002\n乙,hospital,2310000002\n",
        "name,kind\n甲,hospital\n甲,hospital\n",
    ] {
        let faults = planned(table, &[]).unwrap_err();
        assert_eq!(faults, ["3行目: 2行目と同じものです。どちらかを消してください。"], "{table}");
    }
    let list = [institution(2, &[(Column::Name, "乙"), (Column::Kind, "clinic")])];
    let both =
        format!("id,name,kind,code\n{},乙,clinic,2310000002\n,丙,clinic,2310000002\n", list[0].id);
    assert_eq!(planned(&both, &list).unwrap_err().len(), 1);
}

#[test]
fn what_was_exported_reads_back_as_the_same_and_begins_no_formula() {
    let list = [
        institution(1, &[hospital(), vec![(Column::Partner, "handa-hp")]].concat()),
        institution(2, &[(Column::Name, "=cmd|' /C calc'!A0"), (Column::Kind, "other")]),
    ];
    for lang in [Lang::Ja, Lang::En] {
        let table = String::from_utf8(to_table(&list, Locale::new(lang))).unwrap();
        assert!(!table.contains(",=cmd"), "{table}");
        let plans = planned(&table, &list).unwrap();
        assert!(plans.iter().all(|plan| matches!(plan, Plan::Same(_))), "{plans:?}");
    }
}
