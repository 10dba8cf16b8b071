//! Clients of TAXII, by the hash of their tokens, and what they read.

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;

use super::super::connect::{Store, StoreError, from_ms, from_ms_maybe, parsed, to_ms, touched};
use super::append_audit;
use crate::audit::{Actor, AuditEntry};
use crate::exchange::kind::Tlp;
use crate::exchange::partner::PartnerId;
use crate::sharing::stix::STIX_FILE;
use crate::sharing::taxii::{Client, Offered};

type Row = (String, String, String, i64, Option<i64>);

impl Store {
    /// Lets a client in by the hash of its token; an earlier token of the same name is worthless then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_taxii_client(
        &self,
        client: &Client,
        token_sha256: &str,
        who: Actor,
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let (facility, id, now) = (&client.facility, &client.id, client.made_at);
        sqlx::query(
            "UPDATE taxii_clients SET revoked_ms = ? WHERE facility_id = ? AND client_id = ? AND revoked_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO taxii_clients (facility_id, client_id, token_sha256, reads, made_ms) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(facility.as_str())
        .bind(id.as_str())
        .bind(token_sha256)
        .bind(client.reads.as_str())
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(now, who, "taxii.client_added", id).of(facility);
        append_audit(&mut tx, &entry.with("reads", client.reads)).await?;

        self.commit_audited(tx).await
    }

    /// Makes a client's token worthless.
    ///
    /// # Errors
    /// When there is no such client.
    pub async fn revoke_taxii_client(
        &self,
        facility: &FacilityId,
        id: &PartnerId,
        (who, now): (Actor, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let ended = sqlx::query(
            "UPDATE taxii_clients SET revoked_ms = ? WHERE facility_id = ? AND client_id = ? AND revoked_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        touched(ended.rows_affected(), "TAXII client")?;
        let entry = AuditEntry::new(now, who, "taxii.client_revoked", id).of(facility);
        append_audit(&mut tx, &entry).await?;

        self.commit_audited(tx).await
    }

    /// Returns the clients of a facility with those revoked, by name.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn taxii_clients(&self, facility: &FacilityId) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, client_id, reads, made_ms, revoked_ms FROM taxii_clients
             WHERE facility_id = ? ORDER BY client_id, made_ms",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(client).collect()
    }

    /// Returns the client whose token has this hash, unless it was revoked.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn taxii_client_of(&self, token_sha256: &str) -> Result<Option<Client>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT facility_id, client_id, reads, made_ms, revoked_ms FROM taxii_clients
             WHERE token_sha256 = ? AND revoked_ms IS NULL",
        )
        .bind(token_sha256)
        .fetch_optional(&self.readers)
        .await?;
        row.map(client).transpose()
    }

    /// Returns every approved product of a facility with its bundle, each checked as it was approved.
    ///
    /// # Errors
    /// When the database fails, or a record was changed.
    pub async fn offered_products(
        &self,
        facility: &FacilityId,
    ) -> Result<Vec<Offered>, StoreError> {
        let mut offered = Vec::new();
        for product in self.products(facility).await? {
            let Some(approved) = self.approved_product(facility, product.id).await? else {
                continue;
            };
            let file = approved.file(STIX_FILE);
            let file = file.ok_or(StoreError::Missing("STIX bundle"))?;
            let bundle = serde_json::from_slice(&file.bytes)
                .map_err(|error| StoreError::unreadable("STIX bundle", error))?;
            let body = approved.body();
            offered.push(Offered {
                added: approved.at(),
                tlp: body.tlp,
                drill: body.drill,
                bundle,
            });
        }

        Ok(offered)
    }
}

fn client((facility, id, reads, made, revoked): Row) -> Result<Client, StoreError> {
    let unknown = || StoreError::unreadable("mark", reads.clone());
    Ok(Client {
        facility: parsed("facility id", &facility)?,
        id: parsed("TAXII client", &id)?,
        reads: Tlp::parse(&reads).ok_or_else(unknown)?,
        made_at: from_ms(made)?,
        revoked_at: from_ms_maybe(revoked)?,
    })
}
