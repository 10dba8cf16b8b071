//! Orders to agents: signed, short-lived, carried out at most once.
//!
//! ```text
//! command ─▶ Order as JSON text ─▶ signed by order.key ─▶ stored ─▶ answer to each heartbeat ─▶ agent checks, acts once
//! ```
//!
//! Always holds: the signature covers exactly the stored text, which is exactly the text sent; an order's id is its nonce;
//! an order that has ended is never handed out.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shirase_shared::ids::{FacilityId, HostId, OrderId};
use shirase_shared::wire::{Action, Heartbeat, Order, SignedOrder};

use crate::keys::SigningKey;

/// How long an agent may take to begin: longer than a few heartbeats, shorter than anybody's memory.
pub const ORDER_TTL: SignedDuration = SignedDuration::from_mins(10);

/// An order as it is stored and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedOrder {
    /// Facility of the host.
    pub facility: FacilityId,
    /// The order itself.
    pub order: Order,
    /// Its text and signature.
    pub signed: SignedOrder,
    /// When it was first put into an answer.
    pub sent_at: Option<Timestamp>,
}

/// Makes a signed order for one host that ends [`ORDER_TTL`] after `now`.
#[must_use]
pub fn issue(
    (facility, host): (FacilityId, HostId),
    action: Action,
    key: &SigningKey,
    now: Timestamp,
) -> IssuedOrder {
    let expires_at = now.saturating_add(ORDER_TTL).unwrap_or(Timestamp::MAX);
    let order = Order { id: OrderId::random(), host, issued_at: now, expires_at, action };
    let text = serde_json::to_string(&order).expect("an order holds only texts, numbers and times");
    let signature = key.sign_base64(text.as_bytes());

    IssuedOrder { facility, order, signed: SignedOrder { order: text, signature }, sent_at: None }
}

/// Returns whether a heartbeat shows that the order is in force, so that it need not be sent again.
///
/// Only a maintenance window shows there; a drill is confirmed by its own events.
#[must_use]
pub fn confirmed_by(order: &Order, heartbeat: &Heartbeat) -> bool {
    match &order.action {
        Action::Maintenance { until, .. } => heartbeat.maintenance_until == Some(*until),
        Action::Drill { .. } => false,
    }
}
