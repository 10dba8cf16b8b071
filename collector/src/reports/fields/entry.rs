//! How a person writes an answer into a form, and how a form shows one again.
//!
//! A table is written cell by cell: the part `2-name` is the column `name` of the third row. Rows without anything in
//! them do not count, so a form can offer empty ones.
//!
//! Always holds: what [`Entered::of`] shows reads back as the same value; what was read has no control characters.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Cell, Column, Field, Kind};
use crate::reports::answer::{
    AnswerProblem, Flood, LINES_MAX, Line, Range, RoundKind, Row, System, Value,
};
use crate::reports::text::{form_time, plain, plain_line, read_form_time};

/// An answer as it stands in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    /// The text field: the text, or the note beside choices.
    pub text: String,
    /// The codes that are ticked.
    pub chosen: Vec<String>,
    /// Every other input, by name: `at`, `confirmed`, `0-name` …
    pub parts: BTreeMap<String, String>,
}

impl Entered {
    /// Shows a value in a form.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut shown = Self { chosen: value.chosen().to_vec(), ..Self::default() };
        match value {
            Value::Nothing => {}
            Value::Text { text } => shown.text.clone_from(text),
            Value::Choices { note, .. } => shown.text.clone_from(note),
            Value::Dated { at, note, .. } => {
                shown.text.clone_from(note);
                shown.put("at", at.map(form_time));
            }
            Value::DateTime { at } => shown.text = form_time(*at),
            Value::Number { low, high, .. } => {
                shown.text = range_text(Range { low: *low, high: *high });
            }
            Value::People { confirmed, maximum, basis } => {
                shown.text.clone_from(basis);
                shown.put("confirmed", confirmed.map(|count| count.to_string()));
                shown.put("maximum", maximum.map(|count| count.to_string()));
            }
            Value::Round { kind, number } => {
                shown.put("kind", Some(kind.as_str().to_owned()));
                shown.put("number", Some(number.to_string()));
            }
            Value::Flood { flood } => {
                shown.text.clone_from(&flood.mitigation);
                shown.put("megabits", flood.megabits_per_second.map(range_text));
                shown.put("packets", flood.packets_per_second.map(range_text));
                shown.put("minutes", flood.minutes.map(range_text));
            }
            Value::Lines { lines } => shown.rows(lines.iter().map(line_row)),
            Value::Systems { systems } => shown.rows(systems.iter().map(system_row)),
            Value::Rows { rows } => shown.rows(rows.iter().cloned()),
        }
        shown
    }

    /// Returns one input, empty if it was not sent.
    #[must_use]
    pub fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// Returns how many rows of a table have something in them or stand before one that has.
    #[must_use]
    pub fn row_count(&self) -> usize {
        let index = |name: &String| name.split_once('-')?.0.parse::<usize>().ok();
        let filled = self
            .parts
            .iter()
            .filter(|(_, part)| !part.trim().is_empty());
        filled
            .filter_map(|(name, _)| index(name))
            .max()
            .map_or(0, |last| last + 1)
    }

    fn put(&mut self, name: &str, part: Option<String>) {
        if let Some(part) = part {
            self.parts.insert(name.to_owned(), part);
        }
    }

    fn rows(&mut self, rows: impl Iterator<Item = Row>) {
        for (index, row) in rows.enumerate() {
            for (code, part) in row {
                // Moments are kept as RFC 3339 and shown as Japan's clocks do.
                let shown = match part.parse::<Timestamp>() {
                    Ok(at) => form_time(at),
                    Err(_) => part,
                };
                self.parts.insert(format!("{index}-{code}"), shown);
            }
        }
    }
}

impl Field {
    /// Reads what a person wrote into a form.
    ///
    /// # Errors
    /// Names what does not fit and how to write it.
    pub fn read(self, entered: &Entered) -> Result<Value, AnswerProblem> {
        let text = plain(&entered.text).trim().to_owned();
        let value = match self.kind() {
            Kind::One(_) | Kind::Any(_) => {
                Value::Choices { chosen: self.ticked(entered), note: text }
            }
            Kind::Dated(_) => Value::Dated {
                chosen: self.one_ticked(entered)?,
                at: read_time(entered.part("at"))?,
                note: text,
            },
            Kind::Text if text.is_empty() => Value::Nothing,
            Kind::Text => Value::text(text),
            Kind::DateTime => match read_time(&text)? {
                Some(at) => Value::DateTime { at },
                None => Value::Nothing,
            },
            Kind::People => Value::People {
                confirmed: read_count(entered.part("confirmed"))?,
                maximum: read_count(entered.part("maximum"))?,
                basis: text,
            },
            Kind::Flood(_) => Value::Flood {
                flood: Flood {
                    kinds: self.ticked(entered),
                    megabits_per_second: read_range(entered.part("megabits"))?,
                    packets_per_second: read_range(entered.part("packets"))?,
                    minutes: read_range(entered.part("minutes"))?,
                    mitigation: text,
                },
            },
            Kind::Round => Value::Round {
                kind: RoundKind::parse(entered.part("kind"))
                    .ok_or(AnswerProblem::WrongType { field: self.number() })?,
                number: entered
                    .part("number")
                    .parse()
                    .map_err(|_| AnswerProblem::Number(short(entered.part("number"))))?,
            },
            Kind::Lines => {
                let lines = self.read_rows(entered)?;
                Value::Lines { lines: lines.iter().map(row_line).collect() }
            }
            Kind::Systems => {
                let systems = self.read_rows(entered)?;
                Value::Systems { systems: systems.into_iter().map(row_system).collect() }
            }
            Kind::Rows(_) => Value::Rows { rows: self.read_rows(entered)? },
        };
        let value = if value.is_empty() { Value::Nothing } else { value };
        self.check(&value)?;

        Ok(value)
    }

    /// The codes ticked, in the field's order; strange ones last, so that the check names them.
    fn ticked(self, entered: &Entered) -> Vec<String> {
        let given = |code: &str| entered.chosen.iter().any(|given| given == code);
        let known = self.choices().iter().filter(|code| given(code));
        let known = known.map(|&code| code.to_owned());
        let strange = entered
            .chosen
            .iter()
            .filter(|given| !self.choices().contains(&given.as_str()))
            .cloned();
        known.chain(strange).collect()
    }

    fn one_ticked(self, entered: &Entered) -> Result<Option<String>, AnswerProblem> {
        let mut ticked = self.ticked(entered);
        if 1 < ticked.len() {
            let (field, given) = (self.number(), ticked.len());
            return Err(AnswerProblem::TooManyChoices { field, given });
        }

        Ok(ticked.pop())
    }

    fn read_rows(self, entered: &Entered) -> Result<Vec<Row>, AnswerProblem> {
        let count = entered.row_count();
        if LINES_MAX < count {
            return Err(AnswerProblem::TooLong);
        }
        let mut rows = Vec::new();
        for index in 0..count {
            let mut row = Row::new();
            for column in self.columns() {
                let part = plain_line(entered.part(&format!("{index}-{}", column.code)));
                if let Some(part) = read_cell(column, &part)? {
                    row.insert(column.code.to_owned(), part);
                }
            }
            if !row.is_empty() {
                rows.push(row);
            }
        }

        Ok(rows)
    }
}

fn read_cell(column: &Column, part: &str) -> Result<Option<String>, AnswerProblem> {
    if part.is_empty() {
        return Ok(None);
    }
    match column.cell {
        // Whether a choice is one of the column's is for the check to say.
        Cell::Text | Cell::One(_) => Ok(Some(part.to_owned())),
        Cell::Time => Ok(read_time(part)?.map(|at| at.to_string())),
        Cell::Number => Ok(read_count(part)?.map(|count| count.to_string())),
    }
}

fn read_time(text: &str) -> Result<Option<Timestamp>, AnswerProblem> {
    let text = plain_line(text);
    if text.is_empty() {
        return Ok(None);
    }
    read_form_time(&text)
        .map(Some)
        .ok_or_else(|| AnswerProblem::Date(short(&text)))
}

/// Reads a number as people write it: `130,000`, `１３万` is not one.
fn read_count(text: &str) -> Result<Option<u64>, AnswerProblem> {
    let text = plain_line(text);
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ',' | '，' | ' '))
        .map(half_width)
        .collect();
    let digits = digits
        .strip_suffix(['名', '人', '件', '台'])
        .unwrap_or(&digits);
    if digits.is_empty() {
        return Ok(None);
    }
    digits
        .parse()
        .map(Some)
        .map_err(|_| AnswerProblem::Number(short(&text)))
}

/// Reads `120` or `100-130000`; the dash may be any that people type.
fn read_range(text: &str) -> Result<Option<Range>, AnswerProblem> {
    let text = plain_line(text);
    let mut ends = text.splitn(2, ['-', '–', '~', '～', '〜', '－']);
    let low = read_count(ends.next().unwrap_or_default())?;
    let high = ends.next().map(read_count).transpose()?;
    match (low, high) {
        (None, None) => Ok(None),
        (Some(low), None) => Ok(Some(Range { low, high: low })),
        (Some(low), Some(Some(high))) if low <= high => Ok(Some(Range { low, high })),
        (Some(_) | None, Some(Some(_) | None)) => Err(AnswerProblem::Number(short(&text))),
    }
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => {
            char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c)
        }
        c => c,
    }
}

fn range_text(range: Range) -> String {
    if range.low == range.high {
        range.low.to_string()
    } else {
        format!("{}-{}", range.low, range.high)
    }
}

fn line_row(line: &Line) -> Row {
    let parts = [
        ("at", line.at.map(|at| at.to_string()).unwrap_or_default()),
        ("label", line.label.clone()),
        ("text", line.text.clone()),
    ];
    filled(parts)
}

fn row_line(row: &Row) -> Line {
    Line {
        at: row.get("at").and_then(|at| at.parse().ok()),
        label: row.get("label").cloned().unwrap_or_default(),
        text: row.get("text").cloned().unwrap_or_default(),
    }
}

fn system_row(system: &System) -> Row {
    let own = |text: &String| text.clone();
    filled([
        ("name", own(&system.name)),
        ("kind", own(&system.kind)),
        (
            "count",
            system
                .count
                .map(|count| count.to_string())
                .unwrap_or_default(),
        ),
        ("role", own(&system.role)),
        ("os", own(&system.os)),
        ("setting", own(&system.setting)),
        ("vendor", own(&system.vendor)),
        ("damage", own(&system.damage)),
    ])
}

fn row_system(mut row: Row) -> System {
    let mut take = |code: &str| row.remove(code).unwrap_or_default();
    System {
        name: take("name"),
        kind: take("kind"),
        count: take("count").parse().ok(),
        role: take("role"),
        os: take("os"),
        setting: take("setting"),
        vendor: take("vendor"),
        damage: take("damage"),
    }
}

fn filled<const N: usize>(parts: [(&str, String); N]) -> Row {
    let filled = parts.into_iter().filter(|(_, part)| !part.is_empty());
    filled.map(|(code, part)| (code.to_owned(), part)).collect()
}

fn short(text: &str) -> String {
    text.trim().chars().take(40).collect()
}
