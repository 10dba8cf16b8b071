//! A report: its answers with their source and evidence, and the decision on it.

mod answer;

pub use answer::{AnswerPage, Takes, Typed};

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;

use shirase_shared::ids::{IncidentId, ReportId, UserId};

use super::delivery::DeliveryRow;
use super::frame::Frame;
use super::incident::{record_anchor, report_badge};
use super::ui::{Badge, Tone};
use crate::approval::{Decision, DecisionRecord, Format, Former, OwnAnswers, Submission};
use crate::locale::{Locale, japan_time};
use crate::reports::answer::{
    Answer, AnswerStatus, Flood, Range, RoundKind, Row, Source, System, Value,
};
use crate::reports::fields::{Cell, Field};
use crate::reports::profile::Profile;
use crate::reports::{Report, ReportStatus, Sheet};

/// A report.
#[derive(Template)]
#[template(path = "report.html")]
pub struct ReportPage {
    /// What stands around it.
    pub f: Frame,
    /// Which.
    pub id: ReportId,
    /// Heading of the document.
    pub title: String,
    /// The law and the time it serves.
    pub duty: String,
    /// How far it is.
    pub status: Badge,
    /// The revision shown.
    pub revision: u32,
    /// The incident it tells.
    pub incident: IncidentId,
    /// Whether it is an exercise.
    pub drill: bool,
    /// When it last changed.
    pub updated: String,
    /// Its answers, in the order in which the addressee reads them.
    pub answers: Vec<AnswerView>,
    /// What is asked of the reader.
    pub ask: Ask,
    /// Hash of the frozen answers, while a decision is awaited or taken.
    pub answers_sha256: String,
    /// Who submitted it and when, in words.
    pub submitted: String,
    /// Decisions so far, the newest first.
    pub decisions: Vec<DecisionView>,
    /// Answers that are open, to be seen before submitting.
    pub open: usize,
    /// Names of the official forms that can be filled with it.
    pub forms: Vec<String>,
    /// 第n報 and its kind.
    pub round: String,
    /// What reads otherwise than in the report before.
    pub changes: Option<ChangesView>,
    /// Reports that can follow it.
    pub next: Vec<NextRound>,
    /// Whether it is released: it can be delivered then.
    pub released: bool,
    /// What became of it: its deliveries, the newest first.
    pub deliveries: Vec<DeliveryRow>,
}

impl ReportPage {
    /// The kinds of file the report can be had as, each with the key of its words.
    fn files(&self) -> impl Iterator<Item = (Format, &'static str)> {
        Format::ALL
            .into_iter()
            .map(|format| (format, file_words(format)))
    }
}

const fn file_words(format: Format) -> &'static str {
    match format {
        Format::Pdf => "report-file-pdf",
        Format::Docx => "report-file-docx",
        Format::Xlsx => "report-file-xlsx",
        Format::Html => "report-file-html",
        Format::Json => "report-file-json",
        Format::Eml => "report-file-eml",
        Format::TimelineCsv => "report-file-timeline",
        Format::HostsCsv => "report-file-hosts",
        Format::IndicatorsCsv => "report-file-indicators",
        Format::IndicatorsStix => "report-file-stix",
        Format::DamageCsv => "report-file-damage",
    }
}

/// What reads otherwise than in the report before.
pub struct ChangesView {
    /// Which report that was and when, in words.
    pub since: String,
    /// Label of each field with its number, what was said and what is said now.
    pub changed: Vec<ChangeView>,
}

/// One field that reads otherwise.
pub struct ChangeView {
    /// Number of the field.
    pub number: u8,
    /// What is asked.
    pub label: String,
    /// How sure the report before was, and what it said.
    pub before: (Badge, Vec<String>),
    /// The same now.
    pub now: (Badge, Vec<String>),
}

impl ChangesView {
    /// Shows what reads otherwise.
    #[must_use]
    pub fn of(former: &Former, answers: &BTreeMap<Field, Answer>, locale: Locale) -> Self {
        let said = |field: Field, answer: Option<&Answer>| {
            let lines = answer.map(|answer| value_lines(field, &answer.value, locale));
            let badge = status_badge(answer.map(|answer| answer.status), locale);
            (badge, lines.unwrap_or_default())
        };
        let changed = former.changed.iter().map(|changed| ChangeView {
            number: changed.field.number(),
            label: locale.text(&changed.field.label_key()),
            before: said(changed.field, changed.answer.as_ref()),
            now: said(changed.field, answers.get(&changed.field)),
        });
        Self {
            since: locale.text_with(
                "changes-since",
                &[("number", &former.number), ("time", &japan_time(former.submitted_at))],
            ),
            changed: changed.collect(),
        }
    }
}

/// A report that can follow another.
pub struct NextRound {
    /// The profile it follows.
    pub profile: String,
    /// Which kind of report.
    pub kind: RoundKind,
    /// What it is called.
    pub label: String,
}

impl NextRound {
    /// Shows every kind of report a profile serves.
    #[must_use]
    pub fn all(profile: &Profile, locale: Locale) -> Vec<Self> {
        let title = profile.body.title.in_lang(locale.lang());
        let kinds = profile.body.round.kinds().iter();
        kinds
            .map(|kind| Self {
                profile: profile.body.id.clone(),
                kind: *kind,
                label: format!("{}: {title}", locale.text(kind.label_key())),
            })
            .collect()
    }
}

/// Says which of the reports to its addressee a report is.
#[must_use]
pub fn round_words(report: &Report, locale: Locale) -> String {
    let kind = locale.text(report.round.kind.label_key());
    locale.text_with("round-number", &[("kind", &kind), ("number", &report.round.number)])
}

/// What the reader of a report may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Correct and submit it.
    Correct,
    /// Approve or reject it.
    Decide,
    /// Reject it only: their own answers stand in it.
    Own,
    /// Nothing.
    Nothing,
}

/// What decides on [`Ask`].
pub struct Asked {
    /// How far the report is.
    pub status: ReportStatus,
    /// Whether the reader may correct.
    pub author: bool,
    /// Whether the reader may approve.
    pub approver: bool,
    /// Whether the rules would take their approval.
    pub stands: bool,
}

impl Ask {
    /// Decides what is asked of somebody.
    #[must_use]
    pub const fn of(asked: &Asked) -> Self {
        match asked.status {
            ReportStatus::Draft if asked.author => Self::Correct,
            ReportStatus::Submitted if asked.approver && asked.stands => Self::Decide,
            ReportStatus::Submitted if asked.approver => Self::Own,
            ReportStatus::Draft
            | ReportStatus::Submitted
            | ReportStatus::Approved
            | ReportStatus::Withdrawn => Self::Nothing,
        }
    }
}

/// One answer as shown.
pub struct AnswerView {
    /// The heading of its group, if it is the first of one.
    pub heading: String,
    /// Number of its field.
    pub number: u8,
    /// What is asked.
    pub label: String,
    /// How sure it is.
    pub status: Badge,
    /// What is said, a line each.
    pub lines: Vec<String>,
    /// Who says so and as of when.
    pub by: String,
    /// What it rests on, in words.
    pub basis: String,
    /// The records it rests on: words and where they stand in the timeline.
    pub evidence: Vec<(String, String)>,
    /// What the machine would say now, if a person has answered otherwise.
    pub proposal: Vec<String>,
    /// Whether a person may answer it.
    pub editable: bool,
}

/// Shows the answers of a report in a profile's order.
#[must_use]
pub fn answer_views(sheet: &Sheet, profile: &Profile, locale: Locale) -> Vec<AnswerView> {
    let fields = profile.body.fields.iter().chain(&profile.body.annexes);
    let view = |field: &Field| {
        let answer = sheet.answers.get(field);
        let proposal = sheet.proposals.get(field);
        let label = profile.label(*field, locale.lang());
        let heading = profile.body.heading_before(*field);
        AnswerView {
            heading: heading
                .map(|words| words.in_lang(locale.lang()).to_owned())
                .unwrap_or_default(),
            number: field.number(),
            label: label.map_or_else(|| locale.text(&field.label_key()), str::to_owned),
            status: status_badge(answer.map(|answer| answer.status), locale),
            lines: answer
                .map(|answer| value_lines(*field, &answer.value, locale))
                .unwrap_or_default(),
            by: answer
                .map(|answer| said_by(answer, locale))
                .unwrap_or_default(),
            basis: answer
                .map(|answer| answer.source.basis().to_owned())
                .unwrap_or_default(),
            evidence: answer
                .map(|answer| evidence(answer, locale))
                .unwrap_or_default(),
            proposal: proposal
                .map(|proposal| value_lines(*field, &proposal.value, locale))
                .unwrap_or_default(),
            editable: field.is_answered_by_people(),
        }
    };
    fields.map(view).collect()
}

fn status_badge(status: Option<AnswerStatus>, locale: Locale) -> Badge {
    let tone = match status {
        Some(AnswerStatus::Confirmed) => Tone::Well,
        Some(AnswerStatus::Estimated) => Tone::Medium,
        Some(AnswerStatus::Unknown | AnswerStatus::Investigating) | None => Tone::Quiet,
    };
    let key = status.map_or("status-open", AnswerStatus::label_key);
    Badge { tone, text: locale.text(key) }
}

/// Puts a value into lines for reading.
pub(crate) fn value_lines(field: Field, value: &Value, locale: Locale) -> Vec<String> {
    match value {
        Value::Nothing => Vec::new(),
        Value::Text { text } => text.lines().map(str::to_owned).collect(),
        Value::DateTime { at } => vec![japan_time(*at)],
        Value::Dated { chosen, at, note } => {
            let word = chosen
                .as_ref()
                .map(|code| locale.text(&field.choice_key(code)));
            let mut lines: Vec<String> = word.into_iter().chain(at.map(japan_time)).collect();
            lines.extend(note.lines().map(str::to_owned));
            lines
        }
        Value::People { confirmed, maximum, basis } => {
            let count = |key: &str, count: &Option<u64>| {
                let count = count.map_or_else(|| locale.text("part-unknown"), |c| c.to_string());
                format!("{} {count}", locale.text(key))
            };
            let mut lines =
                vec![count("people-confirmed", confirmed), count("people-maximum", maximum)];
            lines.extend(basis.lines().map(str::to_owned));
            lines
        }
        Value::Round { kind, number } => {
            let kind = locale.text(kind.label_key());
            vec![locale.text_with("round-number", &[("kind", &kind), ("number", number)])]
        }
        Value::Flood { flood } => flood_lines(field, flood, locale),
        Value::Rows { rows } => rows
            .iter()
            .map(|row| row_line(field, row, locale))
            .collect(),
        Value::Number { low, high, basis } => {
            let number = if low == high { low.to_string() } else { format!("{low} – {high}") };
            vec![format!("{number} {basis}").trim().to_owned()]
        }
        Value::Choices { chosen, note } => {
            let words: Vec<_> = chosen
                .iter()
                .map(|code| locale.text(&field.choice_key(code)))
                .collect();
            let mut lines = vec![words.join(" / ")];
            lines.extend(note.lines().map(str::to_owned));
            lines.retain(|line| !line.is_empty());
            lines
        }
        Value::Lines { lines } => lines
            .iter()
            .map(|line| {
                let at = line.at.map(japan_time).unwrap_or_default();
                let parts = [at.as_str(), &line.label, &line.text];
                parts
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(" · ")
            })
            .collect(),
        Value::Systems { systems } => systems
            .iter()
            .map(|system| system_line(system, locale))
            .collect(),
    }
}

fn flood_lines(field: Field, flood: &Flood, locale: Locale) -> Vec<String> {
    let kinds: Vec<_> = flood
        .kinds
        .iter()
        .map(|code| locale.text(&field.choice_key(code)))
        .collect();
    let mut lines = vec![kinds.join(" / ")];
    for (key, range) in [
        ("flood-megabits", flood.megabits_per_second),
        ("flood-packets", flood.packets_per_second),
        ("flood-minutes", flood.minutes),
    ] {
        lines.extend(range.map(|Range { low, high }| {
            let ends = if low == high { low.to_string() } else { format!("{low} – {high}") };
            format!("{} {ends}", locale.text(key))
        }));
    }
    lines.extend(flood.mitigation.lines().map(str::to_owned));
    lines.retain(|line| !line.is_empty());
    lines
}

/// Puts one row into words: each cell with the title of its column.
fn row_line(field: Field, row: &Row, locale: Locale) -> String {
    let cells = field.columns().iter().filter_map(|column| {
        let part = row.get(column.code)?;
        let shown = match column.cell {
            Cell::Time => part.parse().map_or_else(|_| part.clone(), japan_time),
            Cell::One(codes) if codes.contains(&part.as_str()) => {
                locale.text(&field.cell_key(column.code, part))
            }
            Cell::One(_) | Cell::Text | Cell::Number => part.clone(),
        };
        Some(format!("{}: {shown}", locale.text(&field.column_key(column.code))))
    });
    cells.collect::<Vec<_>>().join(" · ")
}

fn system_line(system: &System, locale: Locale) -> String {
    let device = system.device(locale);
    [&system.name, &device, &system.role, &system.os, &system.vendor, &system.damage]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn said_by(answer: &Answer, locale: Locale) -> String {
    let at = japan_time(answer.as_of);
    let who = match &answer.source {
        Source::Machine { .. } => locale.text("answer-by-machine"),
        Source::Person { name, .. } => name.clone(),
        Source::MasterData => locale.text("answer-by-master-data"),
    };
    locale.text_with("answer-by", &[("who", &who), ("time", &at), ("revision", &answer.revision)])
}

fn evidence(answer: &Answer, locale: Locale) -> Vec<(String, String)> {
    let link = |record: &crate::reports::answer::RecordRef| {
        let words = locale.text_with(
            "answer-record",
            &[
                ("time", &japan_time(record.at)),
                ("host", &record.host_name),
                ("number", &record.sequence),
            ],
        );
        (words, record_anchor(record.host, record.sequence.0))
    };
    answer.source.records().iter().map(link).collect()
}

/// A decision as shown.
pub struct DecisionView {
    /// What was decided.
    pub decision: Badge,
    /// Which revision.
    pub revision: u32,
    /// Who and when.
    pub by: String,
    /// Why, for a rejection.
    pub reason: String,
    /// That the approver is an author, where it is so.
    pub own: bool,
}

impl DecisionView {
    /// Shows a decision by somebody called `name`.
    #[must_use]
    pub fn of(record: &DecisionRecord, name: &str, locale: Locale) -> Self {
        let decision = match record.decision {
            Decision::Approved => Badge { tone: Tone::Well, text: locale.text("report-approved") },
            Decision::Rejected => {
                Badge { tone: Tone::Medium, text: locale.text("report-rejected") }
            }
        };
        Self {
            decision,
            revision: record.revision.0,
            by: format!("{name} · {}", japan_time(record.decided_at)),
            reason: record.reason.clone(),
            own: record.own_answers == OwnAnswers::Some,
        }
    }
}

/// Says who submitted a report and when.
#[must_use]
pub fn submitted_words(
    submission: &Submission,
    name: impl Fn(UserId) -> String,
    locale: Locale,
) -> String {
    let (who, at) = (name(submission.submitted_by), japan_time(submission.submitted_at));
    locale.text_with("report-submitted-by", &[("who", &who), ("time", &at)])
}

/// Shows how far a report is.
#[must_use]
pub fn badge(status: ReportStatus, locale: Locale) -> Badge {
    report_badge(status, locale)
}

/// Says the law a profile serves, and until when.
#[must_use]
pub fn duty_words(profile: &Profile, now: Timestamp, locale: Locale) -> String {
    let office = profile
        .contact(now)
        .map(|contact| contact.office.in_lang(locale.lang()));
    let title = profile.body.duty.deadline.in_lang(locale.lang());
    [office.unwrap_or_default(), title]
        .join(" · ")
        .trim_matches([' ', '·'])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_whom_as_a_table() {
        use ReportStatus::{Approved, Draft, Submitted};
        let ask =
            |status, author, approver, stands| Ask::of(&Asked { status, author, approver, stands });
        assert_eq!(ask(Draft, true, false, false), Ask::Correct);
        assert_eq!(ask(Draft, false, false, false), Ask::Nothing);
        assert_eq!(ask(Submitted, true, false, false), Ask::Nothing);
        assert_eq!(ask(Submitted, true, true, true), Ask::Decide);
        assert_eq!(ask(Submitted, true, true, false), Ask::Own);
        assert_eq!(ask(Approved, true, true, true), Ask::Nothing);
    }
}
