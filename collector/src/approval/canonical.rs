//! Canonical JSON: the one text form of a value, so that a hash over it means the value.
//!
//! The form: UTF-8; no white space; the members of an object sorted by their names' bytes; integers in decimal
//! without leading zeros, no fractions and no exponents; in strings `"` and `\` are escaped by `\`, U+0008, U+0009,
//! U+000A, U+000C and U+000D as `\b \t \n \f \r`, other characters below U+0020 as `\u00xx` in lower case, and
//! nothing else is escaped. For the values that occur here (member names in ASCII, integers below 2^53) this is
//! RFC 8785.
//!
//! Always holds: equal values give equal texts, whatever the order of their members was.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// Why a value has no canonical text.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// It is no JSON at all.
    #[error("failed to turn the answers into JSON")]
    Json(#[from] serde_json::Error),
    /// It holds a number with a fraction, which would not read the same everywhere.
    #[error("the answers hold the number {0}, which is no integer")]
    Fraction(String),
}

/// Returns the canonical text of a value.
///
/// # Errors
/// When the value holds a number that is no integer.
pub fn canonical(value: &impl Serialize) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write_value(&serde_json::to_value(value)?, &mut out)?;

    Ok(out)
}

fn write_value(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.push_str(&number.to_string());
        }
        Value::Number(number) => return Err(CanonicalError::Fraction(number.to_string())),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if 0 < index {
                    out.push(',');
                }
                write_value(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            // Sorted here and not by the library: another crate of the build can switch its map's order.
            let members: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if 0 < index {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(member, out)?;
            }
            out.push('}');
        }
    }

    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_and_nothing_is_spaced() {
        let value = json!({"b": [1, {"z": null, "a": true}], "a": "半田\n\"病院\"\\", "C": -5});
        let text = canonical(&value).unwrap();
        assert_eq!(text, r#"{"C":-5,"a":"半田\n\"病院\"\\","b":[1,{"a":true,"z":null}]}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn control_characters_are_escaped_one_way_only() {
        let text = canonical(&"\u{0}\u{1f}\u{7f}\t\u{8}/é").unwrap();
        assert_eq!(text, "\"\\u0000\\u001f\u{7f}\\t\\b/é\"");
    }

    #[test]
    fn a_fraction_is_refused() {
        assert!(matches!(canonical(&json!([1.5])), Err(CanonicalError::Fraction(_))));
    }
}
