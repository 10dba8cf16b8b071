//! The people who use the console: who they are, how they prove it, and what they may do where.
//!
//! ```text
//! password ──▶ (must change?) ──▶ second factor (set up once) ──▶ full session ──▶ roles of each facility
//! ```
//!
//! Always holds:
//! - a password is kept as argon2id alone and is never shorter than 13 characters, the length the ministry's
//!   guideline 7.0 asks for without a second factor, although there is one always;
//! - a code of the second factor is good once;
//! - a role is held at a facility; nobody holds one everywhere.
//!
//! Not here: cookies and requests (see `http::session`), SQL (see `store::users`).

mod password;
mod totp;
mod session;
mod accounts;

pub use accounts::{
    AccountError, NewUser, change_password, create_user, disable_user, grant, list, reset_user,
};
pub use password::{
    PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS, PasswordProblem, check_new_password, decoy_hash,
    hash_password, new_one_time_password, verify_password,
};
pub use session::{SESSION_IDLE, SESSION_LIFE, SIGN_IN_LIFE, Session, Stage, StageError};
pub use totp::{TOTP_STEP_SECS, check_totp, totp_secret_from, totp_uri};

#[cfg(test)]
pub(crate) use totp::code_at;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use shirase_shared::ids::{FacilityId, UserId};

/// What a person may do at one facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Works on incidents and corrects reports.
    Author,
    /// Does what an author does, and approves reports.
    Approver,
    /// Manages hosts, master data, alert channels and people. Neither corrects nor approves reports.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Author, Self::Approver, Self::Administrator];

    /// Returns the name used in the database, on the command line and as a key of the locale files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
        }
    }

    /// Whether a holder of this role may do what `asked` may.
    #[must_use]
    pub const fn covers(self, asked: Self) -> bool {
        match asked {
            Self::Viewer => true,
            Self::Author => matches!(self, Self::Author | Self::Approver),
            Self::Approver => matches!(self, Self::Approver),
            Self::Administrator => matches!(self, Self::Administrator),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no role; use viewer, author, approver or administrator")]
pub struct RoleError(String);

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| RoleError(text.chars().take(80).collect()))
    }
}

/// What one person may do at which facility.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(pub BTreeMap<FacilityId, BTreeSet<Role>>);

impl Grants {
    /// Gives one role at one facility.
    #[must_use]
    pub fn with(mut self, facility: &FacilityId, role: Role) -> Self {
        self.0.entry(facility.clone()).or_default().insert(role);
        self
    }

    /// Whether they allow what `asked` may do at `facility`.
    #[must_use]
    pub fn allow(&self, facility: &FacilityId, asked: Role) -> bool {
        self.roles(facility).any(|held| held.covers(asked))
    }

    /// Returns the roles held at `facility`.
    pub fn roles(&self, facility: &FacilityId) -> impl Iterator<Item = Role> {
        self.0.get(facility).into_iter().flatten().copied()
    }

    /// Returns the facilities at which any role is held.
    pub fn facilities(&self) -> impl Iterator<Item = &FacilityId> {
        self.0
            .iter()
            .filter(|(_, roles)| !roles.is_empty())
            .map(|(facility, _)| facility)
    }
}

/// A person who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Who it is, for ever.
    pub id: UserId,
    /// What they type to sign in.
    pub login: String,
    /// Their name as printed on a report.
    pub name: String,
    /// Whether the password was given out once and has to be replaced.
    pub must_change: bool,
    /// Whether the second factor is set up.
    pub second_factor: bool,
    /// Since when they are known.
    pub created: Timestamp,
    /// Since when they may not sign in any more.
    pub disabled: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approver_may_correct_but_an_administrator_may_not_approve() {
        let covered = |held: Role| {
            let names = Role::ALL.into_iter().filter(|asked| held.covers(*asked));
            names.map(Role::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(covered(Role::Viewer), "viewer");
        assert_eq!(covered(Role::Author), "viewer author");
        assert_eq!(covered(Role::Approver), "viewer author approver");
        assert_eq!(covered(Role::Administrator), "viewer administrator");
    }

    #[test]
    fn a_role_counts_only_where_it_is_held() {
        let here: FacilityId = "here".parse().unwrap();
        let there: FacilityId = "there".parse().unwrap();
        let grants = Grants::default().with(&here, Role::Approver);
        assert!(grants.allow(&here, Role::Author));
        assert!(!grants.allow(&here, Role::Administrator));
        assert!(!grants.allow(&there, Role::Viewer));
    }
}
