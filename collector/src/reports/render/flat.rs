//! Shows blocks as lines of text, for places that have no tables, and cleans values for programs.

use super::clean::clean;
use super::{Block, Document, Item, body};
use crate::locale::Locale;
use crate::reports::answer::Value;
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

/// Returns a value whose every text is clean, whatever its shape.
#[must_use]
pub fn cleaned(value: &Value) -> Value {
    let mut json = serde_json::to_value(value).unwrap_or_default();
    clean_json(&mut json);
    serde_json::from_value(json).unwrap_or(Value::Nothing)
}

fn clean_json(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::String(text) => *text = clean(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(clean_json),
        serde_json::Value::Object(members) => members.values_mut().for_each(clean_json),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
