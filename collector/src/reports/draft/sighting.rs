//! What a draft says where people noticed something, before the machine did or without it.

use super::answers::{Maker, choice};
use crate::correlate::Sighting;
use crate::reports::answer::{Answer, AnswerStatus, Line, Revision, Source, Value};
use crate::reports::text::plain_line;

impl Maker<'_> {
    /// Returns what a person noticed before any record told of it.
    pub(super) fn sighted_first(&self) -> Option<&Sighting> {
        let first = self.facts.sightings.first().copied()?;
        let traced = self.facts.first_trace();
        let later = |trace: &crate::records::SeenRecord| first.noticed_at <= trace.corrected_at;
        traced.is_none_or(later).then_some(first)
    }

    /// Field 8, while the machine has nothing of its own to say: what a person took it for, or open.
    pub(super) fn kind_by_people(&self) -> Option<Answer> {
        let facts = self.facts;
        if facts.sightings.is_empty() || !facts.harms.is_empty() {
            return None;
        }
        let taken_for = facts
            .sightings
            .iter()
            .rev()
            .find(|seen| !seen.kind.is_empty());
        Some(match taken_for {
            Some(seen) => {
                let basis = self.basis_of(seen);
                self.told(choice(&[&seen.kind], String::new()), AnswerStatus::Estimated, basis)
            }
            None => self.said(Value::Nothing, AnswerStatus::Investigating, "", []),
        })
    }

    /// Field 10: when somebody noticed it; it began then or before.
    pub(super) fn occurred_by_people(&self) -> Answer {
        let Some(first) = self.facts.sightings.first() else {
            return self.said(Value::Nothing, AnswerStatus::Investigating, "", []);
        };
        let basis = self.locale.text("draft-basis-occurred-sighting");
        self.told(Value::DateTime { at: first.noticed_at }, AnswerStatus::Estimated, basis)
    }

    /// Field 11: one line for each person who noticed something.
    pub(super) fn lines_of_sightings(&self) -> Vec<Line> {
        let label = self.locale.text("draft-noticed-label");
        let line = |seen: &&Sighting| Line {
            at: Some(seen.noticed_at),
            label: label.clone(),
            text: plain_line(&seen.noticed_by),
        };
        self.facts.sightings.iter().map(line).collect()
    }

    /// Field 12: who noticed it first.
    pub(super) fn discovered_by_people(&self, first: &Sighting) -> Answer {
        let note = plain_line(&first.noticed_by);
        let value = choice(&[first.way.as_str()], note);
        self.told(value, AnswerStatus::Confirmed, self.basis_of(first))
    }

    /// An answer that stands on what people told.
    fn told(&self, value: Value, status: AnswerStatus, basis: String) -> Answer {
        let as_of = self.facts.last_at().unwrap_or(self.input.as_of);
        let (source, revision, reason) =
            (Source::Told { basis }, Revision::default(), String::new());
        Answer { value, status, source, as_of, revision, reason }
    }

    /// What the summary stands on.
    pub(super) fn basis_told(&self) -> String {
        let key = match (self.facts.sightings.is_empty(), self.facts.told().is_empty()) {
            (true, _) => "draft-basis-monitoring",
            (false, true) => "draft-basis-sightings",
            (false, false) => "draft-basis-sightings-and-monitoring",
        };
        self.locale.text(key)
    }

    fn basis_of(&self, seen: &Sighting) -> String {
        let way = self.locale.text(seen.way.label_key());
        self.teller().text(
            "draft-basis-sighting",
            &[
                ("way", &way),
                ("by", &plain_line(&seen.noticed_by)),
                ("entered", &self.teller().time(seen.entered_at)),
            ],
        )
    }
}
