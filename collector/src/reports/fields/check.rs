//! Whether a value is one a field takes.

use jiff::Timestamp;

use super::{Cell, Column, Field, Kind};
use crate::reports::answer::{
    AnswerProblem, Flood, LINES_MAX, Line, Range, Row, System, TEXT_MAX, Value,
};

impl Field {
    /// Checks that a value is one this field takes.
    ///
    /// # Errors
    /// Names the field and what does not fit.
    pub fn check(self, value: &Value) -> Result<(), AnswerProblem> {
        match (self.kind(), value) {
            (_, Value::Nothing)
            | (Kind::DateTime, Value::DateTime { .. })
            | (Kind::Round, Value::Round { .. })
            | (Kind::Text, Value::Number { .. }) => Ok(()),
            (Kind::Text, Value::Text { text }) => fits(text),
            (Kind::One(codes), Value::Choices { chosen, note }) => {
                if 1 < chosen.len() {
                    let field = self.number();
                    return Err(AnswerProblem::TooManyChoices { field, given: chosen.len() });
                }
                self.check_choices(codes, chosen, note)
            }
            (Kind::Any(codes), Value::Choices { chosen, note }) => {
                self.check_choices(codes, chosen, note)
            }
            (Kind::Dated(codes), Value::Dated { chosen, note, .. }) => {
                self.check_choices(codes, chosen.as_slice(), note)
            }
            (Kind::People, Value::People { confirmed, maximum, basis }) => {
                fits(basis)?;
                match (confirmed, maximum) {
                    (Some(low), Some(high)) if high < low => {
                        Err(AnswerProblem::Number(format!("{low}-{high}")))
                    }
                    (Some(_) | None, Some(_) | None) => Ok(()),
                }
            }
            (Kind::Flood(codes), Value::Flood { flood }) => self.check_flood(codes, flood),
            (Kind::Lines, Value::Lines { lines }) => check_lines(lines),
            (Kind::Systems, Value::Systems { systems }) => self.check_systems(systems),
            (Kind::Rows(columns), Value::Rows { rows }) => self.check_rows(columns, rows),
            (
                Kind::Text
                | Kind::DateTime
                | Kind::One(_)
                | Kind::Any(_)
                | Kind::Dated(_)
                | Kind::People
                | Kind::Lines
                | Kind::Systems
                | Kind::Rows(_)
                | Kind::Round
                | Kind::Flood(_),
                Value::Text { .. }
                | Value::DateTime { .. }
                | Value::Number { .. }
                | Value::Choices { .. }
                | Value::Dated { .. }
                | Value::People { .. }
                | Value::Lines { .. }
                | Value::Systems { .. }
                | Value::Rows { .. }
                | Value::Round { .. }
                | Value::Flood { .. },
            ) => Err(AnswerProblem::WrongType { field: self.number() }),
        }
    }

    fn check_choices(
        self,
        codes: &[&str],
        chosen: &[String],
        note: &str,
    ) -> Result<(), AnswerProblem> {
        if let Some(choice) = chosen.iter().find(|code| !codes.contains(&code.as_str())) {
            let field = self.number();
            return Err(AnswerProblem::NoSuchChoice { field, choice: choice.clone() });
        }
        fits(note)
    }

    fn check_flood(self, codes: &[&str], flood: &Flood) -> Result<(), AnswerProblem> {
        for range in [flood.megabits_per_second, flood.packets_per_second, flood.minutes] {
            if let Some(Range { low, high }) = range.filter(|range| range.high < range.low) {
                return Err(AnswerProblem::Number(format!("{low}-{high}")));
            }
        }
        self.check_choices(codes, &flood.kinds, &flood.mitigation)
    }

    fn check_systems(self, systems: &[System]) -> Result<(), AnswerProblem> {
        within(systems.len(), LINES_MAX)?;
        for system in systems {
            let parts = [&system.name, &system.role, &system.os, &system.vendor, &system.damage];
            within(parts.into_iter().map(|part| part.chars().count()).sum(), TEXT_MAX)?;
            for (column, part, codes) in [
                ("kind", &system.kind, System::KINDS),
                ("setting", &system.setting, System::SETTINGS),
            ] {
                if !part.is_empty() && !codes.contains(&part.as_str()) {
                    return Err(self.no_such_part(column, part));
                }
            }
        }

        Ok(())
    }

    fn check_rows(self, columns: &[Column], rows: &[Row]) -> Result<(), AnswerProblem> {
        within(rows.len(), LINES_MAX)?;
        for row in rows {
            within(row.values().map(|part| part.chars().count()).sum(), TEXT_MAX)?;
            for (code, part) in row {
                let column = columns.iter().find(|column| column.code == code);
                let fits = column.is_some_and(|column| match column.cell {
                    Cell::Text => true,
                    Cell::Time => part.parse::<Timestamp>().is_ok(),
                    Cell::Number => part.parse::<u64>().is_ok(),
                    Cell::One(codes) => codes.contains(&part.as_str()),
                });
                if !fits {
                    return Err(self.no_such_part(code, part));
                }
            }
        }

        Ok(())
    }

    fn no_such_part(self, column: &str, part: &str) -> AnswerProblem {
        AnswerProblem::NoSuchPart {
            field: self.number(),
            column: column.chars().take(40).collect(),
            part: part.chars().take(40).collect(),
        }
    }
}

fn check_lines(lines: &[Line]) -> Result<(), AnswerProblem> {
    within(lines.len(), LINES_MAX)?;
    let count = |line: &Line| line.label.chars().count() + line.text.chars().count();
    within(lines.iter().map(count).max().unwrap_or(0), TEXT_MAX)
}

fn fits(text: &str) -> Result<(), AnswerProblem> {
    within(text.chars().count(), TEXT_MAX)
}

const fn within(found: usize, limit: usize) -> Result<(), AnswerProblem> {
    if limit < found { Err(AnswerProblem::TooLong) } else { Ok(()) }
}
