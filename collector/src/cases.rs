//! A municipality's cases (事案): what it heard of an incident at one institution, and its record of looking into it.
//!
//! ```text
//! telephone, press ──(a person enters)──▶ case ◀──(a person links; the machine proposes)── thread of the exchange
//!                                          │
//!                 entries under 被害状況・対応状況・復旧状況・再発防止策 ─▶ what is open: questions, follow-ups ─▶ overview
//! ```
//!
//! Always holds:
//! - what was heard and what was entered is never changed: an entry is corrected by a newer one, and both stay;
//! - every entry names its source: who told, which package, which page, or the municipality's own act;
//! - a case is closed only when no question is without answer and nothing has to be looked at again;
//! - a drill's thread belongs to a drill's case alone.
//!
//! Pure. Not here: SQL (see `store::cases`), pages (see `console::cases`).

mod entry;
mod record;
mod basis;
mod linking;
mod overview;
mod figures;
mod incident;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{CaseId, FacilityId, InstitutionId};

use crate::exchange::kind::PackageKind;
use crate::exchange::{PackageId, line_problem, text_problem};
use crate::reports::answer::NamedPerson;
use crate::tables::choices;

pub use basis::usual_bases;
pub use entry::{Entry, EntryKind, Heading, KeptFile, Settled, Source, Statement};
pub use figures::{Figures, figures};
pub use incident::conclusion_of;
pub use linking::{Proposal, institutions_of, propose};
pub use overview::{Standing, overview};
pub use record::{CaseFile, FollowUp, OpenQuestion};

/// Longest subject of a case, in characters.
pub const SUBJECT_MAX_CHARS: usize = 200;
/// Longest text of an entry, or of what was heard.
pub const TEXT_MAX_CHARS: usize = 10_000;
/// Longest name of who told or took it.
const NAME_MAX_CHARS: usize = 200;

choices! {
    /// How a municipality heard of an incident.
    HeardWay {
        /// 電話
        Telephone "telephone" "heard-telephone";
        /// メール・FAX
        Mail "mail" "heard-mail";
        /// 来庁・立入
        Visit "visit" "heard-visit";
        /// 報道
        Press "press" "heard-press";
        /// 医療機関の報告（包み）
        Report "report" "heard-report";
        /// その他
        Other "other" "heard-other";
    }
}

/// How a municipality heard of an incident: never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// How.
    pub way: HeardWay,
    /// Who told: a name with post and telephone, or the paper.
    pub from: String,
    /// When.
    pub at: Timestamp,
    /// What was told.
    pub what: String,
    /// Who took it, by name: it can be one who never signs in here.
    pub taken_by: String,
}

/// What a person enters to open a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    /// Where it happened.
    pub institution: InstitutionId,
    /// One line.
    pub subject: String,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// How it became known.
    pub heard: Heard,
    /// The thread it was born from.
    pub thread: Option<PackageId>,
}

/// A case, as it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Whose.
    pub facility: FacilityId,
    /// Its identity.
    pub id: CaseId,
    /// Its number there, from 1.
    pub number: u64,
    /// Where it happened.
    pub institution: InstitutionId,
    /// One line.
    pub subject: String,
    /// Whether it is an exercise's (訓練).
    pub drill: bool,
    /// How it became known.
    pub heard: Heard,
    /// Who opened it.
    pub opened_by: NamedPerson,
    /// When.
    pub opened_at: Timestamp,
}

/// A package of a thread that belongs to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: PackageId,
    /// The thread it belongs to.
    pub thread: PackageId,
    /// Whether it came.
    pub came: bool,
    /// What it is.
    pub kind: PackageKind,
    /// The package it answers.
    pub reply_to: Option<PackageId>,
    /// One line.
    pub subject: String,
    /// When it was made, by the sender's clock.
    pub made_at: Timestamp,
}

/// Why a case is not opened, an entry not taken, or a thread not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// The subject, who told, or who took it is missing, too long, or hides something.
    #[error("a line is missing, too long, or holds characters that cannot be seen")]
    Line,
    /// The text is missing, too long, or hides something.
    #[error("the text is missing, too long, or holds characters that cannot be seen")]
    Text,
    /// It happens later than now.
    #[error("the day lies ahead")]
    Ahead,
    /// The day to look again is before the entry's own.
    #[error("the day to look again is before the entry's day")]
    FollowUpBefore,
    /// It names no source.
    #[error("the entry names no source")]
    Sourceless,
    /// The package belongs to no thread of the case.
    #[error("the package does not belong to the case")]
    OtherPackage,
    /// The entry to correct is not there, was corrected already, or cannot be corrected.
    #[error("there is nothing to correct")]
    NothingToCorrect,
    /// What it settles is not open.
    #[error("there is nothing open to settle")]
    NothingToSettle,
    /// An answer without a question.
    #[error("an answer names the question it answers")]
    AnswersNothing,
    /// A kind of entry that carries neither day nor question does.
    #[error("this kind of entry carries nothing but its text")]
    Unfit,
    /// The case is closed.
    #[error("the case is closed; reopen it first")]
    Closed,
    /// The case is open.
    #[error("the case is open")]
    NotClosed,
    /// Questions or follow-ups are open.
    #[error("questions without answer or days to look again are left")]
    OpenEnds,
    /// One is an exercise's and the other is not.
    #[error("a drill's thread belongs to a drill's case alone")]
    Drill,
    /// The thread belongs to another case.
    #[error("the thread belongs to another case; take it out there first")]
    OtherCase,
    /// The institution is closed in the register.
    #[error("the institution is closed in the register")]
    ClosedInstitution,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 16] = [
        Self::Line,
        Self::Text,
        Self::Ahead,
        Self::FollowUpBefore,
        Self::Sourceless,
        Self::OtherPackage,
        Self::NothingToCorrect,
        Self::NothingToSettle,
        Self::AnswersNothing,
        Self::Unfit,
        Self::Closed,
        Self::NotClosed,
        Self::OpenEnds,
        Self::Drill,
        Self::OtherCase,
        Self::ClosedInstitution,
    ];

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Line => "case-refused-line",
            Self::Text => "case-refused-text",
            Self::Ahead => "case-refused-ahead",
            Self::FollowUpBefore => "case-refused-follow-up",
            Self::Sourceless => "case-refused-sourceless",
            Self::OtherPackage => "case-refused-package",
            Self::NothingToCorrect => "case-refused-correction",
            Self::NothingToSettle => "case-refused-settles",
            Self::AnswersNothing => "case-refused-answer",
            Self::Unfit => "case-refused-unfit",
            Self::Closed => "case-refused-closed",
            Self::NotClosed => "case-refused-open",
            Self::OpenEnds => "case-refused-open-ends",
            Self::Drill => "case-refused-drill",
            Self::OtherCase => "case-refused-other-case",
            Self::ClosedInstitution => "case-refused-institution",
        }
    }
}

impl NewCase {
    /// Checks what a person entered.
    ///
    /// # Errors
    /// Says what cannot stand.
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let lines = [
            (&self.subject, SUBJECT_MAX_CHARS),
            (&self.heard.from, NAME_MAX_CHARS),
            (&self.heard.taken_by, NAME_MAX_CHARS),
        ];
        if lines
            .iter()
            .any(|(text, most)| line_problem(text, *most).is_some())
        {
            return Err(Refusal::Line);
        }
        if is_no_text(&self.heard.what) {
            return Err(Refusal::Text);
        }
        if now < self.heard.at {
            return Err(Refusal::Ahead);
        }

        Ok(())
    }
}

/// Whether a text of several lines cannot stand.
fn is_no_text(text: &str) -> bool {
    text.trim().is_empty() || text_problem(text, TEXT_MAX_CHARS).is_some()
}

#[cfg(test)]
mod tests;
