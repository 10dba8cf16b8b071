//! Submissions, decisions and approvals as they are read back.

use shirase_shared::ids::{FacilityId, ReportId};

use super::rows::{RenderingRow, read_decisions, read_submission};
use crate::approval::{DecisionRecord, Format, Rendering, StoredApproval, Submission};
use crate::reports::ReportStatus;
use crate::reports::answer::Revision;
use crate::store::reports::rows::read_report;
use crate::store::{Store, StoreError};

impl Store {
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
        let mut conn = self.readers.acquire().await?;
        read_decisions(&mut conn, facility, report).await
    }

    /// Reads one approval back as it is stored; `None` while the report is not approved, or no longer.
    ///
    /// # Errors
    /// When the database fails or a part of the record is gone.
    pub async fn stored_approval(
        &self,
        facility: &FacilityId,
        id: ReportId,
    ) -> Result<Option<StoredApproval>, StoreError> {
        let mut tx = self.readers.begin().await?;
        let report = read_report(&mut tx, facility, id).await?;
        if report.status != ReportStatus::Approved {
            return Ok(None);
        }
        let number = i64::from(report.revision.0);
        let submission = read_submission(&mut tx, facility, id, number).await?;
        let decisions = read_decisions(&mut tx, facility, id).await?;
        let rows: Vec<RenderingRow> = sqlx::query_as(
            "SELECT * FROM renderings WHERE facility_id = ? AND report_id = ? AND revision = ? ORDER BY format",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
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
            status: report.status,
            submission: submission.ok_or(StoreError::Missing("frozen answers of this approval"))?,
            decisions: decisions
                .into_iter()
                .filter(|record| record.revision == report.revision)
                .collect(),
            rendering: pdf
                .into_iter()
                .next()
                .ok_or(StoreError::Missing("file of this approval"))?,
            others,
        }))
    }

    /// Sets a report's status past all rules, as somebody with the file in their hands could.
    #[cfg(test)]
    pub(crate) async fn force_status(
        &self,
        report: ReportId,
        status: ReportStatus,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE reports SET status = ? WHERE report_id = ?")
            .bind(status.as_str())
            .bind(report.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
