//! Makes a document out of frozen answers, without deciding on a file format.
//!
//! ```text
//! frozen answers + stage ─▶ Document (headings, tables, marks, footer; all text ready) ─▶ pdf docx xlsx html json eml
//!                                └─ attachments (tables, indicators; each with its hash)
//! ```
//!
//! Always holds:
//! - the same frozen answers at the same stage give the same document;
//! - every text in it went through [`mod@clean`]: no control, bidirectional or invisible character is left, and nothing that
//!   tells of a patient;
//! - the same document gives the same bytes in every format;
//! - a document without a sender names nothing of the house that sends it (see [`mod@nameless`]);
//! - a draft says 下書き, a drill says 訓練, what nobody confirmed says 未確認.

mod annexes;
mod attachments;
mod body;
mod clean;
mod flat;
mod model;
mod nameless;
mod signers;
pub mod archive;
pub mod fonts;
pub mod files;

pub mod pdf;
pub mod docx;
pub mod xlsx;
pub mod html;
pub mod json;
pub mod mail;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answer::{Answer, RecordRef, Source};
use super::fields::Field;
use super::profile::{Contact, Profile};
use super::text;
use crate::approval::{Frozen, OwnAnswers};
use crate::locale::{Lang, Locale};

use clean::{clean as plain, clean_line as plain_line};

pub use clean::{LEFT_OUT, clean, clean_line, no_formula};
pub use flat::{answer_lines, cleaned, said_lines};
pub use model::{Annex, Attachment, Block, Document, Footer, Header, Item, Letter, Record, Table};
pub use nameless::{HouseNames, nameless};
pub use signers::Signer;

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
    /// Named people released it.
    Approved {
        /// When the last of them did.
        at: Timestamp,
        /// Everybody who had to, in the order in which they did.
        signers: Vec<Signer>,
        /// Why one person released it alone, if that is so.
        emergency: Option<String>,
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

    /// Returns its name for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Draft { .. } => "draft",
            Self::Submitted { .. } => "submitted",
            Self::Approved { .. } => "approved",
        }
    }
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
    // Whoever is not told who reports reads no name of the house in a note either.
    let hidden = profile
        .body
        .anonymous
        .then(|| nameless(frozen, HouseNames::default(), locale));
    let frozen = hidden.as_ref().unwrap_or(frozen);
    let maker = Maker { frozen, profile, answers_sha256, stage, locale, records: records(frozen) };
    let attachments = maker.attachments();
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
        annexes: maker.annexes(&attachments),
        footer: maker.footer(),
        record: maker.identity(),
        attachments,
    }
}

/// Returns what the names of all files of a report begin with.
#[must_use]
pub fn file_stem(frozen: &Frozen, profile: &Profile, stage: &Stage) -> String {
    let drill = frozen.drill.map_or("", |_| "-drill");
    let draft = match stage {
        Stage::Draft { .. } | Stage::Submitted { .. } => "-draft",
        Stage::Approved { .. } => "",
    };
    let number = frozen.incident.number;
    let facility =
        if profile.body.anonymous { String::new() } else { format!("{}-", frozen.sender.facility) };
    format!("{facility}incident{number}-revision{}{drill}{draft}", frozen.revision)
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
            Stage::Approved { .. } => self.approval_head(),
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
        let named = !self.profile.body.anonymous;
        if named && !self.frozen.sender.director.is_empty() {
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
        let label = self.label(field);
        let heading = self.profile.body.heading_before(field);
        let heading = heading.map(|words| plain_line(words.in_lang(self.locale.lang())));
        let heading = heading.unwrap_or_default();
        match self.frozen.answer(field) {
            Some(answer) => Item {
                heading,
                place,
                field: field.number(),
                label,
                status: self.locale.text(answer.status.label_key()),
                status_code: answer.status.as_str(),
                blocks: body::blocks(field, &answer.value, self.locale),
                basis: self.basis(answer),
                value: Some(cleaned(&answer.value)),
                as_of: Some(answer.as_of),
            },
            None => Item {
                heading,
                place,
                field: field.number(),
                label,
                status: self.locale.text("status-open"),
                status_code: "open",
                blocks: vec![Block::Paragraph { text: self.open_text(field) }],
                basis: String::new(),
                value: None,
                as_of: None,
            },
        }
    }

    /// What the addressee calls a field, or what everybody does.
    fn label(&self, field: Field) -> String {
        let own = self.profile.label(field, self.locale.lang());
        own.map_or_else(|| self.locale.text(&field.label_key()), plain_line)
    }

    fn open_text(&self, field: Field) -> String {
        let key = if field.is_of_report() { "open-reported-at" } else { "open-field" };
        self.locale.text(key)
    }

    fn basis(&self, answer: &Answer) -> String {
        let at = self.time(answer.as_of);
        let said = plain_line(answer.source.basis());
        let who = match &answer.source {
            Source::Machine { .. } => self.locale.text_with("basis-machine", &[("at", &at)]),
            Source::Person { .. } if self.profile.body.anonymous => self
                .locale
                .text_with("basis-person-anonymous", &[("at", &at)]),
            Source::Person { name, .. } => {
                let name = plain_line(name);
                self.locale
                    .text_with("basis-person", &[("name", &name), ("at", &at)])
            }
            Source::Told { .. } => self.locale.text_with("basis-told", &[("at", &at)]),
            Source::MasterData => self.locale.text("basis-master-data"),
        };
        let numbers: Vec<String> = answer
            .source
            .records()
            .iter()
            .filter(|_| !self.profile.body.anonymous)
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

    fn footer(&self) -> Footer {
        let locale = self.locale;
        let approval = self.approval_line();
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
            audit: String::new(),
        }
    }

    fn identity(&self) -> Record {
        let frozen = self.frozen;
        let (emergency, approved_own_answers) = match self.stage {
            Stage::Draft { .. } | Stage::Submitted { .. } => (false, false),
            Stage::Approved { signers, emergency, .. } => {
                let own = signers
                    .iter()
                    .any(|one| one.own_answers == OwnAnswers::Some);
                (emergency.is_some(), own)
            }
        };
        let contact = self.profile.contact(self.stage.at());
        Record {
            file_stem: file_stem(frozen, self.profile, self.stage),
            report: frozen.report,
            revision: frozen.revision.0,
            incident: frozen.incident.id,
            incident_number: frozen.incident.number,
            facility: if self.profile.body.anonymous {
                String::new()
            } else {
                frozen.sender.facility.to_string()
            },
            drill: frozen.drill.is_some(),
            stage: self.stage.as_str(),
            dated_at: self.stage.at(),
            approved_by: self.approver_names(),
            approved_own_answers,
            emergency_release: emergency,
            answers_sha256: self.answers_sha256.to_owned(),
            profile: frozen.profile.id.clone(),
            profile_version: self.profile.version.clone(),
            addressee_mail: contact.map_or_else(String::new, |contact| plain_line(&contact.mail)),
        }
    }

    fn sender_name(&self) -> String {
        if self.profile.body.anonymous {
            return self.locale.text("sender-anonymous");
        }
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
            Lang::Ja => text::letter_date(at),
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
