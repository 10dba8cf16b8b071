//! The incidents a page lists: a bounded number, however long the collector has been running.

use jiff::{SignedDuration, Timestamp};
use shirase_shared::ids::FacilityId;

use super::{Row, with_conclusions};
use crate::incidents::Incident;
use crate::store::connect::to_ms;
use crate::store::{Store, StoreError};

/// How long after its opening an incident that is over is still looked at for deadlines. The longest there is ends 60
/// days after the year.
const DEADLINE_LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * (366 + 60 + 14));

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

    /// Returns the incidents deadlines can still run for, the latest first: all that are live, and those opened within
    /// [`DEADLINE_LOOK_BACK`] before `now`. Those that became a part of another are not among them.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn incidents_with_deadlines(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<Incident>, StoreError> {
        let since = now
            .saturating_sub(DEADLINE_LOOK_BACK)
            .unwrap_or(Timestamp::MIN);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, incident_id, number, status, severity, rule, drill_id, first_ms, opened_ms,
                    updated_ms, merged_into
             FROM incidents WHERE facility_id = ? AND merged_into IS NULL
               AND (status IN ('open', 'acknowledged') OR ? <= opened_ms)
             ORDER BY number DESC",
        )
        .bind(facility.as_str())
        .bind(to_ms(since))
        .fetch_all(&self.readers)
        .await?;
        let mut conn = self.readers.acquire().await?;
        with_conclusions(&mut conn, facility, rows).await
    }
}
