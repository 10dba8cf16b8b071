//! The outbox of warnings about deadlines.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use super::outbox::Outbox;
use crate::notify::deadline::{Notice, NoticeKey, Stage};

#[derive(FromRow)]
struct KeyRow {
    incident_id: String,
    deadline: String,
    stage: String,
    due_ms: i64,
    channel_id: String,
}

impl KeyRow {
    fn key(self, facility: &FacilityId) -> Result<NoticeKey, StoreError> {
        Ok(NoticeKey {
            facility: facility.clone(),
            incident: parsed("incident id", &self.incident_id)?,
            deadline: self.deadline,
            due: from_ms(self.due_ms)?,
            stage: Stage::parse(&self.stage)
                .ok_or_else(|| StoreError::unreadable("stage of a deadline", self.stage))?,
            channel: parsed("channel name", &self.channel_id)?,
        })
    }
}

#[derive(FromRow)]
struct NoticeRow {
    #[sqlx(flatten)]
    key: KeyRow,
    created_ms: i64,
    attempts: i64,
}

impl Store {
    /// Returns the keys of all warnings of a facility, sent or not.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn notice_keys(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeSet<NoticeKey>, StoreError> {
        let rows: Vec<KeyRow> = sqlx::query_as(
            "SELECT incident_id, deadline, stage, due_ms, channel_id FROM deadline_notices WHERE facility_id = ?",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.key(facility)).collect()
    }

    /// Puts warnings into the outbox; those that are in it already stay as they are.
    ///
    /// # Errors
    /// When the database fails; then none was put in.
    pub async fn put_notices(&self, keys: &[NoticeKey], now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        for key in keys {
            sqlx::query(
                "INSERT OR IGNORE INTO deadline_notices
                 (facility_id, incident_id, deadline, stage, due_ms, channel_id, message_id, created_ms, next_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key.facility.as_str())
            .bind(key.incident.to_string())
            .bind(&key.deadline)
            .bind(key.stage.name())
            .bind(to_ms(key.due))
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

    /// Returns the warnings of a facility whose time has come, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn due_notices(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows: Vec<NoticeRow> = sqlx::query_as(
            "SELECT incident_id, deadline, stage, due_ms, channel_id, created_ms, attempts FROM deadline_notices
             WHERE facility_id = ? AND sent_ms IS NULL AND next_ms <= ? ORDER BY created_ms, channel_id, stage",
        )
        .bind(facility.as_str())
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;
        let read = |row: NoticeRow| {
            Ok(Notice {
                key: row.key.key(facility)?,
                created_at: from_ms(row.created_ms)?,
                attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Records that a warning left, or that there is nothing to warn of any more.
    ///
    /// # Errors
    /// When the database fails: then the same message, with the same id, may leave once more.
    pub async fn notice_done(&self, key: &NoticeKey, at: Timestamp) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_left(Outbox::Deadlines, (&key.facility, &id), at)
            .await
    }

    /// Records a failed attempt and when the next one is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notice_failed(
        &self,
        key: &NoticeKey,
        next_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_failed(Outbox::Deadlines, (&key.facility, &id), (next_at, why))
            .await
    }
}
