//! Products that came from partners: what they say, what came of looking for it here, and what was accepted for detection.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::FacilityId;

use super::super::connect::{Store, StoreError, from_json, from_ms, parsed, to_json, to_ms};
use super::super::events::RecordRow;
use super::append_audit;
use crate::audit::{Actor, AuditEntry};
use crate::exchange::PackageId;
use crate::exchange::partner::PartnerId;
use crate::records::SeenRecord;
use crate::reports::answer::NamedPerson;
use crate::sharing::{
    BODY_FILE, Body, BodyError, Finding, Indicator, IndicatorKind, SEARCHED_KINDS, look,
    merge_findings,
};

/// Records looked into at once.
const CHUNK_ROWS: i64 = 2_000;

/// Package, partner, when it was stored, manifest, and the file with the body.
type ReceivedRow = (String, String, i64, String, Option<Vec<u8>>);

/// A product that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The package.
    pub package: PackageId,
    /// From whom.
    pub partner: PartnerId,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// What it says, or why it does not read.
    pub body: Result<Body, BodyError>,
}

/// The last search for a product's indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched {
    /// When.
    pub at: Timestamp,
    /// By whom, by name.
    pub by: String,
    /// What came of it.
    pub findings: BTreeMap<Indicator, Finding>,
}

/// An indicator a person accepted for detection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// What is to be detected.
    pub what: Indicator,
    /// The product it stood in.
    pub package: PackageId,
    /// Who accepted it, by name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Returns the products a facility received, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn received_products(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Received>, StoreError> {
        let rows: Vec<ReceivedRow> = sqlx::query_as(
            "SELECT p.package_id, p.partner_id, p.stored_ms, p.manifest_json, f.bytes FROM packages p
             LEFT JOIN package_files f ON f.facility_id = p.facility_id AND f.package_id = p.package_id AND f.name = ?
             WHERE p.facility_id = ? AND p.direction = 'in' AND p.kind = 'sharing_product'
             ORDER BY p.stored_ms DESC, p.package_id",
        )
        .bind(BODY_FILE)
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let received = |(package, partner, stored, manifest, bytes): ReceivedRow| {
            Ok(Received {
                package: parsed("package", &package)?,
                partner: parsed("partner", &partner)?,
                stored_at: from_ms(stored)?,
                body: read(&manifest, bytes)?,
            })
        };
        rows.into_iter().map(received).collect()
    }

    /// Returns one product that came.
    ///
    /// # Errors
    /// When there is none.
    pub async fn received_product(
        &self,
        facility: &FacilityId,
        package: &PackageId,
    ) -> Result<Received, StoreError> {
        let all = self.received_products(facility).await?;
        all.into_iter()
            .find(|one| one.package == *package)
            .ok_or(StoreError::Missing("sharing product"))
    }

    /// Looks for indicators in every stored record that can hold one.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable record.
    pub async fn look_for(
        &self,
        facility: &FacilityId,
        wanted: &BTreeSet<Indicator>,
        drill: bool,
    ) -> Result<BTreeMap<Indicator, Finding>, StoreError> {
        let mut found = look(wanted, &[], drill);
        let mut after = 0_i64;
        loop {
            let marks: Vec<i64> = sqlx::query_scalar(
                "SELECT rowid FROM records WHERE facility_id = ? AND ? < rowid
                   AND kind IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT ?",
            )
            .bind(facility.as_str())
            .bind(after)
            .bind(to_json("kinds", &SEARCHED_KINDS)?)
            .bind(CHUNK_ROWS)
            .fetch_all(&self.readers)
            .await?;
            let Some(last) = marks.last().copied() else { break };
            let rows: Vec<RecordRow> = sqlx::query_as(
                "SELECT facility_id, host_id, stream_id, sequence, hash, event_json, kind, severity, burst_id, drill_id,
                        detected_ms, corrected_ms, uncertainty_ms, received_ms
                 FROM records WHERE rowid IN (SELECT value FROM json_each(?))",
            )
            .bind(to_json("rows", &marks)?)
            .fetch_all(&self.readers)
            .await?;
            let records: Result<Vec<SeenRecord>, StoreError> =
                rows.into_iter().map(SeenRecord::try_from).collect();
            merge_findings(&mut found, look(wanted, &records?, drill));
            after = last;
        }

        Ok(found)
    }

    /// Keeps what came of a search.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_findings(
        &self,
        (facility, package): (&FacilityId, &PackageId),
        findings: &BTreeMap<Indicator, Finding>,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        for (what, finding) in findings {
            sqlx::query(
                "INSERT INTO sharing_findings (facility_id, package_id, searched_ms, kind, value, finding_json,
                   searched_by, searched_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(facility.as_str())
            .bind(package.as_str())
            .bind(to_ms(now))
            .bind(what.kind().as_str())
            .bind(what.value())
            .bind(to_json("finding", finding)?)
            .bind(by.user.to_string())
            .bind(&by.name)
            .execute(&mut *tx)
            .await?;
        }
        let seen = findings
            .values()
            .filter(|one| matches!(one, Finding::Seen(_)));
        let logged = AuditEntry::new(now, Actor::User(by.user), "sharing.searched", package)
            .of(facility)
            .with("seen", seen.count());
        append_audit(&mut tx, &logged).await?;

        self.commit_audited(tx).await
    }

    /// Returns the last search for a product's indicators.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn findings(
        &self,
        facility: &FacilityId,
        package: &PackageId,
    ) -> Result<Option<Searched>, StoreError> {
        let rows: Vec<(i64, String, String, String, String)> = sqlx::query_as(
            "SELECT searched_ms, searched_name, kind, value, finding_json FROM sharing_findings
             WHERE facility_id = ?1 AND package_id = ?2 AND searched_ms =
               (SELECT MAX(searched_ms) FROM sharing_findings WHERE facility_id = ?1 AND package_id = ?2)",
        )
        .bind(facility.as_str())
        .bind(package.as_str())
        .fetch_all(&self.readers)
        .await?;
        let Some((at, by)) = rows.first().map(|row| (row.0, row.1.clone())) else {
            return Ok(None);
        };
        let mut findings = BTreeMap::new();
        for (_, _, kind, value, finding) in rows {
            findings.insert(indicator(&kind, &value)?, from_json("finding", &finding)?);
        }

        Ok(Some(Searched { at: from_ms(at)?, by, findings }))
    }

    /// Accepts an indicator of a product for detection. Asked again, nothing changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept_indicator(
        &self,
        (facility, package): (&FacilityId, &PackageId),
        what: &Indicator,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let written = sqlx::query(
            "INSERT INTO sharing_accepted (facility_id, kind, value, accepted_ms, package_id, accepted_by, accepted_name)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(facility.as_str())
        .bind(what.kind().as_str())
        .bind(what.value())
        .bind(to_ms(now))
        .bind(package.as_str())
        .bind(by.user.to_string())
        .bind(&by.name)
        .execute(&mut *tx)
        .await?;
        if written.rows_affected() == 1 {
            let logged = AuditEntry::new(now, Actor::User(by.user), "indicator.accepted", package)
                .of(facility)
                .with("indicator", what.key());
            append_audit(&mut tx, &logged).await?;
        }

        self.commit_audited(tx).await
    }

    /// Ends the acceptance of an indicator. Asked again, nothing changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_indicator(
        &self,
        facility: &FacilityId,
        what: &Indicator,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let ended = sqlx::query(
            "UPDATE sharing_accepted SET ended_ms = ?, ended_by = ?
             WHERE facility_id = ? AND kind = ? AND value = ? AND ended_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(by.user.to_string())
        .bind(facility.as_str())
        .bind(what.kind().as_str())
        .bind(what.value())
        .execute(&mut *tx)
        .await?;
        if ended.rows_affected() == 1 {
            let who = Actor::User(by.user);
            let logged = AuditEntry::new(now, who, "indicator.dropped", what.key()).of(facility);
            append_audit(&mut tx, &logged).await?;
        }

        self.commit_audited(tx).await
    }

    /// Returns every indicator that is accepted for detection at a facility, in order.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn accepted_indicators(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Accepted>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = sqlx::query_as(
            "SELECT kind, value, package_id, accepted_name, accepted_ms FROM sharing_accepted
             WHERE facility_id = ? AND ended_ms IS NULL ORDER BY kind, value",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        let accepted = |(kind, value, package, by, at): (String, String, String, String, i64)| {
            Ok(Accepted {
                what: indicator(&kind, &value)?,
                package: parsed("package", &package)?,
                by,
                at: from_ms(at)?,
            })
        };
        rows.into_iter().map(accepted).collect()
    }
}

/// Reads what came; it has to agree with the manifest that was signed over it.
fn read(manifest: &str, bytes: Option<Vec<u8>>) -> Result<Result<Body, BodyError>, StoreError> {
    let manifest: crate::exchange::manifest::Manifest = from_json("manifest", manifest)?;
    let body = match bytes {
        Some(bytes) => Body::read(&bytes),
        None => Err(BodyError::Unreadable(format!("it holds no `{BODY_FILE}`"))),
    };
    let agrees = |body: &Body| body.tlp == manifest.tlp && body.drill == manifest.drill;
    Ok(body.and_then(|body| {
        let other = || BodyError::Unreadable("its mark is not that of its manifest".to_owned());
        if agrees(&body) { Ok(body) } else { Err(other()) }
    }))
}

fn indicator(kind: &str, value: &str) -> Result<Indicator, StoreError> {
    let unknown = || StoreError::unreadable("indicator", format!("{kind}:{value}"));
    let kind = IndicatorKind::parse(kind).ok_or_else(unknown)?;
    Indicator::new(kind, value).map_err(|error| StoreError::unreadable("indicator", error))
}
