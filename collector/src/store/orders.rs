//! Orders given to hosts.

use jiff::Timestamp;
use shirase_shared::ids::{DrillId, FacilityId, HostId, OrderId};
use shirase_shared::wire::{Action, SignedOrder};
use sqlx::FromRow;

use super::connect::{Store, StoreError, from_json, from_ms_maybe, parsed, to_ms};
use crate::orders::{IssuedOrder, Window, windows};

#[derive(FromRow)]
struct Row {
    facility_id: String,
    order_json: String,
    signature: String,
    sent_ms: Option<i64>,
}

impl TryFrom<Row> for IssuedOrder {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            facility: parsed("facility id", &row.facility_id)?,
            order: from_json("order", &row.order_json)?,
            signed: SignedOrder { order: row.order_json, signature: row.signature },
            sent_at: from_ms_maybe(row.sent_ms)?,
        })
    }
}

impl Store {
    /// Stores a signed order, to be handed out with the next heartbeat of its host.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_order(&self, issued: &IssuedOrder) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO orders (facility_id, host_id, order_id, drill_id, order_json, signature, issued_ms, expires_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(issued.facility.as_str())
        .bind(issued.order.host.to_string())
        .bind(issued.order.id.to_string())
        .bind(drill_of(&issued.order.action).map(|drill| drill.to_string()))
        .bind(&issued.signed.order)
        .bind(&issued.signed.signature)
        .bind(to_ms(issued.order.issued_at))
        .bind(to_ms(issued.order.expires_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Returns the orders of a facility, the newest first.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn orders(&self, facility: &FacilityId) -> Result<Vec<IssuedOrder>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT facility_id, order_json, signature, sent_ms FROM orders
             WHERE facility_id = ? ORDER BY issued_ms DESC, order_id",
        )
        .bind(facility.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(IssuedOrder::try_from).collect()
    }

    /// Returns the orders a host has not begun: not ended at `now`, and no event of their drill has come from it.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable one.
    pub async fn open_orders(
        &self,
        facility: &FacilityId,
        host: HostId,
        now: Timestamp,
    ) -> Result<Vec<IssuedOrder>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT o.facility_id, o.order_json, o.signature, o.sent_ms FROM orders o
             WHERE o.facility_id = ?1 AND o.host_id = ?2 AND ?3 < o.expires_ms
               AND NOT EXISTS (SELECT 1 FROM records r WHERE r.facility_id = ?1 AND r.host_id = ?2
                   AND o.drill_id IS NOT NULL AND r.drill_id = o.drill_id)
             ORDER BY o.issued_ms, o.order_id",
        )
        .bind(facility.as_str())
        .bind(host.to_string())
        .bind(to_ms(now))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(IssuedOrder::try_from).collect()
    }

    /// Returns the maintenance windows ordered since a moment.
    ///
    /// # Errors
    /// When the database fails or holds an unreadable order.
    pub(super) async fn windows(
        &self,
        facility: &FacilityId,
        since: Timestamp,
    ) -> Result<Vec<(HostId, Window)>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT order_json FROM orders WHERE facility_id = ? AND drill_id IS NULL AND ? <= issued_ms",
        )
        .bind(facility.as_str())
        .bind(to_ms(since))
        .fetch_all(&self.readers)
        .await?;
        let orders = rows.iter().map(|(order,)| from_json("order", order));

        Ok(windows(&orders.collect::<Result<Vec<_>, StoreError>>()?))
    }

    /// Notes that orders were put into an answer, where this is the first time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_orders_sent(
        &self,
        (facility, host): (&FacilityId, HostId),
        orders: &[OrderId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        for order in orders {
            sqlx::query(
                "UPDATE orders SET sent_ms = ? WHERE facility_id = ? AND host_id = ? AND order_id = ? AND sent_ms IS NULL",
            )
            .bind(to_ms(now))
            .bind(facility.as_str())
            .bind(host.to_string())
            .bind(order.to_string())
            .execute(&mut *change)
            .await?;
        }
        change.commit().await?;

        Ok(())
    }
}

const fn drill_of(action: &Action) -> Option<DrillId> {
    match action {
        Action::Drill { drill, .. } => Some(*drill),
        Action::Maintenance { .. } | Action::EndMaintenance { .. } => None,
    }
}
