//! How a person writes an answer into a form, and how a form shows one again.
//!
//! ```text
//! Lines    one row a line     2026-02-09 01:55｜保守事業者｜電話で連絡   (time and label may be missing)
//! Systems  one system a line  名称｜役割｜OS｜保守事業者｜被害
//! ```
//!
//! Always holds: what [`Entered::of`] shows reads back as the same value; what was read has no control characters.

use super::{Field, Kind};
use crate::reports::answer::{AnswerProblem, Line, System, Value};
use crate::reports::text::{form_time, plain, plain_line, read_form_time};

/// Separates the parts of a row. The half-width `|` is read as well.
const SEPARATOR: char = '｜';

/// An answer as it stands in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    /// The text field: the text, the note beside choices, a date, or rows.
    pub text: String,
    /// The codes that are ticked.
    pub chosen: Vec<String>,
}

impl Entered {
    /// Shows a value in a form.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let text = match value {
            Value::Nothing => String::new(),
            Value::Text { text } => text.clone(),
            Value::Choices { chosen, note } => {
                return Self { text: note.clone(), chosen: chosen.clone() };
            }
            Value::DateTime { at } => form_time(*at),
            Value::Number { low, high, .. } if low == high => low.to_string(),
            Value::Number { low, high, .. } => format!("{low}–{high}"),
            Value::Lines { lines } => lines.iter().map(line_text).collect::<Vec<_>>().join("\n"),
            Value::Systems { systems } => systems
                .iter()
                .map(system_text)
                .collect::<Vec<_>>()
                .join("\n"),
        };
        Self { text, chosen: Vec::new() }
    }
}

impl Field {
    /// Reads what a person wrote into a form.
    ///
    /// # Errors
    /// Names what does not fit and how to write it.
    pub fn read(self, entered: &Entered) -> Result<Value, AnswerProblem> {
        let text = plain(&entered.text);
        let rows = || text.lines().filter(|line| !line.trim().is_empty());
        let value = match self.kind() {
            Kind::One(_) | Kind::Any(_) => {
                let ticked = |code: &str| entered.chosen.iter().any(|given| given == code);
                let known = self.choices().iter().filter(|code| ticked(code));
                let known: Vec<String> = known.map(|&code| code.to_owned()).collect();
                let strange = entered
                    .chosen
                    .iter()
                    .filter(|given| !self.choices().contains(&given.as_str()))
                    .cloned();
                let chosen = known.into_iter().chain(strange).collect();
                Value::Choices { chosen, note: text.trim().to_owned() }
            }
            Kind::Text if text.trim().is_empty() => Value::Nothing,
            Kind::Text => Value::text(text.trim()),
            Kind::DateTime if text.trim().is_empty() => Value::Nothing,
            Kind::DateTime => {
                let at = read_form_time(&text).ok_or(AnswerProblem::Date(short(&text)))?;
                Value::DateTime { at }
            }
            Kind::Lines => {
                let lines: Vec<Line> = rows().map(read_line).collect();
                if lines.is_empty() { Value::Nothing } else { Value::Lines { lines } }
            }
            Kind::Systems => {
                let systems: Vec<System> = rows().map(read_system).collect();
                if systems.is_empty() { Value::Nothing } else { Value::Systems { systems } }
            }
        };
        self.check(&value)?;

        Ok(value)
    }
}

fn line_text(line: &Line) -> String {
    let at = line.at.map(form_time);
    let label = (!line.label.is_empty()).then(|| cell(&line.label));
    let parts = match (at, label) {
        (Some(at), Some(label)) => vec![at, label, cell(&line.text)],
        (Some(at), None) => vec![at, String::new(), cell(&line.text)],
        (None, Some(label)) => vec![label, cell(&line.text)],
        (None, None) => vec![cell(&line.text)],
    };
    parts.join(&SEPARATOR.to_string())
}

fn read_line(row: &str) -> Line {
    let parts = cells(row);
    let (at, rest) = match parts.split_first() {
        Some((first, rest)) => match read_form_time(first) {
            Some(at) => (Some(at), rest),
            None => (None, parts.as_slice()),
        },
        None => (None, parts.as_slice()),
    };
    match rest {
        [] => Line { at, ..Line::default() },
        [text] => Line { at, label: String::new(), text: text.clone() },
        [label, texts @ ..] => {
            Line { at, label: label.clone(), text: texts.join(&SEPARATOR.to_string()) }
        }
    }
}

fn system_text(system: &System) -> String {
    [&system.name, &system.role, &system.os, &system.vendor, &system.damage]
        .map(|part| cell(part))
        .join(&SEPARATOR.to_string())
}

fn read_system(row: &str) -> System {
    let mut parts = cells(row).into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let (name, role, os, vendor) = (next(), next(), next(), next());
    let damage = parts.collect::<Vec<_>>().join(&SEPARATOR.to_string());

    System { name, role, os, vendor, damage }
}

fn cells(row: &str) -> Vec<String> {
    row.split([SEPARATOR, '|']).map(plain_line).collect()
}

/// One part of a row: on one line, without the separator.
fn cell(text: &str) -> String {
    plain_line(text).replace([SEPARATOR, '|'], "/")
}

fn short(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_and_without_time_and_label_read_back() {
        let at = read_form_time("2026-02-09 01:55").unwrap();
        let line =
            |at, label: &str, text: &str| Line { at, label: label.into(), text: text.into() };
        round_trip(
            Field::Contacted,
            &Value::Lines {
                lines: vec![
                    line(Some(at), "保守事業者", "電話で連絡、受付番号 A-1"),
                    line(Some(at), "", "サーバを切り離し"),
                    line(None, "病院長", "山田"),
                    line(None, "", "ただの文"),
                ],
            },
        );
    }

    #[test]
    fn systems_choices_dates_and_texts_read_back() {
        let system = System {
            name: "ehr-db1".into(),
            role: "電子カルテ".into(),
            os: "Windows Server 2019".into(),
            vendor: String::new(),
            damage: "412 ファイル".into(),
        };
        round_trip(Field::Systems, &Value::Systems { systems: vec![system.clone(), system] });
        let chosen = vec!["outpatient".to_owned(), "imaging".to_owned()];
        round_trip(Field::CareImpact, &Value::Choices { chosen, note: "紙で運用".into() });
        round_trip(
            Field::OccurredAt,
            &Value::DateTime { at: read_form_time("2026-02-09 01:50").unwrap() },
        );
        round_trip(Field::Summary, &Value::text("一行目\n二行目"));
        round_trip(Field::Summary, &Value::Nothing);
    }

    #[test]
    fn hostile_entries_are_refused_or_cleaned() {
        let entered = |text: &str| Entered { text: text.into(), chosen: vec![] };
        assert_eq!(Field::Summary.read(&entered("a\u{202e}b\u{7}")).unwrap(), Value::text("ab"));
        assert!(matches!(Field::OccurredAt.read(&entered("soon")), Err(AnswerProblem::Date(_))));
        let strange = Entered { text: String::new(), chosen: vec!["<script>".into()] };
        assert!(matches!(Field::Kind.read(&strange), Err(AnswerProblem::NoSuchChoice { .. })));
    }

    #[track_caller]
    fn round_trip(field: Field, value: &Value) {
        assert_eq!(&field.read(&Entered::of(value)).unwrap(), value);
    }
}
