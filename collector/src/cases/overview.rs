//! All open cases at a glance: what has to be looked at again, and who has not answered.

use jiff::civil::Date;

use super::record::CaseFile;

/// How an open case stands on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The case.
    pub file: &'a CaseFile,
    /// How many questions nobody answered.
    pub questions: usize,
    /// Since when the oldest of them waits.
    pub oldest_question: Option<Date>,
    /// The nearest day to look again.
    pub next: Option<Date>,
    /// Whether that day is over or is this one.
    pub due: bool,
}

/// Returns the open cases: what is due first, then by the nearest day to look again, then by number.
#[must_use]
pub fn overview(files: &[CaseFile], today: Date) -> Vec<Standing<'_>> {
    let mut standings: Vec<Standing<'_>> = files
        .iter()
        .filter(|file| file.is_open())
        .map(|file| {
            let questions = file.open_questions();
            let next = file.follow_ups().first().map(|follow_up| follow_up.on);
            Standing {
                file,
                questions: questions.len(),
                oldest_question: questions.first().map(|question| question.since),
                next,
                due: next.is_some_and(|day| day <= today),
            }
        })
        .collect();
    standings.sort_by_key(|standing| {
        (!standing.due, standing.next.unwrap_or(Date::MAX), standing.file.case.number)
    });
    standings
}
