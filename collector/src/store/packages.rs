//! Packages that came and that go, and what was acknowledged of them.

mod rows;
mod outgoing;
mod messages;
mod circulars;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, UserId};
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError, to_ms};
use super::partners::note_called;
use crate::audit::{Actor, AuditEntry};
use crate::exchange::PackageId;
use crate::exchange::incoming::Accepted;
use crate::exchange::kind::PackageKind;
use crate::exchange::manifest::Acknowledged;
use crate::exchange::package::Package;
pub use outgoing::{Outgoing, Sealing};
pub use rows::{Ack, Carrier, Direction, StoredPackage};
use rows::{HeadRow, parse_ack};

/// What became of a package that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new and on the disk.
    New,
    /// It was here already; nothing changed.
    Again,
}

/// Why a package that came was not stored.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Another package holds its place in the thread.
    #[error(
        "another package of the same partner, {other}, holds its place in the thread; ask the partner which one counts"
    )]
    Fork {
        /// The one that is here.
        other: PackageId,
    },
    /// It acknowledges what never went to that partner.
    #[error("it acknowledges a package that did not go from here to this partner")]
    NothingToAcknowledge,
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TakeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Keeps a package that was accepted. The same one again changes nothing.
    ///
    /// # Errors
    /// When another one holds its place, it acknowledges nothing of ours, or the database fails.
    pub async fn take_package(
        &self,
        accepted: &Accepted,
        carrier: Carrier,
        (who, now): (Actor, Timestamp),
    ) -> Result<Taken, TakeError> {
        let Accepted { facility, partner, package } = accepted;
        let mut tx = self.change().await?;
        if let Some(head) = head(&mut tx, facility, package.id()).await? {
            // Also from a partner who was revoked and accepted anew under another name: it is the same statement.
            return if head.direction == Direction::In.as_str() {
                Ok(Taken::Again)
            } else {
                Err(StoreError::Exists("package").into())
            };
        }
        let manifest = package.manifest();
        match &manifest.acknowledges {
            Some(said) => acknowledge(&mut tx, accepted, said).await?,
            None => refuse_fork(&mut tx, accepted).await?,
        }
        let going =
            Sealing { partner: partner.clone(), direction: Direction::In, carrier, delivery: None };
        insert(&mut tx, (facility, package, &going), now).await?;
        note_called(&mut tx, (facility, partner), &manifest.addressee).await?;
        let entry = AuditEntry::new(now, who, "package.received", package.id())
            .of(facility)
            .with("partner", partner)
            .with("kind", manifest.kind)
            .with("carrier", carrier.as_str());
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(Taken::New)
    }

    /// Returns the packages of a facility with their acknowledgements, the newest first; those of a thread if one is given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn packages(
        &self,
        facility: &FacilityId,
        thread: Option<&PackageId>,
    ) -> Result<Vec<StoredPackage>, StoreError> {
        let rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT * FROM packages WHERE facility_id = ?1 AND (?2 IS NULL OR thread = ?2)
             ORDER BY stored_ms DESC, rowid DESC",
        )
        .bind(facility.as_str())
        .bind(thread.map(PackageId::as_str))
        .fetch_all(&self.readers)
        .await?;
        let mut packages = Vec::with_capacity(rows.len());
        for row in rows {
            packages.push(self.with_acks(row).await?);
        }

        Ok(packages)
    }

    /// Returns a part of what people read in the inbox, the newest first: `many` packages after the first `skipped`, and
    /// whether more follow. Acknowledgements are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn inbox(
        &self,
        facility: &FacilityId,
        (skipped, many): (u32, u32),
    ) -> Result<(Vec<StoredPackage>, bool), StoreError> {
        let mut rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT * FROM packages WHERE facility_id = ? AND kind <> 'acknowledgement'
             ORDER BY stored_ms DESC, rowid DESC LIMIT ? OFFSET ?",
        )
        .bind(facility.as_str())
        .bind(i64::from(many) + 1)
        .bind(i64::from(skipped))
        .fetch_all(&self.readers)
        .await?;
        let many = usize::try_from(many).unwrap_or(usize::MAX);
        let more = many < rows.len();
        rows.truncate(many);
        let mut packages = Vec::with_capacity(rows.len());
        for row in rows {
            packages.push(self.with_acks(row).await?);
        }

        Ok((packages, more))
    }

    /// Returns the packages of exercises that came since a moment, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drill_packages(
        &self,
        facility: &FacilityId,
        since: Timestamp,
    ) -> Result<Vec<StoredPackage>, StoreError> {
        let rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT * FROM packages WHERE facility_id = ? AND direction = 'in' AND stored_ms >= ?
               AND json_extract(manifest_json, '$.drill') ORDER BY stored_ms, rowid",
        )
        .bind(facility.as_str())
        .bind(to_ms(since))
        .fetch_all(&self.readers)
        .await?;
        let mut packages = Vec::with_capacity(rows.len());
        for row in rows {
            packages.push(self.with_acks(row).await?);
        }

        Ok(packages)
    }

    /// Returns one package with its acknowledgements, without its files.
    ///
    /// # Errors
    /// When there is none.
    pub async fn package(
        &self,
        facility: &FacilityId,
        id: &PackageId,
    ) -> Result<StoredPackage, StoreError> {
        let mut conn = self.readers.acquire().await?;
        let row = head(&mut conn, facility, id).await?;
        self.with_acks(row.ok_or(StoreError::Missing("package"))?)
            .await
    }

    /// Returns a whole package after checking that nothing of it was changed since it was signed.
    ///
    /// # Errors
    /// When there is none, or it was changed.
    pub async fn whole_package(
        &self,
        facility: &FacilityId,
        id: &PackageId,
    ) -> Result<Package, StoreError> {
        let mut conn = self.readers.acquire().await?;
        let row = head(&mut conn, facility, id).await?;
        let row = row.ok_or(StoreError::Missing("package"))?;
        let files = rows::files(&mut conn, facility, id).await?;
        Package::stored(&row.manifest_json, row.signature, files, &row.signer)
            .map_err(|error| StoreError::unreadable("package", error))
    }

    /// Records that a person here read a package that came; `None` if they had already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_read(
        &self,
        (facility, id): (&FacilityId, &PackageId),
        (user, said): (UserId, &Acknowledged),
        ack: &Outgoing<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.change().await?;
        if !write_ack(&mut tx, facility, said, ack.package.id()).await? {
            return Ok(false);
        }
        outgoing::put_out(&mut tx, ack, said.at).await?;
        let entry = AuditEntry::new(said.at, Actor::User(user), "package.read", id).of(facility);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(true)
    }

    async fn with_acks(&self, row: HeadRow) -> Result<StoredPackage, StoreError> {
        let acks: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT what, by_name, at_ms FROM package_acks WHERE facility_id = ? AND package_id = ? ORDER BY at_ms",
        )
        .bind(&row.facility_id)
        .bind(&row.package_id)
        .fetch_all(&self.readers)
        .await?;
        let acks: Result<Vec<Ack>, StoreError> = acks.into_iter().map(parse_ack).collect();

        row.with(acks?)
    }
}

pub(super) async fn head(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: &PackageId,
) -> Result<Option<HeadRow>, StoreError> {
    let row = sqlx::query_as("SELECT * FROM packages WHERE facility_id = ? AND package_id = ?")
        .bind(facility.as_str())
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?;

    Ok(row)
}

/// Records what a partner acknowledges of ours; a report's package is done with it.
async fn acknowledge(
    conn: &mut SqliteConnection,
    accepted: &Accepted,
    said: &Acknowledged,
) -> Result<(), TakeError> {
    let Accepted { facility, partner, package } = accepted;
    let ours = head(conn, facility, &said.package).await?;
    let ours = ours.filter(|row| {
        row.direction == Direction::Out.as_str()
            && row.partner_id == partner.as_str()
            && row.kind != PackageKind::Acknowledgement.as_str()
    });
    if ours.is_none() {
        return Err(TakeError::NothingToAcknowledge);
    }
    write_ack(conn, facility, said, package.id()).await?;
    // Whoever read it has it, even if word of the storing never came.
    sqlx::query(
        "UPDATE packages SET done_ms = COALESCE(done_ms, ?), next_ms = NULL, last_error = ''
         WHERE facility_id = ? AND package_id = ?",
    )
    .bind(to_ms(said.at))
    .bind(facility.as_str())
    .bind(said.package.as_str())
    .execute(conn)
    .await?;

    Ok(())
}

/// Records an acknowledgement; `false` if the same was said before.
pub(super) async fn write_ack(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    said: &Acknowledged,
    ack: &PackageId,
) -> Result<bool, StoreError> {
    let written = sqlx::query(
        "INSERT INTO package_acks (facility_id, package_id, what, by_name, at_ms, ack_id)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(facility.as_str())
    .bind(said.package.as_str())
    .bind(said.what.as_str())
    .bind(&said.by)
    .bind(to_ms(said.at))
    .bind(ack.as_str())
    .execute(conn)
    .await?;

    Ok(written.rows_affected() == 1)
}

async fn refuse_fork(conn: &mut SqliteConnection, accepted: &Accepted) -> Result<(), TakeError> {
    let Accepted { facility, partner, package } = accepted;
    let manifest = package.manifest();
    let other: Option<String> = sqlx::query_scalar(
        "SELECT package_id FROM packages WHERE facility_id = ? AND partner_id = ? AND direction = 'in'
         AND thread = ? AND place = ? AND kind <> 'acknowledgement'",
    )
    .bind(facility.as_str())
    .bind(partner.as_str())
    .bind(thread_of(package).as_str())
    .bind(i64::from(manifest.order))
    .fetch_optional(conn)
    .await?;
    match other {
        Some(other) => Err(TakeError::Fork { other: super::connect::parsed("package", &other)? }),
        None => Ok(()),
    }
}

/// Returns the thread a package belongs to: its own id if it begins one.
pub(super) fn thread_of(package: &Package) -> &PackageId {
    package
        .manifest()
        .thread
        .as_ref()
        .unwrap_or_else(|| package.id())
}

/// Writes a package with its files.
pub(super) async fn insert(
    conn: &mut SqliteConnection,
    (facility, package, going): (&FacilityId, &Package, &Sealing),
    now: Timestamp,
) -> Result<(), StoreError> {
    let manifest = package.manifest();
    let text = manifest
        .text()
        .map_err(|error| StoreError::unreadable("manifest", error))?;
    let next = (going.direction == Direction::Out && going.carrier == Carrier::Network)
        .then(|| to_ms(now));
    sqlx::query(
        "INSERT INTO packages (facility_id, package_id, partner_id, direction, kind, thread, place, manifest_json,
           signature, signer, made_ms, stored_ms, carrier, delivery_id, next_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(facility.as_str())
    .bind(package.id().as_str())
    .bind(going.partner.as_str())
    .bind(going.direction.as_str())
    .bind(manifest.kind.as_str())
    .bind(thread_of(package).as_str())
    .bind(i64::from(manifest.order))
    .bind(text)
    .bind(package.signature())
    .bind(package.signer())
    .bind(to_ms(manifest.made_at))
    .bind(to_ms(now))
    .bind(going.carrier.as_str())
    .bind(going.delivery.map(|id| id.to_string()))
    .bind(next)
    .execute(&mut *conn)
    .await?;
    for file in package.files() {
        sqlx::query(
            "INSERT INTO package_files (facility_id, package_id, name, bytes) VALUES (?, ?, ?, ?)",
        )
        .bind(facility.as_str())
        .bind(package.id().as_str())
        .bind(file.name.as_str())
        .bind(&file.bytes)
        .execute(&mut *conn)
        .await?;
    }

    Ok(())
}
