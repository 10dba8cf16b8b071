//! Who this host is to the collector, as enrolment left it on disk.
//!
//! ```text
//! host.key (0600, made here) + host.crt (issued) + authority.crt (trusted) + enrolment.json (the commit point)
//! ```
//!
//! Always holds: `enrolment.json` is written last, so that a host is enrolled completely or not at all.

use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rcgen::{CertificateParams, DnType, KeyPair};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use shirase_shared::ids::{FacilityId, HostId};

use crate::durable;
use crate::paths::StateDir;

/// Bytes of an Ed25519 public key.
const ORDER_KEY_BYTES: usize = 32;
/// Bytes of the key under which paths are hashed.
const REDACTION_KEY_BYTES: usize = 32;

/// What the collector answered at enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The identity the collector minted.
    pub host: HostId,
    /// The facility the token was bound to.
    pub facility: FacilityId,
    /// Ed25519 public key that signs orders, base64.
    pub order_key: String,
    /// The facility's public key for damage manifests (`age1…`).
    pub manifest_recipient: String,
    /// Where to send batches and heartbeats.
    pub ingest_url: String,
    /// When that was.
    pub enrolled_at: Timestamp,
}

/// The host's identity could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is no enrolment in the state directory.
    #[error(
        "this host is not enrolled: `{}` does not exist; run `shirase-agent enroll` first, or name the right state \
         directory with `agent.state_dir`",
        path.display()
    )]
    NotEnrolled {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("failed to read `{}`; restore it or enrol this host again", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("failed to write `{}`; make room there and check its owner", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key does not read.
    #[error("`{}` holds no private key; move it away and enrol this host again", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rcgen::Error,
    },
    /// A key could not be made.
    #[error("failed to make a key")]
    MakeKey(#[source] rcgen::Error),
    /// The system gave no randomness.
    #[error("the system gave no random bytes for `{}`", path.display())]
    Random {
        /// For which file.
        path: PathBuf,
    },
    /// The order key is not one.
    #[error(
        "the order key in the enrolment is not {ORDER_KEY_BYTES} bytes in base64; enrol this host again"
    )]
    OrderKey,
}

impl Enrolment {
    /// Reads the enrolment from the state directory.
    ///
    /// # Errors
    /// [`IdentityError::NotEnrolled`] if there is none, else what is wrong with the file.
    pub fn load(state: &StateDir) -> Result<Self, IdentityError> {
        let path = state.enrolment();
        match durable::read_json(&path) {
            Ok(Some(enrolment)) => Ok(enrolment),
            Ok(None) => Err(IdentityError::NotEnrolled { path }),
            Err(source) => Err(IdentityError::Read { path, source }),
        }
    }

    /// Returns the bytes of the key that signs orders.
    ///
    /// # Errors
    /// If it is not 32 bytes in base64.
    pub fn order_key(&self) -> Result<Vec<u8>, IdentityError> {
        match BASE64.decode(&self.order_key) {
            Ok(bytes) if bytes.len() == ORDER_KEY_BYTES => Ok(bytes),
            Ok(_) | Err(_) => Err(IdentityError::OrderKey),
        }
    }

    /// Writes the certificate, the authority and, last, the enrolment itself.
    pub(crate) fn store(
        &self,
        state: &StateDir,
        certificate_pem: &str,
        authority_pem: &str,
    ) -> Result<(), IdentityError> {
        let write = |path: PathBuf, text: &str| {
            durable::replace(&path, text.as_bytes())
                .map_err(|source| IdentityError::Write { path, source })
        };
        write(state.certificate(), certificate_pem)?;
        write(state.authority(), authority_pem)?;
        let path = state.enrolment();

        durable::replace_json(&path, self).map_err(|source| IdentityError::Write { path, source })
    }
}

/// Returns the host's key, making it first if there is none.
///
/// An earlier key is kept, because the collector binds a token to the first key that used it: a lost answer can be
/// asked for again only with that key.
pub(crate) fn key_of_host(state: &StateDir) -> Result<KeyPair, IdentityError> {
    let path = state.key();
    match std::fs::read_to_string(&path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|source| IdentityError::Key { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
                .map_err(IdentityError::MakeKey)?;
            durable::replace(&path, key.serialize_pem().as_bytes())
                .map_err(|source| IdentityError::Write { path, source })?;
            Ok(key)
        }
        Err(source) => Err(IdentityError::Read { path, source }),
    }
}

/// Returns a certificate signing request in PEM. The subject is only a label; the collector mints the identity.
pub(crate) fn signing_request(key: &KeyPair, hostname: &str) -> Result<String, IdentityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, label(hostname));
    params
        .serialize_request(key)
        .and_then(|csr| csr.pem())
        .map_err(IdentityError::MakeKey)
}

/// X.520 allows a common name of 64 characters at the most.
fn label(hostname: &str) -> String {
    let shown: String = hostname
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    if shown.is_empty() { "host".to_owned() } else { shown }
}

/// Returns the key under which paths are hashed, making it first if there is none.
///
/// # Errors
/// If it can be neither read nor made.
pub fn redaction_key(state: &StateDir) -> Result<Vec<u8>, IdentityError> {
    let path = state.redaction_key();
    match std::fs::read(&path) {
        Ok(key) if key.len() == REDACTION_KEY_BYTES => return Ok(key),
        Ok(_) => {
            let source = io::Error::other(format!("not {REDACTION_KEY_BYTES} bytes long"));
            return Err(IdentityError::Read { path, source });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(IdentityError::Read { path, source }),
    }
    let mut key = vec![0; REDACTION_KEY_BYTES];
    if SystemRandom::new().fill(&mut key).is_err() {
        return Err(IdentityError::Random { path });
    }
    durable::replace(&path, &key).map_err(|source| IdentityError::Write { path, source })?;

    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let first = key_of_host(&state).unwrap().serialize_pem();
        assert_eq!(key_of_host(&state).unwrap().serialize_pem(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(state.key().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(redaction_key(&state).unwrap(), redaction_key(&state).unwrap());
    }

    #[test]
    fn a_request_is_made_for_any_host_name() {
        let dir = tempfile::tempdir().unwrap();
        let key = key_of_host(&StateDir::new(dir.path())).unwrap();
        for name in ["", "ehr-1", "電子カルテ", "a\nb", &"x".repeat(300)] {
            let pem = signing_request(&key, name).unwrap();
            assert!(pem.contains("BEGIN CERTIFICATE REQUEST"), "{name:?}");
        }
    }

    #[test]
    fn a_host_without_enrolment_is_told_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let error = Enrolment::load(&StateDir::new(dir.path()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("not enrolled") && error.contains("enroll"), "{error}");
    }
}
