//! What the collector asks an agent to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{DrillId, HostId, OrderId};

/// An order as text with the collector's signature over exactly that text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOrder {
    /// JSON of an [`Order`].
    pub order: String,
    /// Ed25519 signature over the bytes of `order`, base64.
    pub signature: String,
}

/// Something the collector asks an agent to do. Carried out at most once: its id is its nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its nonce.
    pub id: OrderId,
    /// Whom it is for; every other host refuses it.
    pub host: HostId,
    /// When it was given, by the collector's clock.
    pub issued_at: Timestamp,
    /// Not to be begun after this moment.
    pub expires_at: Timestamp,
    /// What to do.
    pub action: Action,
}

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Make a small tree of dummy files under a watched root, change it the way an attack would, remove it.
    Drill {
        /// The exercise it belongs to.
        drill: DrillId,
        /// How many files, 10 to 500.
        files: u32,
    },
    /// Expect ordinary mass work until `until`. Never silences canaries, lost magic or the recording itself.
    Maintenance {
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// When it ends.
        until: Timestamp,
    },
    /// End the maintenance window that is in force, if one is.
    EndMaintenance {
        /// Who says so.
        owner: String,
    },
}
