//! What travels: both texts of one host, named by number and digest, signed as they stand.

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::Table;

use super::layers::{Laid, lay};
use crate::ids::{FacilityId, HostId};
use crate::tls::sha256_hex;

/// The number of a saved text. A facility and its hosts share one row of numbers, so that a later word is always higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyRevision(pub u64);

impl fmt::Display for PolicyRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which policy it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyName {
    /// Its number.
    pub revision: PolicyRevision,
    /// [`digest`] of its texts.
    pub sha256: String,
}

/// Returns what names the content of a policy: SHA-256 over the SHA-256 of each text, a line each.
#[must_use]
pub fn digest(facility_text: &str, host_text: &str) -> String {
    let lines = [facility_text, host_text].map(|text| sha256_hex(text.as_bytes()) + "\n");
    sha256_hex(lines.concat().as_bytes())
}

/// What a document is, so that nothing else the same key signs is taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A policy.
    ShirasePolicy,
}

/// The policy of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// That it is one.
    pub document: DocumentKind,
    /// The facility of the host.
    pub facility: FacilityId,
    /// Whom it is for; every other host refuses it.
    pub host: HostId,
    /// The higher number of its two texts.
    pub revision: PolicyRevision,
    /// What the facility says, TOML; empty if nothing.
    pub facility_text: String,
    /// What is said of this host alone, TOML; empty if nothing. It wins.
    pub host_text: String,
}

impl PolicyDocument {
    /// Returns which it is.
    #[must_use]
    pub fn name(&self) -> PolicyName {
        let sha256 = digest(&self.facility_text, &self.host_text);
        PolicyName { revision: self.revision, sha256 }
    }

    /// Returns both texts as one; the host's lies over the facility's.
    ///
    /// # Errors
    /// If one of them is no TOML at all; whether it is a policy was asked before.
    pub fn table(&self) -> Result<Table, toml::de::Error> {
        let (over, under): (Table, Table) = (self.host_text.parse()?, self.facility_text.parse()?);
        let Laid { table, .. } = lay(&over, &under);
        Ok(table)
    }
}

/// A document as text with the collector's signature over exactly that text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPolicy {
    /// JSON of a [`PolicyDocument`].
    pub policy: String,
    /// Ed25519 signature over the bytes of `policy`, base64, by the key that signs orders.
    pub signature: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_wander_from_one_text_to_the_other_unseen() {
        assert_ne!(digest("a\n", "b\n"), digest("a\nb\n", ""));
        assert_ne!(digest("a", ""), digest("", "a"));
        assert_eq!(digest("a", "b"), digest("a", "b"));
    }

    #[test]
    fn an_order_is_no_policy_and_a_policy_no_order() {
        let policy = PolicyDocument {
            document: DocumentKind::ShirasePolicy,
            facility: "handa-hp".parse().unwrap(),
            host: HostId::random(),
            revision: PolicyRevision(3),
            facility_text: String::new(),
            host_text: String::new(),
        };
        let text = serde_json::to_string(&policy).unwrap();
        assert!(serde_json::from_str::<crate::wire::Order>(&text).is_err());
        assert_eq!(serde_json::from_str::<PolicyDocument>(&text).unwrap(), policy);
    }
}
