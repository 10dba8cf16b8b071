//! Shows one value: paragraphs, ticked choices, small tables.

use jiff::Timestamp;

use super::clean::{clean as plain, clean_line as plain_line};
use super::{Block, shown_time};
use crate::locale::{Lang, Locale};
use crate::reports::answer::{Line, Value};
use crate::reports::fields::Field;

/// Kinds of event the locale files have a word for.
const KINDS: &[&str] = &["mass_change", "outage", "pressure", "loss", "agent"];

/// Widths of the columns time, label and text. A time is as wide as it is; what people write shares the rest.
const LINE_WIDTHS: [u8; 3] = [0, 5, 9];
/// Widths of the columns of affected systems.
const SYSTEM_WIDTHS: [u8; 5] = [29, 19, 21, 21, 33];

/// Returns what a value looks like.
pub(super) fn blocks(field: Field, value: &Value, locale: Locale) -> Vec<Block> {
    match value {
        Value::Nothing => match field.choices() {
            [] => vec![Block::Paragraph { text: locale.text("nothing") }],
            choices => vec![choice_block(field, choices, &[], locale)],
        },
        Value::Text { text } => {
            let paragraphs = plain(text);
            let lines = paragraphs.lines().filter(|line| !line.trim().is_empty());
            lines
                .map(|line| Block::Paragraph { text: line.trim().to_owned() })
                .collect()
        }
        Value::Choices { chosen, note } => {
            let mut blocks = vec![choice_block(field, field.choices(), chosen, locale)];
            let note = plain(note);
            blocks.extend(
                note.lines()
                    .filter(|line| !line.trim().is_empty())
                    .map(|line| Block::Paragraph { text: line.trim().to_owned() }),
            );
            blocks
        }
        Value::DateTime { at } => {
            vec![Block::Paragraph { text: shown_time(*at, locale.lang()) }]
        }
        Value::Number { low, high, basis } => {
            let number = if low == high {
                low.to_string()
            } else {
                locale.text_with("number-range", &[("low", low), ("high", high)])
            };
            let text = format!("{number} {}", plain_line(basis))
                .trim_end()
                .to_owned();
            vec![Block::Paragraph { text }]
        }
        Value::Lines { lines } => vec![lines_block(lines, locale.lang())],
        Value::Systems { systems } => {
            let head =
                ["system-name", "system-role", "system-os", "system-vendor", "system-damage"]
                    .map(|key| locale.text(key))
                    .to_vec();
            let rows = systems
                .iter()
                .map(|system| {
                    [&system.name, &system.role, &system.os, &system.vendor, &system.damage]
                        .map(|part| or_unknown(part, locale))
                        .to_vec()
                })
                .collect();
            vec![Block::Table { widths: SYSTEM_WIDTHS.to_vec(), head, rows }]
        }
    }
}

/// Returns the rows of a list, cleaned.
pub(super) fn rows(value: &Value) -> impl Iterator<Item = (Option<Timestamp>, String, String)> {
    let lines: &[Line] = match value {
        Value::Lines { lines } => lines,
        Value::Nothing
        | Value::Text { .. }
        | Value::Choices { .. }
        | Value::DateTime { .. }
        | Value::Number { .. }
        | Value::Systems { .. } => &[],
    };
    lines
        .iter()
        .map(|line| (line.at, plain_line(&line.label), plain_line(&line.text)))
}

/// Returns the key of the word for a kind of event; a kind this build does not know has a word too.
pub(super) fn kind_key(kind: &str) -> String {
    let known = KINDS
        .iter()
        .find(|known| **known == kind)
        .copied()
        .unwrap_or("unknown");
    format!("event-kind-{}", known.replace('_', "-"))
}

fn choice_block(field: Field, choices: &[&str], chosen: &[String], locale: Locale) -> Block {
    let ticked = |code: &str| chosen.iter().any(|given| given == code);
    let choices = choices
        .iter()
        .map(|code| (locale.text(&field.choice_key(code)), ticked(code)))
        .collect();

    Block::Choices { choices }
}

/// A table of only those columns that any row has something in.
fn lines_block(lines: &[Line], lang: Lang) -> Block {
    let cells = lines.iter().map(|line| {
        let at = line.at.map(|at| shown_time(at, lang)).unwrap_or_default();
        [at, plain_line(&line.label), plain_line(&line.text)]
    });
    let cells: Vec<[String; 3]> = cells.collect();
    let used = |column: usize| {
        cells
            .iter()
            .any(|row| row.get(column).is_some_and(|c| !c.is_empty()))
    };
    let rows = cells
        .iter()
        .map(|row| {
            let parts = row.iter().enumerate();
            parts
                .filter(|(column, _)| used(*column))
                .map(|(_, part)| part.clone())
                .collect()
        })
        .collect();

    let widths = LINE_WIDTHS.iter().enumerate();
    let widths = widths
        .filter(|(column, _)| used(*column))
        .map(|(_, width)| *width)
        .collect();

    Block::Table { widths, head: Vec::new(), rows }
}

fn or_unknown(part: &str, locale: Locale) -> String {
    let part = plain_line(part);
    if part.is_empty() { locale.text("part-unknown") } else { part }
}
