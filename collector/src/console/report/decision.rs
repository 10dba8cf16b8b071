//! Submitting and deciding, as the reader of a report sees it.

use shirase_shared::ids::UserId;

use crate::approval::{
    Decision, DecisionRecord, Emergency, EmergencyRelease, Granted, Manner, Outlook, OwnAnswers,
    Refusal, ReviewOutcome, Sending, Standing, Submission, Weight, WithdrawalAsked,
    judge_withdrawal,
};
use crate::console::approval::rule_words;
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
    /// Reject it only: the rules do not take their approval.
    Barred,
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
            ReportStatus::Submitted if asked.approver => Self::Barred,
            ReportStatus::Draft
            | ReportStatus::Submitted
            | ReportStatus::Approved
            | ReportStatus::Withdrawn => Self::Nothing,
        }
    }
}

/// Who looks at the approval of a report, and what is stored about it.
pub struct Looking<'a> {
    /// Who.
    pub reader: UserId,
    /// Whether they correct reports.
    pub author: bool,
    /// Whether they approve.
    pub approver: bool,
    /// Whether they manage the facility.
    pub administrator: bool,
    /// Where the report stands.
    pub standing: &'a Standing,
    /// What the rules say to each approver.
    pub outlook: &'a Outlook,
    /// The last emergency release.
    pub emergency: Option<&'a EmergencyRelease>,
    /// What people are called.
    pub name: &'a (dyn Fn(UserId) -> String + Sync),
    /// The language to speak.
    pub locale: Locale,
}

/// The approval of a report.
pub struct ApprovalView {
    /// The rule in force, a line each.
    pub rule: Vec<String>,
    /// How many approvals there are of how many, while a decision is awaited.
    pub progress: String,
    /// Whether a decision is awaited.
    pub awaits: bool,
    /// Who may approve now; nobody where it is empty.
    pub may: Vec<String>,
    /// Why the reader may not approve.
    pub barred: String,
    /// In whose place the reader would approve.
    pub deputy: String,
    /// Whether others have to approve after the reader.
    pub counts_only: bool,
    /// Whether the reader may release it alone.
    pub emergency_offered: bool,
    /// Whether the reader may take it back.
    pub may_withdraw: bool,
    /// Why nobody may take it back, where that is worth a word.
    pub no_withdrawal: String,
    /// How far its delivery is, once it is released.
    pub sending: Option<Badge>,
    /// The emergency release.
    pub emergency: Option<EmergencyView>,
}

/// An emergency release, as a banner.
pub struct EmergencyView {
    /// Its revision.
    pub revision: u32,
    /// Who and when.
    pub by: String,
    /// Why alone.
    pub reason: String,
    /// What another person found, if one looked.
    pub review: Option<(Badge, String, String)>,
    /// Whether the reader may record a review.
    pub may_review: bool,
}

impl ApprovalView {
    /// Shows the approval to somebody.
    #[must_use]
    pub fn of(looking: &Looking<'_>) -> Self {
        let Looking { standing, locale, .. } = looking;
        let submitted = standing.status == ReportStatus::Submitted;
        let mine = looking.mine();
        let withdrawal = looking.withdrawal();
        let barred = match mine {
            Some(Err(refusal)) if submitted => refusal_words(*refusal, *locale),
            Some(_) | None => String::new(),
        };
        let granted = mine.and_then(|mine| mine.as_ref().ok());
        let deputy = granted.and_then(|granted| granted.deputy_for);
        Self {
            rule: rule_words(&standing.rule, looking.name, *locale),
            progress: looking.progress(),
            awaits: submitted,
            may: if submitted { looking.may() } else { Vec::new() },
            barred,
            deputy: deputy.map_or_else(String::new, |user| {
                locale.text_with("approval-as-deputy", &[("for", &(looking.name)(user))])
            }),
            counts_only: granted.is_some_and(|granted| granted.weight == Weight::Counts),
            emergency_offered: submitted
                && standing.rule.emergency == Emergency::Allowed
                && (looking.approver || looking.administrator)
                && granted.is_none_or(|granted| granted.weight == Weight::Counts),
            may_withdraw: withdrawal == Ok(()),
            no_withdrawal: match withdrawal {
                Err(refusal @ (Refusal::Delivered | Refusal::UnderWay | Refusal::Followed)) => {
                    refusal_words(refusal, *locale)
                }
                Err(_) | Ok(()) => String::new(),
            },
            sending: (standing.status == ReportStatus::Approved)
                .then(|| sending_badge(standing.sending, *locale)),
            emergency: looking
                .emergency
                .map(|release| looking.emergency_view(release)),
        }
    }
}

impl Looking<'_> {
    /// Returns what is asked of the reader.
    #[must_use]
    pub fn ask(&self) -> Ask {
        Ask::of(&Asked {
            status: self.standing.status,
            author: self.author,
            approver: self.approver,
            stands: matches!(self.mine(), Some(Ok(_))),
        })
    }

    /// What the rules say to the reader, if they hold the role.
    fn mine(&self) -> Option<&Result<Granted, Refusal>> {
        let own = self.outlook.0.iter().find(|(user, _)| *user == self.reader);
        own.map(|(_, said)| said).filter(|_| self.approver)
    }

    fn withdrawal(&self) -> Result<(), Refusal> {
        if !self.author && !self.approver {
            return Err(Refusal::NotApprover);
        }
        let asked = WithdrawalAsked {
            revision: self.standing.revision,
            reason: "…".to_owned(),
            approver: self.approver,
        };
        judge_withdrawal(self.standing, &asked)
    }

    fn progress(&self) -> String {
        let (given, needed) = (self.standing.given.len(), self.standing.rule.approvers);
        if self.standing.status == ReportStatus::Submitted && 1 < needed {
            return self
                .locale
                .text_with("approval-progress", &[("given", &given), ("needed", &needed)]);
        }
        String::new()
    }

    fn may(&self) -> Vec<String> {
        let words = |(user, deputy_for): (UserId, Option<UserId>)| {
            let who = (self.name)(user);
            match deputy_for {
                None => who,
                Some(approver) => {
                    let approver = (self.name)(approver);
                    self.locale
                        .text_with("signer-deputy", &[("name", &who), ("for", &approver)])
                }
            }
        };
        self.outlook.may().map(words).collect()
    }

    fn emergency_view(&self, release: &EmergencyRelease) -> EmergencyView {
        let review = release.review.as_ref().map(|review| {
            let tone = match review.outcome {
                ReviewOutcome::InOrder => Tone::Well,
                ReviewOutcome::Objection => Tone::High,
            };
            let badge = Badge { tone, text: self.locale.text(review.outcome.label_key()) };
            (badge, format!("{} · {}", review.by.name, japan_time(review.at)), review.note.clone())
        });
        EmergencyView {
            revision: release.revision.0,
            by: format!("{} · {}", release.by.name, japan_time(release.at)),
            reason: release.reason.clone(),
            may_review: review.is_none()
                && release.by.user != self.reader
                && (self.approver || self.administrator),
            review,
        }
    }
}

/// Says why something was refused; nothing where the page has to be looked at anew.
#[must_use]
pub fn refusal_words(refusal: Refusal, locale: Locale) -> String {
    match (refusal, refusal.text_key()) {
        (Refusal::DeputyTooEarly { from: Some(from) }, Some(key)) => {
            locale.text_with(key, &[("time", &japan_time(from))])
        }
        (_, Some(key)) => locale.text(key),
        (_, None) => String::new(),
    }
}

/// Shows how far the delivery of a released report is.
#[must_use]
pub(super) fn sending_badge(sending: Sending, locale: Locale) -> Badge {
    let (tone, key) = match sending {
        Sending::NotYet => (Tone::Medium, "sending-not-yet"),
        Sending::UnderWay => (Tone::High, "sending-under-way"),
        Sending::Done => (Tone::Well, "sending-done"),
    };
    Badge { tone, text: locale.text(key) }
}

/// A decision as shown.
pub struct DecisionView {
    /// What was decided.
    pub decision: Badge,
    /// Which revision.
    pub revision: u32,
    /// Who and when.
    pub by: String,
    /// Why, for all but an ordinary approval.
    pub reason: String,
    /// That the approver is an author, where it is so.
    pub own: bool,
}

impl DecisionView {
    /// Shows a decision by somebody who is called `name` now; the name that was kept wins.
    #[must_use]
    pub fn of(record: &DecisionRecord, name: &str, locale: Locale) -> Self {
        let (tone, key) = match (record.decision, record.manner) {
            (Decision::Approved, Manner::Ordinary) => (Tone::Well, "report-approved"),
            (Decision::Approved, Manner::Emergency) => (Tone::High, "report-approved-alone"),
            (Decision::Rejected, _) => (Tone::Medium, "report-rejected"),
            (Decision::Withdrawn, _) => (Tone::Medium, "report-taken-back"),
        };
        let name = if record.decided_name.is_empty() { name } else { &record.decided_name };
        let who = match &record.deputy_for {
            None => name.to_owned(),
            Some(approver) => {
                locale.text_with("signer-deputy", &[("name", &name), ("for", &approver.name)])
            }
        };
        Self {
            decision: Badge { tone, text: locale.text(key) },
            revision: record.revision.0,
            by: format!("{who} · {}", japan_time(record.decided_at)),
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
        assert_eq!(ask(Submitted, true, true, false), Ask::Barred);
        assert_eq!(ask(Approved, true, true, true), Ask::Nothing);
    }
}
