//! A text document as a form: content controls and bookmarks are its places.

use std::collections::BTreeMap;
use std::ops::Range;

use quick_xml::events::BytesStart;

use super::FormError;
use super::mapping::{Mapping, MappingProblem};
use super::saying::{Content, Said};
use super::xml::{Edit, attribute, each, edited, escaped, local};
use crate::reports::official::saying::Content as Taken;
use crate::reports::render::archive::{replace, unpack};
use crate::reports::text::{japanese_date, japanese_time};

/// How many characters of a control are shown.
const SHOWN_MAX: usize = 120;

/// A content control or a bookmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Its tag, its title, or the bookmark's name.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// What its drop-down offers: what is shown for each.
    pub choices: Vec<String>,
    /// Whether it is a box to tick.
    pub is_box: bool,
    /// Whether its author locked it.
    pub locked: bool,
    /// Whether it is a bookmark.
    pub is_bookmark: bool,
    part: String,
    /// Texts in it, each with its element.
    texts: Vec<Range<usize>>,
    /// Where a run can be put if there is no text.
    slot: Option<(usize, bool)>,
    /// Placeholder mark, to be taken away.
    placeholder: Vec<Range<usize>>,
    /// The state of a box.
    checked: Option<Range<usize>>,
}

/// Returns the places of a document.
pub(super) fn controls(bytes: &[u8]) -> Result<Vec<Control>, FormError> {
    let parts = unpack(bytes)?;
    let mut all = Vec::new();
    for (name, part) in &parts {
        let body = name == "word/document.xml"
            || name.starts_with("word/header")
            || name.starts_with("word/footer");
        if body && name.ends_with(".xml") {
            let xml = text_of(name, part)?;
            all.extend(Reading::read(name, xml)?);
        }
    }
    Ok(all)
}

fn text_of<'a>(name: &str, part: &'a [u8]) -> Result<&'a str, FormError> {
    std::str::from_utf8(part)
        .map_err(|_| FormError::Xml { part: name.to_owned(), reason: "it is not UTF-8".into() })
}

/// Checks that every mapped place is there and can be written.
pub(super) fn check(bytes: &[u8], mapping: &Mapping) -> Result<Vec<MappingProblem>, FormError> {
    let controls = controls(bytes)?;
    let mut problems = Vec::new();
    for place in &mapping.place {
        let mut fault = |what: String| problems.push(MappingProblem::new(&place.at, what));
        match find(&controls, &place.at) {
            Err(what) => fault(what),
            Ok(control) if control.choices.is_empty() => {}
            Ok(control) => {
                for word in place
                    .words
                    .values()
                    .filter(|word| !control.choices.contains(word))
                {
                    fault(not_offered(control, word));
                }
            }
        }
    }
    Ok(problems)
}

fn find<'a>(controls: &'a [Control], at: &str) -> Result<&'a Control, String> {
    let mut found = controls.iter().filter(|control| control.name == at);
    let first = found.next().ok_or_else(|| {
        let known: Vec<_> = controls
            .iter()
            .take(30)
            .map(|control| control.name.as_str())
            .collect();
        format!(
            "there is no content control or bookmark of this name; there are {}",
            known.join(", ")
        )
    })?;
    if found.next().is_some() {
        return Err("several places have this name; give each its own tag".to_owned());
    }
    if first.locked {
        return Err("is locked by the author of the form".to_owned());
    }
    Ok(first)
}

fn not_offered(control: &Control, word: &str) -> String {
    format!(
        "its drop-down does not offer `{word}`; it offers {}. Give the form's own words in `words`",
        control.choices.join(", ")
    )
}

/// Fills a copy.
pub(super) fn fill(bytes: &[u8], said: &[Said]) -> Result<Vec<u8>, FormError> {
    let controls = controls(bytes)?;
    let mut problems = Vec::new();
    let mut edits: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for one in said {
        let made = find(&controls, &one.at)
            .and_then(|control| Ok((control, control.edits(&one.content)?)));
        match made {
            Ok((control, made)) => edits.entry(&control.part).or_default().extend(made),
            Err(what) => problems.push(MappingProblem::new(&one.at, what)),
        }
    }
    if !problems.is_empty() {
        return Err(FormError::Mapping(problems));
    }
    let parts = unpack(bytes)?;
    let mut replaced = BTreeMap::new();
    for (name, edits) in edits {
        let xml = text_of(name, parts.get(name).map_or(&[], Vec::as_slice))?;
        replaced.insert(name.to_owned(), edited(xml, edits).into_bytes());
    }

    Ok(replace(bytes, &replaced)?)
}

impl Control {
    fn edits(&self, content: &Content) -> Result<Vec<Edit>, String> {
        let text = match content {
            Taken::Text(text) | Taken::Number(text) => text.clone(),
            Taken::Moment { at, whole: true } => japanese_time(*at),
            Taken::Moment { at, whole: false } => japanese_date(*at),
            Taken::Tick { ticked, text } if self.is_box => {
                return Ok(self.ticked(*ticked, text));
            }
            Taken::Tick { text, .. } => text.clone(),
        };
        if !self.choices.is_empty() && !text.is_empty() && !self.choices.contains(&text) {
            return Err(not_offered(self, &text));
        }
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut edits = self.replaced(&text)?;
        edits.extend(
            self.placeholder
                .iter()
                .map(|at| Edit { at: at.clone(), by: String::new() }),
        );
        Ok(edits)
    }

    /// Puts a text where the control's first text is, and empties the others.
    fn replaced(&self, text: &str) -> Result<Vec<Edit>, String> {
        let lines: Vec<String> = text
            .lines()
            .map(|line| format!("<w:t xml:space=\"preserve\">{}</w:t>", escaped(line)))
            .collect();
        let run = lines.join("<w:br/>");
        if let Some((first, others)) = self.texts.split_first() {
            let empty = |at: &Range<usize>| Edit { at: at.clone(), by: "<w:t/>".to_owned() };
            let first = Edit { at: first.clone(), by: run };
            return Ok(std::iter::once(first)
                .chain(others.iter().map(empty))
                .collect());
        }
        let (at, needs_paragraph) = self
            .slot
            .ok_or_else(|| "holds no place a text could go to".to_owned())?;
        let run = format!("<w:r>{run}</w:r>");
        let by = if needs_paragraph { format!("<w:p>{run}</w:p>") } else { run };
        Ok(vec![Edit { at: at..at, by }])
    }

    fn ticked(&self, ticked: bool, own: &str) -> Vec<Edit> {
        let sign = match (own, ticked) {
            ("", true) => "☒",
            ("", false) => "☐",
            (own, _) => own,
        };
        let mut edits = self.replaced(sign).unwrap_or_default();
        if let Some(at) = &self.checked {
            let state = u8::from(ticked);
            edits.push(Edit { at: at.clone(), by: format!("<w14:checked w14:val=\"{state}\"/>") });
        }
        edits
    }
}

/// An open control while its part is read.
struct Open {
    control: Control,
    /// Whether the content began.
    content: bool,
    /// Depth at which it closes.
    depth: usize,
}

#[derive(Default)]
struct Reading {
    done: Vec<Control>,
    open: Vec<Open>,
    marks: BTreeMap<String, Control>,
    depth: usize,
    text: Option<usize>,
    said: String,
}

impl Reading {
    fn read(part: &str, xml: &str) -> Result<Vec<Control>, FormError> {
        let mut reading = Self::default();
        each(part, xml, |found| {
            if let Some(tag) = &found.open {
                reading.depth += 1;
                reading.start(tag, &found.at, part);
                if found.is_empty {
                    reading.empty(tag, &found.at);
                    reading.depth -= 1;
                }
            } else if let Some((name, _)) = &found.close {
                reading.end(name, &found.at);
                reading.depth -= 1;
            } else if reading.text.is_some() {
                reading.said.push_str(&found.text);
            }
            Ok(())
        })?;
        reading.done.retain(|control| !control.name.is_empty());
        Ok(reading.done)
    }

    fn start(&mut self, tag: &BytesStart<'_>, at: &Range<usize>, part: &str) {
        let value = |name: &str| attribute(tag, name).unwrap_or_default();
        match local(tag).as_str() {
            "sdt" => self.open.push(Open {
                control: Control { part: part.to_owned(), ..Control::default() },
                content: false,
                depth: self.depth,
            }),
            "sdtContent" => {
                if let Some(open) = self.open.last_mut() {
                    open.content = true;
                    open.control.slot = Some((at.end, false));
                }
            }
            "bookmarkStart" => {
                let name = value("name");
                if !name.starts_with('_') {
                    let control = Control {
                        name,
                        is_bookmark: true,
                        part: part.to_owned(),
                        slot: Some((at.end, false)),
                        ..Control::default()
                    };
                    self.marks.insert(value("id"), control);
                }
            }
            "bookmarkEnd" => self.done.extend(self.marks.remove(&value("id"))),
            "t" => {
                self.text = Some(at.start);
                self.said.clear();
            }
            name => self.property(name, tag, at),
        }
    }

    /// What stands in the properties of a control.
    fn property(&mut self, name: &str, tag: &BytesStart<'_>, at: &Range<usize>) {
        let value = |name: &str| attribute(tag, name).unwrap_or_default();
        let Some(Open { control, content: false, .. }) = self.open.last_mut() else {
            return;
        };
        match name {
            "tag" => control.name = value("val"),
            "alias" if control.name.is_empty() => control.name = value("val"),
            "lock" => control.locked = value("val").to_lowercase().contains("contentlocked"),
            "listItem" => {
                let (shown, own) = (value("displayText"), value("value"));
                control
                    .choices
                    .push(if shown.is_empty() { own } else { shown });
            }
            "checkbox" => control.is_box = true,
            "checked" => control.checked = Some(at.clone()),
            "showingPlcHdr" => control.placeholder.push(at.clone()),
            _ => {}
        }
    }

    fn empty(&mut self, tag: &BytesStart<'_>, at: &Range<usize>) {
        if local(tag) == "t" {
            self.end("t", at);
        }
    }

    fn end(&mut self, name: &str, at: &Range<usize>) {
        match name {
            "t" => {
                if let Some(start) = self.text.take() {
                    self.note_text(start..at.end);
                }
            }
            "p" => {
                // A paragraph without a text can still take a run before it ends.
                for open in self.open.iter_mut().filter(|open| open.content) {
                    if open.control.texts.is_empty() && open.depth < self.depth {
                        open.control.slot = Some((at.start, false));
                    }
                }
            }
            "sdt" => self.done.extend(self.open.pop().map(|open| open.control)),
            _ => {}
        }
    }

    fn note_text(&mut self, at: Range<usize>) {
        let controls = self
            .open
            .iter_mut()
            .filter(|open| open.content)
            .map(|open| &mut open.control)
            .chain(self.marks.values_mut());
        for control in controls {
            control.texts.push(at.clone());
            if control.text.chars().count() < SHOWN_MAX {
                control.text.push_str(&self.said);
            }
        }
    }
}
