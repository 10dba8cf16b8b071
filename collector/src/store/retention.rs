//! Removes what was kept long enough. What may go is decided in `retention`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, IncidentId, Sequence};
use sqlx::FromRow;

use super::audit::append_audit;
use super::connect::{Store, StoreError, from_int, parsed, to_int, to_json, to_ms};
use crate::audit::AuditEntry;
use crate::correlate::RecordKey;
use crate::records::ManifestSeen;

/// Everything that belongs to an incident, what hangs on a report or a delivery before these. Facility and incident are
/// the first and second value.
const OF_AN_INCIDENT: &[&str] = &[
    "DELETE FROM matter_notices WHERE facility_id = ?1 AND about IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2
          UNION SELECT delivery_id FROM deliveries WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM delivery_attempts WHERE facility_id = ?1 AND delivery_id IN
         (SELECT delivery_id FROM deliveries WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM deliveries WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM submissions WHERE facility_id = ?1 AND report_id IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM decisions WHERE facility_id = ?1 AND report_id IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM renderings WHERE facility_id = ?1 AND report_id IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM filled_forms WHERE facility_id = ?1 AND report_id IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM emergency_reviews WHERE facility_id = ?1 AND report_id IN
         (SELECT report_id FROM reports WHERE facility_id = ?1 AND incident_id = ?2)",
    "DELETE FROM reports WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM sheet_answers WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM sheet_proposals WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM sheets WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM sharing_products WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM notifications WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM deadline_notices WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM timeline WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM conclusions WHERE facility_id = ?1 AND incident_id = ?2",
    "DELETE FROM incidents WHERE facility_id = ?1 AND incident_id = ?2",
];

/// Where a look through the old events of a facility stands: the time and the row of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldEvents {
    at_ms: i64,
    row: i64,
}

/// One look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many went.
    pub events: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<OldEvents>,
}

#[derive(FromRow)]
struct Row {
    rowid: i64,
    host_id: String,
    stream_id: String,
    sequence: i64,
    corrected_ms: i64,
    is_last: bool,
}

impl Row {
    fn key(&self) -> Result<RecordKey, StoreError> {
        Ok(RecordKey {
            host: parsed("host id", &self.host_id)?,
            stream: parsed("stream id", &self.stream_id)?,
            sequence: Sequence(from_int(self.sequence)?),
        })
    }
}

impl Store {
    /// Removes an incident with all that belongs to it but its events, and writes that down.
    ///
    /// # Errors
    /// When the database fails: nothing was removed then.
    pub async fn remove_incident(
        &self,
        (facility, incident): (&FacilityId, IncidentId),
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for statement in OF_AN_INCIDENT {
            sqlx::query(*statement)
                .bind(facility.as_str())
                .bind(incident.to_string())
                .execute(&mut *change)
                .await?;
        }
        append_audit(&mut change, entry).await?;

        self.commit_audited(change).await
    }

    /// Looks at the next `most` old events of a facility and removes those that are not `kept`.
    ///
    /// The last one of each stream stays, so that its agent is told how far the stream is stored; and what arrived
    /// lately stays, however old it is.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable key.
    pub async fn remove_events(
        &self,
        facility: &FacilityId,
        before: Timestamp,
        kept: &BTreeSet<RecordKey>,
        (from, most): (OldEvents, usize),
    ) -> Result<Removed, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT r.rowid, r.host_id, r.stream_id, r.sequence, r.corrected_ms,
                    NOT EXISTS (SELECT 1 FROM records l WHERE l.facility_id = r.facility_id AND l.host_id = r.host_id
                        AND l.stream_id = r.stream_id AND r.sequence < l.sequence) AS is_last
             FROM records r
             WHERE r.facility_id = ?1 AND r.corrected_ms < ?2 AND r.received_ms < ?2
               AND (?3 < r.corrected_ms OR (r.corrected_ms = ?3 AND ?4 < r.rowid))
               AND r.rowid < (SELECT MAX(rowid) FROM records)
             ORDER BY r.corrected_ms, r.rowid LIMIT ?5",
        )
        .bind(facility.as_str())
        .bind(to_ms(before))
        .bind(from.at_ms)
        .bind(from.row)
        .bind(to_int(most as u64))
        .fetch_all(&self.readers)
        .await?;
        let mut gone = Vec::new();
        for row in rows.iter().filter(|row| !row.is_last) {
            if !kept.contains(&row.key()?) {
                gone.push(row.rowid);
            }
        }
        let next = rows
            .last()
            .filter(|_| rows.len() == most)
            .map(|row| OldEvents { at_ms: row.corrected_ms, row: row.rowid });
        if !gone.is_empty() {
            let rows = to_json("rows", &gone)?;
            let mut change = self.change().await?;
            sqlx::query("DELETE FROM records WHERE rowid IN (SELECT value FROM json_each(?))")
                .bind(rows)
                .execute(&mut *change)
                .await?;
            change.commit().await?;
        }

        Ok(Removed { events: gone.len(), next })
    }

    /// Forgets manifests. Their ciphertexts go with the next look for what nobody knows.
    ///
    /// # Errors
    /// When the database fails: nothing was forgotten then.
    pub async fn forget_manifests(
        &self,
        manifests: &[ManifestSeen],
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for manifest in manifests {
            sqlx::query(
                "DELETE FROM manifests WHERE facility_id = ? AND host_id = ? AND burst_id = ? AND sha256 = ?",
            )
            .bind(manifest.facility.as_str())
            .bind(manifest.host.to_string())
            .bind(manifest.burst.to_string())
            .bind(&manifest.sha256)
            .execute(&mut *change)
            .await?;
        }
        append_audit(&mut change, entry).await?;

        self.commit_audited(change).await
    }

    /// Returns the hashes of every manifest that is known, of whatever facility.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn manifest_hashes(&self) -> Result<BTreeSet<String>, StoreError> {
        let hashes: Vec<String> = sqlx::query_scalar("SELECT sha256 FROM manifests")
            .fetch_all(&self.readers)
            .await?;

        Ok(hashes.into_iter().collect())
    }

    /// Returns the bytes of the database that hold something. The file itself does not shrink; what was freed is used again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bytes_in_use(&self) -> Result<u64, StoreError> {
        let bytes: i64 = sqlx::query_scalar(
            "SELECT (p.page_count - f.freelist_count) * s.page_size
             FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s",
        )
        .fetch_one(&self.readers)
        .await?;

        from_int(bytes)
    }
}

#[cfg(test)]
mod tests;
