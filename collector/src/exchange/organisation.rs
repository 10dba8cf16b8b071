//! What kind of organisation a collector serves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a collector serves. The code is the same for all; pages and partners show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// One medical institution.
    #[default]
    Hospital,
    /// Several medical institutions under one roof.
    Group,
    /// 都道府県, 保健所設置市, 特別区.
    Municipality,
    /// 医療セプター.
    Ceptoar,
}

impl OrganisationKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Hospital, Self::Group, Self::Municipality, Self::Ceptoar];

    /// Returns the name used in files and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Group => "group",
            Self::Municipality => "municipality",
            Self::Ceptoar => "ceptoar",
        }
    }

    /// Reads that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether medical institutions are under its jurisdiction: it keeps a register of them and looks into their cases.
    #[must_use]
    pub const fn supervises(self) -> bool {
        matches!(self, Self::Municipality)
    }

    /// Whether it informs others by notices (通知).
    #[must_use]
    pub const fn informs(self) -> bool {
        !matches!(self, Self::Hospital)
    }

    /// Returns the key of its label.
    #[must_use]
    pub fn label_key(self) -> String {
        format!("organisation-{}", self.as_str())
    }
}

impl fmt::Display for OrganisationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom this collector serves.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganisationConfig {
    /// `hospital`, `group` (several facilities), `municipality` or `ceptoar`. Partners see it on this collector's card.
    /// Only a municipality's console has the register of institutions and the cases.
    pub kind: OrganisationKind,
}
