//! Damage manifests: who sent which ciphertext for which burst.

use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_int, from_ms, parsed, to_int, to_ms};
use crate::records::ManifestSeen;

#[derive(FromRow)]
struct Row {
    facility_id: String,
    host_id: String,
    burst_id: String,
    sha256: String,
    bytes: i64,
    files: i64,
    received_ms: i64,
}

impl TryFrom<Row> for ManifestSeen {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            host: parsed("host id", &row.host_id)?,
            burst: parsed("burst id", &row.burst_id)?,
            sha256: row.sha256,
            bytes: from_int(row.bytes)?,
            files: from_int(row.files)?,
            received_at: from_ms(row.received_ms)?,
        })
    }
}

impl Store {
    /// Remembers a manifest whose ciphertext is on disk. The same one again changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_manifest(&self, manifest: &ManifestSeen) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO manifests (facility_id, host_id, burst_id, sha256, bytes, files, received_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(manifest.facility.as_str())
        .bind(manifest.host.to_string())
        .bind(manifest.burst.to_string())
        .bind(&manifest.sha256)
        .bind(to_int(manifest.bytes))
        .bind(to_int(manifest.files))
        .bind(to_ms(manifest.received_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns the manifests of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn manifests(&self, facility: &FacilityId) -> Result<Vec<ManifestSeen>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM manifests WHERE facility_id = ? ORDER BY received_ms DESC, sha256",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(ManifestSeen::try_from).collect()
    }
}
