//! Hosts, their certificates, their last sign of life and what is known of their clocks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shirase_shared::ids::{BootId, FacilityId, HostId};
use shirase_shared::wire::Heartbeat;
use sqlx::FromRow;

use super::connect::{
    Store, StoreError, from_json, from_ms, from_ms_maybe, parsed, to_json, to_ms, touched,
};
use crate::facilities::{CareRole, Host};
use crate::ingest::clock_offset::ClockOffset;
use crate::records::HeartbeatSeen;

/// Who stands behind a certificate, as asked on every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateHolder {
    /// The facility of the host.
    pub facility: FacilityId,
    /// The host it was issued to.
    pub host: HostId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it, or its host, was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A certificate as it is remembered: everything but the certificate itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The facility of the host.
    pub facility: FacilityId,
    /// The host it was issued to.
    pub host: HostId,
    /// Serial, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the key.
    pub key_sha256: String,
    /// Fingerprint of the authority it comes from.
    pub authority_sha256: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    facility_id: String,
    host_id: String,
    name: String,
    os: String,
    roles_json: String,
    watched_json: String,
    enrolled_ms: i64,
    revoked_ms: Option<i64>,
    certificate_ms: Option<i64>,
}

impl TryFrom<Row> for Host {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("host id", &row.host_id)?,
            name: row.name,
            os: row.os,
            roles: from_json("host", &row.roles_json)?,
            watched: from_json("host", &row.watched_json)?,
            enrolled_at: from_ms(row.enrolled_ms)?,
            revoked_at: from_ms_maybe(row.revoked_ms)?,
            certificate_expires_at: from_ms_maybe(row.certificate_ms)?,
        })
    }
}

impl Store {
    /// Returns the hosts of a facility, by name.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn hosts(&self, facility: &FacilityId) -> Result<Vec<Host>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT h.*, (SELECT max(c.expires_ms) FROM host_certificates c
                 WHERE c.facility_id = h.facility_id AND c.host_id = h.host_id AND c.revoked_ms IS NULL) AS certificate_ms
             FROM hosts h WHERE h.facility_id = ? ORDER BY h.name, h.host_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Host::try_from).collect()
    }

    /// Returns one host of a facility.
    ///
    /// # Errors
    /// When the database fails or it is unreadable.
    pub async fn host(
        &self,
        facility: &FacilityId,
        host: HostId,
    ) -> Result<Option<Host>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT h.*, (SELECT max(c.expires_ms) FROM host_certificates c
                 WHERE c.facility_id = h.facility_id AND c.host_id = h.host_id AND c.revoked_ms IS NULL) AS certificate_ms
             FROM hosts h WHERE h.facility_id = ? AND h.host_id = ?",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(Host::try_from).transpose()
    }

    /// Replaces what a host, and single services on it, do for care.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such host.
    pub async fn set_host_care(
        &self,
        (facility, host): (&FacilityId, HostId),
        roles: &BTreeSet<CareRole>,
        watched: &BTreeMap<String, CareRole>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE hosts SET roles_json = ?, watched_json = ? WHERE facility_id = ? AND host_id = ?";
        let done = sqlx::query(sql)
            .bind(to_json("host", roles)?)
            .bind(to_json("host", watched)?)
            .bind(facility.as_str())
            .bind(host.to_string())
            .execute(&self.writer)
            .await?;
        touched(done.rows_affected(), "host")
    }

    /// Notes what a host calls itself and which system it runs.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such host.
    pub async fn set_host_label(
        &self,
        (facility, host): (&FacilityId, HostId),
        name: &str,
        os: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE hosts SET name = ?, os = ? WHERE facility_id = ? AND host_id = ?";
        let done = sqlx::query(sql)
            .bind(name)
            .bind(os)
            .bind(facility.as_str())
            .bind(host.to_string())
            .execute(&self.writer)
            .await?;
        touched(done.rows_affected(), "host")
    }

    /// Shuts a host out from its next request on, with all its certificates.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the facility has no such host, or it was revoked before.
    pub async fn revoke_host(
        &self,
        facility: &FacilityId,
        host: HostId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "UPDATE hosts SET revoked_ms = ? WHERE facility_id = ? AND host_id = ? AND revoked_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(host.to_string())
        .execute(&mut *change)
        .await?;
        touched(done.rows_affected(), "host that is let in")?;
        sqlx::query(
            "UPDATE host_certificates SET revoked_ms = ? WHERE facility_id = ? AND host_id = ? AND revoked_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(host.to_string())
        .execute(&mut *change)
        .await?;
        change.commit().await?;

        Ok(())
    }

    /// Remembers a certificate, so that its serial is let in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_certificate(&self, issued: &IssuedCertificate) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO host_certificates (facility_id, host_id, serial, key_sha256, authority_sha256, issued_ms, expires_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(issued.facility.as_str())
        .bind(issued.host.to_string())
        .bind(&issued.serial)
        .bind(&issued.key_sha256)
        .bind(&issued.authority_sha256)
        .bind(to_ms(issued.issued_at))
        .bind(to_ms(issued.expires_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns who stands behind a certificate; `None` if this collector never issued it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn certificate_holder(
        &self,
        serial: &str,
    ) -> Result<Option<CertificateHolder>, StoreError> {
        let row: Option<(String, String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT c.facility_id, c.host_id, c.expires_ms, coalesce(c.revoked_ms, h.revoked_ms)
             FROM host_certificates c
             JOIN hosts h ON h.facility_id = c.facility_id AND h.host_id = c.host_id
             WHERE c.serial = ?",
        )
        .bind(serial)
        .fetch_optional(&self.readers)
        .await?;
        let Some((facility, host, expires, revoked)) = row else {
            return Ok(None);
        };

        Ok(Some(CertificateHolder {
            facility: parsed("facility id", &facility)?,
            host: parsed("host id", &host)?,
            expires_at: from_ms(expires)?,
            revoked_at: from_ms_maybe(revoked)?,
        }))
    }

    /// Returns the hosts of a facility that are let in by certificates of another authority alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hosts_of_other_authorities(
        &self,
        facility: &FacilityId,
        authority_sha256: &str,
        now: Timestamp,
    ) -> Result<BTreeSet<HostId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT h.host_id FROM hosts h
             JOIN host_certificates c ON c.facility_id = h.facility_id AND c.host_id = h.host_id
             WHERE h.facility_id = ? AND h.revoked_ms IS NULL AND c.revoked_ms IS NULL AND c.expires_ms > ?
             GROUP BY h.host_id HAVING sum(c.authority_sha256 = ?) = 0",
        )
        .bind(facility.as_str())
        .bind(to_ms(now))
        .bind(authority_sha256)
        .fetch_all(&self.readers)
        .await?;
        ids.iter().map(|id| parsed("host id", id)).collect()
    }

    /// Replaces the last sign of life of a host. The last posture it told stays until it tells another.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_heartbeat(
        &self,
        (facility, host): (&FacilityId, HostId),
        heartbeat: &Heartbeat,
        received_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut body = heartbeat.clone();
        let posture = body
            .posture
            .take()
            .map(|posture| to_json("posture", &posture))
            .transpose()?;
        sqlx::query(
            "INSERT INTO heartbeats (facility_id, host_id, received_ms, body_json, posture_json) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (facility_id, host_id) DO UPDATE
             SET received_ms = excluded.received_ms, body_json = excluded.body_json,
                 posture_json = coalesce(excluded.posture_json, posture_json)",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .bind(to_ms(received_at))
        .bind(to_json("heartbeat", &body)?)
        .bind(posture)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns the last sign of life of each host of a facility that ever gave one, with the last posture it told.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn heartbeats(
        &self,
        facility: &FacilityId,
    ) -> Result<BTreeMap<HostId, HeartbeatSeen>, StoreError> {
        let rows: Vec<(String, i64, String, Option<String>)> = sqlx::query_as(
            "SELECT host_id, received_ms, body_json, posture_json FROM heartbeats WHERE facility_id = ?",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let seen = |(host, received, body, posture): (String, i64, String, Option<String>)| {
            let host = parsed("host id", &host)?;
            let received_at = from_ms(received)?;
            let mut heartbeat: Heartbeat = from_json("heartbeat", &body)?;
            // One another version wrote and this one cannot read is told anew within the hour.
            heartbeat.posture = posture.and_then(|posture| serde_json::from_str(&posture).ok());
            Ok((host, HeartbeatSeen { host, received_at, heartbeat }))
        };
        rows.into_iter().map(seen).collect()
    }

    /// Returns what is known of a host's clocks, by boot.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clock_offsets(
        &self,
        facility: &FacilityId,
        host: HostId,
    ) -> Result<BTreeMap<BootId, ClockOffset>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT boot_id, offset_ms, wall_error_ms, uncertainty_ms, measured_ms
             FROM clock_offsets WHERE facility_id = ? AND host_id = ?",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .fetch_all(&self.readers)
        .await?;
        let offset =
            |(boot, offset_ms, wall_error_ms, uncertainty_ms, measured): (String, _, _, _, _)| {
                let measured_at = from_ms(measured)?;
                let offset = ClockOffset { offset_ms, wall_error_ms, uncertainty_ms, measured_at };
                Ok((parsed("boot id", &boot)?, offset))
            };
        rows.into_iter().map(offset).collect()
    }

    /// Replaces what is known of a host's clock in one boot.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_clock_offset(
        &self,
        (facility, host): (&FacilityId, HostId),
        boot: BootId,
        offset: ClockOffset,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO clock_offsets (facility_id, host_id, boot_id, offset_ms, wall_error_ms, uncertainty_ms, measured_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (facility_id, host_id, boot_id) DO UPDATE
             SET offset_ms = excluded.offset_ms, wall_error_ms = excluded.wall_error_ms,
                 uncertainty_ms = excluded.uncertainty_ms, measured_ms = excluded.measured_ms",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .bind(boot.to_string())
        .bind(offset.offset_ms)
        .bind(offset.wall_error_ms)
        .bind(offset.uncertainty_ms)
        .bind(to_ms(offset.measured_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
