//! The answers of a report as they are read: value, certainty, source, evidence.

use crate::console::incident::record_anchor;
use crate::console::ui::{Badge, Tone};
use crate::locale::{Locale, japan_time};
use crate::reports::Sheet;
use crate::reports::answer::{
    Answer, AnswerStatus, Flood, Range, RecordRef, Row, Source, System, Value,
};
use crate::reports::fields::{Cell, Field};
use crate::reports::profile::Profile;

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

pub(super) fn status_badge(status: Option<AnswerStatus>, locale: Locale) -> Badge {
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

pub(super) fn said_by(answer: &Answer, locale: Locale) -> String {
    let at = japan_time(answer.as_of);
    let who = match &answer.source {
        Source::Machine { .. } => locale.text("answer-by-machine"),
        Source::Person { name, .. } => name.clone(),
        Source::Told { .. } => locale.text("answer-by-told"),
        Source::MasterData => locale.text("answer-by-master-data"),
    };
    locale.text_with("answer-by", &[("who", &who), ("time", &at), ("revision", &answer.revision)])
}

fn evidence(answer: &Answer, locale: Locale) -> Vec<(String, String)> {
    let link = |record: &RecordRef| {
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
