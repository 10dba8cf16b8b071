//! A document as data: all text ready, nothing decided about a file format.

use serde::Serialize;

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
    /// The addressee's heading that stands before it, if it is the first under one.
    pub heading: String,
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
