//! The outbox of notices about emergency releases.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use crate::notify::emergency::{EmergencyKey, EmergencyNotice};
use crate::store::connect::{from_ms, parsed, to_ms};
use crate::store::outbox::Outbox;
use crate::store::reports::rows::revision;
use crate::store::{Store, StoreError};

#[derive(FromRow)]
struct Row {
    report_id: String,
    revision: i64,
    channel_id: String,
    created_ms: i64,
    attempts: i64,
}

impl Row {
    fn notice(self, facility: &FacilityId) -> Result<EmergencyNotice, StoreError> {
        Ok(EmergencyNotice {
            key: EmergencyKey {
                facility: facility.clone(),
                report: parsed("report id", &self.report_id)?,
                revision: revision(self.revision)?,
                channel: parsed("channel name", &self.channel_id)?,
            },
            created_at: from_ms(self.created_ms)?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
        })
    }
}

impl Store {
    /// Returns the keys of all notices of a facility, sent or not.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn emergency_notice_keys(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeSet<EmergencyKey>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT report_id, revision, channel_id, created_ms, attempts FROM emergency_notices WHERE facility_id = ?",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| Ok(row.notice(facility)?.key))
            .collect()
    }

    /// Puts notices into the outbox; those that are in it already stay as they are.
    ///
    /// # Errors
    /// When the database fails; then none was put in.
    pub async fn put_emergency_notices(
        &self,
        keys: &[EmergencyKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        for key in keys {
            sqlx::query(
                "INSERT OR IGNORE INTO emergency_notices
                 (facility_id, report_id, revision, channel_id, message_id, created_ms, next_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key.facility.as_str())
            .bind(key.report.to_string())
            .bind(i64::from(key.revision.0))
            .bind(key.channel.to_string())
            .bind(key.message_id())
            .bind(to_ms(now))
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;

        Ok(())
    }

    /// Returns the notices of a facility whose time has come, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn due_emergency_notices(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<EmergencyNotice>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT report_id, revision, channel_id, created_ms, attempts FROM emergency_notices
             WHERE facility_id = ? AND sent_ms IS NULL AND next_ms <= ? ORDER BY created_ms, channel_id",
        )
        .bind(facility.as_str())
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.notice(facility)).collect()
    }

    /// Records that a notice left, or that there is nobody to tell any more.
    ///
    /// # Errors
    /// When the database fails: then the same message, with the same id, may leave once more.
    pub async fn emergency_notice_done(
        &self,
        key: &EmergencyKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_left(Outbox::Emergencies, (&key.facility, &id), at)
            .await
    }

    /// Records a failed attempt and when the next one is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn emergency_notice_failed(
        &self,
        key: &EmergencyKey,
        next_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_failed(Outbox::Emergencies, (&key.facility, &id), (next_at, why))
            .await
    }
}
