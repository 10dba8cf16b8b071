//! Sharing products: drafted, submitted, approved, sent.

mod clients;
mod received;
mod rows;

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, ProductId};
use sqlx::SqliteConnection;

use super::append_audit;
use super::connect::{Store, StoreError, from_int, to_int, to_json, to_ms};
use super::packages::{Outgoing, put_out, sealed_entry};
use crate::audit::{Actor, AuditEntry};
use crate::exchange::PackageId;
use crate::exchange::partner::PartnerId;
use crate::reports::answer::NamedPerson;
use crate::sharing::{
    Approved, Body, Consent, Product, ProductError, ProductFile, ProductState, StoredProduct,
};

pub use received::{Accepted, Received, Searched};
use rows::Row;

/// Why something was not done to a product.
#[derive(Debug, thiserror::Error)]
pub enum SharingError {
    /// It cannot stand.
    #[error(transparent)]
    Refused(#[from] ProductError),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SharingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a product is begun from.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// The incident it tells of.
    pub incident: Option<shirase_shared::ids::IncidentId>,
    /// The packages it is made from.
    pub origins: Vec<PackageId>,
    /// What it says to begin with.
    pub body: Body,
}

/// That a product went to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub partner: PartnerId,
    /// As which package.
    pub package: PackageId,
    /// Who sent it, by name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Begins a product with the next number of the facility.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_product(
        &self,
        facility: &FacilityId,
        new: &NewProduct,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<ProductId, StoreError> {
        let mut tx = self.change().await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT MAX(number) FROM sharing_products WHERE facility_id = ?")
                .bind(facility.as_str())
                .fetch_one(&mut *tx)
                .await?;
        let number = from_int(last.unwrap_or(0))? + 1;
        let id = ProductId::random();
        sqlx::query(
            "INSERT INTO sharing_products (facility_id, product_id, number, incident_id, origins_json, body_json,
               revision, authors_json, state, made_ms, changed_ms)
             VALUES (?, ?, ?, ?, ?, ?, 1, ?, 'draft', ?, ?)",
        )
        .bind(facility.as_str())
        .bind(id.to_string())
        .bind(to_int(number))
        .bind(new.incident.map(|id| id.to_string()))
        .bind(to_json("origins", &new.origins)?)
        .bind(text_of(&new.body)?)
        .bind(to_json("authors", &[by])?)
        .bind(to_ms(now))
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let logged = AuditEntry::new(now, Actor::User(by.user), "sharing.begun", id).of(facility);
        append_audit(&mut tx, &logged.with("number", number)).await?;
        self.commit_audited(tx).await?;

        Ok(id)
    }

    /// Returns the products of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn products(&self, facility: &FacilityId) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM sharing_products WHERE facility_id = ? ORDER BY number DESC",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Product::try_from).collect()
    }

    /// Returns one product.
    ///
    /// # Errors
    /// When there is none.
    pub async fn product(
        &self,
        facility: &FacilityId,
        id: ProductId,
    ) -> Result<Product, StoreError> {
        let mut conn = self.readers.acquire().await?;
        row(&mut conn, facility, id).await?.try_into()
    }

    /// Changes a draft, on top of the revision the caller looked at.
    ///
    /// # Errors
    /// When it is frozen, or somebody else changed it meanwhile.
    pub async fn change_product(
        &self,
        (facility, id, seen): (&FacilityId, ProductId, u32),
        body: &Body,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), SharingError> {
        let mut tx = self.change().await?;
        let mut product = seen_product(&mut tx, (facility, id, seen)).await?;
        product.must_be_draft()?;
        add_author(&mut product.authors, by);
        sqlx::query(
            "UPDATE sharing_products SET body_json = ?, revision = revision + 1, authors_json = ?, changed_ms = ?
             WHERE facility_id = ? AND product_id = ?",
        )
        .bind(text_of(body)?)
        .bind(to_json("authors", &product.authors)?)
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
        let logged = AuditEntry::new(now, Actor::User(by.user), "sharing.changed", id).of(facility);
        append_audit(&mut tx, &logged.with("revision", seen + 1)).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Freezes a draft for a second person. The caller measured it.
    ///
    /// # Errors
    /// When it is frozen, or somebody else changed it meanwhile.
    pub async fn submit_product(
        &self,
        (facility, id, seen): (&FacilityId, ProductId, u32),
        (sha256, consent): (&str, Option<&Consent>),
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), SharingError> {
        let mut tx = self.change().await?;
        let mut product = seen_product(&mut tx, (facility, id, seen)).await?;
        product.must_be_draft()?;
        add_author(&mut product.authors, by);
        sqlx::query(
            "UPDATE sharing_products SET state = 'submitted', sha256 = ?, consent_json = ?, authors_json = ?,
               submitted_by = ?, submitted_name = ?, submitted_ms = ?, revision = revision + 1, reason = '', changed_ms = ?
             WHERE facility_id = ? AND product_id = ?",
        )
        .bind(sha256)
        .bind(consent.map(|consent| to_json("consent", consent)).transpose()?)
        .bind(to_json("authors", &product.authors)?)
        .bind(by.user.to_string())
        .bind(&by.name)
        .bind(to_ms(now))
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
        let logged =
            AuditEntry::new(now, Actor::User(by.user), "sharing.submitted", id).of(facility);
        append_audit(&mut tx, &logged.with("body_sha256", sha256)).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Makes a draft of what was submitted.
    ///
    /// # Errors
    /// When it waits for nobody.
    pub async fn return_product(
        &self,
        (facility, id): (&FacilityId, ProductId),
        reason: &str,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), SharingError> {
        let mut tx = self.change().await?;
        let product: Product = row(&mut tx, facility, id).await?.try_into()?;
        product.submitted()?;
        sqlx::query(
            "UPDATE sharing_products SET state = 'draft', sha256 = NULL, consent_json = NULL, submitted_by = NULL,
               submitted_name = NULL, submitted_ms = NULL, reason = ?, revision = revision + 1, changed_ms = ?
             WHERE facility_id = ? AND product_id = ?",
        )
        .bind(reason)
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
        let logged =
            AuditEntry::new(now, Actor::User(by.user), "sharing.returned", id).of(facility);
        append_audit(&mut tx, &logged.with("reason", reason)).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Records an approval together with the files that were made and signed of what was frozen.
    ///
    /// # Errors
    /// When it waits for nobody, another text was frozen meanwhile, or its author would approve it.
    pub async fn approve_product(
        &self,
        (facility, id, sha256): (&FacilityId, ProductId, &str),
        (files, signer): (&[ProductFile], &str),
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), SharingError> {
        let mut tx = self.change().await?;
        let product: Product = row(&mut tx, facility, id).await?.try_into()?;
        product.may_be_approved_by(by.user)?;
        if product.submitted()?.sha256 != sha256 {
            return Err(StoreError::Stale("sharing product").into());
        }
        sqlx::query(
            "UPDATE sharing_products SET state = 'approved', approved_by = ?, approved_name = ?, approved_ms = ?,
               signer = ?, changed_ms = ? WHERE facility_id = ? AND product_id = ?",
        )
        .bind(by.user.to_string())
        .bind(&by.name)
        .bind(to_ms(now))
        .bind(signer)
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
        rows::insert_files(&mut tx, (facility, id), files).await?;
        let logged =
            AuditEntry::new(now, Actor::User(by.user), "sharing.approved", id).of(facility);
        append_audit(&mut tx, &logged.with("body_sha256", sha256)).await?;

        Ok(self.commit_audited(tx).await?)
    }

    /// Returns an approved product with its files after checking all of it; `None` while it is not approved.
    ///
    /// # Errors
    /// When there is no such product, or its record was changed.
    pub async fn approved_product(
        &self,
        facility: &FacilityId,
        id: ProductId,
    ) -> Result<Option<Approved>, StoreError> {
        let mut conn = self.readers.acquire().await?;
        let row = row(&mut conn, facility, id).await?;
        let (frozen, signer) = (row.body_json.clone(), row.signer.clone().unwrap_or_default());
        let product = Product::try_from(row)?;
        match product.state {
            ProductState::Approved(_) => {}
            ProductState::Draft | ProductState::Submitted(_) => return Ok(None),
        }
        let files = rows::files(&mut conn, facility, id).await?;
        let stored = StoredProduct { product, frozen, signer, files };
        let approved = Approved::verify(stored)
            .map_err(|error| StoreError::unreadable("sharing product", error))?;

        Ok(Some(approved))
    }

    /// Returns to whom a product went, the first one first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn product_sent(
        &self,
        facility: &FacilityId,
        id: ProductId,
    ) -> Result<Vec<Sent>, StoreError> {
        rows::sent(&self.readers, facility, id).await
    }

    /// Keeps a sealed product until the partner has it, and that it went there.
    ///
    /// # Errors
    /// `Exists` when it went there already.
    pub async fn put_product(
        &self,
        product: ProductId,
        outgoing: &Outgoing<'_>,
        (by, now): (&NamedPerson, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        put_out(&mut tx, outgoing, now).await?;
        let written = sqlx::query(
            "INSERT INTO sharing_sent (facility_id, product_id, partner_id, package_id, sent_by, sent_name, sent_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(outgoing.facility.as_str())
        .bind(product.to_string())
        .bind(outgoing.going.partner.as_str())
        .bind(outgoing.package.id().as_str())
        .bind(by.user.to_string())
        .bind(&by.name)
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        if written.rows_affected() == 0 {
            return Err(StoreError::Exists("sharing product at this partner"));
        }
        let who = Actor::User(by.user);
        let logged = AuditEntry::new(now, who, "sharing.sent", product).of(outgoing.facility);
        append_audit(&mut tx, &logged.with("partner", &outgoing.going.partner)).await?;
        append_audit(&mut tx, &sealed_entry(outgoing, (who, now))).await?;

        self.commit_audited(tx).await
    }
}

async fn row(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: ProductId,
) -> Result<Row, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM sharing_products WHERE facility_id = ? AND product_id = ?")
            .bind(facility.as_str())
            .bind(id.to_string())
            .fetch_optional(conn)
            .await?;
    row.ok_or(StoreError::Missing("sharing product"))
}

async fn seen_product(
    conn: &mut SqliteConnection,
    (facility, id, seen): (&FacilityId, ProductId, u32),
) -> Result<Product, StoreError> {
    let product: Product = row(conn, facility, id).await?.try_into()?;
    if product.revision == seen { Ok(product) } else { Err(StoreError::Stale("sharing product")) }
}

fn add_author(authors: &mut Vec<NamedPerson>, by: &NamedPerson) {
    if authors.iter().all(|author| author.user != by.user) {
        authors.push(by.clone());
    }
}

fn text_of(body: &Body) -> Result<String, StoreError> {
    body.text()
        .map_err(|error| StoreError::unreadable("sharing product", error))
}
