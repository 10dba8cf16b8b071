//! Saved texts, which of them a host should have in force, and the document it is given.

use jiff::Timestamp;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::policy::{
    DocumentKind, Policy, PolicyDocument, PolicyName, PolicyRevision, SignedPolicy, digest,
};

use crate::audit::Actor;
use crate::keys::SigningKey;
use crate::locale::is_hidden;

/// Longest reason, in characters.
const REASON_MAX_CHARS: usize = 300;

/// Of which hosts a text speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every host of the facility.
    Facility,
    /// One of them; its text lies over the facility's.
    Host(HostId),
}

impl Scope {
    /// Returns the host, if it is one.
    #[must_use]
    pub const fn host(self) -> Option<HostId> {
        match self {
            Self::Facility => None,
            Self::Host(host) => Some(host),
        }
    }
}

/// A saved text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub number: PolicyRevision,
    /// Of which hosts it speaks.
    pub scope: Scope,
    /// The text.
    pub text: String,
    /// Why it was saved.
    pub reason: String,
    /// By whom.
    pub set_by: Actor,
    /// When.
    pub set_at: Timestamp,
}

/// A text that was checked and can be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRevision {
    /// Of which hosts it speaks.
    pub scope: Scope,
    /// The text.
    pub text: String,
    /// Why it is saved.
    pub reason: String,
}

/// Why a text is not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An agent would refuse it.
    #[error("the policy has {} mistake(s): {}", problems.len(), told(problems))]
    Mistakes {
        /// All of them.
        problems: Vec<shirase_shared::config::Problem>,
    },
    /// Nobody says why.
    #[error(
        "a policy needs a reason of 1 to {REASON_MAX_CHARS} printable characters; say what it is for"
    )]
    Reason,
}

fn told(problems: &[shirase_shared::config::Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl NewRevision {
    /// Checks a text as an agent would. Line ends become those of Unix, which is what browsers do not send.
    ///
    /// # Errors
    /// Every mistake, or that nobody says why.
    pub fn check(scope: Scope, text: &str, reason: &str) -> Result<Self, PolicyError> {
        let text = text.replace("\r\n", "\n");
        Policy::parse(&text).map_err(|problems| PolicyError::Mistakes { problems })?;
        let reason = reason.trim();
        let legal = (1..=REASON_MAX_CHARS).contains(&reason.chars().count());
        if !legal || reason.chars().any(is_hidden) {
            return Err(PolicyError::Reason);
        }

        Ok(Self { scope, text, reason: reason.to_owned() })
    }
}

/// What a host should have in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Which it is.
    pub name: PolicyName,
    /// What the facility says.
    pub facility_text: String,
    /// What is said of the host alone.
    pub host_text: String,
    /// When the later of both was saved.
    pub since: Timestamp,
}

/// Returns what a host should have in force, by the newest text of its facility and its own; `None` if there is neither.
#[must_use]
pub fn desired(facility: Option<&Revision>, host: Option<&Revision>) -> Option<Desired> {
    let newest = facility
        .into_iter()
        .chain(host)
        .max_by_key(|revision| revision.number)?;
    let text = |revision: Option<&Revision>| revision.map_or_else(String::new, |r| r.text.clone());
    let (facility_text, host_text) = (text(facility), text(host));
    let sha256 = digest(&facility_text, &host_text);

    Some(Desired {
        name: PolicyName { revision: newest.number, sha256 },
        facility_text,
        host_text,
        since: newest.set_at,
    })
}

/// Makes the signed document of one host.
#[must_use]
pub fn sign(
    (facility, host): (&FacilityId, HostId),
    desired: &Desired,
    key: &SigningKey,
) -> SignedPolicy {
    let document = PolicyDocument {
        document: DocumentKind::ShirasePolicy,
        facility: facility.clone(),
        host,
        revision: desired.name.revision,
        facility_text: desired.facility_text.clone(),
        host_text: desired.host_text.clone(),
    };
    let policy = serde_json::to_string(&document).expect("a policy holds only texts and numbers");
    let signature = key.sign_base64(policy.as_bytes());

    SignedPolicy { policy, signature }
}
