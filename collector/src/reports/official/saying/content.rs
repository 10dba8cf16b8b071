//! Answers each place of a form from frozen answers.

use jiff::Timestamp;

use super::{Meta, Part, What};
use crate::reports::answer::{Answer, System, Value};
use crate::reports::fields::{Cell, Field};
use crate::reports::official::mapping::{As, Mapping, MappingProblem, Place};
use crate::reports::official::{Filling, FormError};
use crate::reports::render::{answer_lines, clean, clean_line, cleaned, no_formula};
use crate::reports::text::{form_time, japanese_date, japanese_time};

/// What a place gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reports::official) enum Content {
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
pub(in crate::reports::official) struct Said {
    pub(in crate::reports::official) at: String,
    pub(in crate::reports::official) content: Content,
}

/// Answers every place of a mapping.
pub(in crate::reports::official) fn said(
    mapping: &Mapping,
    filling: Filling<'_>,
) -> Result<Vec<Said>, FormError> {
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
        (Part::Choice, Value::Round { kind, .. }) => {
            let own = place.words.get(kind.as_str()).cloned();
            vec![own.unwrap_or_else(|| locale.text(kind.label_key()))]
        }
        (Part::Low, Value::Round { number, .. }) => vec![number.to_string()],
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
