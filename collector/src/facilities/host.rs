//! A server with an agent, and what it does for care.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{FacilityId, HostId};

/// A server with an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The facility it belongs to.
    pub facility: FacilityId,
    /// Its identity, minted at enrolment and carried in its certificate.
    pub id: HostId,
    /// Its name: a label, never an identity.
    pub name: String,
    /// Operating system, as the agent last said.
    pub os: String,
    /// What it does for care.
    pub roles: BTreeSet<CareRole>,
    /// Watched services, processes and probes that have a role of their own, by target name.
    pub watched: BTreeMap<String, CareRole>,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// Since when it is no longer let in.
    pub revoked_at: Option<Timestamp>,
    /// When the last of its certificates ends; `None` if it has none that counts.
    pub certificate_expires_at: Option<Timestamp>,
}

/// Whether a host is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostStanding {
    /// It may send.
    Enrolled,
    /// Its last certificate has ended: it must be enrolled anew.
    Lapsed,
    /// Somebody shut it out.
    Revoked,
}

impl Host {
    /// Returns whether the host is let in at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> HostStanding {
        if self.revoked_at.is_some() {
            return HostStanding::Revoked;
        }
        match self.certificate_expires_at {
            Some(expires_at) if now < expires_at => HostStanding::Enrolled,
            Some(_) | None => HostStanding::Lapsed,
        }
    }

    /// Returns the role of a watched target: its own, or else those of the host.
    #[must_use]
    pub fn roles_of(&self, target: &str) -> BTreeSet<CareRole> {
        match self.watched.get(target) {
            Some(role) => BTreeSet::from([*role]),
            None => self.roles.clone(),
        }
    }
}

/// What a server or a service does for care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareRole {
    /// 電子カルテ
    Ehr,
    /// オーダ
    Orders,
    /// PACS
    Pacs,
    /// 検査
    Lab,
    /// 医事会計
    Accounting,
    /// ナースコール
    NurseCall,
    /// ファイル共有
    FileShare,
    /// AD
    Directory,
    /// バックアップ
    Backup,
    /// その他
    Other,
}

impl CareRole {
    /// Every role, in the order a form shows them.
    pub const ALL: [Self; 10] = [
        Self::Ehr,
        Self::Orders,
        Self::Pacs,
        Self::Lab,
        Self::Accounting,
        Self::NurseCall,
        Self::FileShare,
        Self::Directory,
        Self::Backup,
        Self::Other,
    ];

    /// Returns the name used in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ehr => "ehr",
            Self::Orders => "orders",
            Self::Pacs => "pacs",
            Self::Lab => "lab",
            Self::Accounting => "accounting",
            Self::NurseCall => "nurse_call",
            Self::FileShare => "file_share",
            Self::Directory => "directory",
            Self::Backup => "backup",
            Self::Other => "other",
        }
    }

    /// Returns the key of its name in the locale files.
    #[must_use]
    pub const fn label_key(self) -> &'static str {
        match self {
            Self::Ehr => "care-role-ehr",
            Self::Orders => "care-role-orders",
            Self::Pacs => "care-role-pacs",
            Self::Lab => "care-role-lab",
            Self::Accounting => "care-role-accounting",
            Self::NurseCall => "care-role-nurse-call",
            Self::FileShare => "care-role-file-share",
            Self::Directory => "care-role-directory",
            Self::Backup => "care-role-backup",
            Self::Other => "care-role-other",
        }
    }
}

impl fmt::Display for CareRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a care role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a care role; use one of ehr, orders, pacs, lab, accounting, nurse_call, file_share, directory, backup, other"
)]
pub struct CareRoleError(String);

impl FromStr for CareRole {
    type Err = CareRoleError;

    fn from_str(text: &str) -> Result<Self, CareRoleError> {
        let wanted = text.trim().to_ascii_lowercase().replace('-', "_");
        let found = Self::ALL.into_iter().find(|role| role.as_str() == wanted);
        found.ok_or_else(|| CareRoleError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_name_and_the_error_lists_them_all() {
        for role in CareRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!("Nurse-Call".parse(), Ok(CareRole::NurseCall));
        let message = "x".parse::<CareRole>().unwrap_err().to_string();
        assert!(
            CareRole::ALL
                .iter()
                .all(|role| message.contains(role.as_str())),
            "{message}"
        );
    }

    #[test]
    fn a_watched_target_has_its_own_role_before_that_of_the_host() {
        let at: Timestamp = "2026-02-09T01:50:00Z".parse().unwrap();
        let host = Host {
            facility: "handa-hp".parse().unwrap(),
            id: HostId::random(),
            name: "ehr1".to_owned(),
            os: String::new(),
            roles: BTreeSet::from([CareRole::Ehr]),
            watched: BTreeMap::from([("dcm4chee".to_owned(), CareRole::Pacs)]),
            enrolled_at: at,
            revoked_at: None,
            certificate_expires_at: Some(at),
        };
        assert_eq!(host.roles_of("dcm4chee"), BTreeSet::from([CareRole::Pacs]));
        assert_eq!(host.roles_of("postgresql"), BTreeSet::from([CareRole::Ehr]));
        assert_eq!(host.standing(at), HostStanding::Lapsed);
    }
}
