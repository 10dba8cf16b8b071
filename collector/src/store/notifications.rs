//! Alert channels and the outbox of staff alerts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::event::Severity;
use shirase_shared::ids::{FacilityId, IncidentId};
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_ms, to_ms};
use super::outbox::Outbox;
use crate::notify::{Channel, ChannelId, Notification, NotificationKey, Reached, parse_severity};

#[derive(FromRow)]
struct ChannelRow {
    channel_id: String,
    kind: String,
    target: String,
    min_severity: String,
}

impl ChannelRow {
    fn channel(self, facility: &FacilityId) -> Result<Channel, StoreError> {
        let unreadable = |error| StoreError::unreadable("alert channel", error);
        Ok(Channel {
            facility: facility.clone(),
            id: self.channel_id.parse().map_err(unreadable)?,
            kind: self.kind.parse().map_err(unreadable)?,
            target: self.target,
            min_severity: parse_severity(&self.min_severity).map_err(unreadable)?,
        })
    }
}

#[derive(FromRow)]
struct KeyRow {
    incident_id: String,
    escalation: String,
    channel_id: String,
}

impl KeyRow {
    fn key(self, facility: &FacilityId) -> Result<NotificationKey, StoreError> {
        Ok(NotificationKey {
            facility: facility.clone(),
            incident: incident(&self.incident_id)?,
            escalation: severity(&self.escalation)?,
            channel: channel(&self.channel_id)?,
        })
    }
}

#[derive(FromRow)]
struct OutboxRow {
    #[sqlx(flatten)]
    key: KeyRow,
    message_id: String,
    created_ms: i64,
    attempts: i64,
    sent_ms: Option<i64>,
    last_error: String,
}

fn incident(text: &str) -> Result<IncidentId, StoreError> {
    text.parse()
        .map_err(|error| StoreError::unreadable("incident id", error))
}

fn severity(text: &str) -> Result<Severity, StoreError> {
    parse_severity(text).map_err(|error| StoreError::unreadable("severity", error))
}

fn channel(text: &str) -> Result<ChannelId, StoreError> {
    text.parse()
        .map_err(|error| StoreError::unreadable("channel name", error))
}

/// What one channel has done and what it could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Messages that left.
    pub sent: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Why the one that waits longest could not leave; empty if none waits or none was tried.
    pub last_error: String,
}

impl Store {
    /// Returns the alert channels of a facility by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_channels(&self, facility: &FacilityId) -> Result<Vec<Channel>, StoreError> {
        let rows: Vec<ChannelRow> = sqlx::query_as(
            "SELECT channel_id, kind, target, min_severity FROM alert_channels WHERE facility_id = ? ORDER BY channel_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;

        rows.into_iter().map(|row| row.channel(facility)).collect()
    }

    /// Stores a channel, or replaces the one of the same name.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such facility; otherwise when the database fails.
    pub async fn put_alert_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO alert_channels (facility_id, channel_id, kind, target, min_severity)
             SELECT facility_id, ?, ?, ?, ? FROM facilities WHERE facility_id = ?
             ON CONFLICT (facility_id, channel_id)
             DO UPDATE SET kind = excluded.kind, target = excluded.target, min_severity = excluded.min_severity",
        )
        .bind(channel.id.to_string())
        .bind(channel.kind.as_str())
        .bind(&channel.target)
        .bind(channel.min_severity.as_str())
        .bind(channel.facility.as_str())
        .execute(&self.writer)
        .await?;

        if done.rows_affected() == 0 { Err(StoreError::Missing("facility")) } else { Ok(()) }
    }

    /// Removes a channel and what waits in it; what it sent stays recorded.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none; otherwise when the database fails.
    pub async fn remove_alert_channel(
        &self,
        facility: &FacilityId,
        channel: &ChannelId,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let done =
            sqlx::query("DELETE FROM alert_channels WHERE facility_id = ? AND channel_id = ?")
                .bind(facility.as_str())
                .bind(channel.to_string())
                .execute(&mut *tx)
                .await?;
        sqlx::query("DELETE FROM notifications WHERE facility_id = ? AND channel_id = ? AND sent_ms IS NULL")
            .bind(facility.as_str())
            .bind(channel.to_string())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;

        if done.rows_affected() == 0 { Err(StoreError::Missing("alert channel")) } else { Ok(()) }
    }

    /// Returns the incidents of a facility that people still work on, with the severity they reached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_incidents_reached(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Reached>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT incident_id, severity FROM incidents
             WHERE facility_id = ? AND status IN ('open', 'acknowledged') ORDER BY number",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;

        rows.into_iter()
            .map(|(id, reached)| {
                Ok(Reached { incident: incident(&id)?, severity: severity(&reached)? })
            })
            .collect()
    }

    /// Returns the keys of all messages, sent or not, about incidents people still work on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox_keys(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeSet<NotificationKey>, StoreError> {
        let rows: Vec<KeyRow> = sqlx::query_as(
            "SELECT n.incident_id, n.escalation, n.channel_id FROM notifications n
             JOIN incidents i ON i.facility_id = n.facility_id AND i.incident_id = n.incident_id
             WHERE n.facility_id = ? AND i.status IN ('open', 'acknowledged')",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;

        rows.into_iter().map(|row| row.key(facility)).collect()
    }

    /// Puts messages into the outbox; those that are in it already stay as they are.
    ///
    /// # Errors
    /// When the database fails; then none was put in.
    pub async fn put_notifications(
        &self,
        keys: &[NotificationKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        for key in keys {
            sqlx::query(
                "INSERT OR IGNORE INTO notifications
                 (facility_id, incident_id, escalation, channel_id, message_id, created_ms, next_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key.facility.as_str())
            .bind(key.incident.to_string())
            .bind(key.escalation.as_str())
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

    /// Returns the messages of a facility whose time has come, the oldest first.
    ///
    /// A message about an incident that was closed or merged meanwhile is held back, and leaves if it is reopened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_notifications(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<Notification>, StoreError> {
        let rows: Vec<OutboxRow> = sqlx::query_as(
            "SELECT n.incident_id, n.escalation, n.channel_id, n.message_id, n.created_ms, n.attempts, n.sent_ms,
                    n.last_error
             FROM notifications n
             JOIN incidents i ON i.facility_id = n.facility_id AND i.incident_id = n.incident_id
             WHERE n.facility_id = ? AND n.sent_ms IS NULL AND n.next_ms <= ?
               AND i.status IN ('open', 'acknowledged')
             ORDER BY n.created_ms, n.channel_id, n.escalation",
        )
        .bind(facility.as_str())
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;

        rows.into_iter()
            .map(|row| row.notification(facility))
            .collect()
    }

    /// Returns all messages about an incident, sent or not, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notifications_of(
        &self,
        facility: &FacilityId,
        incident: IncidentId,
    ) -> Result<Vec<Notification>, StoreError> {
        let rows: Vec<OutboxRow> = sqlx::query_as(
            "SELECT incident_id, escalation, channel_id, message_id, created_ms, attempts, sent_ms, last_error
             FROM notifications WHERE facility_id = ? AND incident_id = ? ORDER BY created_ms, channel_id, escalation",
        )
        .bind(facility.as_str())
        .bind(incident.to_string())
        .fetch_all(&self.readers)
        .await?;

        rows.into_iter()
            .map(|row| row.notification(facility))
            .collect()
    }

    /// Records that a message left.
    ///
    /// # Errors
    /// When the database fails: then the same message, with the same id, may leave once more.
    pub async fn notification_sent(
        &self,
        key: &NotificationKey,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_left(Outbox::Alerts, (&key.facility, &id), at)
            .await
    }

    /// Records a failed attempt and when the next one is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notification_failed(
        &self,
        key: &NotificationKey,
        next_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_failed(Outbox::Alerts, (&key.facility, &id), (next_at, why))
            .await
    }

    /// Returns what a channel has done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel_state(
        &self,
        facility: &FacilityId,
        channel: &ChannelId,
    ) -> Result<ChannelState, StoreError> {
        let (sent, waiting, last_error): (i64, i64, Option<String>) = sqlx::query_as(
            "SELECT COUNT(sent_ms), COUNT(*) - COUNT(sent_ms),
                    (SELECT last_error FROM notifications
                     WHERE facility_id = ?1 AND channel_id = ?2 AND sent_ms IS NULL ORDER BY created_ms LIMIT 1)
             FROM notifications WHERE facility_id = ?1 AND channel_id = ?2",
        )
        .bind(facility.as_str())
        .bind(channel.to_string())
        .fetch_one(&self.readers)
        .await?;

        Ok(ChannelState {
            sent: u64::try_from(sent).unwrap_or(0),
            waiting: u64::try_from(waiting).unwrap_or(0),
            last_error: last_error.unwrap_or_default(),
        })
    }
}

impl OutboxRow {
    fn notification(self, facility: &FacilityId) -> Result<Notification, StoreError> {
        Ok(Notification {
            key: self.key.key(facility)?,
            message_id: self.message_id,
            created_at: from_ms(self.created_ms)?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            sent_at: self.sent_ms.map(from_ms).transpose()?,
            last_error: self.last_error,
        })
    }
}
