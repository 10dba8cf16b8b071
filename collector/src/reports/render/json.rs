//! Renders a document to JSON after the published schema, for programs.
//!
//! It is the document as people read it, with each value beside its words. A test holds it against
//! `collector/schema/report-document-1.schema.json`, which the console serves.

use serde::Serialize;

use super::Document;

/// The schema, as the console serves it.
pub const SCHEMA: &str = include_str!("../../../schema/report-document-1.schema.json");
/// Names the layout, so that a later one can never be taken for this one.
const LAYOUT: &str = "shirase-report-document-1";

#[derive(Serialize)]
struct Whole<'a> {
    layout: &'static str,
    #[serde(flatten)]
    document: &'a Document,
}

/// Renders a document to JSON.
///
/// # Errors
/// Never for a document of this program: every key is a text.
pub fn render(document: &Document) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&Whole { layout: LAYOUT, document })?;
    bytes.push(b'\n');

    Ok(bytes)
}
