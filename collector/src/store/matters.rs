//! The outbox of notices about what waits for a person.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use super::outbox::Outbox;
use super::reports::rows::revision;
use crate::deliver::Delivery;
use crate::notify::matter::{Matter, MatterKey, MatterNotice};

#[derive(FromRow)]
struct Row {
    kind: String,
    about: String,
    number: i64,
    channel_id: String,
    created_ms: i64,
    attempts: i64,
}

impl Row {
    fn notice(self, facility: &FacilityId) -> Result<MatterNotice, StoreError> {
        let matter = match self.kind.as_str() {
            "release" => Matter::Release(parsed("report id", &self.about)?, revision(self.number)?),
            "delivery" => {
                let attempt = u32::try_from(self.number)
                    .map_err(|_| StoreError::unreadable("attempt", self.number.to_string()))?;
                Matter::Delivery(parsed("delivery id", &self.about)?, attempt)
            }
            "package" => Matter::Package(parsed("package", &self.about)?),
            _ => return Err(StoreError::unreadable("kind of a notice", self.kind)),
        };
        Ok(MatterNotice {
            key: MatterKey {
                facility: facility.clone(),
                matter,
                channel: parsed("channel name", &self.channel_id)?,
            },
            created_at: from_ms(self.created_ms)?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
        })
    }
}

/// Returns a matter as the columns kind, about and number.
fn columns(matter: &Matter) -> (&'static str, String, u32) {
    match matter {
        Matter::Release(report, revision) => ("release", report.to_string(), revision.0),
        Matter::Delivery(delivery, attempt) => ("delivery", delivery.to_string(), *attempt),
        Matter::Package(package) => ("package", package.to_string(), 0),
    }
}

impl Store {
    /// Returns what waits for a person in a facility: emergency releases, deliveries of the machine, and packages nobody
    /// has read.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn open_matters(&self, facility: &FacilityId) -> Result<Vec<Matter>, StoreError> {
        let releases = self.open_reviews(facility).await?;
        let stopped: Vec<Delivery> = self.stopped_deliveries(facility).await?;
        let releases = releases.iter().map(Matter::of_release);
        let deliveries = stopped.iter().filter_map(Matter::of_delivery);

        let unread = self.unread_packages(facility).await?;
        let packages = unread.into_iter().map(Matter::Package);

        Ok(releases.chain(deliveries).chain(packages).collect())
    }

    /// Returns the keys of all notices of a facility, sent or not.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn matter_keys(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeSet<MatterKey>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT kind, about, number, channel_id, created_ms, attempts FROM matter_notices WHERE facility_id = ?",
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
    pub async fn put_matters(&self, keys: &[MatterKey], now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        for key in keys {
            let (kind, about, number) = columns(&key.matter);
            sqlx::query(
                "INSERT OR IGNORE INTO matter_notices
                 (facility_id, kind, about, number, channel_id, message_id, created_ms, next_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key.facility.as_str())
            .bind(kind)
            .bind(about)
            .bind(number)
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
    pub async fn due_matters(
        &self,
        facility: &FacilityId,
        now: Timestamp,
    ) -> Result<Vec<MatterNotice>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT kind, about, number, channel_id, created_ms, attempts FROM matter_notices
             WHERE facility_id = ? AND sent_ms IS NULL AND next_ms <= ? ORDER BY created_ms, channel_id, about, number",
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
    pub async fn matter_done(&self, key: &MatterKey, at: Timestamp) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_left(Outbox::Matters, (&key.facility, &id), at)
            .await
    }

    /// Records a failed attempt and when the next one is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn matter_failed(
        &self,
        key: &MatterKey,
        next_at: Timestamp,
        why: &str,
    ) -> Result<(), StoreError> {
        let id = key.message_id();
        self.message_failed(Outbox::Matters, (&key.facility, &id), (next_at, why))
            .await
    }
}
