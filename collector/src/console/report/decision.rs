//! Submitting and deciding, as the reader of a report sees it.

use shirase_shared::ids::UserId;

use crate::approval::{Decision, DecisionRecord, OwnAnswers, Submission};
use crate::console::ui::{Badge, Tone};
use crate::locale::{Locale, japan_time};
use crate::reports::ReportStatus;

/// What the reader of a report may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Correct and submit it.
    Correct,
    /// Approve or reject it.
    Decide,
    /// Reject it only: their own answers stand in it.
    Own,
    /// Nothing.
    Nothing,
}

/// What decides on [`Ask`].
pub struct Asked {
    /// How far the report is.
    pub status: ReportStatus,
    /// Whether the reader may correct.
    pub author: bool,
    /// Whether the reader may approve.
    pub approver: bool,
    /// Whether the rules would take their approval.
    pub stands: bool,
}

impl Ask {
    /// Decides what is asked of somebody.
    #[must_use]
    pub const fn of(asked: &Asked) -> Self {
        match asked.status {
            ReportStatus::Draft if asked.author => Self::Correct,
            ReportStatus::Submitted if asked.approver && asked.stands => Self::Decide,
            ReportStatus::Submitted if asked.approver => Self::Own,
            ReportStatus::Draft
            | ReportStatus::Submitted
            | ReportStatus::Approved
            | ReportStatus::Withdrawn => Self::Nothing,
        }
    }
}

/// A decision as shown.
pub struct DecisionView {
    /// What was decided.
    pub decision: Badge,
    /// Which revision.
    pub revision: u32,
    /// Who and when.
    pub by: String,
    /// Why, for a rejection.
    pub reason: String,
    /// That the approver is an author, where it is so.
    pub own: bool,
}

impl DecisionView {
    /// Shows a decision by somebody called `name`.
    #[must_use]
    pub fn of(record: &DecisionRecord, name: &str, locale: Locale) -> Self {
        let decision = match record.decision {
            Decision::Approved => Badge { tone: Tone::Well, text: locale.text("report-approved") },
            Decision::Rejected => {
                Badge { tone: Tone::Medium, text: locale.text("report-rejected") }
            }
        };
        Self {
            decision,
            revision: record.revision.0,
            by: format!("{name} · {}", japan_time(record.decided_at)),
            reason: record.reason.clone(),
            own: record.own_answers == OwnAnswers::Some,
        }
    }
}

/// Says who submitted a report and when.
#[must_use]
pub fn submitted_words(
    submission: &Submission,
    name: impl Fn(UserId) -> String,
    locale: Locale,
) -> String {
    let (who, at) = (name(submission.submitted_by), japan_time(submission.submitted_at));
    locale.text_with("report-submitted-by", &[("who", &who), ("time", &at)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_whom_as_a_table() {
        use ReportStatus::{Approved, Draft, Submitted};
        let ask =
            |status, author, approver, stands| Ask::of(&Asked { status, author, approver, stands });
        assert_eq!(ask(Draft, true, false, false), Ask::Correct);
        assert_eq!(ask(Draft, false, false, false), Ask::Nothing);
        assert_eq!(ask(Submitted, true, false, false), Ask::Nothing);
        assert_eq!(ask(Submitted, true, true, true), Ask::Decide);
        assert_eq!(ask(Submitted, true, true, false), Ask::Own);
        assert_eq!(ask(Approved, true, true, true), Ask::Nothing);
    }
}
