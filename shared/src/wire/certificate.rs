//! How an agent comes to its certificate, and to the next one.

use serde::{Deserialize, Serialize};

use crate::ids::{FacilityId, HostId};
use crate::secret::Secret;

/// Asks for a certificate with a one-time token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The token, as given to a person once.
    pub token: Secret<String>,
    /// Certificate signing request in PEM. Its key never left the host.
    pub csr_pem: String,
    /// Name of the machine: a label.
    pub hostname: String,
    /// Operating system.
    pub os: String,
}

/// What an enrolled agent needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The identity the collector minted.
    pub host: HostId,
    /// The facility the token was bound to.
    pub facility: FacilityId,
    /// The agent's certificate in PEM.
    pub certificate_pem: String,
    /// The authority's certificate in PEM.
    pub authority_pem: String,
    /// Ed25519 public key (32 bytes, base64) that signs orders.
    pub order_key: String,
    /// The facility's public key for damage manifests (`age1…`).
    pub manifest_recipient: String,
    /// Where to send batches and heartbeats.
    pub ingest_url: String,
}

/// Asks for a new certificate with the present one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewRequest {
    /// Certificate signing request in PEM.
    pub csr_pem: String,
}

/// A renewed certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewAnswer {
    /// The new certificate in PEM.
    pub certificate_pem: String,
}
