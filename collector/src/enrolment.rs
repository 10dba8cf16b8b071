//! How a host comes in: a one-time token, a key that never left the host, a certificate.

mod token;

pub use token::{Judgement, Token, TokenRefusal};

use shirase_shared::ids::{FacilityId, HostId};

/// Who asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Applicant<'a> {
    /// SHA-256 of the token it brings.
    pub token_sha256: &'a str,
    /// SHA-256 of its key.
    pub key_sha256: &'a str,
    /// Its name: a label.
    pub hostname: &'a str,
    /// Its operating system.
    pub os: &'a str,
}

/// A host that was let in, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetIn {
    /// The facility the token was bound to.
    pub facility: FacilityId,
    /// The identity that was minted.
    pub host: HostId,
}
