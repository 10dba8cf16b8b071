//! What an attack is recognised by, as the answers name it.

use jiff::Timestamp;

use crate::approval::Frozen;
use crate::reports::answer::Value;
use crate::reports::fields::Field;
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
pub(super) fn indicators(frozen: &Frozen, suffix_label: &str) -> Vec<Indicator> {
    let of = |number: u8| {
        let field = Field::from_number(number)?;
        frozen.answer(field).map(|answer| &answer.value)
    };
    let suffixes = of(SUFFIXES).into_iter().flat_map(entries).map(|mut one| {
        if one.label.is_empty() {
            suffix_label.clone_into(&mut one.label);
        }
        one.value = with_dot(&one.value);
        one
    });
    let indicators = of(INDICATORS).into_iter().flat_map(entries);

    suffixes
        .chain(indicators)
        .filter(|one| !one.value.is_empty())
        .collect()
}

fn entries(value: &Value) -> Vec<Indicator> {
    match value {
        Value::Lines { .. } => body::rows(value)
            .map(|(at, label, value)| Indicator { at, label, value })
            .collect(),
        Value::Text { text } => text
            .lines()
            .map(|line| Indicator { at: None, label: String::new(), value: clean_line(line) })
            .collect(),
        Value::Nothing
        | Value::Choices { .. }
        | Value::DateTime { .. }
        | Value::Number { .. }
        | Value::Systems { .. } => Vec::new(),
    }
}

/// A suffix with its dot, so that it is recognised as one.
fn with_dot(suffix: &str) -> String {
    let plain = suffix
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain && !suffix.is_empty() { format!(".{suffix}") } else { suffix.to_owned() }
}
