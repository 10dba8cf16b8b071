//! One field of a report: what is said, how sure it is, who says so and as of when.
//!
//! ```text
//! value  +  確認済 / 推定 / 不明 / 調査中  +  machine or person  +  as of  =  answer
//! ```
//!
//! Always holds:
//! - 不明 and 調査中 are legal without any value, so that a first report is never blocked;
//! - 推定 stands only with its evidence, 確認済 only with a value ([`Answer::check`]);
//! - the JSON form holds no fractions and no local times, so that it can be frozen and hashed.
//!
//! Not here: which fields there are and what they take (see `fields`).

mod value;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{HostId, Sequence, StreamId, UserId};

pub use value::{Flood, Line, Range, RoundKind, Row, System, Value};

/// Longest text of an answer, in characters. A page holds about 1,500.
pub const TEXT_MAX: usize = 4_000;
/// Most lines or systems in one answer.
pub const LINES_MAX: usize = 200;

/// A version number of a report: grows by one with every change of an answer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Revision(pub u32);

impl Revision {
    /// Returns the revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one field of a report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What is said.
    pub value: Value,
    /// How sure it is.
    pub status: AnswerStatus,
    /// Who says so, and from what.
    pub source: Source,
    /// The moment up to which it was known.
    pub as_of: Timestamp,
    /// The revision in which it was set; the store fills it in.
    #[serde(default)]
    pub revision: Revision,
    /// Why it was changed, where a person's confirmed answer was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How sure an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerStatus {
    /// 確認済
    Confirmed,
    /// 推定
    Estimated,
    /// 不明
    Unknown,
    /// 調査中
    Investigating,
}

impl AnswerStatus {
    /// Every status, in the order in which a page offers them.
    pub const ALL: [Self; 4] =
        [Self::Confirmed, Self::Estimated, Self::Unknown, Self::Investigating];

    /// Returns the name used in JSON and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
            Self::Investigating => "investigating",
        }
    }

    /// Returns the key of its label in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Confirmed => "status-confirmed",
            Self::Estimated => "status-estimated",
            Self::Unknown => "status-unknown",
            Self::Investigating => "status-investigating",
        }
    }

    /// Reads the name used in forms.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Who gave an answer, and from what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// The collector, from what agents reported.
    Machine {
        /// The records it stands on.
        records: Vec<RecordRef>,
        /// How it follows from them, in words.
        basis: String,
    },
    /// A person.
    Person {
        /// Whose account.
        user: UserId,
        /// The name as printed.
        name: String,
        /// What the person relies on; needed for 推定.
        #[serde(default)]
        basis: String,
    },
    /// What somebody told, as it was recorded: a person who noticed something, another institution's report.
    Told {
        /// Who, how, and where it is recorded.
        basis: String,
    },
    /// The facility's master data.
    MasterData,
}

impl Source {
    /// Returns the person who gave it, if a person did.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Person { user, .. } => Some(*user),
            Self::Machine { .. } | Self::Told { .. } | Self::MasterData => None,
        }
    }

    /// Returns in words what it stands on; empty when nothing was written down.
    #[must_use]
    pub fn basis(&self) -> &str {
        match self {
            Self::Machine { basis, .. } | Self::Person { basis, .. } | Self::Told { basis } => {
                basis
            }
            Self::MasterData => "",
        }
    }

    /// Returns the records it stands on.
    #[must_use]
    pub fn records(&self) -> &[RecordRef] {
        match self {
            Self::Machine { records, .. } => records,
            Self::Person { .. } | Self::Told { .. } | Self::MasterData => &[],
        }
    }
}

/// A record an answer stands on, told so that it can be found again and read without a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordRef {
    /// When it happened, corrected.
    pub at: Timestamp,
    /// Label of the host.
    pub host_name: String,
    /// The host.
    pub host: HostId,
    /// Its stream.
    pub stream: StreamId,
    /// Its number there.
    pub sequence: Sequence,
    /// Kind of the event, for example `mass_change`.
    pub kind: String,
    /// SHA-256 of the line as the agent sent it.
    pub hash: String,
}

/// A person as a report names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedPerson {
    /// Whose account.
    pub user: UserId,
    /// The name as printed.
    pub name: String,
}

/// Why an answer cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// 確認済 or 推定 without a value.
    #[error(
        "an answer marked 確認済 or 推定 needs a value; choose 不明 or 調査中 to leave it open"
    )]
    Empty,
    /// 推定 without evidence.
    #[error("推定 needs its evidence: write down what it rests on, or choose 調査中")]
    NoEvidence,
    /// The value is of another type than the field takes.
    #[error("field {field} does not take a value of this type")]
    WrongType {
        /// Number of the field.
        field: u8,
    },
    /// A choice the field does not have.
    #[error("`{choice}` is not one of the choices of field {field}")]
    NoSuchChoice {
        /// Number of the field.
        field: u8,
        /// What was given.
        choice: String,
    },
    /// Several choices where one is taken.
    #[error("field {field} takes one choice, but {given} were given")]
    TooManyChoices {
        /// Number of the field.
        field: u8,
        /// How many were given.
        given: usize,
    },
    /// A confirmed answer was changed without saying why.
    #[error("a confirmed answer is changed only with a reason; write down what became known")]
    NoReason,
    /// A row or a part of it does not fit its column.
    #[error("`{part}` does not fit the column `{column}` of field {field}")]
    NoSuchPart {
        /// Number of the field.
        field: u8,
        /// Code of the column.
        column: String,
        /// What was given.
        part: String,
    },
    /// A number that does not read, or a range whose end lies before its beginning.
    #[error("`{0}` is not a number or a range; write it like 120 or 100-130000")]
    Number(String),
    /// Longer than a report can carry.
    #[error("the answer is longer than {TEXT_MAX} characters or {LINES_MAX} lines; shorten it")]
    TooLong,
    /// A date that does not read.
    #[error("`{0}` is not a date and time; write it like 2026-02-09 01:50")]
    Date(String),
}

impl AnswerProblem {
    /// Returns the key of what a page says about it.
    #[must_use]
    pub const fn text_key(&self) -> &'static str {
        match self {
            Self::Empty => "answer-empty",
            Self::NoEvidence => "answer-no-evidence",
            Self::NoReason => "answer-no-reason",
            Self::Date(_) => "answer-date",
            Self::Number(_) => "answer-number",
            Self::TooLong => "answer-too-long",
            Self::WrongType { .. }
            | Self::NoSuchChoice { .. }
            | Self::NoSuchPart { .. }
            | Self::TooManyChoices { .. } => "answer-choice",
        }
    }
}

impl Answer {
    /// Checks what every answer must keep, whoever gives it.
    ///
    /// # Errors
    /// Says what is missing and what to choose instead.
    pub fn check(&self) -> Result<(), AnswerProblem> {
        match self.status {
            AnswerStatus::Unknown | AnswerStatus::Investigating => Ok(()),
            AnswerStatus::Confirmed | AnswerStatus::Estimated if !self.value.is_decided() => {
                Err(AnswerProblem::Empty)
            }
            AnswerStatus::Confirmed => Ok(()),
            AnswerStatus::Estimated if self.has_evidence() => Ok(()),
            AnswerStatus::Estimated => Err(AnswerProblem::NoEvidence),
        }
    }

    /// Whether two answers say the same with the same certainty on the same grounds.
    ///
    /// The moment, the revision and the list of records may differ: more of the same evidence is no news.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.value == other.value
            && self.status == other.status
            && self.source.basis() == other.source.basis()
    }

    fn has_evidence(&self) -> bool {
        match &self.source {
            Source::Machine { records, basis } => !records.is_empty() && !basis.trim().is_empty(),
            Source::Person { basis, .. } | Source::Told { basis } => !basis.trim().is_empty(),
            Source::MasterData => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_investigating_are_legal_with_and_without_a_value() {
        for status in [AnswerStatus::Unknown, AnswerStatus::Investigating] {
            check(Value::Nothing, status, "", Ok(()));
            check(Value::text("聞き取り中"), status, "", Ok(()));
        }
    }

    #[test]
    fn confirmed_needs_a_value_and_estimated_evidence_too() {
        use AnswerStatus::{Confirmed, Estimated};
        check(Value::Nothing, Confirmed, "", Err(AnswerProblem::Empty));
        check(Value::text(" "), Confirmed, "", Err(AnswerProblem::Empty));
        check(Value::text("a"), Confirmed, "", Ok(()));
        check(Value::text("a"), Estimated, "", Err(AnswerProblem::NoEvidence));
        check(Value::text("a"), Estimated, "担当者の記憶", Ok(()));
        let note = Value::Choices { chosen: vec![], note: "おそれあり".to_owned() };
        check(note, Confirmed, "", Err(AnswerProblem::Empty));
    }

    #[test]
    fn a_machine_estimate_without_records_does_not_stand() {
        let source = Source::Machine { records: vec![], basis: "推測".to_owned() };
        let as_of = "2026-02-09T00:00:00Z".parse().unwrap();
        let answer = Answer {
            value: Value::text("a"),
            status: AnswerStatus::Estimated,
            source,
            as_of,
            revision: Revision(1),
            reason: String::new(),
        };
        assert_eq!(answer.check(), Err(AnswerProblem::NoEvidence));
    }

    #[track_caller]
    fn check(value: Value, status: AnswerStatus, basis: &str, expected: Result<(), AnswerProblem>) {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
        let source = Source::Person { user, name: "山田".to_owned(), basis: basis.to_owned() };
        let as_of = "2026-02-09T00:00:00Z".parse().unwrap();
        let answer =
            Answer { value, status, source, as_of, revision: Revision(1), reason: String::new() };
        assert_eq!(answer.check(), expected);
    }
}
