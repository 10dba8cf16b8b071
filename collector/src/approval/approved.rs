//! The type only a stored, verified decision makes. Delivery takes nothing else.

use jiff::Timestamp;
use shirase_shared::ids::UserId;
use shirase_shared::tls::sha256_hex;

use super::{
    Decision, DecisionRecord, Format, Frozen, OwnAnswers, Rendering, SignedParts, Submission,
    verify_rendering,
};

/// Everything the store holds about one approval, as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApproval {
    /// The frozen answers.
    pub submission: Submission,
    /// The decision on them.
    pub decision: DecisionRecord,
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
    /// The decision is about other answers, another revision, or no approval.
    #[error("the decision on record does not release these answers")]
    Decision,
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
/// Its one constructor checks the stored record, so holding one means: this file shows these frozen answers, and this
/// person approved exactly them.
#[derive(Clone, Debug)]
pub struct Approved {
    stored: StoredApproval,
    frozen: Frozen,
}

impl Approved {
    /// Checks a stored record: the answers against their hash, the decision against both, the file against its hash,
    /// and the signature against all of them.
    ///
    /// # Errors
    /// Says what does not fit; such a report is not delivered.
    pub fn verify(stored: StoredApproval, public_key: &str) -> Result<Self, Tampered> {
        let StoredApproval { submission, decision, rendering, others } = &stored;
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
        let files = || others.iter().chain([rendering]);
        let releases = decision.decision == Decision::Approved
            && decision.answers_sha256 == submission.answers_sha256
            && decision.revision == submission.revision
            && files().all(|file| file.revision == submission.revision);
        if !releases {
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

    /// Returns who approved it.
    #[must_use]
    pub const fn approved_by(&self) -> UserId {
        self.stored.decision.decided_by
    }

    /// Returns when it was approved.
    #[must_use]
    pub const fn approved_at(&self) -> Timestamp {
        self.stored.decision.decided_at
    }

    /// Returns whether the approver is an author too.
    #[must_use]
    pub const fn own_answers(&self) -> OwnAnswers {
        self.stored.decision.own_answers
    }
}

#[cfg(test)]
mod tests;
