//! Hands out tokens and certificates.

use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use shirase_shared::clock::Clock;
use shirase_shared::ids::{FacilityId, HostId};
use shirase_shared::secret::Secret;
use shirase_shared::tls::sha256_hex;
use shirase_shared::wire::{EnrolAnswer, EnrolRequest};

use super::authority::{Authority, AuthorityError, RequestedKey};
use super::{Applicant, LetIn, Token, TokenRefusal, label};
use crate::store::{IssuedCertificate, Store, StoreError};

/// Bytes of a token.
const TOKEN_BYTES: usize = 32;
/// Digits between two dashes of a token as it is shown.
const TOKEN_GROUP: usize = 8;

/// Why a host does not get a certificate.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The token does not let it in.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The signing request is not one, or the authority failed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The facility is gone, or the database failed.
    #[error("failed to remember the enrolment")]
    Store(#[from] StoreError),
    /// The machine gives no random numbers.
    #[error("failed to make a token: no random numbers")]
    NoRandomness,
}

/// What every enrolled agent is told beside its certificate.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Public key that signs orders, base64.
    pub order_key: String,
    /// Where to send batches and heartbeats.
    pub ingest_url: String,
}

/// Returns so many random bytes as hexadecimal digits, to be a token.
///
/// # Errors
/// When the machine gives no random numbers.
pub fn random_digits(bytes: usize) -> Result<String, EnrolError> {
    let mut drawn = vec![0; bytes];
    let filled = SystemRandom::new().fill(&mut drawn);
    filled.map_err(|_| EnrolError::NoRandomness)?;

    Ok(hex::encode(drawn))
}

/// Makes and stores a token; the secret is returned once and kept nowhere.
///
/// # Errors
/// When there is no such facility, or the database fails.
pub async fn issue_token(
    store: &Store,
    facility: &FacilityId,
    words: &str,
    ttl: SignedDuration,
    clock: &dyn Clock,
) -> Result<(Token, Secret<String>), EnrolError> {
    let digits = random_digits(TOKEN_BYTES)?;
    let now = clock.now();
    let token = Token {
        facility: facility.clone(),
        sha256: token_sha256(&digits),
        label: label(words),
        created_at: now,
        expires_at: now.saturating_add(ttl).unwrap_or(Timestamp::MAX),
        revoked_at: None,
        used_at: None,
        used_key_sha256: None,
        host: None,
    };
    store.add_token(&token).await?;

    Ok((token, Secret::new(grouped(&digits))))
}

/// Lets a host in with its token, or gives it its answer again.
///
/// # Errors
/// When the token or the signing request is refused, or the database fails.
pub async fn enrol(
    (store, authority): (&Store, &Authority),
    request: &EnrolRequest,
    offer: &Offer,
    now: Timestamp,
) -> Result<EnrolAnswer, EnrolError> {
    let key = RequestedKey::read(&request.csr_pem)?;
    let applicant = Applicant {
        token_sha256: &token_sha256(request.token.reveal()),
        key_sha256: key.sha256(),
        hostname: &label(&request.hostname),
        os: &label(&request.os),
    };
    let LetIn { facility, host } = store.let_in(&applicant, now).await??;
    let certificate_pem = certify((store, authority), (&facility, host), &key, now).await?;
    let known = store
        .facility(&facility)
        .await?
        .ok_or(StoreError::Missing("facility"))?;
    tracing::info!(
        facility.id = %facility, host.id = %host, host.name = applicant.hostname,
        "enrolled host {host} of facility {facility}"
    );

    Ok(EnrolAnswer {
        host,
        facility,
        certificate_pem,
        authority_pem: authority.pem().to_owned(),
        order_key: offer.order_key.clone(),
        manifest_recipient: known.manifest_recipient,
        ingest_url: offer.ingest_url.clone(),
    })
}

/// Gives an enrolled host a new certificate, for the same key or another.
///
/// # Errors
/// When the signing request is refused, or the database fails.
pub async fn renew(
    (store, authority): (&Store, &Authority),
    (facility, host): (&FacilityId, HostId),
    csr_pem: &str,
    now: Timestamp,
) -> Result<String, EnrolError> {
    let key = RequestedKey::read(csr_pem)?;
    let certificate_pem = certify((store, authority), (facility, host), &key, now).await?;
    tracing::info!(host.id = %host, "renewed the certificate of host {host}");

    Ok(certificate_pem)
}

async fn certify(
    (store, authority): (&Store, &Authority),
    (facility, host): (&FacilityId, HostId),
    key: &RequestedKey,
    now: Timestamp,
) -> Result<String, EnrolError> {
    let certificate = authority.certify_host(key, host, now)?;
    let issued = IssuedCertificate {
        facility: facility.clone(),
        host,
        serial: certificate.serial,
        key_sha256: key.sha256().to_owned(),
        authority_sha256: authority.fingerprint().to_string(),
        issued_at: now,
        expires_at: certificate.expires_at,
    };
    store.add_certificate(&issued).await?;

    Ok(certificate.pem)
}

/// Hashes a token the way it is stored. Dashes, spaces and capitals make no difference.
fn token_sha256(token: &str) -> String {
    let digits: String = token
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    sha256_hex(digits.to_ascii_lowercase().as_bytes())
}

fn grouped(digits: &str) -> String {
    let characters: Vec<char> = digits.chars().collect();
    let groups: Vec<String> = characters
        .chunks(TOKEN_GROUP)
        .map(String::from_iter)
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_the_same_with_and_without_dashes_spaces_and_capitals() {
        let digits = "00ff".repeat(16);
        let shown = grouped(&digits);
        assert_eq!(shown.len(), 64 + 7);
        assert_eq!(token_sha256(&shown), token_sha256(&digits));
        assert_eq!(token_sha256(&format!(" {}\n", shown.to_uppercase())), token_sha256(&digits));
    }

    #[test]
    fn a_hostile_name_is_shown_without_its_control_characters() {
        assert_eq!(label("ehr\u{1b}[31m1\n"), "ehr[31m1");
        assert_eq!(label("\u{0}"), "?");
        assert_eq!(label(&"長".repeat(500)).chars().count(), 100);
    }
}
