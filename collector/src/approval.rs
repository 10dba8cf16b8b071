//! Decides who may release a report, and proves afterwards what was released.
//!
//! ```text
//! draft ─submit─▶ frozen answers ─approve (1..n people)─▶ decisions + files + signatures ─▶ Approved ─▶ delivery
//!   ▲                  │ reject, because…                      │
//!   │                  │ withdraw, because…                    │ withdraw before it is delivered, because…
//!   └──────────────────┴───────────────────────────────────────┘
//! ```
//!
//! The signature of a rendering is Ed25519 by the collector's report key, in base64, over exactly these lines, each
//! ended by one `\n` (see [`signed_text`]):
//!
//! ```text
//! shirase-rendering-1
//! report <report id>
//! revision <number>
//! answers-sha256 <64 hexadecimal digits>
//! format <pdf, docx, … as in `format`>
//! file-sha256 <64 hexadecimal digits>
//! ```
//!
//! Always holds:
//! - an approval binds the SHA-256 of the canonical frozen answers, the profile's version among them;
//! - nobody whose answer stands in a revision approves it, and neither does who submitted it, unless the facility
//!   allows that, and then the decision and the document say so;
//! - a stale revision is refused; one person approves a revision once, and so does everybody for whom a deputy did;
//! - what one person releases in an emergency says so for ever, and stays an open duty until another looked at it;
//! - [`Approved`] has one constructor, which checks the stored record: hash, decisions, renderings and signatures, and
//!   that nobody withdrew it.
//!
//! Not here: storing (see `store::approvals`) and carrying a decision out (see `release`).

pub mod canonical;
mod approved;
mod emergency;
mod format;
mod frozen;
mod judge;
mod rule;
mod signed;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ReportId, UserId};

use crate::reports::answer::{NamedPerson, Revision};

pub use approved::{Approved, StoredApproval, Tampered};
pub use emergency::{EmergencyRelease, Review, ReviewOutcome, judge_review};
pub use format::Format;
pub use frozen::{
    Former, FormerAnswer, Frozen, FrozenAnswer, FrozenProfile, Incident as FrozenIncident, Sender,
};
pub use judge::{
    Asked, Given, Granted, Outlook, Refusal, Sending, Standing, Weight, WithdrawalAsked, judge,
    judge_withdrawal,
};
pub use rule::{
    APPROVERS_MAX, Absence, Emergency, NamedApprover, Rule, RuleLayer, RuleProblem, WAIT_MAX_MINS,
    away,
};
pub use signed::{SignedParts, signed_text, verify_rendering};

/// Answers as they were submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose report.
    pub facility: FacilityId,
    /// Which report.
    pub report: ReportId,
    /// The revision that was frozen.
    pub revision: Revision,
    /// The canonical text.
    pub frozen_json: String,
    /// SHA-256 over exactly that text.
    pub answers_sha256: String,
    /// Who submitted it.
    pub submitted_by: UserId,
    /// When.
    pub submitted_at: Timestamp,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is released.
    Approved,
    /// It goes back to its authors.
    Rejected,
    /// It is taken back before it was delivered.
    Withdrawn,
}

impl Decision {
    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the name used in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected, Self::Withdrawn]
            .into_iter()
            .find(|decision| decision.as_str() == name)
    }
}

/// Whether the approver's own answers stand in what was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnAnswers {
    /// A second person approved.
    None,
    /// The approver is an author too, as the facility allows.
    Some,
}

/// How an approval was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By the rule in force.
    Ordinary,
    /// By one person alone, because waiting would have done harm.
    Emergency,
}

/// A decision as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// The revision decided on.
    pub revision: Revision,
    /// What was decided.
    pub decision: Decision,
    /// Hash of the frozen answers it is about.
    pub answers_sha256: String,
    /// Who decided.
    pub decided_by: UserId,
    /// Their name as it was then; empty in records from before names were kept.
    pub decided_name: String,
    /// When.
    pub decided_at: Timestamp,
    /// Whether the approver is an author too.
    pub own_answers: OwnAnswers,
    /// For whom a deputy approved (代行).
    pub deputy_for: Option<NamedPerson>,
    /// By the rule, or alone in an emergency.
    pub manner: Manner,
    /// How many people had to approve when this was decided.
    pub approvers_needed: u8,
    /// Why; empty for an ordinary approval.
    pub reason: String,
}

/// A rendered file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The revision it shows.
    pub revision: Revision,
    /// What kind of file.
    pub format: Format,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Ed25519 signature in base64 over [`signed_text`].
    pub signature: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
}

/// A person's wish to decide on a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whose report.
    pub facility: FacilityId,
    /// Which report.
    pub report: ReportId,
    /// The revision the person was looking at.
    pub revision: Revision,
    /// Who, with the name that is printed.
    pub by: NamedPerson,
}
