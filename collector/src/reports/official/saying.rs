//! What a place of a form says, read from a short text and answered from frozen answers.
//!
//! ```text
//! field:9              the whole answer as text        field:14.name      one part of every row, a line each
//! field:17.choice      the choices ticked, in words    field:14.name[2]   that part of the second row
//! field:8=ransomware   a tick                          meta:facility      something about the report
//! ```

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::mapping::{As, Mapping, MappingProblem, Place};
use super::{Filling, FormError};
use crate::reports::answer::{Answer, System, Value};
use crate::reports::fields::{Cell, Field};
use crate::reports::render::{answer_lines, clean, clean_line, cleaned, no_formula};
use crate::reports::text::{form_time, japanese_date, japanese_time};

/// What one place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An answer, or a part of it.
    Field {
        /// The field.
        field: Field,
        /// Which part.
        part: Part,
        /// Which row of a list, from 1; all while absent.
        row: Option<usize>,
    },
    /// A column of the field's own table.
    Column {
        /// The field.
        field: Field,
        /// The column.
        code: &'static str,
        /// Which row, from 1; all while absent.
        row: Option<usize>,
    },
    /// Whether a choice is ticked.
    Tick {
        /// The field.
        field: Field,
        /// The choice.
        code: String,
    },
    /// Something about the report itself.
    Meta(Meta),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// Every one, in the order in which a page offers them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name used in a mapping.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn read(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

names! {
    /// A part of an answer.
    Part {
        /// All of it, as the document shows it.
        Text = "text",
        /// The choices that are ticked, in words.
        Choice = "choice",
        /// What is said beside the choices.
        Note = "note",
        /// A moment: the answer's own, or those of its rows.
        At = "at",
        /// What each row is about.
        Label = "label",
        /// What each row says.
        Said = "said",
        /// Names of systems.
        Name = "name",
        /// Their roles.
        Role = "role",
        /// Their operating systems.
        Os = "os",
        /// Who maintains them.
        Vendor = "vendor",
        /// What happened to them.
        Damage = "damage",
        /// The lower end of a number.
        Low = "low",
        /// The upper end of a number.
        High = "high",
        /// How sure the answer is, in words.
        Status = "status",
    }
}

names! {
    /// Something about the report.
    Meta {
        /// 下書き, 訓練, or nothing.
        Mark = "mark",
        /// Who reports.
        Facility = "facility",
        /// Its director.
        Director = "director",
        /// The incident's number.
        Incident = "incident",
        /// The report's id.
        Report = "report",
        /// The report's revision.
        Revision = "revision",
        /// The day it is dated.
        Date = "date",
        /// Who approved it.
        Approver = "approver",
        /// Hash of the answers.
        Hash = "hash",
        /// Revision, approver and profile in one line.
        Record = "record",
    }
}

/// A text that names nothing a place can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhatError {
    /// It has another form.
    #[error(
        "`{0}` says nothing; write field:9, field:14.name, field:14.name[2], field:8=ransomware or meta:facility"
    )]
    Form(String),
    /// There is no such field.
    #[error("there is no field {0}")]
    Field(String),
    /// The field has no such choice.
    #[error("field {field} has no choice `{code}`; it has {}", known.join(", "))]
    Choice {
        /// The field.
        field: u8,
        /// What was asked for.
        code: String,
        /// What there is.
        known: Vec<&'static str>,
    },
}

impl FromStr for What {
    type Err = WhatError;

    fn from_str(text: &str) -> Result<Self, WhatError> {
        let text = text.trim();
        let form = || WhatError::Form(text.chars().take(60).collect());
        if let Some(name) = text.strip_prefix("meta:") {
            return Meta::read(name).map(Self::Meta).ok_or_else(form);
        }
        let rest = text.strip_prefix("field:").ok_or_else(form)?;
        if let Some((number, code)) = rest.split_once('=') {
            let field = field(number)?;
            if !field.choices().contains(&code) {
                let known = field.choices().to_vec();
                let code = code.chars().take(40).collect();
                return Err(WhatError::Choice { field: field.number(), code, known });
            }
            return Ok(Self::Tick { field, code: code.to_owned() });
        }
        let (number, part) = rest.split_once('.').unwrap_or((rest, "text"));
        let (part, row) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((part, row)) => (part, Some(row.parse().map_err(|_| form())?)),
            None => (part, None),
        };
        if row == Some(0) {
            return Err(form());
        }
        let field = field(number)?;
        if let Some(part) = Part::read(part) {
            return Ok(Self::Field { field, part, row });
        }
        let column = field.columns().iter().find(|column| column.code == part);
        let code = column.ok_or_else(form)?.code;

        Ok(Self::Column { field, code, row })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta(meta) => write!(f, "meta:{}", meta.as_str()),
            Self::Tick { field, code } => write!(f, "field:{}={code}", field.number()),
            Self::Field { field, part, row } => {
                write!(f, "field:{}.{}", field.number(), part.as_str())?;
                row.map_or(Ok(()), |row| write!(f, "[{row}]"))
            }
            Self::Column { field, code, row } => {
                write!(f, "field:{}.{code}", field.number())?;
                row.map_or(Ok(()), |row| write!(f, "[{row}]"))
            }
        }
    }
}

fn field(number: &str) -> Result<Field, WhatError> {
    let found = number.parse().ok().and_then(Field::from_number);
    found.ok_or_else(|| WhatError::Field(number.chars().take(20).collect()))
}

/// What a place gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A text; no spreadsheet takes it for a formula.
    Text(String),
    /// A number as XML writes one.
    Number(String),
    /// A moment.
    Moment { at: Timestamp, whole: bool },
    /// A box.
    Tick { ticked: bool, text: String },
}

/// A place with what it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: String,
    pub(super) content: Content,
}

/// Answers every place of a mapping.
pub(super) fn said(mapping: &Mapping, filling: Filling<'_>) -> Result<Vec<Said>, FormError> {
    let mut problems = mapping.faults();
    let marked = mapping
        .place
        .iter()
        .any(|place| place.what() == Ok(What::Meta(Meta::Mark)));
    if !filling.document.marks.is_empty() && !marked {
        problems.push(MappingProblem::new(
            "meta:mark",
            "a draft or a drill needs a place that says so; map one to `meta:mark`",
        ));
    }
    // An emergency is told by its own mark, by the approver or by the record, whichever the form has a place for.
    let told = |what| matches!(what, Ok(What::Meta(Meta::Mark | Meta::Approver | Meta::Record)));
    let released_alone = filling.document.record.emergency_release;
    if released_alone && !mapping.place.iter().any(|place| told(place.what())) {
        problems.push(MappingProblem::new(
            "meta:mark",
            "an emergency approval needs a place that says so; map one to `meta:mark`, `meta:approver` or `meta:record`",
        ));
    }
    let mut all = Vec::new();
    for place in &mapping.place {
        // What does not read is among the problems already.
        let Ok(what) = place.what() else { continue };
        match content(place, &what, filling) {
            Ok(content) => all.push(Said { at: place.at.clone(), content }),
            Err(problem) => problems.push(MappingProblem::new(&place.at, problem)),
        }
    }

    if problems.is_empty() { Ok(all) } else { Err(FormError::Mapping(problems)) }
}

fn content(place: &Place, what: &What, filling: Filling<'_>) -> Result<Content, String> {
    let text = match what {
        What::Tick { field, code } => {
            let ticked = chosen(filling, *field).iter().any(|one| one == code);
            let text = if ticked { &place.ticked } else { &place.unticked };
            return Ok(Content::Tick { ticked, text: text.clone() });
        }
        What::Meta(meta) => meta_text(*meta, filling),
        What::Column { field, code, row } => column_text(place, (*field, code, *row), filling),
        What::Field { field, part, row } => {
            if let (As::Date | As::DateTime, Some(at)) = (place.kind, moment(filling, *field, *row))
            {
                return Ok(Content::Moment { at, whole: place.kind == As::DateTime });
            }
            field_text(place, (*field, *part, *row), filling)
        }
    };
    match place.kind {
        As::Text => Ok(Content::Text(no_formula(&text))),
        // What is not known yet leaves the cell empty rather than wrong.
        As::Number | As::Date | As::DateTime if text.is_empty() => Ok(Content::Text(text)),
        As::Number => {
            let digits = text.replace([',', '，'], "");
            let number: Result<u64, _> = digits.parse();
            number
                .map(|number| Content::Number(number.to_string()))
                .map_err(|_| format!("`{}` is no number; map it as text", short(&text)))
        }
        As::Date | As::DateTime => Err(format!("`{}` is no moment; map it as text", short(&text))),
    }
}

fn short(text: &str) -> String {
    text.chars().take(30).collect()
}

fn answer(filling: Filling<'_>, field: Field) -> Option<&Answer> {
    filling.frozen.answer(field)
}

fn chosen(filling: Filling<'_>, field: Field) -> Vec<String> {
    let value = answer(filling, field).map(|answer| &answer.value);
    if let Some(Value::Choices { chosen, .. }) = value {
        return chosen.clone();
    }
    if let Some(Value::Flood { flood }) = value {
        return flood.kinds.clone();
    }
    if let Some(Value::Dated { chosen: Some(chosen), .. }) = value {
        return vec![chosen.clone()];
    }
    Vec::new()
}

fn moment(filling: Filling<'_>, field: Field, row: Option<usize>) -> Option<Timestamp> {
    let value = &answer(filling, field)?.value;
    if let Value::DateTime { at } = value {
        return Some(*at);
    }
    if let Value::Dated { at, .. } = value {
        return *at;
    }
    let Value::Lines { lines } = value else { return None };
    lines.get(row.unwrap_or(1) - 1)?.at
}

fn meta_text(meta: Meta, filling: Filling<'_>) -> String {
    let record = &filling.document.record;
    match meta {
        Meta::Mark => filling.document.header.right.clone(),
        Meta::Facility => filling
            .document
            .letter
            .sender
            .first()
            .cloned()
            .unwrap_or_default(),
        // The letter names the director unless the addressee is not told who reports.
        Meta::Director if filling.document.letter.sender.len() < 2 => String::new(),
        Meta::Director => clean_line(&filling.frozen.sender.director),
        Meta::Incident => record.incident_number.to_string(),
        Meta::Report => record.report.to_string(),
        Meta::Revision => record.revision.to_string(),
        Meta::Date => japanese_date(record.dated_at),
        Meta::Approver => {
            let names = record.approved_by.clone().unwrap_or_default();
            match record.emergency_release {
                true => filling
                    .locale()
                    .text_with("signer-alone", &[("name", &names)]),
                false => names,
            }
        }
        Meta::Hash => record.answers_sha256.clone(),
        Meta::Record => filling.document.footer.record.clone(),
    }
}

fn field_text(
    place: &Place,
    (field, part, row): (Field, Part, Option<usize>),
    filling: Filling<'_>,
) -> String {
    let locale = filling.locale();
    let Some(answer) = answer(filling, field) else {
        return String::new();
    };
    let value = cleaned(&answer.value);
    let words = |code: &String| {
        let own = place.words.get(code).cloned();
        own.unwrap_or_else(|| locale.text(&field.choice_key(code)))
    };
    let parts: Vec<String> = match (part, &value) {
        (Part::Status, _) => vec![locale.text(answer.status.label_key())],
        (Part::Text, value) => answer_lines(field, value, locale),
        (Part::Choice, _) => {
            vec![
                chosen(filling, field)
                    .iter()
                    .map(words)
                    .collect::<Vec<_>>()
                    .join("、"),
            ]
        }
        (Part::Note, Value::Dated { note, .. }) => vec![note.clone()],
        (Part::At, Value::Dated { at, .. }) => at.iter().map(|at| japanese_time(*at)).collect(),
        (Part::Low, Value::People { confirmed, .. }) => {
            confirmed.iter().map(ToString::to_string).collect()
        }
        (Part::High, Value::People { maximum, .. }) => {
            maximum.iter().map(ToString::to_string).collect()
        }
        (Part::Note, Value::People { basis, .. }) => vec![basis.clone()],
        (Part::Note, Value::Choices { note, .. }) => vec![clean(note)],
        (Part::At, Value::DateTime { at }) => vec![japanese_time(*at)],
        (Part::Low, Value::Number { low, .. }) => vec![low.to_string()],
        (Part::High, Value::Number { high, .. }) => vec![high.to_string()],
        (Part::Note, Value::Number { basis, .. }) => vec![basis.clone()],
        (Part::At, Value::Lines { lines }) => {
            let at = lines
                .iter()
                .map(|line| line.at.map(form_time).unwrap_or_default());
            at.collect()
        }
        (Part::Label, Value::Lines { lines }) => lines.iter().map(|l| l.label.clone()).collect(),
        (Part::Said, Value::Lines { lines }) => lines.iter().map(|l| l.text.clone()).collect(),
        (part, Value::Systems { systems }) => systems
            .iter()
            .filter_map(|system| system_part(part, system))
            .collect(),
        _ => Vec::new(),
    };
    of_row(&parts, row)
}

fn system_part(part: Part, system: &System) -> Option<String> {
    let said = match part {
        Part::Name => &system.name,
        Part::Role => &system.role,
        Part::Os => &system.os,
        Part::Vendor => &system.vendor,
        Part::Damage => &system.damage,
        Part::Text
        | Part::Choice
        | Part::Note
        | Part::At
        | Part::Label
        | Part::Said
        | Part::Low
        | Part::High
        | Part::Status => return None,
    };
    Some(said.clone())
}

/// Returns one part, or all of them a line each.
fn of_row(parts: &[String], row: Option<usize>) -> String {
    match row {
        Some(row) => parts.get(row - 1).cloned().unwrap_or_default(),
        None => parts.join("\n"),
    }
}

/// Tells a column of a field's own table.
fn column_text(
    place: &Place,
    (field, code, row): (Field, &str, Option<usize>),
    filling: Filling<'_>,
) -> String {
    let locale = filling.locale();
    let Some(value) = answer(filling, field).map(|answer| cleaned(&answer.value)) else {
        return String::new();
    };
    let cell = field
        .columns()
        .iter()
        .find(|column| column.code == code)
        .map(|column| column.cell);
    let told = |text: &str| match cell {
        Some(Cell::Time) => text.parse().map_or_else(|_| clean_line(text), form_time),
        Some(Cell::One(codes)) if codes.contains(&text) => {
            let own = place.words.get(text).cloned();
            own.unwrap_or_else(|| locale.text(&field.cell_key(code, text)))
        }
        Some(Cell::One(_) | Cell::Text | Cell::Number) | None => clean_line(text),
    };
    let parts: Vec<String> = if let Value::Rows { rows } = &value {
        rows.iter()
            .map(|row| told(row.get(code).map_or("", String::as_str)))
            .collect()
    } else if let Value::Systems { systems } = &value {
        let part = |system: &System| match code {
            "kind" => told(&system.kind),
            "setting" => told(&system.setting),
            _ => system
                .count
                .map(|count| count.to_string())
                .unwrap_or_default(),
        };
        systems.iter().map(part).collect()
    } else {
        Vec::new()
    };
    of_row(&parts, row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_place_says_reads_back() {
        for text in [
            "field:9.text",
            "field:33.value[1]",
            "field:14.name[2]",
            "field:8=ransomware",
            "meta:mark",
        ] {
            assert_eq!(text.parse::<What>().unwrap().to_string(), text);
        }
        assert_eq!("field:9".parse::<What>().unwrap().to_string(), "field:9.text");
        for wrong in ["", "9", "field:", "field:250", "field:9.x", "field:14.name[0]", "meta:x"] {
            assert!(wrong.parse::<What>().is_err(), "{wrong}");
        }
        let error = "field:8=virus".parse::<What>().unwrap_err().to_string();
        assert!(error.contains("ransomware"), "{error}");
    }
}
