//! A document as data: all text ready, nothing decided about a file format.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::{IncidentId, ReportId};

use crate::approval::Format;
use crate::audit::Head;
use crate::locale::Locale;
use crate::reports::answer::Value;

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
    /// How it came to be, for programs.
    pub record: Record,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
}

/// How a document came to be, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// What the names of all files of this report begin with.
    pub file_stem: String,
    /// The report.
    pub report: ReportId,
    /// Its revision.
    pub revision: u32,
    /// The incident.
    pub incident: IncidentId,
    /// What people call the incident.
    pub incident_number: u64,
    /// Short name of the institution in its collector.
    pub facility: String,
    /// Whether it is an exercise.
    pub drill: bool,
    /// `draft`, `submitted` or `approved`.
    pub stage: &'static str,
    /// The moment it is dated by.
    pub dated_at: Timestamp,
    /// Who approved it, if somebody did: every name, deputies with whom they stood in for.
    pub approved_by: Option<String>,
    /// Whether an approver is an author too.
    pub approved_own_answers: bool,
    /// Whether one person released it alone in an emergency.
    pub emergency_release: bool,
    /// SHA-256 of the frozen answers.
    pub answers_sha256: String,
    /// The profile it follows.
    pub profile: String,
    /// SHA-256 of the profile's text.
    pub profile_version: String,
    /// Mail address of the addressee; empty while nobody confirmed one.
    pub addressee_mail: String,
}

/// A file that goes with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// What kind of file.
    #[serde(serialize_with = "as_name")]
    pub format: Format,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub title: String,
    /// How many rows or objects.
    pub entries: usize,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The file.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// The same as a table, where it is one.
    #[serde(skip)]
    pub table: Option<Table>,
}

/// A table with a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Column titles.
    pub head: Vec<String>,
    /// Its rows, all as long as the head.
    pub rows: Vec<Vec<String>>,
}

fn as_name<S: serde::Serializer>(format: &Format, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.as_str())
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
    /// The addressee's heading that stands before it, if it is the first under one.
    pub heading: String,
    /// Its place in the document.
    pub place: usize,
    /// Number of the field.
    pub field: u8,
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
    /// What is said, for programs; nothing while the field is open.
    pub value: Option<Value>,
    /// The moment up to which it was known.
    pub as_of: Option<Timestamp>,
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
    /// The head of the audit log when it was rendered; empty while the log is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub audit: String,
}

impl Document {
    /// Takes the head of the audit log along, so that this document can vouch for the log later.
    #[must_use]
    pub fn carrying(mut self, head: Option<&Head>, locale: Locale) -> Self {
        let said = |head: &Head| locale.text_with("footer-audit", &[("head", head)]);
        self.footer.audit = head.map(said).unwrap_or_default();
        self
    }
}
