//! Packages as they stand in the database.

use jiff::Timestamp;
use serde::Serialize;
use shirase_shared::ids::FacilityId;
use sqlx::{FromRow, SqliteConnection};

use super::super::connect::{StoreError, from_json, from_ms, from_ms_maybe, parsed};
use crate::exchange::PackageId;
use crate::exchange::manifest::{AckKind, Manifest};
use crate::exchange::package::PackageFile;
use crate::exchange::partner::PartnerId;

/// Whether a package came or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It came from a partner.
    In,
    /// It goes to a partner.
    Out,
}

impl Direction {
    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// How a package travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// From collector to collector.
    Network,
    /// As a file.
    File,
}

impl Carrier {
    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::File => "file",
        }
    }
}

/// What was acknowledged of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ack {
    /// What happened.
    pub what: AckKind,
    /// Who read it; empty for the machine that stored it.
    pub by: String,
    /// When, by the clock of whoever acknowledged.
    pub at: Timestamp,
}

/// A package as it is known here, without its files.
#[derive(Clone, Debug, Serialize)]
pub struct StoredPackage {
    /// Whose.
    pub facility: FacilityId,
    /// Its id.
    pub id: PackageId,
    /// From or to whom.
    pub partner: PartnerId,
    /// Whether it came or goes.
    pub direction: Direction,
    /// The thread it belongs to.
    pub thread: PackageId,
    /// What it says of itself.
    pub manifest: Manifest,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// How it travels.
    pub carrier: Carrier,
    /// Attempts to send it.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// Since when the partner has it.
    pub done_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: String,
    /// When it was last written as a file.
    pub exported_at: Option<Timestamp>,
    /// What was acknowledged of it.
    pub acks: Vec<Ack>,
}

#[derive(FromRow)]
pub(in crate::store) struct HeadRow {
    pub(in crate::store) facility_id: String,
    pub(in crate::store) package_id: String,
    pub(in crate::store) partner_id: String,
    pub(in crate::store) direction: String,
    pub(in crate::store) kind: String,
    thread: String,
    pub(in crate::store) manifest_json: String,
    pub(in crate::store) signature: String,
    pub(in crate::store) signer: String,
    stored_ms: i64,
    carrier: String,
    attempts: i64,
    next_ms: Option<i64>,
    done_ms: Option<i64>,
    last_error: String,
    exported_ms: Option<i64>,
}

impl HeadRow {
    pub(super) fn with(self, acks: Vec<Ack>) -> Result<StoredPackage, StoreError> {
        let manifest: Manifest = from_json("manifest", &self.manifest_json)?;
        let incoming = self.direction == Direction::In.as_str();
        let by_file = self.carrier == Carrier::File.as_str();
        let attempts = u32::try_from(self.attempts)
            .map_err(|error| StoreError::unreadable("count of attempts", error))?;

        Ok(StoredPackage {
            facility: parsed("facility", &self.facility_id)?,
            id: parsed("package", &self.package_id)?,
            partner: parsed("partner", &self.partner_id)?,
            direction: if incoming { Direction::In } else { Direction::Out },
            thread: parsed("package", &self.thread)?,
            manifest,
            stored_at: from_ms(self.stored_ms)?,
            carrier: if by_file { Carrier::File } else { Carrier::Network },
            attempts,
            next_at: from_ms_maybe(self.next_ms)?,
            done_at: from_ms_maybe(self.done_ms)?,
            last_error: self.last_error,
            exported_at: from_ms_maybe(self.exported_ms)?,
            acks,
        })
    }
}

pub(super) fn parse_ack((what, by, at_ms): (String, String, i64)) -> Result<Ack, StoreError> {
    let read = what == AckKind::Read.as_str();
    let what = if read { AckKind::Read } else { AckKind::Stored };

    Ok(Ack { what, by, at: from_ms(at_ms)? })
}

/// Reads the files of a package.
pub(super) async fn files(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: &PackageId,
) -> Result<Vec<PackageFile>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT name, bytes FROM package_files WHERE facility_id = ? AND package_id = ? ORDER BY name",
    )
    .bind(facility.as_str())
    .bind(id.as_str())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(file).collect()
}

pub(super) fn file((name, bytes): (String, Vec<u8>)) -> Result<PackageFile, StoreError> {
    Ok(PackageFile { name: parsed("file name", &name)?, bytes })
}
