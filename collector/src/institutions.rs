//! The register of medical institutions under a municipality's jurisdiction.
//!
//! Always holds:
//! - an institution keeps its earlier versions with who and when; it is closed, never deleted;
//! - no two institutions in the register have one medical institution code;
//! - a note is dated, signed and never changed.
//!
//! Pure. Not here: SQL (see `store::institutions`), pages (see `console::institutions`).

mod column;
mod reading;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{FacilityId, InstitutionId};

use crate::audit::Actor;
use crate::exchange::partner::PartnerId;
use crate::facilities::FacilityKind;
use crate::reports::answer::NamedPerson;

pub use column::{Column, Fault, Filled, Flaw, Plan};
pub use reading::{KINDS, Known, filled, plan, read, to_table};

/// What is known of an institution. An empty text means that nobody entered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Its name.
    pub name: String,
    /// What kind of institution it is.
    pub kind: FacilityKind,
    /// Ten-digit code of the medical institution (医療機関コード).
    #[serde(default)]
    pub code: String,
    /// Postal address.
    #[serde(default)]
    pub address: String,
    /// Whom to ask for.
    #[serde(default)]
    pub person: String,
    /// Telephone by day.
    #[serde(default)]
    pub phone: String,
    /// Telephone at night and on holidays.
    #[serde(default)]
    pub night_phone: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// The partner through which it sends and receives packages.
    #[serde(default)]
    pub partner: Option<PartnerId>,
}

/// What made a version of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstitutionAct {
    /// It was entered.
    Added,
    /// Something about it was changed.
    Changed,
    /// It exists no longer, or is under another's jurisdiction.
    Closed,
    /// That was wrong, or is over.
    Reopened,
}

impl InstitutionAct {
    /// Every act.
    pub const ALL: [Self; 4] = [Self::Added, Self::Changed, Self::Closed, Self::Reopened];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
        }
    }

    /// Returns the key of its words in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Added => "institution-act-added",
            Self::Changed => "institution-act-changed",
            Self::Closed => "institution-act-closed",
            Self::Reopened => "institution-act-reopened",
        }
    }

    /// Returns what the audit log calls it.
    #[must_use]
    pub const fn audit_action(self) -> &'static str {
        match self {
            Self::Added => "institution.added",
            Self::Changed => "institution.changed",
            Self::Closed => "institution.closed",
            Self::Reopened => "institution.reopened",
        }
    }

    /// Reads its name back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == text)
    }
}

/// One version of an institution. The one with the highest revision is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// In whose register it stands.
    pub facility: FacilityId,
    /// Which institution.
    pub id: InstitutionId,
    /// Its version, from 1.
    pub revision: u32,
    /// What is known of it.
    pub details: Details,
    /// What made this version.
    pub act: InstitutionAct,
    /// Why it was closed or reopened.
    pub reason: String,
    /// Who.
    pub set_by: Actor,
    /// When.
    pub set_at: Timestamp,
}

impl Institution {
    /// Whether it is in the register no longer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.act == InstitutionAct::Closed
    }
}

/// Something somebody noted about an institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number, from 1.
    pub n: u32,
    /// The day it is about.
    pub on: Date,
    /// What it says.
    pub text: String,
    /// Who noted it.
    pub by: NamedPerson,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
