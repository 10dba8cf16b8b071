//! How submissions, decisions and renderings stand in their tables.

use shirase_shared::ids::{FacilityId, ReportId};
use sqlx::{FromRow, SqliteConnection};

use crate::approval::{
    Decision, DecisionRecord, Format, Manner, OwnAnswers, Rendering, Submission, Verdict,
};
use crate::reports::answer::NamedPerson;
use crate::store::StoreError;
use crate::store::connect::{from_ms, parsed, to_ms};
use crate::store::reports::rows::revision;

#[derive(FromRow)]
pub(super) struct SubmissionRow {
    revision: i64,
    frozen_json: String,
    answers_sha256: String,
    submitted_by: String,
    submitted_ms: i64,
}

pub(super) async fn read_submission(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    report: ReportId,
    number: i64,
) -> Result<Option<Submission>, StoreError> {
    let row: Option<SubmissionRow> = sqlx::query_as(
        "SELECT * FROM submissions WHERE facility_id = ? AND report_id = ? AND revision = ?",
    )
    .bind(facility.as_str())
    .bind(report.to_string())
    .bind(number)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };

    Ok(Some(Submission {
        facility: facility.clone(),
        report,
        revision: revision(row.revision)?,
        frozen_json: row.frozen_json,
        answers_sha256: row.answers_sha256,
        submitted_by: parsed("user id", &row.submitted_by)?,
        submitted_at: from_ms(row.submitted_ms)?,
    }))
}

pub(super) async fn insert_submission(
    conn: &mut SqliteConnection,
    submission: &Submission,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO submissions (facility_id, report_id, revision, frozen_json, answers_sha256, submitted_by, submitted_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(submission.facility.as_str())
    .bind(submission.report.to_string())
    .bind(i64::from(submission.revision.0))
    .bind(&submission.frozen_json)
    .bind(&submission.answers_sha256)
    .bind(submission.submitted_by.to_string())
    .bind(to_ms(submission.submitted_at))
    .execute(conn)
    .await?;

    Ok(())
}

/// Decisions on a report, the oldest first. Two in one millisecond stand in the order in which they were stored.
pub(in crate::store) const DECISIONS: &str = "SELECT revision, decision, decided_by, decided_name, decided_ms, answers_sha256, own_answers, deputy_for,
            deputy_for_name, emergency, approvers_needed, reason
     FROM decisions WHERE facility_id = ? AND report_id = ? ORDER BY revision, decided_ms, rowid";

#[derive(FromRow)]
pub(super) struct DecisionRow {
    revision: i64,
    decision: String,
    answers_sha256: String,
    decided_by: String,
    decided_name: String,
    decided_ms: i64,
    own_answers: i64,
    deputy_for: Option<String>,
    deputy_for_name: Option<String>,
    emergency: i64,
    approvers_needed: i64,
    reason: String,
}

impl TryFrom<DecisionRow> for DecisionRecord {
    type Error = StoreError;

    fn try_from(row: DecisionRow) -> Result<Self, StoreError> {
        let deputy_for = match row.deputy_for {
            Some(user) => Some(NamedPerson {
                user: parsed("user id", &user)?,
                name: row.deputy_for_name.unwrap_or_default(),
            }),
            None => None,
        };
        Ok(Self {
            revision: revision(row.revision)?,
            decision: Decision::parse(&row.decision)
                .ok_or_else(|| StoreError::unreadable("decision", row.decision))?,
            answers_sha256: row.answers_sha256,
            decided_by: parsed("user id", &row.decided_by)?,
            decided_name: row.decided_name,
            decided_at: from_ms(row.decided_ms)?,
            own_answers: if row.own_answers == 0 { OwnAnswers::None } else { OwnAnswers::Some },
            deputy_for,
            manner: if row.emergency == 0 { Manner::Ordinary } else { Manner::Emergency },
            approvers_needed: u8::try_from(row.approvers_needed)
                .map_err(|error| StoreError::unreadable("number of approvers", error))?,
            reason: row.reason,
        })
    }
}

/// Returns every decision on a report, the oldest first.
pub(super) async fn read_decisions(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    report: ReportId,
) -> Result<Vec<DecisionRecord>, StoreError> {
    let rows: Vec<DecisionRow> = sqlx::query_as(DECISIONS)
        .bind(facility.as_str())
        .bind(report.to_string())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(DecisionRecord::try_from).collect()
}

pub(super) async fn insert_decision(
    conn: &mut SqliteConnection,
    verdict: &Verdict,
    record: &DecisionRecord,
) -> Result<(), StoreError> {
    let own_answers = match record.own_answers {
        OwnAnswers::None => 0_i64,
        OwnAnswers::Some => 1,
    };
    let emergency = match record.manner {
        Manner::Ordinary => 0_i64,
        Manner::Emergency => 1,
    };
    let deputy_for = record.deputy_for.as_ref();
    sqlx::query(
        "INSERT INTO decisions (facility_id, report_id, revision, decision, decided_by, decided_name, decided_ms,
                                answers_sha256, own_answers, deputy_for, deputy_for_name, emergency, approvers_needed,
                                reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(verdict.facility.as_str())
    .bind(verdict.report.to_string())
    .bind(i64::from(record.revision.0))
    .bind(record.decision.as_str())
    .bind(record.decided_by.to_string())
    .bind(&record.decided_name)
    .bind(to_ms(record.decided_at))
    .bind(&record.answers_sha256)
    .bind(own_answers)
    .bind(deputy_for.map(|person| person.user.to_string()))
    .bind(deputy_for.map(|person| person.name.clone()))
    .bind(emergency)
    .bind(i64::from(record.approvers_needed))
    .bind(&record.reason)
    .execute(conn)
    .await?;

    Ok(())
}

#[derive(FromRow)]
pub(super) struct RenderingRow {
    revision: i64,
    format: String,
    sha256: String,
    signature: String,
    bytes: Vec<u8>,
    made_ms: i64,
}

impl TryFrom<RenderingRow> for Rendering {
    type Error = StoreError;

    fn try_from(row: RenderingRow) -> Result<Self, StoreError> {
        Ok(Self {
            revision: revision(row.revision)?,
            format: Format::parse(&row.format)
                .ok_or_else(|| StoreError::unreadable("kind of file", row.format))?,
            sha256: row.sha256,
            signature: row.signature,
            bytes: row.bytes,
            made_at: from_ms(row.made_ms)?,
        })
    }
}

pub(super) async fn insert_rendering(
    conn: &mut SqliteConnection,
    verdict: &Verdict,
    rendering: &Rendering,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO renderings (facility_id, report_id, revision, format, sha256, signature, bytes, made_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(verdict.facility.as_str())
    .bind(verdict.report.to_string())
    .bind(i64::from(rendering.revision.0))
    .bind(rendering.format.as_str())
    .bind(&rendering.sha256)
    .bind(&rendering.signature)
    .bind(&rendering.bytes)
    .bind(to_ms(rendering.made_at))
    .execute(conn)
    .await?;

    Ok(())
}
