//! Own cards, and partners with every card of theirs.

use jiff::Timestamp;
use shirase_shared::ids::FacilityId;
use sqlx::{FromRow, SqliteConnection};

use super::append_audit;
use super::connect::{
    Store, StoreError, from_json, from_ms, from_ms_maybe, parsed, to_json, to_ms, touched,
};
use crate::audit::{Actor, AuditEntry};
use crate::exchange::CardId;
use crate::exchange::card::Card;
use crate::exchange::incoming::OwnCard;
use crate::exchange::partner::{Partner, PartnerId, PinnedCard, Revocation};

#[derive(FromRow)]
struct OwnRow {
    facility_id: String,
    card_id: String,
    card_json: String,
    made_ms: i64,
}

#[derive(FromRow)]
struct PartnerRow {
    facility_id: String,
    partner_id: String,
    calls_us: Option<String>,
    added_ms: i64,
    revoked_ms: Option<i64>,
    revoked_reason: String,
}

#[derive(FromRow)]
struct CardRow {
    card_id: String,
    card_json: String,
    from_ms: i64,
    until_ms: Option<i64>,
    compared_by: String,
}

impl TryFrom<OwnRow> for OwnCard {
    type Error = StoreError;

    fn try_from(row: OwnRow) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility", &row.facility_id)?,
            id: parsed("card", &row.card_id)?,
            card: from_json("card", &row.card_json)?,
            made_at: from_ms(row.made_ms)?,
        })
    }
}

impl TryFrom<CardRow> for PinnedCard {
    type Error = StoreError;

    fn try_from(row: CardRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("card", &row.card_id)?,
            card: from_json("card", &row.card_json)?,
            from: from_ms(row.from_ms)?,
            until: from_ms_maybe(row.until_ms)?,
            compared_by: row.compared_by,
        })
    }
}

/// A card that replaces a partner's, and until when the old one counts beside it.
#[derive(Clone, Debug)]
pub struct Rotation<'a> {
    /// The new card.
    pub card: &'a Card,
    /// Until when the old one counts.
    pub until: Timestamp,
    /// Who compared the fingerprint.
    pub compared_by: &'a str,
}

impl Store {
    /// Returns every card of our own, of every facility, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn own_cards(&self) -> Result<Vec<OwnCard>, StoreError> {
        let rows: Vec<OwnRow> =
            sqlx::query_as("SELECT * FROM own_cards ORDER BY made_ms DESC, rowid DESC")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter().map(OwnCard::try_from).collect()
    }

    /// Keeps a card of our own; one that is kept already becomes the newest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_own_card(&self, own: &OwnCard, who: Actor) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT INTO own_cards (facility_id, card_id, card_json, made_ms) VALUES (?, ?, ?, ?)
             ON CONFLICT (facility_id, card_id) DO UPDATE SET made_ms = excluded.made_ms",
        )
        .bind(own.facility.as_str())
        .bind(own.id.as_str())
        .bind(to_json("card", &own.card)?)
        .bind(to_ms(own.made_at))
        .execute(&mut *tx)
        .await?;
        let entry = AuditEntry::new(own.made_at, who, "partner.invited", &own.id)
            .of(&own.facility)
            .with("address", &own.card.address);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Returns the partners of a facility by name, revoked ones included.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn partners(&self, facility: &FacilityId) -> Result<Vec<Partner>, StoreError> {
        let rows: Vec<PartnerRow> =
            sqlx::query_as("SELECT * FROM partners WHERE facility_id = ? ORDER BY partner_id")
                .bind(facility.as_str())
                .fetch_all(&self.readers)
                .await?;
        let mut conn = self.readers.acquire().await?;
        let mut partners = Vec::with_capacity(rows.len());
        for row in rows {
            partners.push(with_cards(&mut conn, row).await?);
        }

        Ok(partners)
    }

    /// Returns one partner.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn partner(
        &self,
        facility: &FacilityId,
        id: &PartnerId,
    ) -> Result<Partner, StoreError> {
        let mut conn = self.readers.acquire().await?;
        partner_in(&mut conn, facility, id).await
    }

    /// Keeps a partner whose card two people compared.
    ///
    /// # Errors
    /// When there is one of that name.
    pub async fn add_partner(&self, partner: &Partner, who: Actor) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let (facility, id) = (&partner.facility, &partner.id);
        let added = sqlx::query(
            "INSERT INTO partners (facility_id, partner_id, added_ms) VALUES (?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(facility.as_str())
        .bind(id.as_str())
        .bind(to_ms(partner.added_at))
        .execute(&mut *tx)
        .await?;
        if added.rows_affected() == 0 {
            return Err(StoreError::Exists("partner"));
        }
        pin(&mut tx, (facility, id), &partner.current).await?;
        let entry = card_entry((partner.added_at, who), "partner.accepted", partner);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }

    /// Replaces a partner's card; the old one counts beside it until the day given.
    ///
    /// # Errors
    /// When there is no such partner, or it has the card already.
    pub async fn rotate_partner(
        &self,
        (facility, id): (&FacilityId, &PartnerId),
        rotation: &Rotation<'_>,
        (who, now): (Actor, Timestamp),
    ) -> Result<Partner, StoreError> {
        let mut tx = self.change().await?;
        let ended = sqlx::query(
            "UPDATE partner_cards SET until_ms = ? WHERE facility_id = ? AND partner_id = ? AND until_ms IS NULL",
        )
        .bind(to_ms(rotation.until))
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        touched(ended.rows_affected(), "partner")?;
        let pinned = PinnedCard {
            id: rotation.card.id(),
            card: rotation.card.clone(),
            from: now,
            until: None,
            compared_by: rotation.compared_by.to_owned(),
        };
        pin(&mut tx, (facility, id), &pinned).await?;
        let partner = partner_in(&mut tx, facility, id).await?;
        let entry =
            card_entry((now, who), "partner.rotated", &partner).with("old_until", rotation.until);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await?;

        Ok(partner)
    }

    /// Trusts a partner no more.
    ///
    /// # Errors
    /// When there is none that is trusted.
    pub async fn revoke_partner(
        &self,
        (facility, id): (&FacilityId, &PartnerId),
        reason: &str,
        (who, now): (Actor, Timestamp),
    ) -> Result<(), StoreError> {
        let mut tx = self.change().await?;
        let revoked = sqlx::query(
            "UPDATE partners SET revoked_ms = ?, revoked_reason = ?
             WHERE facility_id = ? AND partner_id = ? AND revoked_ms IS NULL",
        )
        .bind(to_ms(now))
        .bind(reason)
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        touched(revoked.rows_affected(), "partner that is trusted")?;
        sqlx::query("UPDATE packages SET next_ms = NULL WHERE facility_id = ? AND partner_id = ? AND done_ms IS NULL")
            .bind(facility.as_str())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        let entry = AuditEntry::new(now, who, "partner.revoked", id)
            .of(facility)
            .with("reason", reason);
        append_audit(&mut tx, &entry).await?;
        self.commit_audited(tx).await
    }
}

/// Notes by which card of ours a partner addressed us.
pub(super) async fn note_called(
    conn: &mut SqliteConnection,
    (facility, id): (&FacilityId, &PartnerId),
    called: &CardId,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE partners SET calls_us = ? WHERE facility_id = ? AND partner_id = ?")
        .bind(called.as_str())
        .bind(facility.as_str())
        .bind(id.as_str())
        .execute(conn)
        .await?;

    Ok(())
}

async fn partner_in(
    conn: &mut SqliteConnection,
    facility: &FacilityId,
    id: &PartnerId,
) -> Result<Partner, StoreError> {
    let row: Option<PartnerRow> =
        sqlx::query_as("SELECT * FROM partners WHERE facility_id = ? AND partner_id = ?")
            .bind(facility.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *conn)
            .await?;
    with_cards(conn, row.ok_or(StoreError::Missing("partner"))?).await
}

async fn with_cards(conn: &mut SqliteConnection, row: PartnerRow) -> Result<Partner, StoreError> {
    let cards: Vec<CardRow> = sqlx::query_as(
        "SELECT card_id, card_json, from_ms, until_ms, compared_by FROM partner_cards
         WHERE facility_id = ? AND partner_id = ? ORDER BY until_ms IS NULL DESC, from_ms DESC",
    )
    .bind(&row.facility_id)
    .bind(&row.partner_id)
    .fetch_all(conn)
    .await?;
    let mut cards = cards
        .into_iter()
        .map(PinnedCard::try_from)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    let current = cards
        .next()
        .ok_or(StoreError::Missing("card of the partner"))?;
    let revoked = from_ms_maybe(row.revoked_ms)?;

    Ok(Partner {
        facility: parsed("facility", &row.facility_id)?,
        id: parsed("partner", &row.partner_id)?,
        current,
        former: cards.collect(),
        calls_us: row.calls_us.map(|id| parsed("card", &id)).transpose()?,
        added_at: from_ms(row.added_ms)?,
        revoked: revoked.map(|at| Revocation { at, reason: row.revoked_reason }),
    })
}

async fn pin(
    conn: &mut SqliteConnection,
    (facility, id): (&FacilityId, &PartnerId),
    pinned: &PinnedCard,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO partner_cards (facility_id, partner_id, card_id, card_json, from_ms, until_ms, compared_by)
         VALUES (?, ?, ?, ?, ?, NULL, ?)",
    )
    .bind(facility.as_str())
    .bind(id.as_str())
    .bind(pinned.id.as_str())
    .bind(to_json("card", &pinned.card)?)
    .bind(to_ms(pinned.from))
    .bind(&pinned.compared_by)
    .execute(conn)
    .await?;

    Ok(())
}

fn card_entry(
    (now, who): (Timestamp, Actor),
    action: &'static str,
    partner: &Partner,
) -> AuditEntry {
    AuditEntry::new(now, who, action, &partner.id)
        .of(&partner.facility)
        .with("name", partner.name())
        .with("kind", partner.current.card.kind)
        .with("fingerprint", &partner.current.id)
        .with("compared_by", &partner.current.compared_by)
}
