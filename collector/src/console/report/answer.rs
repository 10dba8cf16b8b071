//! One answer as a form.

use askama::Template;

use shirase_shared::ids::ReportId;

use super::{said_by, value_lines};
use crate::console::frame::Frame;
use crate::console::settings::Choice;
use crate::reports::answer::{Answer, AnswerStatus, Source};
use crate::reports::fields::{Entered, Field, Kind};
use crate::reports::{AnswerVersion, Sheet};

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
    /// What is taken.
    pub takes: Takes,
    /// The text as typed or stored.
    pub text: String,
    /// Choices.
    pub choices: Vec<Choice>,
    /// How sure it is.
    pub statuses: Vec<Choice>,
    /// What the person relies on.
    pub basis: String,
    /// What the machine would say now.
    pub proposal: Vec<String>,
    /// What was said before: words, and what was said.
    pub history: Vec<(String, Vec<String>)>,
    /// What was wrong with what was sent.
    pub problem: Option<String>,
    /// Whether it is an exercise.
    pub drill: bool,
}

/// What kind of input a field needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// One choice and a note.
    One,
    /// Several choices and a note.
    Any,
}

/// What is in the form of an answer.
pub struct Typed {
    /// Value.
    pub entered: Entered,
    /// How sure.
    pub status: AnswerStatus,
    /// What the person relies on.
    pub basis: String,
}

impl Typed {
    /// Takes what is stored.
    #[must_use]
    pub fn of(answer: Option<&Answer>) -> Self {
        let basis = match answer.map(|answer| &answer.source) {
            Some(Source::Person { basis, .. }) => basis.clone(),
            Some(Source::Machine { .. } | Source::MasterData) | None => String::new(),
        };
        Self {
            entered: answer
                .map(|answer| Entered::of(&answer.value))
                .unwrap_or_default(),
            status: answer.map_or(AnswerStatus::Confirmed, |answer| answer.status),
            basis,
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
        let (takes, how) = match field.kind() {
            Kind::Text => (Takes::Lines, locale.text("answer-how-text")),
            Kind::DateTime => (Takes::Line, locale.text("answer-how-time")),
            Kind::One(_) => (Takes::One, locale.text("answer-how-one")),
            Kind::Any(_) => (Takes::Any, locale.text("answer-how-any")),
            Kind::Lines => (Takes::Lines, locale.text("answer-how-lines")),
            Kind::Systems => (Takes::Lines, locale.text("answer-how-systems")),
        };
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
            let words = format!("{} · {certain}", said_by(&version.answer, locale));
            (words, value_lines(field, &version.answer.value, locale))
        };
        let proposal = sheet.proposals.get(&field);

        Self {
            report: sheet.report.id,
            revision: sheet.report.revision.0,
            number: field.number(),
            label,
            how,
            takes,
            choices: field.choices().iter().map(choice).collect(),
            statuses: AnswerStatus::ALL.into_iter().map(status).collect(),
            proposal: proposal
                .map(|proposal| value_lines(field, &proposal.value, locale))
                .unwrap_or_default(),
            history: history.iter().rev().map(before).collect(),
            problem: None,
            drill: sheet.report.drill.is_some(),
            text: typed.entered.text,
            basis: typed.basis,
            f,
        }
    }
}
