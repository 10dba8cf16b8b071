//! The type only a stored, verified decision makes. Delivery takes nothing else.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::UserId;
use shirase_shared::tls::sha256_hex;

use super::{
    Decision, DecisionRecord, Format, Frozen, Manner, OwnAnswers, Rendering, SignedParts,
    Submission, verify_rendering,
};
use crate::reports::ReportStatus;

/// Everything the store holds about one approval, as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// How far the report is.
    pub status: ReportStatus,
    /// The frozen answers.
    pub submission: Submission,
    /// Every decision on them, the oldest first.
    pub decisions: Vec<DecisionRecord>,
    /// The PDF that was rendered for it.
    pub rendering: Rendering,
    /// The other files that were rendered with it, by kind.
    pub others: Vec<Rendering>,
}

/// Why a stored approval or a file does not prove what it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Tampered {
    /// The frozen answers are not those that were hashed.
    #[error("the frozen answers have the hash {found}, but {expected} was submitted")]
    Answers {
        /// The hash on record.
        expected: String,
        /// The hash of what is there.
        found: String,
    },
    /// The frozen text is not one this program writes for this report.
    #[error("the frozen answers are not the canonical text of this report and revision")]
    NotCanonical,
    /// A decision is about other answers or another revision, or there are not enough approvals.
    #[error("the decisions on record do not release these answers")]
    Decision,
    /// Somebody took it back, or sent it back.
    #[error("the report was withdrawn or sent back, so it is not released any more")]
    Withdrawn,
    /// The file is not the one that was rendered.
    #[error("the file has the hash {found}, but {expected} was signed")]
    File {
        /// The hash on record.
        expected: String,
        /// The hash of the file.
        found: String,
    },
    /// The signature is not by this collector's report key over this file.
    #[error("the signature is not by this collector's report key over this file")]
    Signature,
}

/// A report a named person released, with the file that shows it.
///
/// Its one constructor checks the stored record, so holding one means: these files show these frozen answers, as many
/// people as had to approved exactly them, and nobody has taken them back.
#[derive(Clone, Debug)]
pub struct Approved {
    stored: StoredApproval,
    frozen: Frozen,
}

impl Approved {
    /// Checks a stored record: the answers against their hash, the decisions against both, the files against their
    /// hashes, and the signatures against all of them.
    ///
    /// # Errors
    /// Says what does not fit; such a report is not delivered.
    pub fn verify(stored: StoredApproval, public_key: &str) -> Result<Self, Tampered> {
        let StoredApproval { submission, rendering, others, .. } = &stored;
        let found = sha256_hex(submission.frozen_json.as_bytes());
        if found != submission.answers_sha256 {
            let expected = submission.answers_sha256.clone();
            return Err(Tampered::Answers { expected, found });
        }
        let frozen: Frozen =
            serde_json::from_str(&submission.frozen_json).map_err(|_| Tampered::NotCanonical)?;
        let canonical = frozen.canonical().map_err(|_| Tampered::NotCanonical)?;
        let about_this = frozen.report == submission.report
            && frozen.revision == submission.revision
            && frozen.sender.facility == submission.facility;
        if canonical != submission.frozen_json || !about_this || !frozen.is_coherent() {
            return Err(Tampered::NotCanonical);
        }
        stored.is_released()?;
        let files = || others.iter().chain([rendering]);
        if !files().all(|file| file.revision == submission.revision) {
            return Err(Tampered::Decision);
        }
        for file in files() {
            let parts = SignedParts {
                report: submission.report,
                revision: submission.revision,
                answers_sha256: &submission.answers_sha256,
                format: file.format,
                file_sha256: &file.sha256,
            };
            verify_rendering(&parts, &file.bytes, &file.signature, public_key)?;
        }

        Ok(Self { stored, frozen })
    }

    /// Returns the frozen answers.
    #[must_use]
    pub const fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Returns the hash of the frozen answers.
    #[must_use]
    pub fn answers_sha256(&self) -> &str {
        &self.stored.submission.answers_sha256
    }

    /// Returns the signed PDF.
    #[must_use]
    pub const fn rendering(&self) -> &Rendering {
        &self.stored.rendering
    }

    /// Returns the signed file of this kind; none for an attachment the answers gave nothing for.
    #[must_use]
    pub fn rendering_of(&self, format: Format) -> Option<&Rendering> {
        self.renderings().find(|file| file.format == format)
    }

    /// Returns every signed file, the PDF first.
    pub fn renderings(&self) -> impl Iterator<Item = &Rendering> {
        std::iter::once(&self.stored.rendering).chain(&self.stored.others)
    }

    /// Returns every approval, the oldest first.
    #[must_use]
    pub fn approvals(&self) -> &[DecisionRecord] {
        &self.stored.decisions
    }

    /// Returns who approved it last.
    #[must_use]
    pub fn approved_by(&self) -> UserId {
        self.last()
            .map_or(self.stored.submission.submitted_by, |record| record.decided_by)
    }

    /// Returns when it was released.
    #[must_use]
    pub fn approved_at(&self) -> Timestamp {
        self.last()
            .map_or(self.stored.submission.submitted_at, |record| record.decided_at)
    }

    /// Returns the approval that released it. There always is one: the constructor looked.
    fn last(&self) -> Option<&DecisionRecord> {
        self.stored.decisions.last()
    }

    /// Returns whether an approver is an author too.
    #[must_use]
    pub fn own_answers(&self) -> OwnAnswers {
        let own = |record: &DecisionRecord| record.own_answers == OwnAnswers::Some;
        if self.stored.decisions.iter().any(own) { OwnAnswers::Some } else { OwnAnswers::None }
    }

    /// Returns the emergency release, if one person released it alone.
    #[must_use]
    pub fn emergency(&self) -> Option<&DecisionRecord> {
        self.stored
            .decisions
            .iter()
            .find(|record| record.manner == Manner::Emergency)
    }
}

impl StoredApproval {
    /// Checks that the decisions on record release these answers and that nobody took them back.
    fn is_released(&self) -> Result<(), Tampered> {
        let Self { submission, decisions, .. } = self;
        let taken_back = |record: &DecisionRecord| match record.decision {
            Decision::Rejected | Decision::Withdrawn => true,
            Decision::Approved => false,
        };
        if self.status != ReportStatus::Approved || decisions.iter().any(taken_back) {
            return Err(Tampered::Withdrawn);
        }
        let about_this = decisions.iter().all(|record| {
            record.answers_sha256 == submission.answers_sha256
                && record.revision == submission.revision
        });
        let people: BTreeSet<UserId> = decisions.iter().map(|record| record.decided_by).collect();
        let enough = decisions.last().is_some_and(|last| match last.manner {
            Manner::Ordinary => usize::from(last.approvers_needed.max(1)) <= people.len(),
            Manner::Emergency => true,
        });

        if about_this && enough { Ok(()) } else { Err(Tampered::Decision) }
    }
}

#[cfg(test)]
mod tests;
