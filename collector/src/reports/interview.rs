//! The questions of the first hour, which only people can answer and on which the duties depend.
//!
//! Always holds: an agent can suggest, a person answers; encryption alone makes a leak of data that cannot be restored,
//! so whether it can be is asked apart from whether it leaked; that something was no attack only a person says.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::fields::Field;

/// The questions, in the order in which they are asked.
pub const QUESTIONS: [Field; 4] =
    [Field::Kind, Field::DataLeak, Field::CareHindered, Field::Restorable];

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

/// Returns what persons said to a question that takes yes or no. What the machine filled in does not count.
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

/// Whether a person chose one of the answers to a question.
#[must_use]
pub fn is_answered(question: Field, answers: &BTreeMap<Field, Answer>) -> bool {
    let answer = answers.get(&question);
    answer.is_some_and(|answer| answer.source.user().is_some() && !answer.value.chosen().is_empty())
}

/// Returns the first question nobody has answered. What happened is not asked first where the machine has evidence.
#[must_use]
pub fn next_question(answers: &BTreeMap<Field, Answer>) -> Option<Field> {
    QUESTIONS
        .into_iter()
        .filter(|question| *question != Field::Kind || !looks_like_attack(answers))
        .find(|question| !is_answered(*question, answers))
}

fn looks_like_attack(answers: &BTreeMap<Field, Answer>) -> bool {
    let chosen = answers
        .get(&Field::Kind)
        .map(|answer| answer.value.chosen());
    chosen
        .is_some_and(|codes| !codes.is_empty() && codes.iter().all(|code| code != "system-failure"))
}
