//! Counts for the console's overview.

use sqlx::Row;

use shirase_shared::event::Severity;
use shirase_shared::ids::FacilityId;

use super::connect::{Store, StoreError};
use crate::console::overview::Counts;

impl Store {
    /// Counts the live incidents and open reports of a facility. Hosts are counted by whoever knows the time.
    ///
    /// # Errors
    /// When the database does not answer or holds an unknown severity.
    pub async fn counts(&self, facility: &FacilityId) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        let rows = sqlx::query(
            "SELECT severity, drill_id IS NOT NULL AS drill, COUNT(*) AS n FROM incidents
             WHERE facility_id = ? AND status IN ('open', 'acknowledged') GROUP BY severity, drill",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let n = row.try_get::<i64, _>("n")?.unsigned_abs();
            let drill: bool = row.try_get("drill")?;
            let severity: String = row.try_get("severity")?;
            let severity: Severity = serde_json::from_value(severity.into())
                .map_err(|error| StoreError::unreadable("severity", error))?;
            if drill {
                counts.drills += n;
            } else {
                counts.add(severity, n);
            }
        }
        let row = sqlx::query(
            "SELECT COUNT(*) FILTER (WHERE status = 'submitted') AS submitted,
                    COUNT(*) FILTER (WHERE status = 'draft') AS drafts
             FROM reports WHERE facility_id = ? AND drill_id IS NULL",
        )
        .bind(facility.as_str())
        .fetch_one(&self.readers)
        .await?;
        counts.submitted = row.try_get::<i64, _>("submitted")?.unsigned_abs();
        counts.drafts = row.try_get::<i64, _>("drafts")?.unsigned_abs();
        counts.reviews = u64::try_from(self.open_reviews(facility).await?.len()).unwrap_or(0);

        Ok(counts)
    }
}
