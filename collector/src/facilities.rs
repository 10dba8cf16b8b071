//! Medical institutions, what is known of them, and their hosts.
//!
//! ```text
//! Facility ── Master (name, kind, beds, people, vendors …)
//!    └── Host ── roles (what it does for care), watched (service → role)
//! ```
//!
//! Always holds:
//! - what nobody entered is empty and means unknown (不明): nothing here guesses;
//! - a host's identity is its id; its name is a label that two hosts may share;
//! - the private manifest key is returned once, when the facility is made, and never stored.

mod host;
mod manifest_key;
mod master;

pub use host::{CareRole, CareRoleError, Host, HostStanding};
pub use manifest_key::{ManifestKeyError, ManifestKeys, open_manifest};
pub use master::{Duty, FacilityKind, Master, Person, Vendor};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::FacilityId;
use shirase_shared::secret::Secret;

/// Whether someone who set an answer may approve the report it stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfApproval {
    /// A second person approves.
    #[default]
    Refused,
    /// The author may approve, and the report says so.
    Allowed,
}

/// A medical institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    /// Its short name in this collector.
    pub id: FacilityId,
    /// What is known of it.
    pub master: Master,
    /// Public key (`age1…`) the damage manifests of its hosts are encrypted to.
    pub manifest_recipient: String,
    /// Whether an author may approve.
    pub self_approval: SelfApproval,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A new facility with the secret its hospital has to keep.
pub struct NewFacility {
    /// The facility, ready to be stored.
    pub facility: Facility,
    /// The private manifest key (`AGE-SECRET-KEY-1…`). Shown once, kept by the hospital alone.
    pub manifest_identity: Secret<String>,
}

impl Facility {
    /// Makes a facility with a new pair of manifest keys.
    #[must_use]
    pub fn create(id: FacilityId, master: Master, now: Timestamp) -> NewFacility {
        let keys = ManifestKeys::generate();
        let facility = Self {
            id,
            master,
            manifest_recipient: keys.recipient,
            self_approval: SelfApproval::Refused,
            created_at: now,
            updated_at: now,
        };

        NewFacility { facility, manifest_identity: keys.identity }
    }

    /// Returns the name to show: the institution's own, or its id while nobody entered one.
    #[must_use]
    pub fn display_name(&self) -> &str {
        if self.master.name.is_empty() { self.id.as_str() } else { &self.master.name }
    }
}
