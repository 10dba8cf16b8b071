//! The one crypto provider, and how a certificate is named by its fingerprint.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

/// Installs `ring` as the provider for the whole process. Safe to call more than once.
///
/// Changing the provider (for example to one with FIPS validation) means changing this function alone.
pub fn install_crypto_provider() {
    // An error means that a provider is installed already, which is what is wanted.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Returns the SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}

/// SHA-256 of a certificate's DER form: what two people compare over the telephone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a fingerprint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a fingerprint is 64 hexadecimal digits, colons allowed, but this has {digits}")]
pub struct FingerprintError {
    digits: usize,
}

impl Fingerprint {
    /// Computes the fingerprint of a certificate in DER form.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':')
            .collect();
        let wrong = FingerprintError { digits: digits.chars().count() };
        let bytes = hex::decode(&digits).map_err(|_| FingerprintError { digits: wrong.digits })?;

        bytes.try_into().map(Self).map_err(|_| wrong)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_with_colons_and_capitals() {
        let print = Fingerprint::of(b"certificate");
        let typed = print.to_string().to_uppercase();
        let colons: Vec<_> = typed
            .as_bytes()
            .chunks(2)
            .map(String::from_utf8_lossy)
            .collect();
        assert_eq!(colons.join(":").parse(), Ok(print));
        assert!("abcd".parse::<Fingerprint>().is_err());
    }
}
