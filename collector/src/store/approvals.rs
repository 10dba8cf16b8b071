//! Submissions, decisions and renderings. The rules are `approval`'s; here they are applied inside one transaction.

mod emergencies;
mod read;
mod rows;
mod rules;
mod sending;
mod standing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::tls::sha256_hex;
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError};
use super::reports::rows::{
    answers_in_force, read_report, set_revision, set_sheet_revision, set_status, sheet_revision,
};
use crate::approval::{
    Asked, Decision, DecisionRecord, Format, Former, Frozen, FrozenProfile, Manner, OwnAnswers,
    Refusal, Rendering, RuleLayer, Sender, Submission, Verdict, Weight, WithdrawalAsked, judge,
    judge_withdrawal,
};
use crate::audit::{Actor, AuditEntry};
use crate::reports::ReportStatus;
use crate::reports::answer::{Answer, NamedPerson};
use crate::reports::fields::Field;
use rows::{insert_decision, insert_rendering, insert_submission};
use standing::{Known, known, user_name};

pub use rules::{RuleChange, RuleFailure, StoredRule};
pub use standing::ApprovalState;

/// What is missing when a report has no frozen answers.
const FROZEN: &str = "frozen answers of this report";

/// Why a submission or a decision was not stored.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The rules of approval refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else decided at the same moment: it has to be weighed again.
    #[error("somebody else decided on the report at the same moment")]
    Moved,
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DecisionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

/// A wish to submit, with what is frozen beside the answers.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// Which report at which revision, and who submits it.
    pub verdict: Verdict,
    /// The profile it follows.
    pub profile: FrozenProfile,
    /// The institution that reports.
    pub sender: Sender,
    /// What people call the incident.
    pub incident_number: u64,
    /// Answers that are this report's own: its round, its addressees, its time, its authors.
    pub own: BTreeMap<Field, Answer>,
    /// What the report before said of the fields that read otherwise now.
    pub former: Option<Former>,
}

/// A wish to decide.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which report at which revision, and who decides.
    pub verdict: Verdict,
    /// Approved or rejected.
    pub decision: Decision,
    /// By the rule, or alone in an emergency.
    pub manner: Manner,
    /// Why; empty for an ordinary approval.
    pub reason: String,
}

impl Wish {
    /// Wishes to approve by the rule in force.
    #[must_use]
    pub const fn approve(verdict: Verdict) -> Self {
        let (decision, manner) = (Decision::Approved, Manner::Ordinary);
        Self { verdict, decision, manner, reason: String::new() }
    }

    /// Wishes to release it alone.
    #[must_use]
    pub fn emergency(verdict: Verdict, reason: &str) -> Self {
        let (decision, manner) = (Decision::Approved, Manner::Emergency);
        Self { verdict, decision, manner, reason: reason.to_owned() }
    }
}

/// What a decision would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// What it is about.
    pub submission: Submission,
    /// Approvals of this revision so far, the oldest first.
    pub so_far: Vec<DecisionRecord>,
    /// The decision as it would be stored.
    pub record: DecisionRecord,
    /// Whether it would release the report.
    pub weight: Weight,
}

/// A weighed approval, with the files that were rendered for it.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// What is wished.
    pub wish: Wish,
    /// What it came to when the files were rendered.
    pub weighed: Weighed,
    /// The signed files, one of them the PDF; none while others have to approve too.
    pub renderings: Vec<Rendering>,
}

impl Store {
    /// Freezes the incident's answers with the report's own as the next revision, and awaits a decision.
    ///
    /// # Errors
    /// Refuses a stale revision and a report that is no draft.
    pub async fn submit_report(
        &self,
        new: &NewSubmission,
        now: Timestamp,
    ) -> Result<Submission, DecisionError> {
        let Verdict { facility, report: id, revision: asked, by } = &new.verdict;
        let mut tx = self.change().await?;
        let mut report = read_report(&mut tx, facility, *id).await?;
        if report.status != ReportStatus::Draft {
            return Err(Refusal::NotDraft(report.status).into());
        }
        if report.revision != *asked {
            return Err(Refusal::Stale { asked: *asked, current: report.revision }.into());
        }
        let key = (facility, report.incident);
        // A revision of its own: what is answered from now on is later than what was frozen.
        report.revision = sheet_revision(&mut tx, key).await?.next();
        let mut answers = answers_in_force(&mut tx, key).await?;
        let own = new.own.iter().map(|(&field, answer)| {
            (field, Answer { revision: report.revision, ..answer.clone() })
        });
        answers.extend(own);
        let (profile, sender) = (new.profile.clone(), new.sender.clone());
        let frozen = Frozen::of(&report, &answers, profile, sender, new.incident_number)
            .after(new.former.clone());
        let frozen_json = frozen
            .canonical()
            .map_err(|error| StoreError::unreadable("answer", error))?;
        let submission = Submission {
            facility: facility.clone(),
            report: *id,
            revision: report.revision,
            answers_sha256: sha256_hex(frozen_json.as_bytes()),
            frozen_json,
            submitted_by: by.user,
            submitted_at: now,
        };
        insert_submission(&mut tx, &submission).await?;
        set_sheet_revision(&mut tx, key, report.revision, now).await?;
        set_revision(&mut tx, facility, *id, report.revision, now).await?;
        set_status(&mut tx, facility, *id, ReportStatus::Submitted, now).await?;
        let entry = AuditEntry::new(now, Actor::User(by.user), "report.submitted", id)
            .of(facility)
            .with("revision", report.revision)
            .with("answers_sha256", &submission.answers_sha256);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(submission)
    }

    /// Says what a decision would come to now, without taking it.
    ///
    /// # Errors
    /// The refusal the decision itself would meet.
    pub async fn weigh_decision(
        &self,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Weighed, DecisionError> {
        let mut tx = self.readers.begin().await?;
        let weighed = weigh(&mut tx, wish, now).await?;
        tx.commit().await?;

        Ok(weighed)
    }

    /// Stores an approval, with its files if it releases the report: all or nothing.
    ///
    /// # Errors
    /// Refuses what the rules refuse; [`DecisionError::Moved`] if somebody else decided since it was weighed, so that
    /// the files would not tell of all approvals.
    pub async fn approve_report(&self, new: &NewApproval) -> Result<DecisionRecord, DecisionError> {
        let NewApproval { wish, weighed, renderings } = new;
        let verdict = &wish.verdict;
        let now = weighed.record.decided_at;
        let mut tx = self.change().await?;
        if weigh(&mut tx, wish, now).await? != *weighed {
            return Err(DecisionError::Moved);
        }
        let record = &weighed.record;
        insert_decision(&mut tx, verdict, record).await?;
        let mut entry = match weighed.weight {
            Weight::Counts => decided("report.approval_given", verdict, record),
            Weight::Completes => {
                for rendering in renderings {
                    insert_rendering(&mut tx, verdict, rendering).await?;
                }
                let (facility, report) = (&verdict.facility, verdict.report);
                set_status(&mut tx, facility, report, ReportStatus::Approved, now).await?;
                match record.manner {
                    Manner::Ordinary => decided("report.approved", verdict, record),
                    Manner::Emergency => decided("report.approved_in_emergency", verdict, record),
                }
            }
        };
        for rendering in renderings {
            let key = if rendering.format == Format::Pdf {
                "file_sha256".to_owned()
            } else {
                format!("{}_sha256", rendering.format)
            };
            entry = entry.with(&key, &rendering.sha256);
        }
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(record.clone())
    }

    /// Stores a rejection: the report is a draft again.
    ///
    /// # Errors
    /// Refuses a stale revision, a report that awaits no decision, and an empty reason.
    pub async fn reject_report(
        &self,
        verdict: &Verdict,
        reason: &str,
        now: Timestamp,
    ) -> Result<DecisionRecord, DecisionError> {
        let wish = Wish {
            verdict: verdict.clone(),
            decision: Decision::Rejected,
            manner: Manner::Ordinary,
            reason: reason.to_owned(),
        };
        let mut tx = self.change().await?;
        let record = weigh(&mut tx, &wish, now).await?.record;
        insert_decision(&mut tx, verdict, &record).await?;
        set_status(&mut tx, &verdict.facility, verdict.report, ReportStatus::Draft, now).await?;
        append_audit(&mut tx, &decided("report.rejected", verdict, &record)).await?;
        self.commit_audited(tx).await?;

        Ok(record)
    }

    /// Takes a submitted or an approved report back: it is a draft again, and the record says who did it and why.
    ///
    /// # Errors
    /// Refuses a stale revision, an empty reason, and a report that an addressee has or may have.
    pub async fn take_report_back(
        &self,
        verdict: &Verdict,
        asked: &WithdrawalAsked,
        now: Timestamp,
    ) -> Result<DecisionRecord, DecisionError> {
        let Verdict { facility, report: id, by, .. } = verdict;
        let mut tx = self.change().await?;
        let nothing = RuleLayer::default();
        let known = known(&mut tx, (facility, *id), &nothing, now).await?;
        judge_withdrawal(&known.standing, asked)?;
        let submission = known.submission.ok_or(StoreError::Missing(FROZEN))?;
        let record = DecisionRecord {
            revision: submission.revision,
            decision: Decision::Withdrawn,
            answers_sha256: submission.answers_sha256,
            decided_by: by.user,
            decided_name: by.name.clone(),
            decided_at: now,
            own_answers: OwnAnswers::None,
            deputy_for: None,
            manner: Manner::Ordinary,
            approvers_needed: known.standing.rule.approvers,
            reason: asked.reason.trim().to_owned(),
        };
        insert_decision(&mut tx, verdict, &record).await?;
        set_status(&mut tx, facility, *id, ReportStatus::Draft, now).await?;
        let entry = decided("report.taken_back", verdict, &record)
            .with("was", known.standing.status.as_str());
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(record)
    }
}

/// Reads where the report stands and asks the rules, inside the caller's transaction.
async fn weigh(
    conn: &mut SqliteConnection,
    wish: &Wish,
    now: Timestamp,
) -> Result<Weighed, DecisionError> {
    let Verdict { facility, report: id, revision, by } = &wish.verdict;
    // Without frozen answers there is nothing to decide, whatever the profile's file says.
    let known = known(conn, (facility, *id), &RuleLayer::default(), now).await?;
    let Known { standing, submission, decisions, .. } = known;
    let asked = Asked {
        revision: *revision,
        decision: wish.decision,
        manner: wish.manner,
        by: by.user,
        reason: wish.reason.clone(),
        at: now,
    };
    let granted = judge(&standing, &asked)?;
    let submission = submission.ok_or(StoreError::Missing(FROZEN))?;
    let deputy_for = match granted.deputy_for {
        Some(user) => Some(NamedPerson { user, name: user_name(conn, user).await? }),
        None => None,
    };
    let record = DecisionRecord {
        revision: submission.revision,
        decision: wish.decision,
        answers_sha256: submission.answers_sha256.clone(),
        decided_by: by.user,
        decided_name: by.name.clone(),
        decided_at: now,
        own_answers: granted.own_answers,
        deputy_for,
        manner: wish.manner,
        approvers_needed: standing.rule.approvers,
        reason: wish.reason.trim().to_owned(),
    };
    let so_far = decisions
        .into_iter()
        .filter(|record| record.revision == submission.revision)
        .filter(|record| record.decision == Decision::Approved)
        .collect();

    Ok(Weighed { submission, so_far, record, weight: granted.weight })
}

fn decided(action: &'static str, verdict: &Verdict, record: &DecisionRecord) -> AuditEntry {
    let own_answers = match record.own_answers {
        OwnAnswers::None => "no",
        OwnAnswers::Some => "yes",
    };
    let entry =
        AuditEntry::new(record.decided_at, Actor::User(record.decided_by), action, verdict.report)
            .of(&verdict.facility)
            .with("revision", record.revision)
            .with("answers_sha256", &record.answers_sha256)
            .with("own_answers", own_answers)
            .with("approvers_needed", record.approvers_needed);
    let entry = match &record.deputy_for {
        Some(person) => entry.with("deputy_for", person.user),
        None => entry,
    };
    match record.reason.as_str() {
        "" => entry,
        reason => entry.with("reason", reason),
    }
}
