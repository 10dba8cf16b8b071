//! How a host comes in: a one-time token, a key that never left the host, a certificate.
//!
//! ```text
//! token (shown once) ─▶ person ─▶ agent ──token + CSR──▶ judge ─▶ host minted ─▶ certificate by the authority
//!                                         the same token and key again ──▶ the same host, a fresh certificate
//! ```
//!
//! Always holds:
//! - of a signing request only the public key is taken; name, identity and validity are the collector's decision;
//! - a certificate is remembered before it is handed out: what was never remembered is never let in.

mod token;
pub mod authority;
mod desk;

pub use desk::{EnrolError, Offer, enrol, issue_token, random_digits, renew};
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

/// Returns a name a foreign machine gave itself in a form that may be shown: no control characters, 100 at most.
#[must_use]
pub fn label(text: &str) -> String {
    let shown: String = text
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(LABEL_MAX_CHARS)
        .collect();
    if shown.is_empty() { "?".to_owned() } else { shown }
}

/// Longest name of a host or a system.
const LABEL_MAX_CHARS: usize = 100;
