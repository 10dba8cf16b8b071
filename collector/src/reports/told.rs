//! What another institution's report says, read from the JSON document that came with its package.
//!
//! Always holds: only fields this build knows, with values these fields take, come out; everything else of the document is
//! left where it is. Nothing here changes the package.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::answer::{AnswerStatus, Value};
use super::fields::Field;

/// Layout of the document (see `render::json`).
const LAYOUT: &str = "shirase-report-document-1";

/// One answer of another institution's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldAnswer {
    /// What is said.
    pub value: Value,
    /// How sure they were.
    pub status: AnswerStatus,
    /// The moment up to which they knew it.
    pub as_of: Timestamp,
}

#[derive(Deserialize)]
struct Document {
    layout: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    field: u8,
    status_code: String,
    value: Option<Value>,
    as_of: Option<Timestamp>,
}

/// Why a document tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableReport {
    /// It is no JSON of this shape.
    #[error("the report's document does not read")]
    Json(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("the report's document has a layout this version does not know")]
    Layout,
}

/// Returns the answers of a report's document that say something and fit their fields.
///
/// # Errors
/// When it is no such document.
pub fn told_answers(bytes: &[u8]) -> Result<BTreeMap<Field, ToldAnswer>, UnreadableReport> {
    let document: Document = serde_json::from_slice(bytes)?;
    if document.layout != LAYOUT {
        return Err(UnreadableReport::Layout);
    }
    let told = document.items.into_iter().filter_map(|item| {
        let field = Field::from_number(item.field)?;
        let (value, as_of) = (item.value?, item.as_of?);
        let says_something = !value.is_empty() && !field.is_of_report();
        let fits = says_something && field.check(&value).is_ok();
        // What is open has a status of its own there, and no value.
        let status = AnswerStatus::parse(&item.status_code)?;
        fits.then_some((field, ToldAnswer { value, status, as_of }))
    });

    Ok(told.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::{Lang, Locale};
    use crate::reports::render::samples::{after, answers, frozen, profile};
    use crate::reports::render::{Stage, document, json};

    fn rendered() -> Vec<u8> {
        let (frozen, stage) = (frozen(&answers(), None), Stage::Draft { at: after(1) });
        let locale = Locale::new(Lang::Ja);
        json::render(&document(&frozen, &profile(), &"0".repeat(64), &stage, locale)).unwrap()
    }

    #[test]
    fn what_one_collector_rendered_another_reads() {
        let told = told_answers(&rendered()).unwrap();
        let sent = answers();
        for field in [Field::Kind, Field::Summary, Field::Systems, Field::DataLeak] {
            let (told, sent) = (&told[&field], &sent[&field]);
            assert_eq!((&told.value, told.status), (&sent.value, sent.status), "{field:?}");
        }
        assert!(!told.contains_key(&Field::Round), "a report's own stays with it");
    }

    #[test]
    fn a_value_that_does_not_fit_its_field_and_a_strange_field_are_left_out() {
        let mut whole: serde_json::Value = serde_json::from_slice(&rendered()).unwrap();
        for item in whole["items"].as_array_mut().unwrap() {
            match item["field"].as_u64() {
                Some(8) => item["value"]["chosen"] = serde_json::json!(["flu"]),
                Some(9) => item["field"] = serde_json::json!(200),
                _ => {}
            }
        }
        let told = told_answers(whole.to_string().as_bytes()).unwrap();
        assert!(!told.contains_key(&Field::Kind) && !told.contains_key(&Field::Summary));
        assert!(told.contains_key(&Field::Systems));
    }

    #[test]
    fn other_documents_tell_nothing() {
        assert!(matches!(told_answers(b"{}"), Err(UnreadableReport::Json(_))));
        let other = br#"{"layout":"another","items":[]}"#;
        assert!(matches!(told_answers(other), Err(UnreadableReport::Layout)));
    }
}
