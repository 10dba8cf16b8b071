//! Shows blocks as lines of text, for places that have no tables, and cleans values for programs.

use super::clean::{clean, clean_line};
use super::{Block, Document, Item, body};
use crate::locale::Locale;
use crate::reports::answer::{Line, System, Value};
use crate::reports::fields::Field;

/// Stands before a choice that is ticked, and before one that is not.
const TICKED: &str = "■ ";
const UNTICKED: &str = "□ ";
/// Separates the cells of a row.
const CELL: &str = "　";

/// Returns what an item says, one line each.
#[must_use]
pub fn said_lines(item: &Item) -> Vec<String> {
    item.blocks.iter().flat_map(block_lines).collect()
}

/// Returns what a value of a field says, one line each.
#[must_use]
pub fn answer_lines(field: Field, value: &Value, locale: Locale) -> Vec<String> {
    body::blocks(field, value, locale)
        .iter()
        .flat_map(block_lines)
        .collect()
}

/// Returns one block as lines.
pub(super) fn block_lines(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph { text } => text.lines().map(str::to_owned).collect(),
        Block::Choices { choices } => {
            let shown = choices.iter().map(|(label, ticked)| {
                let mark = if *ticked { TICKED } else { UNTICKED };
                format!("{mark}{label}")
            });
            vec![shown.collect::<Vec<_>>().join(CELL)]
        }
        Block::Table { head, rows, .. } => rows.iter().map(|row| row_line(head, row)).collect(),
    }
}

fn row_line(head: &[String], row: &[String]) -> String {
    let cells = row.iter().enumerate().map(|(column, cell)| {
        match head.get(column).filter(|title| !title.is_empty()) {
            Some(title) => format!("{title}: {cell}"),
            None => cell.clone(),
        }
    });
    let filled = cells.filter(|cell| !cell.trim().is_empty());
    filled.collect::<Vec<_>>().join(CELL)
}

/// Returns the letter and the items as plain text, for a mail.
pub(super) fn letter_lines(document: &Document) -> Vec<String> {
    let letter = &document.letter;
    let mut lines = letter.addressee.clone();
    lines.push(String::new());
    lines.extend(letter.sender.iter().cloned());
    lines.push(letter.date.join(CELL));
    if !document.header.right.is_empty() {
        lines.extend([String::new(), document.header.right.clone()]);
    }
    lines.extend([String::new(), letter.opening.clone()]);
    lines
}

/// Returns a value whose every text is clean.
#[must_use]
pub fn cleaned(value: &Value) -> Value {
    match value {
        Value::Nothing => Value::Nothing,
        Value::Text { text } => Value::Text { text: clean(text) },
        Value::Choices { chosen, note } => Value::Choices {
            chosen: chosen.iter().map(|code| clean_line(code)).collect(),
            note: clean(note),
        },
        Value::DateTime { at } => Value::DateTime { at: *at },
        Value::Number { low, high, basis } => {
            Value::Number { low: *low, high: *high, basis: clean(basis) }
        }
        Value::Lines { lines } => {
            let line = |line: &Line| Line {
                at: line.at,
                label: clean_line(&line.label),
                text: clean_line(&line.text),
            };
            Value::Lines { lines: lines.iter().map(line).collect() }
        }
        Value::Systems { systems } => {
            let system = |system: &System| System {
                name: clean_line(&system.name),
                role: clean_line(&system.role),
                os: clean_line(&system.os),
                vendor: clean_line(&system.vendor),
                damage: clean_line(&system.damage),
            };
            Value::Systems { systems: systems.iter().map(system).collect() }
        }
    }
}
