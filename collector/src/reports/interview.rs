//! The three questions of the first hour, which only people can answer and on which the duties depend.
//!
//! Always holds: an agent can suggest, a person answers; encryption alone makes a leak of data that cannot be restored,
//! so whether it can be is asked apart from whether it leaked.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::fields::Field;

/// The questions, in the order in which they are asked.
pub const QUESTIONS: [Field; 3] = [Field::DataLeak, Field::CareHindered, Field::Restorable];

/// What the persons said to one of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Yes; of the third question: all of it can be restored.
    Yes,
    /// It may be so; of the third question: only a part can be restored.
    Perhaps,
    /// No.
    No,
    /// Nobody has answered, or the answer is 不明 or 調査中 without a choice.
    Open,
}

/// Returns what persons said to a question. What the machine filled in does not count.
#[must_use]
pub fn said(question: Field, answers: &BTreeMap<Field, Answer>) -> Said {
    let answer = answers
        .get(&question)
        .filter(|answer| answer.source.user().is_some());
    let Some([code]) = answer.map(|answer| answer.value.chosen()) else {
        return Said::Open;
    };
    match code.as_str() {
        "yes" => Said::Yes,
        "feared" | "partly" => Said::Perhaps,
        "no" => Said::No,
        _ => Said::Open,
    }
}

/// Returns the first question nobody has answered.
#[must_use]
pub fn next_question(answers: &BTreeMap<Field, Answer>) -> Option<Field> {
    QUESTIONS
        .into_iter()
        .find(|question| said(*question, answers) == Said::Open)
}
