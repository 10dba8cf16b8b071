//! Rows of sharing products, their files, and whom they went to.

use shirase_shared::ids::{FacilityId, ProductId};
use sqlx::{FromRow, SqliteConnection, SqlitePool};

use super::super::connect::{StoreError, from_int, from_json, from_ms, parsed};
use super::Sent;
use crate::exchange::package::PackageFile;
use crate::reports::answer::NamedPerson;
use crate::sharing::{Decided, Product, ProductFile, ProductState};

#[derive(FromRow)]
pub(super) struct Row {
    facility_id: String,
    product_id: String,
    number: i64,
    incident_id: Option<String>,
    origins_json: String,
    pub(super) body_json: String,
    revision: i64,
    authors_json: String,
    consent_json: Option<String>,
    state: String,
    sha256: Option<String>,
    submitted_by: Option<String>,
    submitted_name: Option<String>,
    submitted_ms: Option<i64>,
    approved_by: Option<String>,
    approved_name: Option<String>,
    approved_ms: Option<i64>,
    pub(super) signer: Option<String>,
    reason: String,
    made_ms: i64,
    changed_ms: i64,
}

impl TryFrom<Row> for Product {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let submitted = (row.submitted_by, row.submitted_name, row.submitted_ms);
        let approved = (row.approved_by, row.approved_name, row.approved_ms);
        let state = match row.state.as_str() {
            "draft" => ProductState::Draft,
            "submitted" => ProductState::Submitted(decided(submitted, row.sha256)?),
            "approved" => ProductState::Approved(decided(approved, row.sha256)?),
            state => {
                return Err(StoreError::unreadable("state of a product", state.to_owned()));
            }
        };
        let consent = row.consent_json.map(|json| from_json("consent", &json));
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            id: parsed("product id", &row.product_id)?,
            number: from_int(row.number)?,
            incident: row
                .incident_id
                .map(|id| parsed("incident id", &id))
                .transpose()?,
            origins: from_json("origins", &row.origins_json)?,
            body: from_json("sharing product", &row.body_json)?,
            revision: u32::try_from(row.revision)
                .map_err(|error| StoreError::unreadable("revision", error))?,
            authors: from_json("authors", &row.authors_json)?,
            consent: consent.transpose()?,
            state,
            reason: row.reason,
            made_at: from_ms(row.made_ms)?,
            changed_at: from_ms(row.changed_ms)?,
        })
    }
}

fn decided(
    (by, name, at): (Option<String>, Option<String>, Option<i64>),
    sha256: Option<String>,
) -> Result<Decided, StoreError> {
    let missing = || StoreError::Missing("decision on a product");
    Ok(Decided {
        by: NamedPerson {
            user: parsed("user id", &by.ok_or_else(missing)?)?,
            name: name.ok_or_else(missing)?,
        },
        at: from_ms(at.ok_or_else(missing)?)?,
        sha256: sha256.ok_or_else(missing)?,
    })
}

pub(super) async fn insert_files(
    conn: &mut SqliteConnection,
    (facility, product): (&FacilityId, ProductId),
    files: &[ProductFile],
) -> Result<(), StoreError> {
    for ProductFile { file, signature } in files {
        sqlx::query(
            "INSERT INTO sharing_files (facility_id, product_id, name, bytes, signature) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(facility.as_str())
        .bind(product.to_string())
        .bind(file.name.as_str())
        .bind(&file.bytes)
        .bind(signature)
        .execute(&mut *conn)
        .await?;
    }

    Ok(())
}

pub(super) async fn files(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    product: ProductId,
) -> Result<Vec<ProductFile>, StoreError> {
    let rows: Vec<(String, Vec<u8>, String)> = sqlx::query_as(
        "SELECT name, bytes, signature FROM sharing_files WHERE facility_id = ? AND product_id = ? ORDER BY name",
    )
    .bind(facility.as_str())
    .bind(product.to_string())
    .fetch_all(conn)
    .await?;
    let file = |(name, bytes, signature): (String, Vec<u8>, String)| {
        let name = parsed("file name", &name)?;
        Ok(ProductFile { file: PackageFile { name, bytes }, signature })
    };
    rows.into_iter().map(file).collect()
}

pub(super) async fn sent(
    readers: &SqlitePool,
    facility: &FacilityId,
    product: ProductId,
) -> Result<Vec<Sent>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT partner_id, package_id, sent_name, sent_ms FROM sharing_sent
         WHERE facility_id = ? AND product_id = ? ORDER BY sent_ms, partner_id",
    )
    .bind(facility.as_str())
    .bind(product.to_string())
    .fetch_all(readers)
    .await?;
    let sent = |(partner, package, by, at): (String, String, String, i64)| {
        Ok(Sent {
            partner: parsed("partner", &partner)?,
            package: parsed("package", &package)?,
            by,
            at: from_ms(at)?,
        })
    };
    rows.into_iter().map(sent).collect()
}
