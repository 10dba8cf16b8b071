//! Orders to agents: signed, short-lived, carried out at most once.
//!
//! ```text
//! command ─▶ Order as JSON text ─▶ signed by order.key ─▶ stored ─▶ answer to each heartbeat ─▶ agent checks, acts once
//! ```
//!
//! Always holds: the signature covers exactly the stored text, which is exactly the text sent; an order's id is its nonce;
//! an order that has ended is never handed out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
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

/// Longest maintenance window. Longer work gets a second one: a window nobody remembers is a hole in the watch.
pub const WINDOW_MAX_HOURS: u32 = 72;
/// Longest name of an owner and longest reason, in characters.
const OWNER_MAX_CHARS: usize = 100;
const REASON_MAX_CHARS: usize = 300;

/// Why a maintenance window is not ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nobody answers for it, or for no reason.
    #[error(
        "a maintenance window needs an owner and a reason; say who answers for it and what is done"
    )]
    Nameless,
    /// Too many words, or characters that cannot be seen.
    #[error(
        "the owner has at most {OWNER_MAX_CHARS} characters and the reason {REASON_MAX_CHARS}, all of them printable"
    )]
    Unreadable,
    /// Too short or too long.
    #[error(
        "a maintenance window lasts 1 to {WINDOW_MAX_HOURS} hours; order a second one for longer work"
    )]
    Length,
}

/// Makes the action of a maintenance window that begins now.
///
/// # Errors
/// When owner or reason is missing, too long or not printable, or when the window is too long.
pub fn window(
    owner: &str,
    reason: &str,
    hours: u32,
    now: Timestamp,
) -> Result<Action, WindowError> {
    let (owner, reason) = (owner.trim(), reason.trim());
    if owner.is_empty() || reason.is_empty() {
        return Err(WindowError::Nameless);
    }
    let long = OWNER_MAX_CHARS < owner.chars().count() || REASON_MAX_CHARS < reason.chars().count();
    if long || owner.chars().chain(reason.chars()).any(char::is_control) {
        return Err(WindowError::Unreadable);
    }
    if !(1..=WINDOW_MAX_HOURS).contains(&hours) {
        return Err(WindowError::Length);
    }
    let until = now
        .checked_add(SignedDuration::from_hours(hours.into()))
        .map_err(|_| WindowError::Length)?;

    Ok(Action::Maintenance { owner: owner.to_owned(), reason: reason.to_owned(), until })
}

/// A maintenance window as it was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When it was ordered.
    pub from: Timestamp,
    /// When it ended, or will.
    pub until: Timestamp,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

/// Returns the maintenance windows among a facility's orders in order of time, each cut where a later order ended it.
///
/// An order its host never asked for announces the work all the same: somebody here said that it would be.
#[must_use]
pub fn windows(orders: &[Order]) -> Vec<(HostId, Window)> {
    let mut sorted: Vec<&Order> = orders.iter().collect();
    sorted.sort_by_key(|order| (order.issued_at, order.id));
    let mut windows: Vec<(HostId, Window)> = Vec::new();
    for order in sorted {
        match &order.action {
            Action::Maintenance { owner, reason, until } => windows.push((
                order.host,
                Window {
                    from: order.issued_at,
                    until: *until,
                    owner: owner.clone(),
                    reason: reason.clone(),
                },
            )),
            Action::EndMaintenance { .. } => {
                for (_, window) in windows.iter_mut().filter(|(host, _)| *host == order.host) {
                    window.until = window.until.min(order.issued_at);
                }
            }
            Action::Drill { .. } => {}
        }
    }

    windows
}

/// Returns whether a heartbeat shows that the order is in force, so that it need not be sent again.
///
/// Only a maintenance window shows there; a drill is confirmed by its own events.
#[must_use]
pub fn confirmed_by(order: &Order, heartbeat: &Heartbeat) -> bool {
    match &order.action {
        Action::Maintenance { until, .. } => heartbeat.maintenance_until == Some(*until),
        Action::Drill { .. } => false,
        // A host that has not heard of the window yet shows none either, and would then begin it.
        Action::EndMaintenance { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use shirase_shared::testing::builders::night;

    use super::*;

    #[test]
    fn a_window_has_an_owner_a_reason_and_an_end() {
        let until = night() + SignedDuration::from_hours(4);
        let expected =
            Action::Maintenance {
                owner: "佐藤".to_owned(), reason: "PACS更新".to_owned(), until
            };
        assert_eq!(window(" 佐藤 ", "PACS更新", 4, night()), Ok(expected));
        assert_eq!(window("", "PACS更新", 4, night()), Err(WindowError::Nameless));
        assert_eq!(window("佐藤", " ", 4, night()), Err(WindowError::Nameless));
        assert_eq!(window("佐藤", "a\u{1b}[2J", 4, night()), Err(WindowError::Unreadable));
        assert_eq!(window("佐藤", &"あ".repeat(301), 4, night()), Err(WindowError::Unreadable));
        assert_eq!(window("佐藤", "更新", 0, night()), Err(WindowError::Length));
        assert_eq!(window("佐藤", "更新", WINDOW_MAX_HOURS + 1, night()), Err(WindowError::Length));
    }

    #[test]
    fn a_window_that_was_ended_early_ends_there() {
        let host = HostId::from_uuid(uuid::Uuid::from_u128(1));
        let other = HostId::from_uuid(uuid::Uuid::from_u128(2));
        let minutes = |minutes| night() + SignedDuration::from_mins(minutes);
        let order = |host, issued_at, action| Order {
            id: OrderId::random(),
            host,
            issued_at,
            expires_at: issued_at,
            action,
        };
        let work = || window("佐藤", "PACS更新", 2, night()).unwrap();
        let orders = [
            order(host, minutes(30), Action::EndMaintenance { owner: "佐藤".to_owned() }),
            order(host, night(), work()),
            order(other, night(), work()),
        ];
        let mut ends: Vec<_> = windows(&orders)
            .into_iter()
            .map(|(host, window)| (host, window.until))
            .collect();
        ends.sort();
        assert_eq!(ends, [(host, minutes(30)), (other, minutes(120))]);
    }
}
