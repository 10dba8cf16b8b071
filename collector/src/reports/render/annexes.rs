//! What follows the letter: timeline, sources, and how the document came to be.

use super::{Annex, Attachment, Maker, body, plain_line, short_hash};
use crate::approval::FormerAnswer;
use crate::reports::answer::{Answer, Value};
use crate::reports::fields::Field;

impl Maker<'_> {
    pub(super) fn annexes(&self, attachments: &[Attachment]) -> Vec<Annex> {
        let mut annexes: Vec<Annex> = self
            .profile
            .body
            .annexes
            .iter()
            .filter_map(|&field| Some((field, self.frozen.answer(field)?)))
            .map(|(field, answer)| self.lines_annex(field, answer))
            .collect();
        annexes.extend(self.changes());
        // The list of sources names the servers.
        if !self.records.is_empty() && !self.profile.body.anonymous {
            annexes.push(self.sources());
        }
        if !attachments.is_empty() {
            annexes.push(self.files(attachments));
        }
        annexes.push(self.record());
        for (index, annex) in annexes.iter_mut().enumerate() {
            let number = index + 1;
            annex.title = self
                .locale
                .text_with("annex-title", &[("number", &number), ("title", &annex.title)]);
        }
        annexes
    }

    fn lines_annex(&self, field: Field, answer: &Answer) -> Annex {
        if let Value::Rows { rows } = &answer.value {
            let (head, rows) = body::table(field, rows, self.locale);
            let widths = vec![1; head.len()];
            let title = self.locale.text(&field.label_key());
            return Annex { title, intro: self.basis(answer), widths, head, rows };
        }
        let rows = body::rows(&answer.value)
            .map(|(at, label, said)| {
                vec![at.map(|at| self.time(at)).unwrap_or_default(), label, said]
            })
            .collect();
        Annex {
            title: self.locale.text(&field.label_key()),
            intro: self.basis(answer),
            widths: vec![13, 9, 22],
            head: ["column-time", "column-where", "column-what"]
                .map(|key| self.locale.text(key))
                .to_vec(),
            rows,
        }
    }

    /// What reads otherwise than in the report before, if there is one.
    fn changes(&self) -> Option<Annex> {
        let former = self.frozen.former.as_ref()?;
        let locale = self.locale;
        let said = |field: Field, answer: Option<&Answer>| match answer {
            Some(answer) => {
                let status = locale.text(answer.status.label_key());
                let text = body::in_one(&body::blocks(field, &answer.value, locale));
                format!("［{status}］{text}")
            }
            None => locale.text("changes-nothing"),
        };
        let row = |changed: &FormerAnswer| {
            let field = changed.field;
            vec![
                self.label(field),
                said(field, changed.answer.as_ref()),
                said(field, self.frozen.answer(field)),
            ]
        };
        let mut rows: Vec<Vec<String>> = former.changed.iter().map(row).collect();
        if rows.is_empty() {
            rows.push(vec![locale.text("changes-none"), String::new(), String::new()]);
        }
        Some(Annex {
            title: locale.text("changes-title"),
            intro: locale.text_with(
                "changes-intro",
                &[
                    ("number", &former.number),
                    ("at", &self.time(former.submitted_at)),
                    ("hash", &short_hash(&former.answers_sha256)),
                ],
            ),
            widths: vec![8, 17, 17],
            head: ["column-item", "changes-before", "changes-now"]
                .map(|key| locale.text(key))
                .to_vec(),
            rows,
        })
    }

    fn sources(&self) -> Annex {
        let mut rows: Vec<(usize, Vec<String>)> = self
            .records
            .iter()
            .map(|(record, &number)| {
                let cells = vec![
                    format!("[{number}]"),
                    self.time(record.at),
                    plain_line(&record.host_name),
                    self.locale.text(&body::kind_key(&record.kind)),
                    record.sequence.to_string(),
                    short_hash(&plain_line(&record.hash)),
                ];
                (number, cells)
            })
            .collect();
        rows.sort_by_key(|(number, _)| *number);
        Annex {
            title: self.locale.text("sources-title"),
            intro: self.locale.text("sources-intro"),
            widths: vec![4, 17, 8, 10, 4, 15],
            head: [
                "column-record",
                "column-time",
                "column-host",
                "column-kind",
                "column-sequence",
                "column-hash",
            ]
            .map(|key| self.locale.text(key))
            .to_vec(),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        }
    }

    /// The files that go with the document, each with its hash.
    fn files(&self, attachments: &[Attachment]) -> Annex {
        let row = |(index, file): (usize, &Attachment)| {
            let values: [(&str, &dyn std::fmt::Display); 4] = [
                ("name", &file.name),
                ("title", &file.title),
                ("entries", &file.entries),
                ("hash", &file.sha256),
            ];
            vec![(index + 1).to_string(), self.locale.text_with("files-row", &values)]
        };
        Annex {
            title: self.locale.text("files-title"),
            intro: self.locale.text("files-intro"),
            widths: vec![1, 12],
            head: ["column-place", "column-file"]
                .map(|key| self.locale.text(key))
                .to_vec(),
            rows: attachments.iter().enumerate().map(row).collect(),
        }
    }

    /// How the document came to be: what a reader needs to check a paper copy.
    fn record(&self) -> Annex {
        let locale = self.locale;
        let frozen = self.frozen;
        let authors: Vec<String> = frozen
            .authors
            .iter()
            .map(|author| plain_line(&author.name))
            .collect();
        let authors = if self.profile.body.anonymous {
            locale.text("sender-anonymous")
        } else if authors.is_empty() {
            locale.text("record-no-authors")
        } else {
            authors.join("、")
        };
        let decision = self.approval_record();
        let duty = &self.profile.body.duty;
        let rows = [
            ("record-report", frozen.report.to_string()),
            ("record-revision", frozen.revision.to_string()),
            ("record-incident", format!("{} ({})", frozen.incident.number, frozen.incident.id)),
            ("record-authors", authors),
            ("record-decision", decision),
            ("record-hash", self.answers_sha256.to_owned()),
            ("record-profile", format!("{} {}", frozen.profile.id, frozen.profile.version)),
            (
                "record-source",
                locale.text_with(
                    "record-source-text",
                    &[("url", &plain_line(&duty.source_url)), ("day", &duty.last_verified)],
                ),
            ),
        ];
        Annex {
            title: locale.text("record-title"),
            intro: locale.text("record-intro"),
            widths: vec![3, 14],
            head: ["column-item", "column-content"]
                .map(|key| locale.text(key))
                .to_vec(),
            rows: rows
                .into_iter()
                .map(|(key, value)| vec![locale.text(key), value])
                .collect(),
        }
    }
}
