//! New reports of an incident: the first of a series, and the next ones.

use jiff::Timestamp;
use shirase_shared::ids::{DrillId, FacilityId, IncidentId, ReportId};

use super::rows::{REPORTS, Row, read_report, set_status};
use crate::audit::{Actor, AuditEntry};
use crate::reports::answer::RoundKind;
use crate::reports::{Report, ReportStatus};
use crate::store::append_audit;
use crate::store::connect::{Store, StoreError, to_ms};

/// A report that is to be made.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// Whose.
    pub facility: FacilityId,
    /// About which incident.
    pub incident: IncidentId,
    /// The profile it follows.
    pub profile: String,
    /// The series it counts in.
    pub series: String,
    /// 速報, 続報 or 確報.
    pub kind: RoundKind,
    /// Set when the incident is an exercise.
    pub drill: Option<DrillId>,
}

/// Why no new report was made.
#[derive(Debug, thiserror::Error)]
pub enum RoundRefused {
    /// The one before is not out yet.
    #[error("the report before it is {0}; finish it first, then make the next one")]
    Open(ReportStatus),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RoundRefused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Query(error))
    }
}

impl Store {
    /// Returns the incident's first report of a series, made now if there is none. A withdrawn one becomes a draft
    /// again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_draft(
        &self,
        new: &NewReport,
        now: Timestamp,
    ) -> Result<Report, StoreError> {
        let mut tx = self.change().await?;
        let found = of_series(&mut tx, new).await?;
        let report = match found.into_iter().next_back() {
            Some(report) if report.status != ReportStatus::Withdrawn => return Ok(report),
            Some(report) => {
                set_status(&mut tx, &new.facility, report.id, ReportStatus::Draft, now).await?;
                let entry = entry(new, report.id, Actor::Machine, "report.reopened", now);
                append_audit(&mut tx, &entry).await?;
                report.id
            }
            None => {
                let id = insert(&mut tx, new, 1, now).await?;
                let entry = entry(new, id, Actor::Machine, "report.drafted", now);
                append_audit(&mut tx, &entry).await?;
                id
            }
        };
        let report = read_report(&mut tx, &new.facility, report).await?;
        self.commit_audited(tx).await?;

        Ok(report)
    }

    /// Makes the next report of a series. It shows the incident's answers, which are those of the one before and what
    /// became known since.
    ///
    /// # Errors
    /// Refuses while the one before is a draft or awaits its approval.
    pub async fn next_report(
        &self,
        new: &NewReport,
        by: Actor,
        now: Timestamp,
    ) -> Result<Report, RoundRefused> {
        let mut tx = self.change().await?;
        let last = of_series(&mut tx, new).await?.into_iter().next_back();
        if let Some(last) = &last
            && matches!(last.status, ReportStatus::Draft | ReportStatus::Submitted)
        {
            return Err(RoundRefused::Open(last.status));
        }
        let number = last.map_or(1, |last| last.round.number + 1);
        let id = insert(&mut tx, new, number, now).await?;
        let entry = entry(new, id, by, "report.drafted", now).with("round", number);
        append_audit(&mut tx, &entry).await?;
        let report = read_report(&mut tx, &new.facility, id).await?;
        self.commit_audited(tx).await?;

        Ok(report)
    }
}

async fn of_series(
    conn: &mut sqlx::SqliteConnection,
    new: &NewReport,
) -> Result<Vec<Report>, StoreError> {
    let sql = format!(
        "{REPORTS} WHERE r.facility_id = ? AND r.incident_id = ? AND r.series = ? ORDER BY r.round"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(new.facility.as_str())
        .bind(new.incident.to_string())
        .bind(&new.series)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Report::try_from).collect()
}

async fn insert(
    conn: &mut sqlx::SqliteConnection,
    new: &NewReport,
    number: u32,
    now: Timestamp,
) -> Result<ReportId, StoreError> {
    let id = ReportId::random();
    sqlx::query(
        "INSERT INTO reports (facility_id, report_id, incident_id, profile, series, round, round_kind, status, revision,
                              drill_id, created_ms, updated_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'draft', 0, ?, ?, ?)",
    )
    .bind(new.facility.as_str())
    .bind(id.to_string())
    .bind(new.incident.to_string())
    .bind(&new.profile)
    .bind(&new.series)
    .bind(i64::from(number))
    .bind(new.kind.as_str())
    .bind(new.drill.map(|drill| drill.to_string()))
    .bind(to_ms(now))
    .bind(to_ms(now))
    .execute(conn)
    .await?;

    Ok(id)
}

fn entry(
    new: &NewReport,
    id: ReportId,
    by: Actor,
    action: &'static str,
    now: Timestamp,
) -> AuditEntry {
    AuditEntry::new(now, by, action, id)
        .of(&new.facility)
        .with("incident", new.incident)
        .with("profile", &new.profile)
}
