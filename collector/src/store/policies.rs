//! Fleet policy: every saved text, and which of them a host should have in force.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::policy::PolicyRevision;
use sqlx::{FromRow, SqliteConnection};

use super::append_audit;
use super::connect::{Store, StoreError, from_ms, parsed, to_ms};
use crate::audit::{Actor, AuditEntry};
use crate::policy::{Desired, NewRevision, Revision, Scope, desired};

#[derive(FromRow)]
struct Row {
    revision: i64,
    host_id: Option<String>,
    body: String,
    reason: String,
    set_by: String,
    set_ms: i64,
}

impl TryFrom<Row> for Revision {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let scope = match row.host_id {
            None => Scope::Facility,
            Some(host) => Scope::Host(parsed("host id", &host)?),
        };
        Ok(Self {
            number: PolicyRevision(row.revision.unsigned_abs()),
            scope,
            text: row.body,
            reason: row.reason,
            set_by: parsed("actor", &row.set_by)?,
            set_at: from_ms(row.set_ms)?,
        })
    }
}

impl Store {
    /// Returns every saved text of a facility and its hosts, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn policies(&self, facility: &FacilityId) -> Result<Vec<Revision>, StoreError> {
        let sql = "SELECT revision, host_id, body, reason, set_by, set_ms FROM policies
                   WHERE facility_id = ? ORDER BY revision DESC";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Revision::try_from).collect()
    }

    /// Returns what a host should have in force.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn desired_policy(
        &self,
        facility: &FacilityId,
        host: HostId,
    ) -> Result<Option<Desired>, StoreError> {
        // One question, so that both texts are of one moment.
        let sql = "SELECT revision, host_id, body, reason, set_by, set_ms FROM policies WHERE facility_id = ?1 AND revision IN (
                       (SELECT max(revision) FROM policies WHERE facility_id = ?1 AND host_id IS NULL),
                       (SELECT max(revision) FROM policies WHERE facility_id = ?1 AND host_id = ?2))";
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(facility.as_str())
            .bind(host.to_string())
            .fetch_all(&self.readers)
            .await?;
        let found = rows
            .into_iter()
            .map(Revision::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        let of = |scope: Scope| found.iter().find(|revision| revision.scope == scope);

        Ok(desired(of(Scope::Facility), of(Scope::Host(host))))
    }

    /// Saves a text as a new revision. `seen` is the number of the newest of this scope the caller looked at.
    ///
    /// # Errors
    /// [`StoreError::Stale`] if somebody saved one in the meantime.
    pub async fn save_policy(
        &self,
        (facility, seen): (&FacilityId, Option<PolicyRevision>),
        new: &NewRevision,
        (who, now): (Actor, Timestamp),
    ) -> Result<Revision, StoreError> {
        let mut tx = self.change().await?;
        if newest(&mut tx, facility, new.scope).await? != seen {
            return Err(StoreError::Stale("policy"));
        }
        let number = next_number(&mut tx, facility).await?;
        let host = new.scope.host().map(|host| host.to_string());
        sqlx::query(
            "INSERT INTO policies (facility_id, revision, host_id, body, reason, set_by, set_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(facility.as_str())
        .bind(number)
        .bind(&host)
        .bind(&new.text)
        .bind(&new.reason)
        .bind(who.to_string())
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(now, who, "policy.saved", number)
            .of(facility)
            .with("host", host.unwrap_or_default())
            .with("reason", &new.reason)
            .with("sha256", shirase_shared::tls::sha256_hex(new.text.as_bytes()));
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(Revision {
            number: PolicyRevision(number.unsigned_abs()),
            scope: new.scope,
            text: new.text.clone(),
            reason: new.reason.clone(),
            set_by: who,
            set_at: now,
        })
    }
}

async fn newest(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    scope: Scope,
) -> Result<Option<PolicyRevision>, StoreError> {
    let sql = "SELECT max(revision) FROM policies WHERE facility_id = ? AND host_id IS ?";
    let newest: Option<i64> = sqlx::query_scalar(sql)
        .bind(facility.as_str())
        .bind(scope.host().map(|host| host.to_string()))
        .fetch_one(conn)
        .await?;
    Ok(newest.map(|number| PolicyRevision(number.unsigned_abs())))
}

/// A number above every one that was given, and above whatever a host says it has in force: a collector that was restored
/// from a backup would otherwise give numbers its hosts take for old ones.
async fn next_number(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
) -> Result<i64, StoreError> {
    let sql = "SELECT max(coalesce((SELECT max(revision) FROM policies WHERE facility_id = ?1), 0),
                          coalesce((SELECT max(json_extract(body_json, '$.policy.applied.revision')) FROM heartbeats
                                    WHERE facility_id = ?1), 0))";
    let highest: i64 = sqlx::query_scalar(sql)
        .bind(facility.as_str())
        .fetch_one(conn)
        .await?;
    Ok(highest.saturating_add(1))
}
