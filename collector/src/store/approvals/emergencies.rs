//! Emergency releases and the look another person takes at each.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ReportId};
use sqlx::{FromRow, SqliteConnection};

use super::DecisionError;
use crate::approval::{EmergencyRelease, Review, ReviewOutcome, Verdict, judge_review};
use crate::audit::{Actor, AuditEntry};
use crate::reports::answer::NamedPerson;
use crate::store::append_audit;
use crate::store::connect::{from_ms, parsed, to_ms};
use crate::store::reports::rows::revision;
use crate::store::{Store, StoreError};

/// Emergency releases with their reviews; a condition on `d` follows.
const RELEASES: &str = "SELECT p.incident_id, d.report_id, d.revision, d.decided_by, d.decided_name, d.decided_ms, d.reason,
            e.reviewed_by, e.reviewed_name, e.reviewed_ms, e.outcome, e.note
     FROM decisions d
     JOIN reports p ON p.facility_id = d.facility_id AND p.report_id = d.report_id
     LEFT JOIN emergency_reviews e
          ON e.facility_id = d.facility_id AND e.report_id = d.report_id AND e.revision = d.revision
     WHERE d.emergency = 1 AND d.facility_id = ?";

#[derive(FromRow)]
struct Row {
    incident_id: String,
    report_id: String,
    revision: i64,
    decided_by: String,
    decided_name: String,
    decided_ms: i64,
    reason: String,
    reviewed_by: Option<String>,
    reviewed_name: Option<String>,
    reviewed_ms: Option<i64>,
    outcome: Option<String>,
    note: Option<String>,
}

impl TryFrom<Row> for EmergencyRelease {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let review = match (row.reviewed_by, row.reviewed_ms, row.outcome) {
            (Some(by), Some(ms), Some(outcome)) => Some(Review {
                by: NamedPerson {
                    user: parsed("user id", &by)?,
                    name: row.reviewed_name.unwrap_or_default(),
                },
                at: from_ms(ms)?,
                outcome: ReviewOutcome::parse(&outcome)
                    .ok_or_else(|| StoreError::unreadable("outcome of a review", outcome))?,
                note: row.note.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Self {
            incident: parsed("incident id", &row.incident_id)?,
            report: parsed("report id", &row.report_id)?,
            revision: revision(row.revision)?,
            by: NamedPerson { user: parsed("user id", &row.decided_by)?, name: row.decided_name },
            at: from_ms(row.decided_ms)?,
            reason: row.reason,
            review,
        })
    }
}

impl Store {
    /// Returns the emergency releases nobody else has looked at yet, the oldest first: open duties.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn open_reviews(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<EmergencyRelease>, StoreError> {
        let sql = format!("{RELEASES} AND e.revision IS NULL ORDER BY d.decided_ms, d.rowid");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(EmergencyRelease::try_from).collect()
    }

    /// Returns every emergency release of one report, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn emergency_releases(
        &self,
        facility: &FacilityId,
        report: ReportId,
    ) -> Result<Vec<EmergencyRelease>, StoreError> {
        let sql = format!("{RELEASES} AND d.report_id = ? ORDER BY d.decided_ms, d.rowid");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(facility.as_str())
            .bind(report.to_string())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(EmergencyRelease::try_from).collect()
    }

    /// Records that another person looked at an emergency release.
    ///
    /// # Errors
    /// Refuses whoever released it, a second review, and an objection without words.
    pub async fn review_release(
        &self,
        verdict: &Verdict,
        (outcome, note): (ReviewOutcome, &str),
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        let Verdict { facility, report, revision, by } = verdict;
        let mut tx = self.change().await?;
        let release = release_of(&mut tx, facility, *report).await?;
        let release = release.filter(|release| release.revision == *revision);
        judge_review(release.as_ref(), by, outcome, note)?;
        sqlx::query(
            "INSERT INTO emergency_reviews (facility_id, report_id, revision, outcome, note, reviewed_by, reviewed_name,
                                            reviewed_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(facility.as_str())
        .bind(report.to_string())
        .bind(i64::from(revision.0))
        .bind(outcome.as_str())
        .bind(note.trim())
        .bind(by.user.to_string())
        .bind(&by.name)
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(now, Actor::User(by.user), "report.emergency_reviewed", report)
            .of(facility)
            .with("revision", revision)
            .with("outcome", outcome.as_str())
            .with("note", note.trim());
        append_audit(&mut tx, &entry).await?;

        Ok(self.commit_audited(tx).await?)
    }
}

/// Returns the emergency release of a report that waits for its review, or else the last one.
pub(super) async fn release_of(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    report: ReportId,
) -> Result<Option<EmergencyRelease>, StoreError> {
    let sql = format!(
        "{RELEASES} AND d.report_id = ? ORDER BY e.revision IS NULL DESC, d.decided_ms DESC LIMIT 1"
    );
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(facility.as_str())
        .bind(report.to_string())
        .fetch_optional(conn)
        .await?;
    row.map(EmergencyRelease::try_from).transpose()
}
