//! Identifiers, one type each, so that a host can never be passed for a facility.
//!
//! Always holds: a value of one of these types has passed its own check; text form and JSON form are the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a valid {kind}: {reason}")]
pub struct IdError {
    kind: &'static str,
    text: String,
    reason: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new random identifier.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// Wraps an identifier that was read elsewhere.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Returns the plain UUID, for storage.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError {
                    kind: $kind,
                    text: text.chars().take(80).collect(),
                    reason: "expected a UUID such as 0f4e…-…",
                })
            }
        }
    };
}

uuid_id!(
    /// A server with an agent. Minted by the collector at enrolment and carried in the certificate.
    HostId,
    "host id"
);
uuid_id!(
    /// The life of one buffer: born with it, never reused.
    StreamId,
    "stream id"
);
uuid_id!(
    /// One run of change on one root.
    BurstId,
    "burst id"
);
uuid_id!(
    /// One exercise the collector ordered.
    DrillId,
    "drill id"
);
uuid_id!(
    /// One order of the collector to an agent; also its nonce.
    OrderId,
    "order id"
);
uuid_id!(
    /// One start of the operating system.
    BootId,
    "boot id"
);
uuid_id!(
    /// Alerts that tell one story.
    IncidentId,
    "incident id"
);
uuid_id!(
    /// One report in the making, with all its revisions.
    ReportId,
    "report id"
);
uuid_id!(
    /// One report on its way to one addressee.
    DeliveryId,
    "delivery id"
);
uuid_id!(
    /// A time in which an approver is away.
    AbsenceId,
    "absence id"
);
uuid_id!(
    /// A person who can sign in.
    UserId,
    "user id"
);
uuid_id!(
    /// Somebody to call in an emergency, with all versions of what is known of them.
    ContactId,
    "contact id"
);

uuid_id!(
    /// One message to a partner, from its writing to its release.
    MessageId,
    "message id"
);
uuid_id!(
    /// One notice to many partners.
    CircularId,
    "circular id"
);
uuid_id!(
    /// A medical institution under a municipality's jurisdiction, with all versions of what is known of it.
    InstitutionId,
    "institution id"
);
uuid_id!(
    /// A municipality's file on what happened at one institution (事案).
    CaseId,
    "case id"
);

/// A medical institution: a short name chosen by the administrator, `[a-z0-9-]`, 1 to 32 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FacilityId(String);

impl FacilityId {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FacilityId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || 32 < text.len() || !text.chars().all(legal) {
            return Err(IdError {
                kind: "facility id",
                text: text.chars().take(80).collect(),
                reason: "use 1 to 32 of the characters a-z, 0-9 and -",
            });
        }

        Ok(Self(text))
    }
}

impl FromStr for FacilityId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::try_from(text.to_owned())
    }
}

impl From<FacilityId> for String {
    fn from(id: FacilityId) -> Self {
        id.0
    }
}

impl fmt::Display for FacilityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a record within its stream: starts at 1, grows by 1, is never reused.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The first number of every stream.
    pub const FIRST: Self = Self(1);

    /// Returns the number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facility_id_is_short_and_plain() {
        assert!("handa-hp".parse::<FacilityId>().is_ok());
        for bad in ["", "Handa", "半田", "a b", "x/../y", &"a".repeat(33)] {
            assert!(bad.parse::<FacilityId>().is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn ids_read_back_from_their_own_text_and_json() {
        let host = HostId::random();
        assert_eq!(host.to_string().parse::<HostId>().unwrap(), host);
        let json = serde_json::to_string(&host).unwrap();
        assert_eq!(serde_json::from_str::<HostId>(&json).unwrap(), host);
        assert!(serde_json::from_str::<FacilityId>("\"NOT ok\"").is_err());
    }
}
