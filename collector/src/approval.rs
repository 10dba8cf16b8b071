//! Decides who may release a report, and proves afterwards what was released.
//!
//! ```text
//! draft ─submit─▶ frozen answers ─approve─▶ decision + rendering + signature ─▶ Approved ─▶ delivery
//!   ▲                  │ reject, because…
//!   └──────────────────┘
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
//! - a stale revision is refused;
//! - [`Approved`] has one constructor, which checks the stored record: hash, decision, rendering and signature.
//!
//! Not here: storing (see `store::approvals`) and carrying a decision out (see `release`).

pub mod canonical;
mod approved;
mod format;
mod frozen;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ReportId, UserId};

use crate::facilities::SelfApproval;
use crate::keys::Signed;
use crate::reports::ReportStatus;
use crate::reports::answer::{NamedPerson, Revision};
use shirase_shared::tls::sha256_hex;

pub use approved::{Approved, StoredApproval, Tampered};
pub use format::Format;
pub use frozen::{
    Former, FormerAnswer, Frozen, FrozenAnswer, FrozenProfile, Incident as FrozenIncident, Sender,
};

/// First line of a signed text, so that a later layout can never be taken for this one.
const SIGNED_LAYOUT: &str = "shirase-rendering-1";

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
}

impl Decision {
    /// Returns the name used in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the name used in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected]
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
    /// When.
    pub decided_at: Timestamp,
    /// Whether the approver is an author too.
    pub own_answers: OwnAnswers,
    /// Why, for a rejection.
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

/// What a signature of a rendering speaks about.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'a> {
    /// The report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// Hash of the frozen answers.
    pub answers_sha256: &'a str,
    /// What kind of file.
    pub format: Format,
    /// Hash of the file.
    pub file_sha256: &'a str,
}

/// Returns the text a rendering's signature is over.
#[must_use]
pub fn signed_text(parts: &SignedParts<'_>) -> String {
    let SignedParts { report, revision, answers_sha256, format, file_sha256 } = parts;
    format!(
        "{SIGNED_LAYOUT}\nreport {report}\nrevision {revision}\nanswers-sha256 {answers_sha256}\n\
         format {format}\nfile-sha256 {file_sha256}\n"
    )
}

/// Checks a file against its signature: that it is the one rendered for these answers by the holder of the key.
///
/// `parts.file_sha256` is what the record claims; the file is hashed anew here.
///
/// # Errors
/// Says whether the file or the signature is the wrong one.
pub fn verify_rendering(
    parts: &SignedParts<'_>,
    file: &[u8],
    signature: &str,
    public_key: &str,
) -> Result<(), Tampered> {
    let found = sha256_hex(file);
    if found != parts.file_sha256 {
        let expected = parts.file_sha256.to_owned();
        return Err(Tampered::File { expected, found });
    }
    let text = signed_text(parts);
    let signed = Signed { public_key, bytes: text.as_bytes(), signature };
    if !signed.is_genuine() {
        return Err(Tampered::Signature);
    }

    Ok(())
}

/// Where a report stands when somebody wants to decide on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far it is.
    pub status: ReportStatus,
    /// Its revision now.
    pub revision: Revision,
    /// Everybody whose answer stands in that revision, and who submitted it.
    pub authors: Vec<UserId>,
    /// Whether the facility lets an author approve.
    pub self_approval: SelfApproval,
}

/// What somebody wants to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The revision the person was looking at.
    pub revision: Revision,
    /// The decision.
    pub decision: Decision,
    /// Who.
    pub by: UserId,
    /// Why; needed for a rejection.
    pub reason: String,
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

/// Why a submission or a decision was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not awaiting a decision.
    #[error("the report is {0}, so there is nothing to decide; it has to be submitted first")]
    NotSubmitted(ReportStatus),
    /// It is not open for change or submission.
    #[error("the report is {0}, so it cannot be submitted")]
    NotDraft(ReportStatus),
    /// It changed since the person looked.
    #[error("revision {asked} is stale, the report is at revision {current}; look at it again")]
    Stale {
        /// What the person was looking at.
        asked: Revision,
        /// What it is now.
        current: Revision,
    },
    /// The approver is an author.
    #[error("an author of this revision cannot approve it; a second person has to")]
    OwnAnswers,
    /// A rejection without a reason.
    #[error("a rejection needs a reason, so that the authors know what to change")]
    NoReason,
}

/// Decides whether a decision may be taken.
///
/// # Errors
/// Says why not.
pub fn judge(standing: &Standing, asked: &Asked) -> Result<OwnAnswers, Refusal> {
    if standing.status != ReportStatus::Submitted {
        return Err(Refusal::NotSubmitted(standing.status));
    }
    if standing.revision != asked.revision {
        return Err(Refusal::Stale { asked: asked.revision, current: standing.revision });
    }
    let own = standing.authors.contains(&asked.by);
    match asked.decision {
        Decision::Rejected if asked.reason.trim().is_empty() => Err(Refusal::NoReason),
        Decision::Rejected => Ok(OwnAnswers::None),
        Decision::Approved if !own => Ok(OwnAnswers::None),
        Decision::Approved => match standing.self_approval {
            SelfApproval::Allowed => Ok(OwnAnswers::Some),
            SelfApproval::Refused => Err(Refusal::OwnAnswers),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Judged = Result<OwnAnswers, Refusal>;

    const AUTHOR: u128 = 1;
    const APPROVER: u128 = 2;

    #[test]
    fn who_may_decide_what_as_a_table() {
        use Decision::{Approved, Rejected};
        use ReportStatus::{Draft, Submitted, Withdrawn};
        use SelfApproval::{Allowed, Refused};

        let stale = Refusal::Stale { asked: Revision(4), current: Revision(5) };
        #[rustfmt::skip]
        let table: &[(ReportStatus, u32, Decision, u128, SelfApproval, &str, Judged)] = &[
            (Submitted, 5, Approved, APPROVER, Refused, "",   Ok(OwnAnswers::None)),
            (Submitted, 5, Approved, APPROVER, Allowed, "",   Ok(OwnAnswers::None)),
            (Submitted, 5, Approved, AUTHOR,   Refused, "",   Err(Refusal::OwnAnswers)),
            (Submitted, 5, Approved, AUTHOR,   Allowed, "",   Ok(OwnAnswers::Some)),
            (Submitted, 4, Approved, APPROVER, Refused, "",   Err(stale)),
            (Submitted, 4, Rejected, APPROVER, Refused, "x",  Err(stale)),
            (Draft,     5, Approved, APPROVER, Refused, "",   Err(Refusal::NotSubmitted(Draft))),
            (Withdrawn, 5, Approved, APPROVER, Refused, "",   Err(Refusal::NotSubmitted(Withdrawn))),
            (ReportStatus::Approved, 5, Approved, APPROVER, Refused, "", Err(Refusal::NotSubmitted(ReportStatus::Approved))),
            (ReportStatus::Approved, 5, Rejected, APPROVER, Refused, "x", Err(Refusal::NotSubmitted(ReportStatus::Approved))),
            (Submitted, 5, Rejected, APPROVER, Refused, "数", Ok(OwnAnswers::None)),
            (Submitted, 5, Rejected, AUTHOR,   Refused, "数", Ok(OwnAnswers::None)),
            (Submitted, 5, Rejected, APPROVER, Refused, " ",  Err(Refusal::NoReason)),
        ];
        for (status, revision, decision, by, self_approval, reason, expected) in table {
            let standing = Standing {
                status: *status,
                revision: Revision(5),
                authors: vec![user(AUTHOR)],
                self_approval: *self_approval,
            };
            let asked = Asked {
                revision: Revision(*revision),
                decision: *decision,
                by: user(*by),
                reason: (*reason).to_owned(),
            };
            assert_eq!(&judge(&standing, &asked), expected, "{standing:?} {asked:?}");
        }
    }

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }
}
