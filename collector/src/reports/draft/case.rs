//! What a municipality's draft says over one of its cases: from the register, from its record, and from what the
//! institution itself reported.
//!
//! Always holds: every statement names its source, an entry of the record or a package; what the institution reported is
//! told as reported, never as found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::answers::Maker;
use crate::cases::{CaseFile, Entry, EntryKind, Heading};
use crate::exchange::PackageId;
use crate::institutions::Details;
use crate::reports::answer::{Answer, AnswerStatus, LINES_MAX, Line, Revision, Source, Value};
use crate::reports::fields::Field;
use crate::reports::text::plain_line;
use crate::reports::told::ToldAnswer;

/// Longest text of one line, in characters; the record has the whole.
const LINE_MAX_CHARS: usize = 400;

/// A case with everything a draft over it is made of.
#[derive(Clone, Copy, Debug)]
pub struct CaseStory<'a> {
    /// The case with its record.
    pub file: &'a CaseFile,
    /// The institution, as the register has it.
    pub institution: &'a Details,
    /// The institution's own latest report, if one came.
    pub report: Option<&'a CameReport>,
}

/// A report an institution sent, as far as it reads.
#[derive(Clone, Debug)]
pub struct CameReport {
    /// The package it came in.
    pub package: PackageId,
    /// Its subject.
    pub subject: String,
    /// When it was made, by the sender's clock.
    pub made_at: Timestamp,
    /// What it says.
    pub answers: BTreeMap<Field, ToldAnswer>,
}

/// What it can say before any report came, from what it heard.
const HEARD: &[Field] =
    &[Field::Kind, Field::Summary, Field::OccurredAt, Field::DetectedAt, Field::Discovery];

impl Maker<'_> {
    /// Returns the answer to a field of a municipality's report: its own word, else what the institution reported, else
    /// what was heard.
    pub(super) fn of_case(&self, story: &CaseStory<'_>, field: Field) -> Option<Answer> {
        let own = self.own_of_case(story, field);
        let reported = || self.reported(story.report?, field);
        own.or_else(reported).or_else(|| self.heard(story, field))
    }

    fn own_of_case(&self, story: &CaseStory<'_>, field: Field) -> Option<Answer> {
        let entries = [
            (Field::FoundDamage, Heading::Damage),
            (Field::FoundResponse, Heading::Response),
            (Field::FoundRecovery, Heading::Recovery),
            (Field::FoundPrevention, Heading::Prevention),
        ];
        if let Some((_, heading)) = entries.into_iter().find(|(own, _)| *own == field) {
            return Some(self.found(story, heading));
        }
        if field == Field::People {
            return self.answer(field);
        }
        if field == Field::HeardHow {
            return Some(self.heard_how(story));
        }
        if field == Field::LegalBasis {
            return Some(self.legal_basis(story));
        }
        (field == Field::Guidance).then(|| self.guidance(story))
    }

    fn heard(&self, story: &CaseStory<'_>, field: Field) -> Option<Answer> {
        if field == Field::Facility {
            return Some(self.institution(story.institution));
        }
        if field == Field::Identifiers {
            return Some(self.reached(story.institution));
        }
        if HEARD.contains(&field) { self.answer(field) } else { None }
    }

    /// What the institution reported, as it reported it.
    fn reported(&self, report: &CameReport, field: Field) -> Option<Answer> {
        let told = report.answers.get(&field)?;
        let basis = self.teller().text(
            "draft-basis-reported",
            &[
                ("subject", &plain_line(&report.subject)),
                ("made", &self.teller().time(report.made_at)),
                ("package", &report.package.short()),
            ],
        );
        let source = Source::Told { basis };
        // What they were sure of is for this side what they said.
        let status = match told.status {
            AnswerStatus::Confirmed | AnswerStatus::Estimated => AnswerStatus::Estimated,
            AnswerStatus::Unknown => AnswerStatus::Unknown,
            AnswerStatus::Investigating => AnswerStatus::Investigating,
        };
        Some(Answer {
            value: told.value.clone(),
            status,
            source,
            as_of: told.as_of,
            revision: Revision::default(),
            reason: String::new(),
        })
    }

    /// What the institution is, as the register has it.
    fn institution(&self, there: &Details) -> Answer {
        let lines = vec![
            self.line("draft-facility-name", &there.name),
            self.line("draft-facility-kind", &self.locale.text(there.kind.label_key())),
        ];
        self.registered(Value::Lines { lines }, true)
    }

    /// Where it is and whom to ask there.
    fn reached(&self, there: &Details) -> Answer {
        let known = [
            ("draft-facility-address", &there.address),
            ("draft-facility-code", &there.code),
            ("draft-institution-person", &there.person),
            ("draft-institution-phone", &there.phone),
        ];
        let is_known = known.iter().any(|(_, text)| !text.trim().is_empty());
        let lines = known.map(|(key, text)| self.line(key, text)).to_vec();
        self.registered(Value::Lines { lines }, is_known)
    }

    fn heard_how(&self, story: &CaseStory<'_>) -> Answer {
        let heard = &story.file.case.heard;
        let text = self.teller().text(
            "draft-heard",
            &[
                ("from", &plain_line(&heard.from)),
                ("what", &shortened(&heard.what)),
                ("taken", &plain_line(&heard.taken_by)),
            ],
        );
        let label = self.locale.text(heard.way.label_key());
        let mut lines = vec![Line { at: Some(heard.at), label, text }];
        let came = story.file.letters.iter().filter(|letter| letter.came);
        lines.extend(came.map(|letter| Line {
            at: Some(letter.made_at),
            label: self.locale.text(&letter.kind.label_key()),
            text: plain_line(&letter.subject),
        }));
        lines.truncate(LINES_MAX);
        self.of_record(lines, story, &BTreeSet::new())
    }

    fn legal_basis(&self, story: &CaseStory<'_>) -> Answer {
        let standing = story.file.standing();
        let resting = standing.filter(|entry| !entry.said.legal_basis.trim().is_empty());
        let entries: Vec<&Entry> = resting.collect();
        let mut bases: Vec<String> = Vec::new();
        for basis in entries
            .iter()
            .map(|entry| plain_line(&entry.said.legal_basis))
        {
            if !bases.contains(&basis) {
                bases.push(basis);
            }
        }
        if bases.is_empty() {
            return self.said(Value::Nothing, AnswerStatus::Unknown, "", []);
        }
        let numbers = entries.iter().map(|entry| entry.n).collect();
        let mut answer = self.of_record(Vec::new(), story, &numbers);
        answer.value = Value::text(bases.join("\n"));
        answer.status = AnswerStatus::Confirmed;
        answer
    }

    /// What the record holds under a heading: facts and answers.
    fn found(&self, story: &CaseStory<'_>, heading: Heading) -> Answer {
        let fits = |entry: &&Entry| {
            entry.said.heading == heading
                && matches!(entry.said.kind, EntryKind::Fact | EntryKind::Answer)
        };
        self.entries(story, story.file.standing().filter(fits).collect())
    }

    /// What was asked and told to do, and what came of it.
    fn guidance(&self, story: &CaseStory<'_>) -> Answer {
        let fits = |entry: &&Entry| {
            matches!(entry.said.kind, EntryKind::Question | EntryKind::Guidance)
                || (entry.said.kind == EntryKind::Answer && entry.said.heading == Heading::General)
        };
        self.entries(story, story.file.standing().filter(fits).collect())
    }

    fn entries(&self, story: &CaseStory<'_>, entries: Vec<&Entry>) -> Answer {
        let line = |entry: &&Entry| {
            let kind = self.locale.text(entry.said.kind.label_key());
            let label = self.teller().text(
                "draft-entry-label",
                &[("on", &entry.said.on), ("kind", &kind), ("n", &entry.n)],
            );
            Line { at: None, label, text: self.with_source(entry, story) }
        };
        let mut lines: Vec<Line> = entries.iter().map(line).collect();
        if LINES_MAX < lines.len() {
            lines = lines.split_off(lines.len() - LINES_MAX);
        }
        let numbers = entries.iter().map(|entry| entry.n).collect();
        self.of_record(lines, story, &numbers)
    }

    fn with_source(&self, entry: &Entry, story: &CaseStory<'_>) -> String {
        use crate::cases::Source;
        let source = match &entry.said.source {
            Source::Told { by } => plain_line(by),
            Source::Page { at } => plain_line(at),
            Source::Own => self.locale.text("case-source-own"),
            Source::Package { id } => {
                let letter = story.file.letters.iter().find(|letter| letter.id == *id);
                letter.map_or_else(|| id.short().to_owned(), |letter| plain_line(&letter.subject))
            }
        };
        self.teller().text(
            "draft-entry-text",
            &[("text", &shortened(&entry.said.text)), ("source", &source)],
        )
    }

    fn of_record(
        &self,
        lines: Vec<Line>,
        story: &CaseStory<'_>,
        entries: &BTreeSet<u32>,
    ) -> Answer {
        let file = story.file;
        let used = file
            .entries
            .iter()
            .filter(|entry| entries.contains(&entry.n));
        let as_of = used
            .map(|entry| entry.at)
            .max()
            .unwrap_or(file.case.opened_at);
        let numbers: Vec<String> = entries.iter().map(u32::to_string).collect();
        let numbers = numbers.join(&self.locale.text("draft-comma"));
        let key = if entries.is_empty() { "draft-basis-case" } else { "draft-basis-record" };
        let basis = self
            .teller()
            .text(key, &[("number", &file.case.number), ("entries", &numbers)]);
        let (status, value) = if lines.is_empty() {
            (AnswerStatus::Investigating, Value::Nothing)
        } else {
            (AnswerStatus::Confirmed, Value::Lines { lines })
        };
        let source = Source::Told { basis };
        let (revision, reason) = (Revision::default(), String::new());
        Answer { value, status, source, as_of, revision, reason }
    }
}

fn shortened(text: &str) -> String {
    let line = plain_line(text);
    if line.chars().count() <= LINE_MAX_CHARS {
        return line;
    }
    let kept: String = line.chars().take(LINE_MAX_CHARS).collect();
    format!("{kept}…")
}
