//! Packages on their way: kept until the partner says that it has them.

use jiff::Timestamp;
use shirase_shared::ids::{DeliveryId, FacilityId};
use sqlx::SqliteConnection;

use super::super::connect::{Store, StoreError, to_ms};
use super::rows::{Carrier, Direction, HeadRow, StoredPackage};
use super::{append_audit, insert};
use crate::audit::{Actor, AuditEntry};
use crate::exchange::PackageId;
use crate::exchange::kind::PackageKind;
use crate::exchange::package::Package;
use crate::exchange::partner::PartnerId;

/// How a package is kept.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// From or to whom.
    pub partner: PartnerId,
    /// Whether it came or goes.
    pub direction: Direction,
    /// How it travels.
    pub carrier: Carrier,
    /// The delivery a report goes out for.
    pub delivery: Option<DeliveryId>,
}

/// A package that is to go.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// Whose.
    pub facility: &'a FacilityId,
    /// What.
    pub package: &'a Package,
    /// To whom and how.
    pub going: Sealing,
    /// Whether the partner has it already, by an answer to its own request.
    pub answered: bool,
}

impl Store {
    /// Keeps a sealed package until the partner has it.
    ///
    /// # Errors
    /// `Stale` when another one took its place in the thread meanwhile: seal it anew.
    pub async fn put_package(
        &self,
        outgoing: &Outgoing<'_>,
        (who, now): (Actor, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        put_out(&mut tx, outgoing, now).await?;
        append_audit(&mut tx, &sealed_entry(outgoing, (who, now))).await?;
        self.commit_audited(tx).await
    }

    /// Keeps the acknowledgement that a package was stored; one that is kept already stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_stored_ack(
        &self,
        said: &crate::exchange::manifest::Acknowledged,
        outgoing: &Outgoing<'_>,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let package = outgoing.package.id();
        if super::write_ack(&mut tx, outgoing.facility, said, package).await? {
            put_out(&mut tx, outgoing, said.at).await?;
        }
        tx.commit().await?;

        Ok(())
    }

    /// Returns the package that acknowledged the storing of another, if one did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stored_ack(
        &self,
        facility: &FacilityId,
        id: &PackageId,
    ) -> Result<Option<PackageId>, StoreError> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT ack_id FROM package_acks WHERE facility_id = ? AND package_id = ? AND what = 'stored'",
        )
        .bind(facility.as_str())
        .bind(id.as_str())
        .fetch_optional(&self.readers)
        .await?;
        found
            .map(|id| super::super::connect::parsed("package", &id))
            .transpose()
    }

    /// Returns the next place among our packages of a thread.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_place(
        &self,
        (facility, partner): (&FacilityId, &PartnerId),
        thread: &PackageId,
    ) -> Result<u32, StoreError> {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(place) FROM packages WHERE facility_id = ? AND partner_id = ? AND direction = 'out' AND thread = ?",
        )
        .bind(facility.as_str())
        .bind(partner.as_str())
        .bind(thread.as_str())
        .fetch_one(&self.readers)
        .await?;
        u32::try_from(last.unwrap_or(0) + 1)
            .map_err(|error| StoreError::unreadable("place in a thread", error))
    }

    /// Returns the package a delivery's report became.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn package_of_delivery(
        &self,
        facility: &FacilityId,
        delivery: DeliveryId,
    ) -> Result<Option<StoredPackage>, StoreError> {
        let id: Option<String> = sqlx::query_scalar(
            "SELECT package_id FROM packages WHERE facility_id = ? AND delivery_id = ?",
        )
        .bind(facility.as_str())
        .bind(delivery.to_string())
        .fetch_optional(&self.readers)
        .await?;
        match id {
            Some(id) => Ok(Some(
                self.package(facility, &super::super::connect::parsed("package", &id)?)
                    .await?,
            )),
            None => Ok(None),
        }
    }

    /// Returns the thread in which a partner was first told of an incident.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn thread_of_incident(
        &self,
        (facility, partner): (&FacilityId, &PartnerId),
        incident_number: u64,
    ) -> Result<Option<PackageId>, StoreError> {
        let thread: Option<String> = sqlx::query_scalar(
            "SELECT thread FROM packages WHERE facility_id = ? AND partner_id = ? AND direction = 'out'
             AND kind = 'report' AND json_extract(manifest_json, '$.report.incident_number') = ?
             ORDER BY stored_ms LIMIT 1",
        )
        .bind(facility.as_str())
        .bind(partner.as_str())
        .bind(incident_number.cast_signed())
        .fetch_optional(&self.readers)
        .await?;
        thread
            .map(|id| super::super::connect::parsed("package", &id))
            .transpose()
    }

    /// Returns the packages a partner does not have yet, the oldest first, but for reports whose delivery was stopped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_packages(
        &self,
        facility: &FacilityId,
        partner: &PartnerId,
    ) -> Result<Vec<StoredPackage>, StoreError> {
        let rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT * FROM packages WHERE facility_id = ? AND partner_id = ? AND direction = 'out' AND done_ms IS NULL
             AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.delivery_id = packages.delivery_id AND d.state <> 'waiting')
             ORDER BY stored_ms, rowid",
        )
        .bind(facility.as_str())
        .bind(partner.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.with(Vec::new())).collect()
    }

    /// Returns the packages that are due to be sent, the oldest first, but for reports whose delivery was stopped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_packages(&self, now: Timestamp) -> Result<Vec<StoredPackage>, StoreError> {
        let rows: Vec<HeadRow> = sqlx::query_as(
            "SELECT * FROM packages WHERE direction = 'out' AND done_ms IS NULL AND next_ms <= ?
             AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.delivery_id = packages.delivery_id AND d.state <> 'waiting')
             ORDER BY stored_ms, rowid",
        )
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.with(Vec::new())).collect()
    }

    /// Records that an attempt to send a package failed, and when the next one is due; `None` for none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn package_failed(
        &self,
        (facility, id): (&FacilityId, &PackageId),
        (next_at, why): (Option<Timestamp>, &str),
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE packages SET attempts = attempts + 1, next_ms = ?, last_error = ?
             WHERE facility_id = ? AND package_id = ? AND done_ms IS NULL",
        )
        .bind(next_at.map(to_ms))
        .bind(why)
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&self.writer)
        .await?;

        Ok(())
    }

    /// Records that the partner has an acknowledgement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn package_done(
        &self,
        (facility, id): (&FacilityId, &PackageId),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE packages SET attempts = attempts + 1, done_ms = ?, next_ms = NULL, last_error = ''
             WHERE facility_id = ? AND package_id = ?",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&self.writer)
        .await?;

        Ok(())
    }

    /// Records that a package was written as a file. Nothing answers an acknowledgement, so that it is done with it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn package_exported(
        &self,
        package: &StoredPackage,
        (who, now): (Actor, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "UPDATE packages SET exported_ms = ?1, done_ms = CASE WHEN kind = 'acknowledgement' THEN ?1 ELSE done_ms END
             WHERE facility_id = ?2 AND package_id = ?3",
        )
        .bind(to_ms(now))
        .bind(package.facility.as_str())
        .bind(package.id.as_str())
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(now, who, "package.exported", &package.id)
            .of(&package.facility)
            .with("partner", &package.partner)
            .with("kind", package.manifest.kind);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }
}

/// Writes a package that goes out.
pub(in crate::store) async fn put_out(
    conn: &mut SqliteConnection,
    outgoing: &Outgoing<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Outgoing { facility, package, going, answered } = outgoing;
    let put = insert(conn, (facility, package, going), now).await;
    if let Err(StoreError::Query(sqlx::Error::Database(error))) = &put
        && error.is_unique_violation()
    {
        return Err(StoreError::Stale("thread"));
    }
    put?;
    if *answered {
        sqlx::query("UPDATE packages SET done_ms = ?, next_ms = NULL WHERE facility_id = ? AND package_id = ?")
            .bind(to_ms(now))
            .bind(facility.as_str())
            .bind(package.id().as_str())
            .execute(conn)
            .await?;
    }

    Ok(())
}

/// Tells of a package that was sealed. Acknowledgements are told by what they acknowledge.
pub(in crate::store) fn sealed_entry(
    outgoing: &Outgoing<'_>,
    (who, now): (Actor, Timestamp),
) -> AuditEntry {
    let manifest = outgoing.package.manifest();
    debug_assert_ne!(manifest.kind, PackageKind::Acknowledgement, "told by what it acknowledges");
    AuditEntry::new(now, who, "package.sealed", outgoing.package.id())
        .of(outgoing.facility)
        .with("partner", &outgoing.going.partner)
        .with("kind", manifest.kind)
        .with("tlp", manifest.tlp)
        .with("drill", manifest.drill)
}
