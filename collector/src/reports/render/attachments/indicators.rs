//! What an attack is recognised by, as the answers name it.

use jiff::Timestamp;

use crate::approval::Frozen;
use crate::locale::Locale;
use crate::reports::answer::{Row, Value};
use crate::reports::fields::{Cell, Field};
use crate::reports::render::body;
use crate::reports::render::clean::clean_line;

/// Number of the field that holds suffixes of encrypted files.
const SUFFIXES: u8 = 31;
/// Number of the field that holds indicators.
const INDICATORS: u8 = 33;

/// One indicator as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Indicator {
    /// When it was seen, if that was said.
    pub(super) at: Option<Timestamp>,
    /// What kind of thing it is, in words.
    pub(super) label: String,
    /// The thing itself, perhaps with words after it.
    pub(super) value: String,
}

/// Returns every indicator the answers hold, in their order.
pub(super) fn indicators(frozen: &Frozen, locale: Locale) -> Vec<Indicator> {
    let mut found = Vec::new();
    if let Some((_, value)) = of(frozen, SUFFIXES) {
        for (at, label, text) in body::rows(value) {
            let said = if text.is_empty() { label } else { text };
            let label = locale.text("type-suffix");
            found.push(Indicator { at, label, value: with_dot(&said) });
        }
    }
    if let Some((field, Value::Rows { rows })) = of(frozen, INDICATORS) {
        found.extend(rows.iter().map(|row| of_row(field, row, locale)));
    }

    found
        .into_iter()
        .filter(|one| !one.value.is_empty())
        .collect()
}

fn of(frozen: &Frozen, number: u8) -> Option<(Field, &Value)> {
    let field = Field::from_number(number)?;
    frozen.answer(field).map(|answer| (field, &answer.value))
}

fn of_row(field: Field, row: &Row, locale: Locale) -> Indicator {
    let cell = |code: &str| {
        row.get(code)
            .map(|text| clean_line(text))
            .unwrap_or_default()
    };
    let (kind, value, note) = (cell("kind"), cell("value"), cell("note"));
    let known = field.columns().iter().any(|column| match column.cell {
        Cell::One(codes) => column.code == "kind" && codes.contains(&kind.as_str()),
        Cell::Text | Cell::Time | Cell::Number => false,
    });
    let words = if known { locale.text(&field.cell_key("kind", &kind)) } else { kind.clone() };
    Indicator {
        at: cell("seen").parse().ok(),
        label: [words, note]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" "),
        value: if kind == "suffix" { with_dot(&value) } else { value },
    }
}

/// A suffix with its dot, so that it is recognised as one.
fn with_dot(suffix: &str) -> String {
    let plain = suffix
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain && !suffix.is_empty() { format!(".{suffix}") } else { suffix.to_owned() }
}
