//! One answer as a form.

use askama::Template;

use shirase_shared::ids::ReportId;

use super::answers::{said_by, value_lines};
use crate::console::frame::Frame;
use crate::console::settings::Choice;
use crate::reports::answer::{Answer, AnswerStatus, RoundKind, Source};
use crate::reports::fields::{Cell, Column, Entered, Field, Kind};
use crate::reports::{AnswerVersion, Sheet};

/// Empty rows a table is offered with, beside those that are filled.
const EMPTY_ROWS: usize = 3;

/// One answer as a form.
#[derive(Template)]
#[template(path = "answer.html")]
pub struct AnswerPage {
    /// What stands around it.
    pub f: Frame,
    /// Which report.
    pub report: ReportId,
    /// The revision it was filled from.
    pub revision: u32,
    /// Number of the field.
    pub number: u8,
    /// What is asked.
    pub label: String,
    /// How to write it.
    pub how: String,
    /// Whether at most one choice is taken.
    pub single: bool,
    /// Choices.
    pub choices: Vec<Choice>,
    /// Inputs of one line.
    pub inputs: Vec<Input>,
    /// Rows of a table, each with an input a column.
    pub rows: Vec<Vec<Input>>,
    /// The text field, if there is one.
    pub text: Option<TextField>,
    /// How sure it is.
    pub statuses: Vec<Choice>,
    /// What the person relies on.
    pub basis: String,
    /// Whether a change needs a reason.
    pub asks_reason: bool,
    /// The reason as typed.
    pub reason: String,
    /// What the machine would say now.
    pub proposal: Vec<String>,
    /// What was said before: words, and what was said.
    pub history: Vec<(String, Vec<String>)>,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
    /// Whether it is an exercise.
    pub drill: bool,
}

/// One input of a form.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub label: String,
    /// What is in it.
    pub value: String,
    /// What it takes.
    pub takes: Takes,
}

/// What an input takes.
#[derive(Debug)]
pub enum Takes {
    /// A text of one line.
    Text,
    /// A moment, as Japan's clocks show it.
    Time,
    /// A whole number, or a range.
    Number,
    /// One of several, or none.
    One(Vec<Choice>),
}

/// The text field of a form.
#[derive(Debug)]
pub struct TextField {
    /// What is asked.
    pub label: &'static str,
    /// What is in it.
    pub value: String,
    /// Whether one line is enough.
    pub short: bool,
}

/// What is in the form of an answer.
pub struct Typed {
    /// Value.
    pub entered: Entered,
    /// How sure.
    pub status: AnswerStatus,
    /// What the person relies on.
    pub basis: String,
    /// Why it is changed.
    pub reason: String,
}

impl Typed {
    /// Takes what is stored.
    #[must_use]
    pub fn of(answer: Option<&Answer>) -> Self {
        let basis = match answer.map(|answer| &answer.source) {
            Some(Source::Person { basis, .. }) => basis.clone(),
            Some(Source::Machine { .. } | Source::Told { .. } | Source::MasterData) | None => {
                String::new()
            }
        };
        Self {
            entered: answer
                .map(|answer| Entered::of(&answer.value))
                .unwrap_or_default(),
            status: answer.map_or(AnswerStatus::Confirmed, |answer| answer.status),
            basis,
            reason: String::new(),
        }
    }
}

impl AnswerPage {
    /// Fills the form of a field.
    #[must_use]
    pub fn of(
        f: Frame,
        sheet: &Sheet,
        (field, label): (Field, String),
        typed: Typed,
        history: &[AnswerVersion],
    ) -> Self {
        let locale = f.locale;
        let choice = |code: &&'static str| Choice {
            code: (*code).to_owned(),
            text: locale.text(&field.choice_key(code)),
            chosen: typed.entered.chosen.iter().any(|chosen| chosen == code),
        };
        let status = |status: AnswerStatus| Choice {
            code: status.as_str().to_owned(),
            text: locale.text(status.label_key()),
            chosen: status == typed.status,
        };
        let before = |version: &AnswerVersion| {
            let certain = locale.text(version.answer.status.label_key());
            let mut words = format!("{} · {certain}", said_by(&version.answer, locale));
            if !version.answer.reason.is_empty() {
                let reason = &version.answer.reason;
                words.push_str(&locale.text_with("answer-changed-because", &[("reason", reason)]));
            }
            (words, value_lines(field, &version.answer.value, locale))
        };
        let proposal = sheet.proposals.get(&field);
        let confirmed = sheet.answers.get(&field).is_some_and(|answer| {
            answer.status == AnswerStatus::Confirmed && answer.source.user().is_some()
        });

        Self {
            report: sheet.report.id,
            revision: sheet.report.revision.0,
            number: field.number(),
            label,
            how: f.text(how_key(field.kind())),
            single: matches!(field.kind(), Kind::One(_) | Kind::Dated(_)),
            choices: field.choices().iter().map(choice).collect(),
            inputs: inputs(field, &typed.entered, &f),
            rows: rows(field, &typed.entered, &f),
            text: text_field(field.kind(), &typed.entered),
            statuses: AnswerStatus::ALL.into_iter().map(status).collect(),
            proposal: proposal
                .map(|proposal| value_lines(field, &proposal.value, locale))
                .unwrap_or_default(),
            history: history.iter().rev().map(before).collect(),
            problem: None,
            drill: sheet.report.drill.is_some(),
            basis: typed.basis,
            asks_reason: confirmed,
            reason: typed.reason,
            f,
        }
    }
}

const fn how_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "answer-how-text",
        Kind::DateTime => "answer-how-time",
        Kind::One(_) => "answer-how-one",
        Kind::Any(_) => "answer-how-any",
        Kind::Dated(_) => "answer-how-dated",
        Kind::People => "answer-how-people",
        Kind::Flood(_) => "answer-how-flood",
        Kind::Lines | Kind::Systems | Kind::Rows(_) => "answer-how-rows",
        Kind::Round => "answer-how-round",
    }
}

fn text_field(kind: Kind, entered: &Entered) -> Option<TextField> {
    let (label, short) = match kind {
        Kind::Text => ("answer-value", false),
        Kind::DateTime => ("answer-value", true),
        Kind::One(_) | Kind::Any(_) | Kind::Dated(_) => ("answer-note", false),
        Kind::People => ("answer-counted-from", false),
        Kind::Flood(_) => ("flood-mitigation", false),
        Kind::Lines | Kind::Systems | Kind::Rows(_) | Kind::Round => return None,
    };
    Some(TextField { label, value: entered.text.clone(), short })
}

fn inputs(field: Field, entered: &Entered, f: &Frame) -> Vec<Input> {
    let input = |name: &str, key: &str, takes| Input {
        name: name.to_owned(),
        label: f.text(key),
        value: entered.part(name).to_owned(),
        takes,
    };
    match field.kind() {
        Kind::Dated(_) => vec![input("at", "answer-when", Takes::Time)],
        Kind::People => vec![
            input("confirmed", "people-confirmed", Takes::Number),
            input("maximum", "people-maximum", Takes::Number),
        ],
        Kind::Flood(_) => vec![
            input("megabits", "flood-megabits", Takes::Number),
            input("packets", "flood-packets", Takes::Number),
            input("minutes", "flood-minutes", Takes::Number),
        ],
        Kind::Round => {
            let kinds = RoundKind::ALL.map(|kind| Choice {
                code: kind.as_str().to_owned(),
                text: f.text(kind.label_key()),
                chosen: entered.part("kind") == kind.as_str(),
            });
            vec![
                input("kind", "column-item", Takes::One(kinds.into())),
                input("number", "column-place", Takes::Number),
            ]
        }
        Kind::Text
        | Kind::DateTime
        | Kind::One(_)
        | Kind::Any(_)
        | Kind::Lines
        | Kind::Systems
        | Kind::Rows(_) => Vec::new(),
    }
}

fn rows(field: Field, entered: &Entered, f: &Frame) -> Vec<Vec<Input>> {
    if field.columns().is_empty() {
        return Vec::new();
    }
    let cell = |index: usize, column: &Column| {
        let name = format!("{index}-{}", column.code);
        let value = entered.part(&name).to_owned();
        let takes = match column.cell {
            Cell::Text => Takes::Text,
            Cell::Time => Takes::Time,
            Cell::Number => Takes::Number,
            Cell::One(codes) => {
                let choice = |code: &&'static str| Choice {
                    code: (*code).to_owned(),
                    text: f.text(&field.cell_key(column.code, code)),
                    chosen: value == **code,
                };
                Takes::One(codes.iter().map(choice).collect())
            }
        };
        Input { name, label: f.text(&field.column_key(column.code)), value, takes }
    };
    (0..entered.row_count() + EMPTY_ROWS)
        .map(|index| {
            field
                .columns()
                .iter()
                .map(|column| cell(index, column))
                .collect()
        })
        .collect()
}
