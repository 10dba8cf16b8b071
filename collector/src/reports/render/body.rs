//! Shows one value: paragraphs, ticked choices, small tables.

use jiff::Timestamp;

use super::clean::{clean as plain, clean_line as plain_line};
use super::{Block, shown_time};
use crate::locale::{Lang, Locale};
use crate::reports::answer::{Flood, Line, Range, Row, System, Value};
use crate::reports::fields::{Cell, Field};

/// Kinds of event the locale files have a word for.
const KINDS: &[&str] = &[
    "mass_change",
    "outage",
    "pressure",
    "loss",
    "agent",
    "logon",
    "protection",
    "backup",
    "stops",
    "print",
];

/// Longest text in a cell that tells what changed; the whole answer stands in its own place.
const CELL_MAX_CHARS: usize = 400;
/// Widths of the columns time, label and text. A time is as wide as it is; what people write shares the rest.
const LINE_WIDTHS: [u8; 3] = [0, 5, 9];
/// Widths of the columns of affected systems.
const SYSTEM_WIDTHS: [u8; 5] = [22, 17, 19, 20, 45];

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
        Value::Dated { chosen, at, note } => {
            let mut blocks = vec![choice_block(field, field.choices(), chosen.as_slice(), locale)];
            blocks.extend(at.map(|at| Block::Paragraph { text: shown_time(at, locale.lang()) }));
            blocks.extend(paragraphs(note));
            blocks
        }
        Value::People { confirmed, maximum, basis } => {
            let count = |count: &Option<u64>| {
                count.map_or_else(|| locale.text("part-unknown"), |count| grouped(count, locale))
            };
            let rows = [("people-confirmed", count(confirmed)), ("people-maximum", count(maximum))]
                .map(|(key, count)| vec![locale.text(key), count])
                .to_vec();
            let mut blocks = vec![Block::Table { widths: vec![1, 2], head: Vec::new(), rows }];
            blocks.extend(paragraphs(basis));
            blocks
        }
        Value::Round { kind, number } => {
            let kind = locale.text(kind.label_key());
            let text = locale.text_with("round-number", &[("kind", &kind), ("number", number)]);
            vec![Block::Paragraph { text }]
        }
        Value::Flood { flood } => flood_blocks(field, flood, locale),
        Value::Rows { rows } => vec![rows_block(field, rows, locale)],
        Value::Lines { lines } => vec![lines_block(lines, locale.lang())],
        Value::Systems { systems } => {
            let head =
                ["system-name", "system-role", "system-os", "system-vendor", "system-damage"]
                    .map(|key| locale.text(key))
                    .to_vec();
            let row = |system: &System| {
                let parts = [&system.role, &system.os, &system.vendor, &system.damage];
                let device = system.device(locale);
                let name = or_unknown(&system.name, locale);
                let named = if device.is_empty() { name } else { format!("{name}（{device}）") };
                let rest = parts.map(|part| or_unknown(part, locale));
                std::iter::once(named).chain(rest).collect()
            };
            let rows = systems.iter().map(row).collect();
            vec![Block::Table { widths: SYSTEM_WIDTHS.to_vec(), head, rows }]
        }
    }
}

/// Puts blocks into one cell of a table: ticked choices, rows and paragraphs a line each.
pub(super) fn in_one(blocks: &[Block]) -> String {
    let lines = blocks.iter().flat_map(|block| match block {
        Block::Paragraph { text } => vec![text.clone()],
        Block::Choices { choices } => {
            let ticked = choices.iter().filter(|(_, ticked)| *ticked);
            let ticked: Vec<&str> = ticked.map(|(label, _)| label.as_str()).collect();
            if ticked.is_empty() { Vec::new() } else { vec![ticked.join("、")] }
        }
        Block::Table { rows, .. } => rows.iter().map(|row| row.join(" ")).collect(),
    });
    let text = lines.collect::<Vec<_>>().join(" / ");
    if CELL_MAX_CHARS < text.chars().count() {
        return text.chars().take(CELL_MAX_CHARS - 1).chain(['…']).collect();
    }
    text
}

fn paragraphs(text: &str) -> Vec<Block> {
    let text = plain(text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| Block::Paragraph { text: line.trim().to_owned() })
        .collect()
}

/// A count of people with its thousands apart and its unit.
fn grouped(count: u64, locale: Locale) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    locale.text_with("people-count", &[("count", &out)])
}

fn flood_blocks(field: Field, flood: &Flood, locale: Locale) -> Vec<Block> {
    let range = |Range { low, high }| {
        if low == high {
            low.to_string()
        } else {
            locale.text_with("number-range", &[("low", &low), ("high", &high)])
        }
    };
    let rows: Vec<Vec<String>> = [
        ("flood-megabits", flood.megabits_per_second),
        ("flood-packets", flood.packets_per_second),
        ("flood-minutes", flood.minutes),
    ]
    .into_iter()
    .filter_map(|(key, found)| Some(vec![locale.text(key), range(found?)]))
    .collect();
    let mut blocks = vec![choice_block(field, field.choices(), &flood.kinds, locale)];
    if !rows.is_empty() {
        blocks.push(Block::Table { widths: vec![1, 2], head: Vec::new(), rows });
    }
    blocks.extend(paragraphs(&flood.mitigation));
    blocks
}

/// A table of only those columns that any row has something in.
fn rows_block(field: Field, rows: &[Row], locale: Locale) -> Block {
    let (head, rows) = table(field, rows, locale);
    Block::Table { widths: vec![1; head.len()], head, rows }
}

/// Returns column titles and cells of a field's table, cleaned, without columns that are empty throughout.
pub(super) fn table(field: Field, rows: &[Row], locale: Locale) -> (Vec<String>, Vec<Vec<String>>) {
    let used: Vec<_> = field
        .columns()
        .iter()
        .filter(|column| rows.iter().any(|row| row.contains_key(column.code)))
        .collect();
    let head = used
        .iter()
        .map(|column| locale.text(&field.column_key(column.code)))
        .collect();
    let cell = |row: &Row, code: &str, cell: Cell| {
        let part = row.get(code).map(String::as_str).unwrap_or_default();
        match cell {
            Cell::Time => match part.parse::<Timestamp>() {
                Ok(at) => shown_time(at, locale.lang()),
                Err(_) => plain_line(part),
            },
            Cell::One(codes) if codes.contains(&part) => locale.text(&field.cell_key(code, part)),
            Cell::One(_) | Cell::Text | Cell::Number => plain_line(part),
        }
    };
    let rows = rows
        .iter()
        .map(|row| {
            used.iter()
                .map(|column| cell(row, column.code, column.cell))
                .collect()
        })
        .collect();
    (head, rows)
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
        | Value::Dated { .. }
        | Value::People { .. }
        | Value::Rows { .. }
        | Value::Round { .. }
        | Value::Flood { .. }
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
