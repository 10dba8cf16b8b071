//! Submissions, decisions and renderings. The rules are `approval`'s; here they are applied inside one transaction.

mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ReportId, UserId};
use shirase_shared::tls::sha256_hex;
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::from_json;
use super::connect::{Store, StoreError};
use super::reports::rows::{
    answers_in_force, read_report, set_revision, set_sheet_revision, set_status, sheet_revision,
};
use crate::approval::{
    Asked, Decision, DecisionRecord, Format, Former, Frozen, FrozenProfile, OwnAnswers, Refusal,
    Rendering, Sender, Standing, StoredApproval, Submission, Verdict, judge,
};
use crate::audit::{Actor, AuditEntry};
use crate::facilities::SelfApproval;
use crate::reports::ReportStatus;
use crate::reports::answer::{Answer, Revision};
use crate::reports::fields::Field;
use rows::{
    DecisionRow, RenderingRow, insert_decision, insert_rendering, insert_submission,
    read_submission,
};

/// Why a submission or a decision was not stored.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The rules of approval refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
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

/// A wish to approve, with the files that were rendered for it.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// Which report at which revision, and who approves it.
    pub verdict: Verdict,
    /// Hash of the frozen answers the file shows.
    pub answers_sha256: String,
    /// What the file says about the approver being an author; a decision that comes out otherwise is refused.
    pub own_answers: OwnAnswers,
    /// The signed files, one of them the PDF.
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

    /// Says whether a decision may be taken now, and whether the person is an author, without taking it.
    ///
    /// # Errors
    /// The refusal the decision itself would meet.
    pub async fn weigh_decision(
        &self,
        verdict: &Verdict,
        decision: Decision,
        reason: &str,
    ) -> Result<(Submission, OwnAnswers), DecisionError> {
        let mut conn = self.readers.acquire().await?;
        weigh(&mut conn, verdict, decision, reason).await
    }

    /// Stores an approval with its files: all or nothing.
    ///
    /// # Errors
    /// Refuses a stale revision, a report that awaits no decision, an author, and a file that shows something else.
    pub async fn approve_report(
        &self,
        new: &NewApproval,
        now: Timestamp,
    ) -> Result<DecisionRecord, DecisionError> {
        let verdict = &new.verdict;
        let mut tx = self.change().await?;
        let (submission, own_answers) = weigh(&mut tx, verdict, Decision::Approved, "").await?;
        let shows_this = submission.answers_sha256 == new.answers_sha256
            && new
                .renderings
                .iter()
                .all(|file| file.revision == submission.revision)
            && new.own_answers == own_answers;
        if !shows_this {
            let current = submission.revision;
            return Err(Refusal::Stale { asked: verdict.revision, current }.into());
        }
        let record = DecisionRecord {
            revision: submission.revision,
            decision: Decision::Approved,
            answers_sha256: submission.answers_sha256,
            decided_by: verdict.by.user,
            decided_at: now,
            own_answers,
            reason: String::new(),
        };
        insert_decision(&mut tx, verdict, &record).await?;
        for rendering in &new.renderings {
            insert_rendering(&mut tx, verdict, rendering).await?;
        }
        set_status(&mut tx, &verdict.facility, verdict.report, ReportStatus::Approved, now).await?;
        let mut entry = decided("report.approved", verdict, &record);
        for rendering in &new.renderings {
            let key = if rendering.format == Format::Pdf {
                "file_sha256".to_owned()
            } else {
                format!("{}_sha256", rendering.format)
            };
            entry = entry.with(&key, &rendering.sha256);
        }
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(record)
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
        let mut tx = self.change().await?;
        let (submission, own_answers) = weigh(&mut tx, verdict, Decision::Rejected, reason).await?;
        let record = DecisionRecord {
            revision: submission.revision,
            decision: Decision::Rejected,
            answers_sha256: submission.answers_sha256,
            decided_by: verdict.by.user,
            decided_at: now,
            own_answers,
            reason: reason.trim().to_owned(),
        };
        insert_decision(&mut tx, verdict, &record).await?;
        set_status(&mut tx, &verdict.facility, verdict.report, ReportStatus::Draft, now).await?;
        let entry = decided("report.rejected", verdict, &record).with("reason", &record.reason);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(record)
    }

    /// Returns the frozen answers of one revision, if it was submitted.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn submission(
        &self,
        facility: &FacilityId,
        report: ReportId,
        revision: Revision,
    ) -> Result<Option<Submission>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        read_submission(&mut conn, facility, report, i64::from(revision.0)).await
    }

    /// Returns every decision on a report, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn decisions(
        &self,
        facility: &FacilityId,
        report: ReportId,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let rows: Vec<DecisionRow> = sqlx::query_as(
            "SELECT * FROM decisions WHERE facility_id = ? AND report_id = ? ORDER BY revision",
        )
        .bind(facility.as_str())
        .bind(report.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(DecisionRecord::try_from).collect()
    }

    /// Reads one approval back as it is stored; `None` while the report is not approved.
    ///
    /// # Errors
    /// When the database fails or a part of the record is gone.
    pub async fn stored_approval(
        &self,
        facility: &FacilityId,
        report: ReportId,
    ) -> Result<Option<StoredApproval>, StoreError> {
        let mut tx = self.readers.begin().await?;
        let decision: Option<DecisionRow> = sqlx::query_as(
            "SELECT * FROM decisions WHERE facility_id = ? AND report_id = ? AND decision = 'approved'",
        )
        .bind(facility.as_str())
        .bind(report.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(decision) = decision.map(DecisionRecord::try_from).transpose()? else {
            return Ok(None);
        };
        let number = i64::from(decision.revision.0);
        let submission = read_submission(&mut tx, facility, report, number).await?;
        let rows: Vec<RenderingRow> = sqlx::query_as(
            "SELECT * FROM renderings WHERE facility_id = ? AND report_id = ? AND revision = ? ORDER BY format",
        )
        .bind(facility.as_str())
        .bind(report.to_string())
        .bind(number)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let files: Vec<Rendering> = rows
            .into_iter()
            .map(Rendering::try_from)
            .collect::<Result<_, _>>()?;
        let (pdf, others): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|file| file.format == Format::Pdf);

        Ok(Some(StoredApproval {
            submission: submission.ok_or(StoreError::Missing("frozen answers of this approval"))?,
            decision,
            rendering: pdf
                .into_iter()
                .next()
                .ok_or(StoreError::Missing("file of this approval"))?,
            others,
        }))
    }
}

/// Reads where the report stands and asks the rules, inside the caller's transaction.
async fn weigh(
    conn: &mut SqliteConnection,
    verdict: &Verdict,
    decision: Decision,
    reason: &str,
) -> Result<(Submission, OwnAnswers), DecisionError> {
    let Verdict { facility, report: id, revision: asked, by } = verdict;
    let report = read_report(conn, facility, *id).await?;
    let number = i64::from(report.revision.0);
    let submission = read_submission(conn, facility, *id, number).await?;
    let mut authors: Vec<UserId> = Vec::new();
    if let Some(submission) = &submission {
        let frozen: Frozen = from_json("frozen answers", &submission.frozen_json)?;
        authors.extend(frozen.authors.iter().map(|author| author.user));
        authors.push(submission.submitted_by);
    }
    let (self_approval,): (i64,) =
        sqlx::query_as("SELECT self_approval FROM facilities WHERE facility_id = ?")
            .bind(facility.as_str())
            .fetch_one(conn)
            .await?;
    let self_approval =
        if self_approval == 0 { SelfApproval::Refused } else { SelfApproval::Allowed };
    let standing =
        Standing { status: report.status, revision: report.revision, authors, self_approval };
    let asked = Asked { revision: *asked, decision, by: by.user, reason: reason.to_owned() };
    let own_answers = judge(&standing, &asked)?;

    Ok((submission.ok_or(StoreError::Missing("frozen answers of this report"))?, own_answers))
}

fn decided(action: &'static str, verdict: &Verdict, record: &DecisionRecord) -> AuditEntry {
    AuditEntry::new(record.decided_at, Actor::User(record.decided_by), action, verdict.report)
        .of(&verdict.facility)
        .with("revision", record.revision)
        .with("answers_sha256", &record.answers_sha256)
        .with(
            "own_answers",
            match record.own_answers {
                OwnAnswers::None => "no",
                OwnAnswers::Some => "yes",
            },
        )
}
