//! Checks an enrolment answer before any of it is written.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use shirase_shared::tls::{Fingerprint, install_crypto_provider};
use shirase_shared::wire::EnrolAnswer;

use super::EnrolError;
use super::exchange::Authority;

/// Refuses an answer that could not work: another authority, a certificate for another key, keys that are none.
pub(super) fn check(
    answer: &EnrolAnswer,
    authority: &Authority,
    key: &KeyPair,
) -> Result<(), EnrolError> {
    let unusable = |why: &str| EnrolError::Unusable { why: why.to_owned() };
    let theirs = CertificateDer::from_pem_slice(answer.authority_pem.as_bytes())
        .map_err(|_| unusable("its authority is no certificate"))?;
    if Fingerprint::of(&theirs) != Fingerprint::of(&authority.der) {
        return Err(unusable("it names another authority than the one that was checked"));
    }
    fits_key(answer, authority, key).map_err(|why| EnrolError::Unusable { why })?;
    if BASE64.decode(&answer.order_key).map_or(0, |key| key.len()) != 32 {
        return Err(unusable("its order key is not 32 bytes in base64"));
    }
    if age::x25519::Recipient::from_str(&answer.manifest_recipient).is_err() {
        return Err(unusable("its key for damage manifests is no age recipient"));
    }
    let ingest = reqwest::Url::parse(&answer.ingest_url);
    if !ingest.is_ok_and(|url| url.scheme() == "https" && url.host_str().is_some()) {
        return Err(unusable("its ingest address is no https URL"));
    }

    Ok(())
}

/// Lets rustls hold certificate and key together, as it will for every later request.
fn fits_key(answer: &EnrolAnswer, authority: &Authority, key: &KeyPair) -> Result<(), String> {
    install_crypto_provider();
    let chain = CertificateDer::pem_slice_iter(answer.certificate_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or("its certificate is no certificate")?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(ToOwned::to_owned)?;
    let mut roots = RootCertStore::empty();
    roots
        .add(authority.der.clone())
        .map_err(|error| format!("its authority: {error}"))?;
    ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("its certificate does not fit this host's key: {error}"))?;

    Ok(())
}
