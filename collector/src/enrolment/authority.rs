//! The collector's own certificate authority.
//!
//! ```text
//! authority.key + authority.pem (made at first start, ten years)
//!    ├── server certificate: in memory, for the collector's names, made anew at each start
//!    └── host certificates: SAN `urn:shirase:host:<HostId>`, client authentication only, 90 days
//! authority-former.pem, authority-cross.pem: the one before, while it is trusted beside this one (see `rollover`)
//! ```
//!
//! Always holds:
//! - a server certificate cannot be used by a client nor a host certificate by a server;
//! - certificates agents check begin long ago, because a hospital server's clock may be years behind; those the collector
//!   checks are looked up by serial on every request as well.
//!
//! Not here: revocation, which is the database's word on a serial.

mod params;
pub mod rollover;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    KeyUsagePurpose, PublicKey, PublicKeyData, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use shirase_shared::ids::HostId;
use shirase_shared::tls::{Fingerprint, sha256_hex};

use crate::keys::{KeyError, read_secret_file, write_secret_file};
use params::{
    authority_name, authority_params, long_ago, params, random_serial, set_validity, whole_seconds,
};

/// File of the authority's private key.
pub const AUTHORITY_KEY_FILE: &str = "authority.key";
/// File of the authority's certificate.
pub const AUTHORITY_CERTIFICATE_FILE: &str = "authority.pem";
/// File of the certificate of the authority before, while hosts hold certificates of it.
pub const FORMER_CERTIFICATE_FILE: &str = "authority-former.pem";
/// File of the authority's certificate as the one before signed it, for whoever trusts that one still.
pub const CROSS_CERTIFICATE_FILE: &str = "authority-cross.pem";
/// Prefix of the name a host certificate carries.
pub const HOST_URN: &str = "urn:shirase:host:";

/// How long a server certificate lasts. Twice [`SERVER_RENEWAL`], so that an agent a year ahead still accepts it.
const SERVER_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 730);
/// When less than this is left, a server certificate is made anew.
const SERVER_RENEWAL: SignedDuration = SignedDuration::from_hours(24 * 365);
/// How long a host certificate lasts.
pub const HOST_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Host certificates begin this much earlier, for collectors of a group whose clocks differ.
const HOST_BACKDATING: SignedDuration = SignedDuration::from_hours(24);

/// Why the authority cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its key file cannot be used.
    #[error("failed to open the authority's key")]
    Key(#[source] KeyError),
    /// There is a certificate but no key.
    #[error(
        "the authority's certificate `{}` is there but its key `{}` is not; restore the key from a backup, or move the certificate away to begin a new authority and enrol every host anew",
        certificate.display(), key.display()
    )]
    KeyLost {
        /// The certificate.
        certificate: PathBuf,
        /// The missing key.
        key: PathBuf,
    },
    /// A file holds something else.
    #[error("the file `{}` holds no {expected}; restore it from a backup", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// What was sent is no signing request, or its signature is not that of its key.
    #[error("the certificate signing request is not valid PEM signed by its own key")]
    Request(#[source] rcgen::Error),
    /// The key is of a kind that is not taken.
    #[error(
        "the key of the signing request is of a kind this collector does not take; use ECDSA P-256, P-384 or Ed25519"
    )]
    KeyKind,
    /// A name of the collector cannot stand in a certificate.
    #[error("`{0}` cannot stand in a certificate; use a host name or an address")]
    Name(String),
    /// Making a certificate failed.
    #[error("failed to make a certificate")]
    Make(#[source] rcgen::Error),
    /// The machine gives no random numbers.
    #[error("failed to make a serial: no random numbers")]
    NoRandomness,
}

/// Issues certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
    /// The one before, trusted beside it.
    former: Option<Former>,
    /// Its certificate by the one before.
    cross: Option<CertificateDer<'static>>,
}

/// The authority before the present one: its certificate alone, its key is gone.
struct Former {
    pem: String,
    der: CertificateDer<'static>,
}

/// The public key of a signing request whose signature was checked. Nothing else of the request is kept.
pub struct RequestedKey {
    key: PublicKey,
    sha256: String,
}

/// A certificate for a host.
#[derive(Clone, Debug)]
pub struct HostCertificate {
    /// In PEM.
    pub pem: String,
    /// Serial, lower-case hexadecimal.
    pub serial: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A certificate for the collector's own listeners, with its key.
pub struct ServerCertificate {
    /// Leaf first, then the authority, as the one before signed it if there was one: whoever trusts either accepts it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key, kept in memory alone.
    pub key: PrivateKeyDer<'static>,
    /// From when on it should be made anew.
    pub renew_at: Timestamp,
}

impl Authority {
    /// Opens the authority of a data directory, or makes it at first start.
    ///
    /// # Errors
    /// When its files cannot be read or written, can be read by others, or one of them is lost.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let key_path = data_dir.join(AUTHORITY_KEY_FILE);
        let certificate_path = data_dir.join(AUTHORITY_CERTIFICATE_FILE);
        let stored_key = read_secret_file(&key_path).map_err(AuthorityError::Key)?;
        let stored_pem = read_secret_file(&certificate_path).map_err(AuthorityError::Key)?;
        let key = match (stored_key, &stored_pem) {
            (Some(bytes), _) => {
                let expected = "private key in PEM";
                read_key(&bytes).ok_or(AuthorityError::Damaged { path: key_path, expected })?
            }
            (None, Some(_)) => {
                return Err(AuthorityError::KeyLost {
                    certificate: certificate_path,
                    key: key_path,
                });
            }
            (None, None) => {
                let key = KeyPair::generate().map_err(AuthorityError::Make)?;
                write_secret_file(&key_path, key.serialize_pem().as_bytes())
                    .map_err(AuthorityError::Key)?;
                key
            }
        };
        // A start that broke off after the key left no certificate: nobody trusts one yet, so it is made now.
        let pem = match stored_pem {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => {
                let pem = self_signed(&key, now)?;
                write_secret_file(&certificate_path, pem.as_bytes())
                    .map_err(AuthorityError::Key)?;
                pem
            }
        };
        let damaged = || AuthorityError::Damaged {
            path: certificate_path.clone(),
            expected: "certificate of the key beside it",
        };
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| damaged())?;
        if !carries_key(&der, &key) {
            return Err(damaged());
        }
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|_| damaged())?;
        let former = read_certificate(&data_dir.join(FORMER_CERTIFICATE_FILE))?;
        let cross = read_certificate(&data_dir.join(CROSS_CERTIFICATE_FILE))?
            .map(|(_, cross)| cross)
            // One for another key is of no use; an authority restored from a backup has such a file beside it.
            .filter(|cross| carries_key(cross, issuer.key()));

        Ok(Self { issuer, pem, der, former: former.map(|(pem, der)| Former { pem, der }), cross })
    }

    /// Returns the authority's certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns the authority's certificate in DER.
    #[must_use]
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Returns the certificates of everyone whose certificates are accepted from hosts, its own first.
    pub fn trusted(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        std::iter::once(&self.der).chain(self.former.as_ref().map(|former| &former.der))
    }

    /// Returns the same in PEM, for agents to trust.
    #[must_use]
    pub fn trusted_pem(&self) -> String {
        let former = self.former.as_ref().map_or("", |former| &former.pem);
        format!("{}\n{former}", self.pem.trim_end())
    }

    /// Returns the fingerprints of the same.
    #[must_use]
    pub fn trusted_prints(&self) -> Vec<String> {
        self.trusted()
            .map(|der| Fingerprint::of(der).to_string())
            .collect()
    }

    /// Returns what two people compare over the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// Certifies the key of a host for [`HOST_VALIDITY`].
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn certify_host(
        &self,
        key: &RequestedKey,
        host: HostId,
        now: Timestamp,
    ) -> Result<HostCertificate, AuthorityError> {
        let serial = random_serial()?;
        let expires_at = whole_seconds(now, HOST_VALIDITY);
        let name =
            Ia5String::try_from(format!("{HOST_URN}{host}")).map_err(AuthorityError::Make)?;
        let mut params = params(&format!("Shirase host {host}"), serial);
        let begins_at = now.saturating_sub(HOST_BACKDATING).unwrap_or(now);
        set_validity(&mut params, begins_at, expires_at);
        params.subject_alt_names = vec![SanType::URI(name)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params
            .signed_by(&key.key, &self.issuer)
            .map_err(AuthorityError::Make)?;

        Ok(HostCertificate { pem: certificate.pem(), serial: hex::encode(serial), expires_at })
    }

    /// Makes a key and a certificate for the collector's own names.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn certify_server(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<ServerCertificate, AuthorityError> {
        let mut params = params("Shirase collector", random_serial()?);
        for name in names {
            let san = CertificateParams::new([name.clone()])
                .map_err(|_| AuthorityError::Name(name.clone()))?;
            params.subject_alt_names.extend(san.subject_alt_names);
        }
        set_validity(&mut params, long_ago(), whole_seconds(now, SERVER_VALIDITY));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(AuthorityError::Make)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(AuthorityError::Make)?;

        Ok(ServerCertificate {
            chain: vec![
                certificate.der().clone(),
                self.cross.clone().unwrap_or_else(|| self.der.clone()),
            ],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            renew_at: whole_seconds(now, SERVER_VALIDITY - SERVER_RENEWAL),
        })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

impl RequestedKey {
    /// Takes the public key out of a signing request in PEM.
    ///
    /// # Errors
    /// When it is no request, is not signed by its own key, or the key is of a kind that is not taken.
    pub fn read(csr_pem: &str) -> Result<Self, AuthorityError> {
        let request =
            CertificateSigningRequestParams::from_pem(csr_pem).map_err(AuthorityError::Request)?;
        let key = request.public_key;
        let taken =
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
        if !taken.contains(&PublicKeyData::algorithm(&key)) {
            return Err(AuthorityError::KeyKind);
        }
        let sha256 = sha256_hex(&key.subject_public_key_info());

        Ok(Self { key, sha256 })
    }

    /// Returns the SHA-256 of the key (`SubjectPublicKeyInfo`), lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

fn read_key(pem: &[u8]) -> Option<KeyPair> {
    KeyPair::from_pem(std::str::from_utf8(pem).ok()?).ok()
}

fn carries_key(certificate: &CertificateDer<'_>, key: &KeyPair) -> bool {
    x509_parser::parse_x509_certificate(certificate)
        .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
}

/// Reads a certificate that need not be there, as text and in DER.
fn read_certificate(
    path: &Path,
) -> Result<Option<(String, CertificateDer<'static>)>, AuthorityError> {
    let Some(bytes) = read_secret_file(path).map_err(AuthorityError::Key)? else {
        return Ok(None);
    };
    let damaged =
        |_| AuthorityError::Damaged { path: path.to_owned(), expected: "certificate in PEM" };
    let der = CertificateDer::from_pem_slice(&bytes).map_err(damaged)?;

    Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), der)))
}

fn self_signed(key: &KeyPair, now: Timestamp) -> Result<String, AuthorityError> {
    let serial = random_serial()?;
    let certificate = authority_params(&authority_name(serial), serial, now)
        .self_signed(key)
        .map_err(AuthorityError::Make)?;

    Ok(certificate.pem())
}

#[cfg(test)]
mod tests;
