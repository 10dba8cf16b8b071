//! Small helpers over the XML reader: where events lie in the text, names without prefixes, attributes, edits.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

use super::FormError;

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

/// One piece of a part with its place in the text: a tag that opens, one that closes, or text.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// Where.
    pub(super) at: Range<usize>,
    /// The tag that opens here.
    pub(super) open: Option<BytesStart<'a>>,
    /// Whether that tag closes at once.
    pub(super) is_empty: bool,
    /// Name of the tag that closes here, without and with its prefix.
    pub(super) close: Option<(String, String)>,
    /// Character data, references resolved.
    pub(super) text: String,
    /// Whether entities are defined here.
    pub(super) defines: bool,
}

/// Reads a whole part, piece by piece; `part` names it in an error.
pub(super) fn each<'a>(
    part: &str,
    xml: &'a str,
    mut take: impl FnMut(Found<'a>) -> Result<(), FormError>,
) -> Result<(), FormError> {
    let broken = |reason: String| FormError::Xml { part: part.to_owned(), reason };
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut start = 0;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| broken(error.to_string()))?;
        let end = usize::try_from(reader.buffer_position()).map_err(|e| broken(e.to_string()))?;
        let found = Found { at: start..end, ..Found::default() };
        start = end;
        let found = match event {
            Event::Eof => return Ok(()),
            Event::Start(tag) => Found { open: Some(tag), ..found },
            Event::Empty(tag) => Found { open: Some(tag), is_empty: true, ..found },
            Event::End(tag) => {
                let whole: &str = tag.name().into_inner();
                let name = whole.rsplit(':').next().unwrap_or_default().to_owned();
                Found { close: Some((name, whole.to_owned())), ..found }
            }
            Event::Text(text) => Found { text: text.xml10_content().into_owned(), ..found },
            Event::CData(text) => Found { text: text.xml10_content().into_owned(), ..found },
            Event::GeneralRef(name) => {
                let whole = format!("&{};", name.xml10_content());
                let text = unescape(&whole).map(std::borrow::Cow::into_owned);
                Found { text: text.unwrap_or_default(), ..found }
            }
            Event::DocType(_) => Found { defines: true, ..found },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => found,
        };
        take(found)?;
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
