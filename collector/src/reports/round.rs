//! Rounds: 速報, 続報 (第n報), 確報. What is a report's own, and what changed since the one before.
//!
//! ```text
//! first report ─freeze─▶ ─┐                 ┌─▶ second report ─freeze─▶ …
//!                         └─ the sheet goes on ─┘  Former: what the first one said of every field that reads otherwise
//! ```
//!
//! Always holds: pure; the sheet goes on where the report before stopped, so that nobody types anything twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::answer::{Answer, AnswerStatus, Line, NamedPerson, Revision, Source, Value};
use super::fields::Field;
use super::profile::Profile;
use super::{Report, ReportStatus};
use crate::approval::{Former, FormerAnswer, Frozen, Submission};
use crate::locale::Locale;

/// One field that reads otherwise than in the report before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub field: Field,
    /// What the report before said; `None` where it said nothing.
    pub before: Option<Answer>,
    /// What is said now; `None` where nothing is.
    pub now: Option<Answer>,
}

/// Returns the fields of `fields` that read otherwise, in that order.
///
/// An answer reads otherwise when its value or its certainty does; new evidence for the same is no change. What is a
/// report's own always differs and says nothing.
#[must_use]
pub fn changes(
    fields: &[Field],
    before: &BTreeMap<Field, Answer>,
    now: &BTreeMap<Field, Answer>,
) -> Vec<Change> {
    let said = |answer: Option<&Answer>| answer.map(|answer| (answer.value.clone(), answer.status));
    let mut seen = BTreeSet::new();
    fields
        .iter()
        .copied()
        .filter(|field| !field.is_of_report() && seen.insert(*field))
        .filter(|field| said(before.get(field)) != said(now.get(field)))
        .map(|field| Change {
            field,
            before: before.get(&field).cloned(),
            now: now.get(&field).cloned(),
        })
        .collect()
}

/// Gathers what a report freezes about the one before.
#[must_use]
pub fn former(
    (number, submission, frozen): (u32, &Submission, &Frozen),
    profile: &Profile,
    now: &BTreeMap<Field, Answer>,
) -> Former {
    let before = answers(frozen);
    // What the one before did not ask is no change, it is new; both lists are looked at.
    let changed = changes(&profile.body.all_fields(), &before, now);
    Former {
        report: submission.report,
        revision: submission.revision,
        number,
        answers_sha256: submission.answers_sha256.clone(),
        submitted_at: submission.submitted_at,
        changed: changed
            .into_iter()
            .map(|change| FormerAnswer { field: change.field, answer: change.before })
            .collect(),
    }
}

/// Returns frozen answers by field.
#[must_use]
pub fn answers(frozen: &Frozen) -> BTreeMap<Field, Answer> {
    let entries = frozen.answers.iter();
    entries
        .map(|entry| (entry.field, entry.answer.clone()))
        .collect()
}

/// Finds the report that comes before another in its series: the last that was approved.
#[must_use]
pub fn before<'a>(report: &Report, reports: &'a [Report]) -> Option<&'a Report> {
    reports
        .iter()
        .filter(|other| {
            other.incident == report.incident
                && other.round.series == report.round.series
                && other.round.number < report.round.number
                && other.status == ReportStatus::Approved
        })
        .max_by_key(|other| other.round.number)
}

/// Who hands a report in, and when.
#[derive(Clone, Debug)]
pub struct HandedIn {
    /// Who.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
    /// Everybody who gave an answer, by name.
    pub authors: Vec<String>,
}

/// Returns the answers that are a report's own: its round and its addressees, and once it is handed in its time and its
/// authors.
#[must_use]
pub fn own_answers(
    report: &Report,
    profile: &Profile,
    handed_in: Option<&HandedIn>,
    (at, locale): (Timestamp, Locale),
) -> BTreeMap<Field, Answer> {
    let said = |value, source| Answer {
        value,
        status: AnswerStatus::Confirmed,
        source,
        as_of: at,
        revision: Revision::default(),
        reason: String::new(),
    };
    let machine = || Source::Machine { records: Vec::new(), basis: String::new() };
    let round = Value::Round { kind: report.round.kind, number: report.round.number };
    let office = profile.contact(at);
    let office = office.map(|contact| contact.office.in_lang(locale.lang()).to_owned());
    let addressees = Value::Choices {
        chosen: vec![profile.body.addressee.as_str().to_owned()],
        note: office.unwrap_or_default(),
    };
    let mut own = BTreeMap::from([
        (Field::Round, said(round, machine())),
        (Field::Addressees, said(addressees, machine())),
    ]);
    if let Some(HandedIn { by, at, authors }) = handed_in {
        let person =
            || Source::Person { user: by.user, name: by.name.clone(), basis: String::new() };
        let line = |key: &str, text: String| Line { at: None, label: locale.text(key), text };
        let authors = if authors.is_empty() {
            locale.text("record-no-authors")
        } else {
            authors.join(&locale.text("draft-comma"))
        };
        let lines = vec![
            line("authorship-authors", authors),
            line("authorship-submitter", by.name.clone()),
            line("authorship-approver", locale.text("authorship-approver-where")),
        ];
        own.insert(Field::ReportedAt, said(Value::DateTime { at: *at }, person()));
        own.insert(Field::Authorship, said(Value::Lines { lines }, person()));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::answer::AnswerStatus::{Confirmed, Estimated, Investigating};

    fn people(maximum: u64, status: AnswerStatus) -> Answer {
        let value =
            Value::People { confirmed: None, maximum: Some(maximum), basis: "台帳".to_owned() };
        answer(value, status)
    }

    fn answer(value: Value, status: AnswerStatus) -> Answer {
        Answer {
            value,
            status,
            source: Source::MasterData,
            as_of: Timestamp::UNIX_EPOCH,
            revision: Revision(1),
            reason: String::new(),
        }
    }

    #[test]
    fn a_count_that_grew_and_a_doubt_that_went_are_changes_and_more_evidence_is_none() {
        let before = BTreeMap::from([
            (Field::Persons, people(10_000, Estimated)),
            (Field::Cause, answer(Value::text("調査中"), Investigating)),
            (Field::Summary, answer(Value::text("同じ"), Confirmed)),
        ]);
        let mut now = BTreeMap::from([
            (Field::Persons, people(130_000, Estimated)),
            (Field::Cause, answer(Value::text("調査中"), Confirmed)),
            (Field::Summary, answer(Value::text("同じ"), Confirmed)),
            (Field::Entry, answer(Value::text("保守用VPN"), Confirmed)),
        ]);
        now.entry(Field::Summary).and_modify(|answer| {
            answer.revision = Revision(9);
            answer.source = Source::Machine { records: Vec::new(), basis: "新".to_owned() };
        });
        let fields = [Field::Summary, Field::Persons, Field::Cause, Field::Entry, Field::Persons];
        let found: Vec<_> = changes(&fields, &before, &now)
            .into_iter()
            .map(|change| change.field)
            .collect();
        assert_eq!(found, [Field::Persons, Field::Cause, Field::Entry]);
        assert!(changes(&fields, &now, &now).is_empty());
    }

    #[test]
    fn what_is_a_reports_own_is_never_a_change() {
        let before = BTreeMap::from([(Field::ReportedAt, people(1, Confirmed))]);
        let now = BTreeMap::from([(Field::ReportedAt, people(2, Confirmed))]);
        assert!(changes(&[Field::ReportedAt], &before, &now).is_empty());
    }
}
