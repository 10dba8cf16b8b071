//! What one person released alone, and the look another person takes at it afterwards (事後確認).

use jiff::Timestamp;
use shirase_shared::ids::{IncidentId, ReportId};

use super::Refusal;
use crate::reports::answer::{NamedPerson, Revision};

/// One emergency release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyRelease {
    /// The incident the report tells.
    pub incident: IncidentId,
    /// Which report.
    pub report: ReportId,
    /// Its revision.
    pub revision: Revision,
    /// Who released it; the name as it was then.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
    /// Why nobody else was waited for.
    pub reason: String,
    /// The look another person took at it; an open duty while there is none.
    pub review: Option<Review>,
}

/// The look another person took at an emergency release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who; the name as it was then.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
    /// What they found.
    pub outcome: ReviewOutcome,
    /// What they say about it.
    pub note: String,
}

/// What a review came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewOutcome {
    /// The report stands.
    InOrder,
    /// Something in it has to be corrected.
    Objection,
}

impl ReviewOutcome {
    /// Every outcome.
    pub const ALL: [Self; 2] = [Self::InOrder, Self::Objection];

    /// Returns the name used in the database, in forms and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::Objection => "objection",
        }
    }

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::InOrder => "review-in-order",
            Self::Objection => "review-objection",
        }
    }

    /// Reads the name used in the database.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// Decides whether a review may be recorded. An objection needs words.
///
/// # Errors
/// Says why not.
pub fn judge_review(
    release: Option<&EmergencyRelease>,
    by: &NamedPerson,
    outcome: ReviewOutcome,
    note: &str,
) -> Result<(), Refusal> {
    let Some(release) = release.filter(|release| release.review.is_none()) else {
        return Err(Refusal::NothingToReview);
    };
    if release.by.user == by.user {
        return Err(Refusal::OwnRelease);
    }
    match outcome {
        ReviewOutcome::Objection if note.trim().is_empty() => Err(Refusal::NoReason),
        ReviewOutcome::Objection | ReviewOutcome::InOrder => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::ids::UserId;

    use super::*;

    fn person(number: u128) -> NamedPerson {
        NamedPerson { user: UserId::from_uuid(uuid::Uuid::from_u128(number)), name: String::new() }
    }

    #[test]
    fn another_person_reviews_once() {
        let release = EmergencyRelease {
            incident: IncidentId::from_uuid(uuid::Uuid::from_u128(1)),
            report: ReportId::from_uuid(uuid::Uuid::from_u128(2)),
            revision: Revision(5),
            by: person(1),
            at: Timestamp::UNIX_EPOCH,
            reason: "院長と連絡がとれない".to_owned(),
            review: None,
        };
        use ReviewOutcome::{InOrder, Objection};
        let judge = |release: &EmergencyRelease, by, outcome, note| {
            judge_review(Some(release), &person(by), outcome, note)
        };
        assert_eq!(judge(&release, 2, InOrder, ""), Ok(()));
        assert_eq!(judge(&release, 1, InOrder, ""), Err(Refusal::OwnRelease));
        assert_eq!(judge(&release, 2, Objection, " "), Err(Refusal::NoReason));
        assert_eq!(judge(&release, 2, Objection, "件数"), Ok(()));
        let review =
            Review { by: person(2), at: release.at, outcome: InOrder, note: String::new() };
        let done = EmergencyRelease { review: Some(review), ..release };
        assert_eq!(judge(&done, 3, InOrder, ""), Err(Refusal::NothingToReview));
        assert_eq!(judge_review(None, &person(2), InOrder, ""), Err(Refusal::NothingToReview));
    }
}
