//! What a host says of its policy with every sign of life.

use serde::{Deserialize, Serialize};

use super::document::PolicyName;

/// What a host says of its policy. Texts stand for the values of closed lists, so that an older collector reads what a
/// newer agent says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Whether its own file lets it take one.
    pub taking: bool,
    /// The one in force.
    #[serde(default)]
    pub applied: Option<PolicyName>,
    /// Keys of which its own file says something else, by [`super::PolicyKey::as_str`].
    #[serde(default)]
    pub drift: Vec<String>,
    /// The last one it did not take.
    #[serde(default)]
    pub refused: Option<RefusedPolicy>,
}

/// A policy a host did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedPolicy {
    /// Which the collector had announced.
    pub name: PolicyName,
    /// Why, by [`Refusal::as_str`].
    pub why: String,
}

/// Why a host does not take a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It is longer than any.
    TooLong,
    /// It is not signed with the key the host was enrolled with.
    Signature,
    /// It is signed, but this version does not understand it.
    Unreadable,
    /// It is for another host or another facility.
    OtherHost,
    /// A later one was in force already.
    Older,
    /// It has the number of the one in force and says something else.
    Forked,
    /// It holds mistakes.
    Mistakes,
    /// It does not go together with the host's own file.
    DoesNotFit,
    /// It could not be written to the disk.
    Disk,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::TooLong,
        Self::Signature,
        Self::Unreadable,
        Self::OtherHost,
        Self::Older,
        Self::Forked,
        Self::Mistakes,
        Self::DoesNotFit,
        Self::Disk,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Signature => "signature",
            Self::Unreadable => "unreadable",
            Self::OtherHost => "other_host",
            Self::Older => "older",
            Self::Forked => "forked",
            Self::Mistakes => "mistakes",
            Self::DoesNotFit => "does_not_fit",
            Self::Disk => "disk",
        }
    }

    /// Returns the reason with this name; another version may know others.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }

    /// Says it in words, for the host's own administrator.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TooLong => "it is longer than any policy",
            Self::Signature => "it is not signed with the key this host was enrolled with",
            Self::Unreadable => {
                "it is signed, but this version of the agent does not understand it"
            }
            Self::OtherHost => "it is for another host or facility",
            Self::Older => "a later one was in force here already",
            Self::Forked => "it has the number of the one in force here and says something else",
            Self::Mistakes => "it holds mistakes",
            Self::DoesNotFit => "it does not go together with this host's own configuration file",
            Self::Disk => "it could not be written to the disk",
        }
    }
}

impl PolicyReport {
    /// Whether the policy the collector announces has to be asked for. One that was refused is not asked for again, unless
    /// the disk was to blame, which may have room by now.
    #[must_use]
    pub fn wants(&self, announced: &PolicyName) -> bool {
        let is_final = |refused: &RefusedPolicy| refused.why != Refusal::Disk.as_str();
        let refused = self.refused.as_ref().filter(|refused| is_final(refused));
        let is_refused = refused.is_some_and(|refused| refused.name == *announced);

        self.taking && self.applied.as_ref() != Some(announced) && !is_refused
    }
}

#[cfg(test)]
mod tests {
    use super::super::PolicyRevision;
    use super::*;

    #[test]
    fn a_policy_is_asked_for_once() {
        let name = |number, sha256: &str| PolicyName {
            revision: PolicyRevision(number),
            sha256: sha256.to_owned(),
        };
        let mut report = PolicyReport { taking: true, ..PolicyReport::default() };
        assert!(report.wants(&name(1, "a")));
        report.applied = Some(name(1, "a"));
        assert!(!report.wants(&name(1, "a")));
        // The same number with other words: asked for, so that it is told that it was refused.
        assert!(report.wants(&name(1, "b")) && report.wants(&name(2, "a")));
        let why = Refusal::Mistakes.as_str().to_owned();
        report.refused = Some(RefusedPolicy { name: name(2, "a"), why });
        assert!(!report.wants(&name(2, "a")) && report.wants(&name(3, "a")));
        report.refused =
            Some(RefusedPolicy { name: name(2, "a"), why: Refusal::Disk.as_str().to_owned() });
        assert!(report.wants(&name(2, "a")));
        report.taking = false;
        assert!(!report.wants(&name(3, "a")));
    }
}
