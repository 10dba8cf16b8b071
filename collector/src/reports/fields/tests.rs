//! Numbers stay, types hold, and what a form shows reads back.

use std::collections::BTreeMap;

use super::*;
use crate::locale::{Lang, Locale};
use crate::reports::answer::{AnswerProblem, Flood, Line, Range, Row, System, Value};
use crate::reports::text::read_form_time;

#[test]
fn every_number_of_the_table_is_there_and_reads_back() {
    let numbers: Vec<_> = Field::ALL.iter().map(|field| field.number()).collect();
    assert_eq!(numbers, (1..=58).collect::<Vec<u8>>());
    for &field in Field::ALL {
        let json = serde_json::to_string(&field).unwrap();
        assert_eq!(json, field.number().to_string());
        assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), field);
    }
    assert!(serde_json::from_str::<Field>("59").is_err());
}

#[test]
fn every_label_choice_column_and_cell_has_words_in_both_languages() {
    let mut keys = Vec::new();
    for &field in Field::ALL {
        keys.push(field.label_key());
        keys.extend(field.choices().iter().map(|code| field.choice_key(code)));
        for column in field.columns() {
            keys.push(field.column_key(column.code));
            if let Cell::One(codes) = column.cell {
                keys.extend(codes.iter().map(|code| field.cell_key(column.code, code)));
            }
        }
    }
    for lang in [Lang::Ja, Lang::En] {
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| Locale::new(lang).text(key) == **key)
            .collect();
        assert!(missing.is_empty(), "{lang:?}: {missing:#?}");
    }
}

#[test]
fn a_field_takes_only_its_own_type_and_choices() {
    let one = |code: &str| Value::Choices { chosen: vec![code.to_owned()], note: String::new() };
    assert_eq!(Field::Kind.check(&one("ransomware")), Ok(()));
    assert!(Field::Kind.check(&one("outpatient")).is_err());
    assert!(Field::Kind.check(&Value::text("ransomware")).is_err());
    let two = Value::Choices { chosen: vec!["yes".into(), "no".into()], note: String::new() };
    let refused = Err(AnswerProblem::TooManyChoices { field: 20, given: 2 });
    assert_eq!(Field::DataLeak.check(&two), refused);
    let long = Value::text("あ".repeat(4001));
    assert_eq!(Field::Summary.check(&long), Err(AnswerProblem::TooLong));
    for &field in Field::ALL {
        assert_eq!(field.check(&Value::Nothing), Ok(()), "{field:?} blocks an open answer");
    }
}

#[test]
fn what_does_not_fit_a_column_a_range_or_a_count_is_named() {
    let row = |code: &str, part: &str| {
        let rows = vec![Row::from([(code.to_owned(), part.to_owned())])];
        Field::Indicators.check(&Value::Rows { rows })
    };
    assert_eq!(row("kind", "address"), Ok(()));
    for (code, part) in [("kind", "smell"), ("seen", "yesterday"), ("colour", "red")] {
        assert!(matches!(row(code, part), Err(AnswerProblem::NoSuchPart { .. })), "{code} {part}");
    }
    let people = |confirmed, maximum| {
        Field::Persons.check(&Value::People { confirmed, maximum, basis: String::new() })
    };
    assert_eq!(people(Some(10_000), Some(130_000)), Ok(()));
    assert!(people(Some(2), Some(1)).is_err(), "more certain than possible");
    let read = |parts: &[(&str, &str)]| {
        let parts = parts
            .iter()
            .map(|(name, part)| ((*name).to_owned(), (*part).to_owned()));
        let entered = Entered { parts: parts.collect(), ..Entered::default() };
        Field::Persons.read(&entered)
    };
    let found = read(&[("confirmed", "10,000名"), ("maximum", "１３００００")]).unwrap();
    let basis = String::new();
    assert_eq!(found, Value::People { confirmed: Some(10_000), maximum: Some(130_000), basis });
    assert_eq!(read(&[("maximum", "多数")]), Err(AnswerProblem::Number("多数".into())));
}

#[test]
fn what_a_form_shows_reads_back_as_the_same_value() {
    let at = read_form_time("2026-02-09 01:50").unwrap();
    let line = |at, label: &str, text: &str| Line { at, label: label.into(), text: text.into() };
    let lines = vec![
        line(Some(at), "保守事業者", "電話で連絡｜受付番号 A-1"),
        line(Some(at), "", "サーバを切り離し"),
        line(None, "病院長", "山田"),
        line(None, "", "ただの文"),
    ];
    round_trip(Field::Contacted, &Value::Lines { lines });
    let system = System {
        name: "ehr-db1".into(),
        role: "電子カルテ".into(),
        os: "Windows Server 2019".into(),
        damage: "412 ファイル".into(),
        kind: "server".into(),
        count: Some(2),
        setting: "on-premises".into(),
        ..System::default()
    };
    round_trip(Field::Systems, &Value::Systems { systems: vec![system.clone(), system] });
    let chosen = vec!["outpatient".to_owned(), "imaging".to_owned()];
    round_trip(Field::CareImpact, &Value::Choices { chosen, note: "紙で運用".into() });
    let chosen = Some("planned".to_owned());
    round_trip(Field::Publication, &Value::Dated { chosen, at: Some(at), note: "会見".into() });
    round_trip(Field::OccurredAt, &Value::DateTime { at });
    round_trip(Field::Summary, &Value::text("一行目\n二行目"));
    round_trip(Field::Summary, &Value::Nothing);
    let basis = "患者台帳の件数".to_owned();
    round_trip(Field::Persons, &Value::People { confirmed: None, maximum: Some(7), basis });
    let flood = Flood {
        kinds: vec!["T1498.002".to_owned()],
        megabits_per_second: Some(Range { low: 900, high: 1200 }),
        minutes: Some(Range { low: 40, high: 40 }),
        ..Flood::default()
    };
    round_trip(Field::Flood, &Value::Flood { flood });
    let cells = [("name", "日次"), ("generations", "7"), ("offline", "no")];
    let cells = cells.map(|(code, part)| (code.to_owned(), part.to_owned()));
    let mut row = BTreeMap::from(cells);
    row.insert("last_good".to_owned(), at.to_string());
    round_trip(Field::Backups, &Value::Rows { rows: vec![row] });
}

#[test]
fn hostile_entries_are_refused_or_cleaned() {
    let entered = |text: &str| Entered { text: text.into(), ..Entered::default() };
    assert_eq!(Field::Summary.read(&entered("a\u{202e}b\u{7}")).unwrap(), Value::text("ab"));
    assert!(matches!(Field::OccurredAt.read(&entered("soon")), Err(AnswerProblem::Date(_))));
    let strange = Entered { chosen: vec!["<script>".into()], ..Entered::default() };
    assert!(matches!(Field::Kind.read(&strange), Err(AnswerProblem::NoSuchChoice { .. })));
    let parts = BTreeMap::from([("99999999-name".to_owned(), "x".to_owned())]);
    let many = Entered { parts, ..Entered::default() };
    assert_eq!(Field::Backups.read(&many), Err(AnswerProblem::TooLong));
}

#[track_caller]
fn round_trip(field: Field, value: &Value) {
    assert_eq!(&field.read(&Entered::of(value)).unwrap(), value);
}
