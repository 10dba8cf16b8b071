//! Small helpers over the XML reader: where events lie in the text, names without prefixes, attributes, edits.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::FormError;

/// Opens a reader that keeps every byte: events follow each other without gaps.
pub(super) fn reader(xml: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    reader
}

/// Returns an element's name without its prefix.
pub(super) fn local(tag: &BytesStart<'_>) -> String {
    let name = tag.name().as_ref().to_owned();
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Returns an element's prefix with its colon; empty if it has none.
pub(super) fn prefix(tag: &BytesStart<'_>) -> String {
    let name = tag.name().as_ref().to_owned();
    name.split_once(':')
        .map_or_else(String::new, |(prefix, _)| format!("{prefix}:"))
}

/// Returns an attribute by its name without prefix, unescaped.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| {
            let key: &str = attribute.key.as_ref();
            key.rsplit(':').next() == Some(name)
        })?;
    unescape(&found.value)
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Makes text safe inside XML.
pub(super) fn escaped(text: &str) -> String {
    escape(text).into_owned()
}

/// One event with its place in the text.
pub(super) struct Found<'a> {
    /// What it is.
    pub(super) event: Event<'a>,
    /// Where.
    pub(super) at: Range<usize>,
}

/// Reads a whole part; `part` names it in an error.
pub(super) fn events<'a>(part: &str, xml: &'a str) -> Result<Vec<Found<'a>>, FormError> {
    let broken = |reason: String| FormError::Xml { part: part.to_owned(), reason };
    let mut reader = reader(xml);
    let mut found = Vec::new();
    let mut start = 0;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| broken(error.to_string()))?;
        let end = usize::try_from(reader.buffer_position()).map_err(|e| broken(e.to_string()))?;
        if matches!(event, Event::Eof) {
            return Ok(found);
        }
        found.push(Found { event, at: start..end });
        start = end;
    }
}

/// Returns the character data of an event, references resolved; empty for anything else.
pub(super) fn characters(event: &Event<'_>) -> String {
    match event {
        Event::Text(text) => text.xml10_content().into_owned(),
        Event::CData(text) => text.xml10_content().into_owned(),
        Event::GeneralRef(name) => {
            let name = name.xml10_content();
            unescape(&format!("&{name};"))
                .map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
        }
        Event::Start(_)
        | Event::End(_)
        | Event::Empty(_)
        | Event::Comment(_)
        | Event::Decl(_)
        | Event::PI(_)
        | Event::DocType(_)
        | Event::Eof => String::new(),
    }
}

/// A piece of text that takes the place of another; an empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// What is replaced.
    pub(super) at: Range<usize>,
    /// By what.
    pub(super) by: String,
}

/// Applies edits that do not overlap; several at one place stay in their order.
pub(super) fn edited(xml: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let mut out = String::with_capacity(xml.len());
    let mut from = 0;
    for edit in &edits {
        out.push_str(xml.get(from..edit.at.start).unwrap_or_default());
        out.push_str(&edit.by);
        from = edit.at.end;
    }
    out.push_str(xml.get(from..).unwrap_or_default());
    out
}
