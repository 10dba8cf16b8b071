//! Turns an incident into a report: answers with their provenance, drafted by the machine, corrected by people.
//!
//! ```text
//! incident + records + master data ─draft─▶ answers ─(people correct)─▶ frozen ─render─▶ document
//!                                         (one sheet                      ▲                ▲
//!                                        an incident)                  report ─────── profile
//!                                             └─▶ duties ─▶ deadlines
//! ```
//!
//! Always holds:
//! - every answer knows who gave it, from what and as of when, and every version is kept;
//! - once a person has answered a field the machine only proposes;
//! - an incident has one set of answers, its sheet; a report is a view of it for one addressee;
//! - a submitted report shows what it froze, whatever becomes of the sheet, until it is rejected.
//!
//! Not here: who may release a report (see `approval`) and where it is kept (see `store`).

pub mod answer;
pub mod fields;
pub mod draft;
pub mod interview;
pub mod profile;
pub mod duty;
pub mod deadline;
pub mod overview;
pub mod round;
pub mod render;
pub mod official;
pub mod text;
pub mod told;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};

use answer::{Answer, NamedPerson, Revision, RoundKind};
use fields::Field;

/// One report in the making, or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose report it is.
    pub facility: FacilityId,
    /// Its identity.
    pub id: ReportId,
    /// The incident it tells.
    pub incident: IncidentId,
    /// The profile it follows, for example `jp-mhlw-contact`.
    pub profile: String,
    /// Which of the reports to its addressee it is.
    pub round: Round,
    /// How far it is.
    pub status: ReportStatus,
    /// Of a draft, the sheet's: grows with every change of an answer. Of any other, the one that was frozen.
    pub revision: Revision,
    /// Set when the incident is an exercise: the report can never be delivered as real.
    pub drill: Option<DrillId>,
    /// When the draft was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which of the reports to one addressee a report is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Reports of one series count together, for example `jp-mhlw`.
    pub series: String,
    /// 第n報, from 1.
    pub number: u32,
    /// 速報, 続報 or 確報.
    pub kind: RoundKind,
}

/// How far a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportStatus {
    /// People and machine may change answers.
    Draft,
    /// Answers are frozen; a decision is awaited.
    Submitted,
    /// A named person released it.
    Approved,
    /// Its incident was a false alarm.
    Withdrawn,
}

impl ReportStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Submitted, Self::Approved, Self::Withdrawn];

    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns the key of its label in the locale files, for example `report-status-draft`.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("report-status-{}", self.as_str())
    }

    /// Reads the name used in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for ReportStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The answers of one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentSheet {
    /// Grows with every change of an answer and with every submission.
    pub revision: Revision,
    /// The answers in force.
    pub answers: BTreeMap<Field, Answer>,
    /// What the machine would say now where a person has answered otherwise.
    pub proposals: BTreeMap<Field, Answer>,
}

/// A report with everything a page or a renderer needs to know about its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The report.
    pub report: Report,
    /// The answers it shows: the incident's, or once it was submitted those it froze.
    pub answers: BTreeMap<Field, Answer>,
    /// What the machine would say now where a person has answered otherwise; none once it was submitted.
    pub proposals: BTreeMap<Field, Answer>,
}

/// One version of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerVersion {
    /// What it said.
    pub answer: Answer,
    /// When it was set.
    pub set_at: Timestamp,
}

/// A person's change of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerChange {
    /// Whose incident.
    pub facility: FacilityId,
    /// Which incident.
    pub incident: IncidentId,
    /// The draft on whose page it was changed; a report that is no draft any more takes no change.
    pub report: Option<ReportId>,
    /// Which field.
    pub field: Field,
    /// What is said now.
    pub value: answer::Value,
    /// How sure it is.
    pub status: answer::AnswerStatus,
    /// What the person relies on; needed for 推定.
    pub basis: String,
    /// Why it is changed; needed where a person's confirmed answer is.
    pub reason: String,
    /// Who says so.
    pub by: NamedPerson,
    /// The revision the person was looking at.
    pub expected: Revision,
}

/// What refreshing a draft changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Fields whose answer in force changed.
    pub changed: Vec<Field>,
    /// Fields a person has answered, for which the machine now proposes something else.
    pub proposed: Vec<Field>,
}
