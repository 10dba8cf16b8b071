//! Makes a document out of frozen answers, without deciding on a file format.
//!
//! ```text
//! frozen answers + stage ─▶ Document (headings, tables, marks, footer; all text ready) ─▶ pdf
//! ```
//!
//! Always holds:
//! - the same frozen answers at the same stage give the same document;
//! - every text in it went through [`text::plain`]: no control, bidirectional or invisible character is left;
//! - a draft says 下書き, a drill says 訓練, what nobody confirmed says 未確認.

mod body;
pub mod fonts;
pub mod pdf;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::answer::{Answer, RecordRef, Source};
use super::fields::Field;
use super::profile::{Contact, Profile};
use super::text::{self, plain, plain_line};
use crate::approval::{Frozen, OwnAnswers};
use crate::locale::{Lang, Locale};

/// Hexadecimal digits of a hash in its short form, in groups of four.
const SHORT_HASH_DIGITS: usize = 16;

/// How far a report is when it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nobody released it.
    Draft {
        /// When it was looked at.
        at: Timestamp,
    },
    /// It awaits a decision.
    Submitted {
        /// When it was submitted.
        at: Timestamp,
    },
    /// A named person released it.
    Approved {
        /// The name as printed.
        by: String,
        /// When.
        at: Timestamp,
        /// Whether the approver is an author too.
        own_answers: OwnAnswers,
    },
}

impl Stage {
    /// Returns the moment the document is dated by.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Draft { at } | Self::Submitted { at } | Self::Approved { at, .. } => *at,
        }
    }
}

/// A document, ready for any renderer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `ja` or `en`.
    pub lang: &'static str,
    /// Its heading.
    pub title: String,
    /// Words that stand across every page, none for a real, approved report.
    pub marks: Vec<String>,
    /// What stands at the head of every page.
    pub header: Header,
    /// The head of the letter.
    pub letter: Letter,
    /// Column titles of the items.
    pub columns: Vec<String>,
    /// The fields, in the profile's order.
    pub items: Vec<Item>,
    /// Tables that follow on pages of their own.
    pub annexes: Vec<Annex>,
    /// What stands at the foot of every page.
    pub footer: Footer,
}

/// The head of every page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Who reports, and which incident.
    pub left: String,
    /// That it is an exercise, or a draft.
    pub right: String,
}

/// The head of the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Number and date.
    pub date: Vec<String>,
    /// Whom it goes to.
    pub addressee: Vec<String>,
    /// Who sends it.
    pub sender: Vec<String>,
    /// What is said first.
    pub opening: String,
    /// Law and time, as label and text.
    pub duty: Vec<(String, String)>,
    /// What stands in the middle before the items.
    pub marker: String,
}

/// One field as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its place in the document.
    pub place: usize,
    /// Its label.
    pub label: String,
    /// 確認済, 推定, 不明 or 調査中.
    pub status: String,
    /// The same as a code, for the look of it.
    pub status_code: &'static str,
    /// What is said.
    pub blocks: Vec<Block>,
    /// Who says so, from what, as of when.
    pub basis: String,
}

/// A part of what is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "block", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph {
        /// Its text; line ends are kept.
        text: String,
    },
    /// Choices of which some are ticked.
    Choices {
        /// Each with whether it is ticked.
        choices: Vec<(String, bool)>,
    },
    /// A small table.
    Table {
        /// The width of each column as a share; 0 is as wide as its content.
        widths: Vec<u8>,
        /// Column titles; none for a table that explains itself.
        head: Vec<String>,
        /// Its rows, all of one length.
        rows: Vec<Vec<String>>,
    },
}

/// A table on pages of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annex {
    /// Its heading.
    pub title: String,
    /// What is said before it.
    pub intro: String,
    /// The width of each column, as a share.
    pub widths: Vec<u8>,
    /// Column titles.
    pub head: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

/// The foot of every page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Footer {
    /// Hash of the answers, short and full, with its label.
    pub hash: String,
    /// Revision, profile and who approved it.
    pub record: String,
}

/// Makes the document.
#[must_use]
pub fn document(
    frozen: &Frozen,
    profile: &Profile,
    answers_sha256: &str,
    stage: &Stage,
    locale: Locale,
) -> Document {
    let maker = Maker { frozen, profile, answers_sha256, stage, locale, records: records(frozen) };
    Document {
        lang: locale.lang().as_str(),
        title: plain_line(profile.body.title.in_lang(locale.lang())),
        marks: maker.marks(),
        header: maker.header(),
        letter: maker.letter(),
        columns: ["column-place", "column-item", "column-content", "column-status"]
            .map(|key| locale.text(key))
            .to_vec(),
        items: maker.items(),
        annexes: maker.annexes(),
        footer: maker.footer(),
    }
}

/// Returns a hash in the form people compare: its first digits in groups.
#[must_use]
pub fn short_hash(hash: &str) -> String {
    let digits: Vec<char> = hash.chars().take(SHORT_HASH_DIGITS).collect();
    let groups: Vec<String> = digits
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// Every record any answer stands on, each once, by time, with its number in the list of sources.
fn records(frozen: &Frozen) -> BTreeMap<&RecordRef, usize> {
    let mut records: BTreeMap<&RecordRef, usize> = frozen
        .answers
        .iter()
        .flat_map(|entry| entry.answer.source.records())
        .map(|record| (record, 0))
        .collect();
    for (index, number) in records.values_mut().enumerate() {
        *number = index + 1;
    }
    records
}

struct Maker<'a> {
    frozen: &'a Frozen,
    profile: &'a Profile,
    answers_sha256: &'a str,
    stage: &'a Stage,
    locale: Locale,
    records: BTreeMap<&'a RecordRef, usize>,
}

impl Maker<'_> {
    fn marks(&self) -> Vec<String> {
        let drill = self.frozen.drill.map(|_| self.locale.text("mark-drill"));
        let draft = match self.stage {
            Stage::Draft { .. } | Stage::Submitted { .. } => Some(self.locale.text("mark-draft")),
            Stage::Approved { .. } => None,
        };
        drill.into_iter().chain(draft).collect()
    }

    fn header(&self) -> Header {
        let left = self.locale.text_with(
            "header-left",
            &[("facility", &self.sender_name()), ("number", &self.frozen.incident.number)],
        );
        let drill = self.frozen.drill.map(|_| self.locale.text("header-drill"));
        let stage = match self.stage {
            Stage::Draft { .. } => Some(self.locale.text("header-draft")),
            Stage::Submitted { .. } => Some(self.locale.text("header-submitted")),
            Stage::Approved { own_answers: OwnAnswers::None, .. } => None,
            Stage::Approved { own_answers: OwnAnswers::Some, .. } => {
                Some(self.locale.text("header-own-answers"))
            }
        };
        let right = drill
            .into_iter()
            .chain(stage)
            .collect::<Vec<_>>()
            .join("　");

        Header { left, right }
    }

    fn letter(&self) -> Letter {
        let body = &self.profile.body;
        let lang = self.locale.lang();
        let reference = self.locale.text_with(
            "letter-reference",
            &[("number", &self.frozen.incident.number), ("revision", &self.frozen.revision)],
        );
        let contact = self.profile.contact(self.stage.at());
        let mut sender = vec![self.sender_name()];
        if !self.frozen.sender.director.is_empty() {
            let director = plain_line(&self.frozen.sender.director);
            sender.push(
                self.locale
                    .text_with("letter-director", &[("name", &director)]),
            );
        }
        let doubt = self.doubt(body.duty.confidence.is_doubtful());
        let mut duty = vec![
            (self.locale.text("letter-basis"), plain(body.duty.legal_basis.in_lang(lang)) + &doubt),
            (self.locale.text("letter-deadline"), plain(body.duty.deadline.in_lang(lang)) + &doubt),
        ];
        if let Some(contact) = contact {
            duty.push((self.locale.text("letter-contact"), self.contact_line(contact)));
        }

        Letter {
            date: vec![reference, self.date(self.stage.at())],
            addressee: contact.map_or_else(
                || vec![self.locale.text("addressee-missing")],
                |contact| self.addressee(contact),
            ),
            sender,
            opening: plain(body.opening.in_lang(lang)),
            duty,
            marker: self.locale.text("letter-marker"),
        }
    }

    fn addressee(&self, contact: &Contact) -> Vec<String> {
        let office = plain_line(contact.office.in_lang(self.locale.lang()));
        let mut lines = vec![self.locale.text_with("addressee", &[("office", &office)])];
        if contact.confidence.is_doubtful() {
            lines.push(self.locale.text_with(
                "addressee-doubt",
                &[("day", &contact.last_verified), ("url", &plain_line(&contact.source_url))],
            ));
        }
        lines
    }

    fn contact_line(&self, contact: &Contact) -> String {
        let empty = self.locale.text("contact-empty");
        let or_empty = |text: &str| if text.is_empty() { empty.clone() } else { plain_line(text) };
        self.locale.text_with(
            "contact-line",
            &[("phone", &or_empty(&contact.phone)), ("mail", &or_empty(&contact.mail))],
        )
    }

    fn doubt(&self, is_doubtful: bool) -> String {
        if is_doubtful { self.locale.text("doubtful") } else { String::new() }
    }

    fn items(&self) -> Vec<Item> {
        let fields = self.profile.body.fields.iter().enumerate();
        fields
            .map(|(index, &field)| self.item(index + 1, field))
            .collect()
    }

    fn item(&self, place: usize, field: Field) -> Item {
        let label = self
            .profile
            .label(field, self.locale.lang())
            .map_or_else(|| self.locale.text(&field.label_key()), plain_line);
        match self.frozen.answer(field) {
            Some(answer) => Item {
                place,
                label,
                status: self.locale.text(answer.status.label_key()),
                status_code: answer.status.as_str(),
                blocks: body::blocks(field, &answer.value, self.locale),
                basis: self.basis(answer),
            },
            None => Item {
                place,
                label,
                status: self.locale.text("status-open"),
                status_code: "open",
                blocks: vec![Block::Paragraph { text: self.open_text(field) }],
                basis: String::new(),
            },
        }
    }

    fn open_text(&self, field: Field) -> String {
        match field {
            Field::ReportedAt => self.locale.text("open-reported-at"),
            Field::Facility
            | Field::People
            | Field::Kind
            | Field::Summary
            | Field::OccurredAt
            | Field::DetectedAt
            | Field::Discovery
            | Field::Systems
            | Field::ServiceState
            | Field::CareImpact
            | Field::CareHindered
            | Field::DataLeak
            | Field::Timeline
            | Field::FirstResponse
            | Field::Contacted
            | Field::HelpRequested => self.locale.text("open-field"),
        }
    }

    fn basis(&self, answer: &Answer) -> String {
        let at = self.time(answer.as_of);
        let said = plain_line(answer.source.basis());
        let who = match &answer.source {
            Source::Machine { .. } => self.locale.text_with("basis-machine", &[("at", &at)]),
            Source::Person { name, .. } => {
                let name = plain_line(name);
                self.locale
                    .text_with("basis-person", &[("name", &name), ("at", &at)])
            }
            Source::MasterData => self.locale.text("basis-master-data"),
        };
        let numbers: Vec<String> = answer
            .source
            .records()
            .iter()
            .filter_map(|record| self.records.get(record))
            .map(|number| format!("[{number}]"))
            .collect();
        let records = if numbers.is_empty() {
            String::new()
        } else {
            self.locale
                .text_with("basis-records", &[("numbers", &numbers.concat())])
        };
        [who, said, records]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn annexes(&self) -> Vec<Annex> {
        let mut annexes: Vec<Annex> = self
            .profile
            .body
            .annexes
            .iter()
            .filter_map(|&field| Some((field, self.frozen.answer(field)?)))
            .map(|(field, answer)| self.lines_annex(field, answer))
            .collect();
        if !self.records.is_empty() {
            annexes.push(self.sources());
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
            widths: vec![4, 16, 9, 11, 4, 14],
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

    /// How the document came to be: what a reader needs to check a paper copy.
    fn record(&self) -> Annex {
        let locale = self.locale;
        let frozen = self.frozen;
        let authors: Vec<String> = frozen
            .authors
            .iter()
            .map(|author| plain_line(&author.name))
            .collect();
        let authors =
            if authors.is_empty() { locale.text("record-no-authors") } else { authors.join("、") };
        let decision = match self.stage {
            Stage::Draft { .. } => locale.text("record-draft"),
            Stage::Submitted { at } => {
                locale.text_with("record-submitted", &[("at", &self.time(*at))])
            }
            Stage::Approved { by, at, own_answers } => {
                let key = match own_answers {
                    OwnAnswers::None => "record-approved",
                    OwnAnswers::Some => "record-approved-own",
                };
                locale.text_with(key, &[("name", &plain_line(by)), ("at", &self.time(*at))])
            }
        };
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

    fn footer(&self) -> Footer {
        let locale = self.locale;
        let approval = match self.stage {
            Stage::Draft { .. } | Stage::Submitted { .. } => locale.text("footer-not-approved"),
            Stage::Approved { by, at, own_answers } => {
                let key = match own_answers {
                    OwnAnswers::None => "footer-approved",
                    OwnAnswers::Some => "footer-approved-own",
                };
                locale.text_with(key, &[("name", &plain_line(by)), ("at", &self.time(*at))])
            }
        };
        let version: String = self.profile.version.chars().take(12).collect();

        Footer {
            hash: locale.text_with(
                "footer-hash",
                &[("short", &short_hash(self.answers_sha256)), ("full", &self.answers_sha256)],
            ),
            record: locale.text_with(
                "footer-record",
                &[
                    ("revision", &self.frozen.revision),
                    ("approval", &approval),
                    ("profile", &self.profile.body.id),
                    ("version", &version),
                ],
            ),
        }
    }

    fn sender_name(&self) -> String {
        let sender = &self.frozen.sender;
        if sender.name.is_empty() {
            return sender.facility.to_string();
        }
        plain_line(&sender.name)
    }

    fn time(&self, at: Timestamp) -> String {
        shown_time(at, self.locale.lang())
    }

    fn date(&self, at: Timestamp) -> String {
        match self.locale.lang() {
            Lang::Ja => text::japanese_date(at),
            Lang::En => text::form_time(at).chars().take(10).collect(),
        }
    }
}

/// Tells a moment the way a document in this language does.
pub(super) fn shown_time(at: Timestamp, lang: Lang) -> String {
    match lang {
        Lang::Ja => text::japanese_time(at),
        Lang::En => text::zoned_time(at),
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
