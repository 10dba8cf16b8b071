//! What becomes of a message: the same for alerts, warnings about deadlines and notices of what waits for a person, whose tables share these columns.

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;

use super::connect::{Store, StoreError, to_ms};

/// A table of messages on their way to staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outbox {
    /// Alerts about incidents.
    Alerts,
    /// Warnings about deadlines.
    Deadlines,
    /// Notices of what waits for a person.
    Matters,
}

impl Outbox {
    const fn left(self) -> &'static str {
        match self {
            Self::Alerts => {
                "UPDATE notifications SET sent_ms = ?, last_error = '' WHERE facility_id = ? AND message_id = ?"
            }
            Self::Deadlines => {
                "UPDATE deadline_notices SET sent_ms = ?, last_error = '' WHERE facility_id = ? AND message_id = ?"
            }
            Self::Matters => {
                "UPDATE matter_notices SET sent_ms = ?, last_error = '' WHERE facility_id = ? AND message_id = ?"
            }
        }
    }

    const fn failed(self) -> &'static str {
        match self {
            Self::Alerts => {
                "UPDATE notifications SET attempts = attempts + 1, next_ms = ?, last_error = ?
                 WHERE facility_id = ? AND message_id = ?"
            }
            Self::Deadlines => {
                "UPDATE deadline_notices SET attempts = attempts + 1, next_ms = ?, last_error = ?
                 WHERE facility_id = ? AND message_id = ?"
            }
            Self::Matters => {
                "UPDATE matter_notices SET attempts = attempts + 1, next_ms = ?, last_error = ?
                 WHERE facility_id = ? AND message_id = ?"
            }
        }
    }
}

impl Store {
    /// Records that a message left, or that there is nothing to say any more.
    pub(super) async fn message_left(
        &self,
        outbox: Outbox,
        (facility, message_id): (&FacilityId, &str),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(outbox.left())
            .bind(to_ms(at))
            .bind(facility.as_str())
            .bind(message_id)
            .execute(&self.writer)
            .await?;

        Ok(())
    }

    /// Records a failed attempt and when the next one is due.
    pub(super) async fn message_failed(
        &self,
        outbox: Outbox,
        (facility, message_id): (&FacilityId, &str),
        (next_at, why): (Timestamp, &str),
    ) -> Result<(), StoreError> {
        sqlx::query(outbox.failed())
            .bind(to_ms(next_at))
            .bind(why)
            .bind(facility.as_str())
            .bind(message_id)
            .execute(&self.writer)
            .await?;

        Ok(())
    }
}
