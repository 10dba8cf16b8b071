//! The keys of the damage manifests: agents encrypt to a facility, only the hospital can read.
//!
//! Always holds: the collector stores the recipient alone. The format is age (age-encryption.org/v1, X25519), so that a
//! hospital can open a manifest with any age program, without Shirase.

use std::io::{self, Read, Write};

use age::secrecy::ExposeSecret;
use shirase_shared::secret::Secret;

/// A new pair of keys.
pub struct ManifestKeys {
    /// Public half, `age1…`.
    pub recipient: String,
    /// Private half, `AGE-SECRET-KEY-1…`.
    pub identity: Secret<String>,
}

/// Why a manifest does not open.
#[derive(Debug, thiserror::Error)]
pub enum ManifestKeyError {
    /// The text holds no private key.
    #[error("no private key found: expected a line that begins with `AGE-SECRET-KEY-1`")]
    NoIdentity,
    /// The file is not for this key, or not a manifest.
    #[error("the manifest does not open with this key")]
    Decrypt(#[source] age::DecryptError),
    /// It broke off or could not be written.
    #[error("failed to copy the opened manifest; what was written so far is incomplete")]
    Copy(#[source] io::Error),
}

impl ManifestKeys {
    /// Makes a new pair.
    #[must_use]
    pub fn generate() -> Self {
        let identity = age::x25519::Identity::generate();

        Self {
            recipient: identity.to_public().to_string(),
            identity: Secret::new(identity.to_string().expose_secret().to_owned()),
        }
    }
}

/// Opens a damage manifest with the hospital's private key and copies the plain text to `out`; returns its bytes.
///
/// `identity_text` is the content of a key file: comment lines and blank lines are skipped.
///
/// # Errors
/// When no key is in the text, the manifest is for another key or was changed, or `out` takes no more.
pub fn open_manifest(
    ciphertext: impl Read,
    identity_text: &Secret<String>,
    out: &mut impl Write,
) -> Result<u64, ManifestKeyError> {
    let identity = identity_text
        .reveal()
        .lines()
        .find_map(|line| line.trim().parse::<age::x25519::Identity>().ok())
        .ok_or(ManifestKeyError::NoIdentity)?;
    let decryptor = age::Decryptor::new_buffered(io::BufReader::new(ciphertext))
        .map_err(ManifestKeyError::Decrypt)?;
    let mut plain = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(ManifestKeyError::Decrypt)?;

    io::copy(&mut plain, out).map_err(ManifestKeyError::Copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(recipient: &str, text: &[u8]) -> Vec<u8> {
        let recipient: age::x25519::Recipient = recipient.parse().unwrap();
        let encryptor =
            age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
                .unwrap();
        let mut out = Vec::new();
        let mut writer = encryptor.wrap_output(&mut out).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap();
        out
    }

    #[test]
    fn only_the_key_of_the_hospital_opens_a_manifest() {
        let keys = ManifestKeys::generate();
        let manifest = sealed(&keys.recipient, "山田太郎.pdf".as_bytes());
        let file = Secret::new(format!("# made today\n\n{}\n", keys.identity.reveal()));
        let mut plain = Vec::new();
        open_manifest(&manifest[..], &file, &mut plain).unwrap();
        assert_eq!(plain, "山田太郎.pdf".as_bytes());

        let other = ManifestKeys::generate().identity;
        let refused = open_manifest(&manifest[..], &other, &mut Vec::new());
        assert!(matches!(refused, Err(ManifestKeyError::Decrypt(_))));
        let empty = open_manifest(&manifest[..], &Secret::new(String::new()), &mut Vec::new());
        assert!(matches!(empty, Err(ManifestKeyError::NoIdentity)));
    }

    #[test]
    fn a_torn_manifest_is_an_error_not_a_short_text() {
        let keys = ManifestKeys::generate();
        let mut manifest = sealed(&keys.recipient, &[7; 200_000]);
        manifest.truncate(manifest.len() - 10);
        let torn = open_manifest(&manifest[..], &keys.identity, &mut Vec::new());
        assert!(matches!(torn, Err(ManifestKeyError::Copy(_))));
    }
}
