//! The incidents a page lists: a bounded number, however long the collector has been running.

use shirase_shared::ids::FacilityId;

use super::{Row, with_conclusions};
use crate::incidents::Incident;
use crate::store::{Store, StoreError};

impl Store {
    /// Returns the incidents people look at, the latest first: all that are live, and the `past` last changed of the
    /// others. Those that became a part of another are not among them.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incidents_to_show(
        &self,
        facility: &FacilityId,
        past: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, incident_id, number, status, severity, rule, drill_id, first_ms, opened_ms,
                    updated_ms, merged_into
             FROM incidents WHERE facility_id = ?1 AND merged_into IS NULL
               AND (status IN ('open', 'acknowledged') OR incident_id IN (
                   SELECT incident_id FROM incidents
                   WHERE facility_id = ?1 AND merged_into IS NULL AND status NOT IN ('open', 'acknowledged')
                   ORDER BY updated_ms DESC, number DESC LIMIT ?2))
             ORDER BY number DESC",
        )
        .bind(facility.as_str())
        .bind(past)
        .fetch_all(&self.readers)
        .await?;
        let mut conn = self.readers.acquire().await?;
        with_conclusions(&mut conn, facility, rows).await
    }
}
