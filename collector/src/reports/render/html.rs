//! Renders a document to one HTML file: nothing is loaded from elsewhere, and no script runs.

use askama::Template;

use super::{Block, Document};

/// The look of a report in a browser. What people wrote is escaped by the template engine.
#[derive(Template)]
#[template(path = "report_document.html")]
struct Page<'a> {
    document: &'a Document,
}

/// Renders a document to HTML.
///
/// # Errors
/// Never for a document of this program: writing to memory does not fail.
pub fn render(document: &Document) -> Result<Vec<u8>, askama::Error> {
    let page = Page { document };
    Ok(page.render()?.into_bytes())
}
