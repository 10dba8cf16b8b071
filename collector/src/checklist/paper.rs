//! A filled list in words, ready for a page, for paper and for a workbook: all three show exactly this.
//!
//! Always holds: whatever could hide in what a person typed or a host calls itself is written out.

mod words;

use serde::Serialize;

use super::Standing;
use crate::contacts::ChartSheet;

pub use words::PaperParts;

/// A filled list in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// `ja` or `en`.
    pub lang: &'static str,
    /// What it is.
    pub title: String,
    /// Whose it is.
    pub facility: String,
    /// When it was made.
    pub made: String,
    /// Where the list was read, and what has to be known of its words.
    pub notes: Vec<String>,
    /// What evidence is and is not.
    pub evidence_note: String,
    /// Words above columns.
    pub heads: PaperHeads,
    /// The sheets.
    pub sheets: Vec<PaperSheet>,
    /// What changed since the year before, if there is a list of it.
    pub changes: Option<PaperChanges>,
    /// The emergency chart.
    pub chart: ChartSheet,
}

/// Words above columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperHeads {
    /// The number.
    pub number: String,
    /// What is asked.
    pub item: String,
    /// The answer.
    pub answer: String,
    /// When it was looked into.
    pub checked: String,
    /// By when it will be done.
    pub target: String,
    /// The note.
    pub note: String,
    /// Who said and who entered it.
    pub by: String,
    /// The evidence.
    pub evidence: String,
    /// The host of it.
    pub host: String,
    /// The moment of it.
    pub at: String,
}

/// One sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperSheet {
    /// Its key, as in addresses of pages.
    pub key: String,
    /// Who fills it.
    pub title: String,
    /// The company; empty for the institution.
    pub company: String,
    /// What has to be known of it.
    pub note: String,
    /// How it stands, in words.
    pub tally: String,
    /// The parts.
    pub groups: Vec<PaperGroup>,
}

/// Items under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperGroup {
    /// The heading.
    pub heading: String,
    /// The items.
    pub items: Vec<PaperItem>,
}

/// One item with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperItem {
    /// Its name in the list.
    pub id: String,
    /// Its number on paper.
    pub number: String,
    /// What is asked.
    pub text: String,
    /// What has to be said of the words, if something has.
    pub doubt: String,
    /// How it stands.
    #[serde(skip)]
    pub standing: Standing,
    /// The answer, or that there is none.
    pub answer: String,
    /// When it was looked into.
    pub checked: String,
    /// By when it will be done.
    pub target: String,
    /// Whether that day is over, or lies beyond the list's year.
    pub target_mark: String,
    /// Anything else.
    pub note: String,
    /// Who said and who entered it, and when.
    pub by: String,
    /// That another wording was answered, if it was.
    pub reworded: String,
    /// What the collector knows that bears on it.
    pub evidence: Vec<PaperEvidence>,
}

/// One thing the collector knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperEvidence {
    /// When it was so.
    pub at: String,
    /// The host; empty where it is about none.
    pub host: String,
    /// The words.
    pub words: String,
    /// A mark where it wants to be looked at; else empty.
    pub mark: String,
}

/// What changed since the year before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperChanges {
    /// What it is.
    pub title: String,
    /// How it stands, in words.
    pub intro: String,
    /// Words above columns: number, item, then, now, what became of it.
    pub head: Vec<String>,
    /// Sheet by sheet.
    pub sheets: Vec<(String, Vec<PaperChange>)>,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperChange {
    /// Its number on paper, with that of the year before where it differs.
    pub number: String,
    /// What is asked.
    pub text: String,
    /// The answer of the year before.
    pub then: String,
    /// The answer of this year.
    pub now: String,
    /// What became of it.
    pub turn: String,
    /// Whether it wants to be looked at: worse, or still no.
    pub look: bool,
}
