//! Facilities and the times in which the collector was listening.

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_json, from_ms, parsed, to_json, to_ms, touched};
use crate::facilities::{Facility, Master, SelfApproval};
use crate::records::ListeningSpan;

#[derive(FromRow)]
struct Row {
    facility_id: String,
    master_json: String,
    manifest_recipient: String,
    self_approval: i64,
    created_ms: i64,
    updated_ms: i64,
}

impl TryFrom<Row> for Facility {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("facility id", &row.facility_id)?,
            master: from_json("facility", &row.master_json)?,
            manifest_recipient: row.manifest_recipient,
            self_approval: match row.self_approval {
                0 => SelfApproval::Refused,
                _ => SelfApproval::Allowed,
            },
            created_at: from_ms(row.created_ms)?,
            updated_at: from_ms(row.updated_ms)?,
        })
    }
}

impl Store {
    /// Asks the database the smallest question there is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Stores a new facility.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if its id is taken.
    pub async fn add_facility(&self, facility: &Facility) -> Result<(), StoreError> {
        let done = sqlx::query(
            "INSERT INTO facilities (facility_id, master_json, manifest_recipient, self_approval, created_ms, updated_ms)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(facility.id.as_str())
        .bind(to_json("facility", &facility.master)?)
        .bind(&facility.manifest_recipient)
        .bind(self_approval_number(facility.self_approval))
        .bind(to_ms(facility.created_at))
        .bind(to_ms(facility.updated_at))
        .execute(&self.writer)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists("facility"));
        }

        Ok(())
    }

    /// Returns every facility, by id.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn facilities(&self) -> Result<Vec<Facility>, StoreError> {
        let sql = "SELECT * FROM facilities ORDER BY facility_id";
        let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(&self.readers).await?;
        rows.into_iter().map(Facility::try_from).collect()
    }

    /// Returns one facility.
    ///
    /// # Errors
    /// When the database fails or it is unreadable.
    pub async fn facility(&self, id: &FacilityId) -> Result<Option<Facility>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM facilities WHERE facility_id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(Facility::try_from).transpose()
    }

    /// Replaces what is known of a facility.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such facility.
    pub async fn set_master(
        &self,
        id: &FacilityId,
        master: &Master,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE facilities SET master_json = ?, updated_ms = ? WHERE facility_id = ?";
        let done = sqlx::query(sql)
            .bind(to_json("facility", master)?)
            .bind(to_ms(now))
            .bind(id.as_str())
            .execute(&self.writer)
            .await?;
        touched(done.rows_affected(), "facility")
    }

    /// Decides whether authors of a facility may approve.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such facility.
    pub async fn set_self_approval(
        &self,
        id: &FacilityId,
        allowed: SelfApproval,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE facilities SET self_approval = ?, updated_ms = ? WHERE facility_id = ?";
        let done = sqlx::query(sql)
            .bind(self_approval_number(allowed))
            .bind(to_ms(now))
            .bind(id.as_str())
            .execute(&self.writer)
            .await?;
        touched(done.rows_affected(), "facility")
    }

    /// Notes that the collector, listening since `span.started_at`, still listens at `span.last_at`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_listening(&self, span: ListeningSpan) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO listening (started_ms, last_ms) VALUES (?, ?)
             ON CONFLICT (started_ms) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
        )
        .bind(to_ms(span.started_at))
        .bind(to_ms(span.last_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns the times of listening that reach beyond `since`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listening_spans(
        &self,
        since: Timestamp,
    ) -> Result<Vec<ListeningSpan>, StoreError> {
        let sql =
            "SELECT started_ms, last_ms FROM listening WHERE ? <= last_ms ORDER BY started_ms";
        let rows: Vec<(i64, i64)> = sqlx::query_as(sql)
            .bind(to_ms(since))
            .fetch_all(&self.readers)
            .await?;
        let span = |(started, last)| {
            Ok(ListeningSpan { started_at: from_ms(started)?, last_at: from_ms(last)? })
        };
        rows.into_iter().map(span).collect()
    }
}

const fn self_approval_number(allowed: SelfApproval) -> i64 {
    match allowed {
        SelfApproval::Refused => 0,
        SelfApproval::Allowed => 1,
    }
}
