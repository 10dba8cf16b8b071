//! The rules of approval: who may approve, reject or withdraw, given the people, the answers, the rule and the absences.
//!
//! Always holds: pure; each of the functions gives one answer, and the transaction that stores a decision asks it again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::UserId;

use super::{Decision, Emergency, Manner, NamedApprover, OwnAnswers, Rule};
use crate::facilities::SelfApproval;
use crate::reports::ReportStatus;
use crate::reports::answer::Revision;

/// Where a report stands when somebody wants to decide on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far it is.
    pub status: ReportStatus,
    /// Its revision now.
    pub revision: Revision,
    /// Everybody whose answer stands in that revision, and who submitted it.
    pub authors: Vec<UserId>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// Who has to approve.
    pub rule: Rule,
    /// Approvals of this revision so far.
    pub given: Vec<Given>,
    /// Approvers who are away.
    pub away: BTreeSet<UserId>,
    /// How far its delivery is.
    pub sending: Sending,
    /// Whether a later report to the same addressee builds on it.
    pub followed: bool,
}

/// An approval that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    /// By whom.
    pub by: UserId,
    /// In whose place.
    pub deputy_for: Option<UserId>,
}

impl Given {
    /// Returns whose approval it counts as.
    const fn counts_as(self) -> UserId {
        match self.deputy_for {
            Some(approver) => approver,
            None => self.by,
        }
    }
}

/// How far the delivery of an approved report is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sending {
    /// Nothing left the house.
    #[default]
    NotYet,
    /// An attempt is being made, or nobody knows what became of one.
    UnderWay,
    /// An addressee has it.
    Done,
}

/// What somebody wants to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The revision the person was looking at.
    pub revision: Revision,
    /// Approved or rejected.
    pub decision: Decision,
    /// By the rule, or alone in an emergency.
    pub manner: Manner,
    /// Who.
    pub by: UserId,
    /// Why; needed for a rejection and in an emergency.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A decision that may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whether the person is an author too.
    pub own_answers: OwnAnswers,
    /// In whose place a deputy approves.
    pub deputy_for: Option<UserId>,
    /// Whether the report is released by it.
    pub weight: Weight,
}

/// What an approval does to the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Others have to approve too.
    Counts,
    /// The report is released.
    Completes,
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
    /// A rejection, a withdrawal or an emergency release without a reason.
    #[error("this needs a reason, so that others know why")]
    NoReason,
    /// The person approved this revision already.
    #[error("you approved this revision already; another person has to approve it too")]
    ApprovedAlready,
    /// The rule names others.
    #[error("you are neither a named approver of this report nor a deputy of one")]
    NotNamed,
    /// A deputy whose approver is there.
    #[error("the approver you stand in for is not away{}", told(*.from))]
    DeputyTooEarly {
        /// From when deputies may approve although nobody is away.
        from: Option<Timestamp>,
    },
    /// The approver and a deputy of theirs cannot both approve.
    #[error(
        "this was approved in that person's place already; another approver has to approve it too"
    )]
    PlaceTaken,
    /// Emergency releases are not allowed here.
    #[error("the facility's settings allow no emergency release")]
    NoEmergency,
    /// There is nothing to take back.
    #[error("the report is {0}, so there is nothing to withdraw")]
    NothingToWithdraw(ReportStatus),
    /// Only approvers withdraw what was approved.
    #[error("only an approver withdraws an approved report")]
    NotApprover,
    /// It is on its way.
    #[error(
        "the report is being delivered, or nobody knows yet whether it arrived; it cannot be withdrawn now"
    )]
    UnderWay,
    /// It is out.
    #[error("the report was delivered, so it cannot be withdrawn; correct it with the next report")]
    Delivered,
    /// A later report says what changed since it.
    #[error("a later report to the same addressee builds on it; correct it there")]
    Followed,
    /// There is no emergency release that waits for a review.
    #[error("this report has no emergency release that waits for a review")]
    NothingToReview,
    /// Who released it cannot review it.
    #[error("another person than the one who released it has to review it")]
    OwnRelease,
}

impl Refusal {
    /// Returns the key of its words in the locale files; `None` where the page itself changed and is looked at anew.
    #[must_use]
    pub const fn text_key(self) -> Option<&'static str> {
        Some(match self {
            Self::NotSubmitted(_) | Self::NotDraft(_) | Self::Stale { .. } => return None,
            Self::NothingToWithdraw(_) => return None,
            Self::OwnAnswers => "report-own-answers",
            Self::NoReason => "report-no-reason",
            Self::ApprovedAlready => "refusal-approved-already",
            Self::NotNamed => "refusal-not-named",
            Self::DeputyTooEarly { from: None } => "refusal-deputy-not-away",
            Self::DeputyTooEarly { from: Some(_) } => "refusal-deputy-too-early",
            Self::PlaceTaken => "refusal-place-taken",
            Self::NoEmergency => "refusal-no-emergency",
            Self::NotApprover => "refusal-not-approver",
            Self::UnderWay => "refusal-under-way",
            Self::Delivered => "refusal-delivered",
            Self::Followed => "refusal-followed",
            Self::NothingToReview => "refusal-nothing-to-review",
            Self::OwnRelease => "refusal-own-release",
        })
    }
}

fn told(from: Option<Timestamp>) -> String {
    from.map_or_else(String::new, |from| format!("; deputies may approve from {from} on"))
}

/// Decides whether a report may be approved or rejected.
///
/// # Errors
/// Says why not.
pub fn judge(standing: &Standing, asked: &Asked) -> Result<Granted, Refusal> {
    if standing.status != ReportStatus::Submitted {
        return Err(Refusal::NotSubmitted(standing.status));
    }
    if standing.revision != asked.revision {
        return Err(Refusal::Stale { asked: asked.revision, current: standing.revision });
    }
    let reasoned = !asked.reason.trim().is_empty();
    match (asked.decision, asked.manner) {
        (Decision::Rejected | Decision::Withdrawn, _) if !reasoned => Err(Refusal::NoReason),
        (Decision::Rejected | Decision::Withdrawn, _) => Ok(Granted {
            own_answers: OwnAnswers::None,
            deputy_for: None,
            weight: Weight::Completes,
        }),
        (Decision::Approved, Manner::Emergency) => {
            if standing.rule.emergency == Emergency::Refused {
                return Err(Refusal::NoEmergency);
            }
            if !reasoned {
                return Err(Refusal::NoReason);
            }
            let own_answers = own(standing, asked.by);
            Ok(Granted { own_answers, deputy_for: None, weight: Weight::Completes })
        }
        (Decision::Approved, Manner::Ordinary) => approval(standing, asked),
    }
}

fn own(standing: &Standing, by: UserId) -> OwnAnswers {
    if standing.authors.contains(&by) { OwnAnswers::Some } else { OwnAnswers::None }
}

fn approval(standing: &Standing, asked: &Asked) -> Result<Granted, Refusal> {
    if standing.given.iter().any(|given| given.by == asked.by) {
        return Err(Refusal::ApprovedAlready);
    }
    let deputy_for = place(standing, asked)?;
    let own_answers = own(standing, asked.by);
    if own_answers == OwnAnswers::Some && standing.rule.self_approval == SelfApproval::Refused {
        return Err(Refusal::OwnAnswers);
    }
    let enough = usize::from(standing.rule.approvers) <= standing.given.len() + 1;
    let weight = if enough { Weight::Completes } else { Weight::Counts };

    Ok(Granted { own_answers, deputy_for, weight })
}

/// Finds whose place somebody approves in: their own, or that of an approver they stand in for.
fn place(standing: &Standing, asked: &Asked) -> Result<Option<UserId>, Refusal> {
    let named = &standing.rule.named;
    let taken = |user: UserId| standing.given.iter().any(|given| given.counts_as() == user);
    if named.is_empty() || named.iter().any(|named| named.user == asked.by) {
        return if taken(asked.by) { Err(Refusal::PlaceTaken) } else { Ok(None) };
    }
    let mut stands_in = named
        .iter()
        .filter(|named| named.deputies.contains(&asked.by))
        .peekable();
    if stands_in.peek().is_none() {
        return Err(Refusal::NotNamed);
    }
    let free: Vec<&NamedApprover> = stands_in.filter(|named| !taken(named.user)).collect();
    let Some(first) = free.first() else { return Err(Refusal::PlaceTaken) };
    let from = standing.rule.deputies_from(standing.submitted_at);
    let absent = free
        .iter()
        .find(|named| standing.away.contains(&named.user));
    match absent {
        Some(absent) => Ok(Some(absent.user)),
        None if from.is_some_and(|from| from <= asked.at) => Ok(Some(first.user)),
        None => Err(Refusal::DeputyTooEarly { from }),
    }
}

/// What somebody wants to take back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalAsked {
    /// The revision the person was looking at.
    pub revision: Revision,
    /// Why.
    pub reason: String,
    /// Whether the person holds the role of an approver.
    pub approver: bool,
}

/// Decides whether a report may be withdrawn: before anybody outside has it.
///
/// # Errors
/// Says why not.
pub fn judge_withdrawal(standing: &Standing, asked: &WithdrawalAsked) -> Result<(), Refusal> {
    match standing.status {
        ReportStatus::Submitted | ReportStatus::Approved => {}
        ReportStatus::Draft | ReportStatus::Withdrawn => {
            return Err(Refusal::NothingToWithdraw(standing.status));
        }
    }
    if standing.revision != asked.revision {
        return Err(Refusal::Stale { asked: asked.revision, current: standing.revision });
    }
    if standing.status == ReportStatus::Approved {
        match standing.sending {
            Sending::NotYet => {}
            Sending::UnderWay => return Err(Refusal::UnderWay),
            Sending::Done => return Err(Refusal::Delivered),
        }
        if standing.followed {
            return Err(Refusal::Followed);
        }
        if !asked.approver {
            return Err(Refusal::NotApprover);
        }
    }
    if asked.reason.trim().is_empty() {
        return Err(Refusal::NoReason);
    }

    Ok(())
}

/// Who of some people may approve now, and why the others may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook(pub Vec<(UserId, Result<Granted, Refusal>)>);

impl Outlook {
    /// Asks the rules for each of them.
    #[must_use]
    pub fn of(standing: &Standing, people: &BTreeSet<UserId>, now: Timestamp) -> Self {
        let ask = |by: &UserId| {
            let asked = Asked {
                revision: standing.revision,
                decision: Decision::Approved,
                manner: Manner::Ordinary,
                by: *by,
                reason: String::new(),
                at: now,
            };
            (*by, judge(standing, &asked))
        };
        Self(people.iter().map(ask).collect())
    }

    /// Returns those who may approve now, each with the approver they stand in for.
    pub fn may(&self) -> impl Iterator<Item = (UserId, Option<UserId>)> {
        self.0
            .iter()
            .filter_map(|(user, granted)| granted.as_ref().ok().map(|g| (*user, g.deputy_for)))
    }
}

#[cfg(test)]
mod tests;
