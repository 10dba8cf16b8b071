//! Key files of the collector: made once, readable by its own user alone.
//!
//! ```text
//! <data>/report.key   Ed25519, signs rendered reports      <data>/order.key   Ed25519, signs orders to agents
//! <data>/authority.key  (see `enrolment::authority`)
//! ```
//!
//! Always holds:
//! - a key file appears whole or not at all: written beside, synced, renamed, its directory synced;
//! - a file others can read is refused, never used and never silently repaired.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// File of the key that signs rendered reports.
pub const REPORT_KEY_FILE: &str = "report.key";
/// File of the key that signs orders to agents.
pub const ORDER_KEY_FILE: &str = "order.key";
/// Permission bits of every secret file.
const SECRET_MODE: u32 = 0o600;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("failed to read the key file `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("failed to write the key file `{}`", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users can get at the file.
    #[error(
        "the key file `{}` has mode {mode:03o}, so other users can get at it; run `chmod 600` on it, and replace the key if someone may have read it",
        path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("the file `{}` holds no {expected}; restore it from a backup", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// The machine gives no random numbers or the library refused.
    #[error("failed to make a new key")]
    Generate,
}

/// An Ed25519 key that signs in the collector's name.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Makes a key that lives in memory alone.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let pkcs8 = new_pkcs8()?;
        Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map(Self)
            .map_err(|_| KeyError::Generate)
    }

    /// Reads the key file, or makes it if there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, others can read it, or it holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        let pkcs8 = match read_secret_file(path)? {
            Some(pkcs8) => pkcs8,
            None => {
                let pkcs8 = new_pkcs8()?;
                write_secret_file(path, &pkcs8)?;
                pkcs8
            }
        };
        let damaged =
            |_| KeyError::Damaged { path: path.to_owned(), expected: "Ed25519 key in PKCS#8" };

        Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map(Self)
            .map_err(damaged)
    }

    /// Signs bytes; the signature is 64 bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }

    /// Signs bytes; the signature is in base64.
    #[must_use]
    pub fn sign_base64(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.sign(bytes))
    }

    /// Returns the public half, 32 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Returns the public half in base64.
    #[must_use]
    pub fn public_base64(&self) -> String {
        STANDARD.encode(self.public())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public_base64())
    }
}

/// A signed text as it is checked: who, what, and the signature, keys and signature in base64.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// Public key of the signer, base64.
    pub public_key: &'a str,
    /// What was signed.
    pub bytes: &'a [u8],
    /// The signature, base64.
    pub signature: &'a str,
}

impl Signed<'_> {
    /// Returns whether the signature is this key's over these bytes.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        let (Ok(public), Ok(signature)) =
            (STANDARD.decode(self.public_key), STANDARD.decode(self.signature))
        else {
            return false;
        };

        UnparsedPublicKey::new(&ED25519, public)
            .verify(self.bytes, &signature)
            .is_ok()
    }
}

/// Reads a file only its owner may read; `None` if there is no such file.
///
/// # Errors
/// When it cannot be read, or other users can get at it.
pub fn read_secret_file(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    let read_error = |source| KeyError::Read { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(read_error(error)),
    };
    refuse_exposed(path, &file)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(read_error)?;

    Ok(Some(bytes))
}

/// Writes a file only its owner may read: whole or not at all, and on disk when this returns.
///
/// # Errors
/// When it cannot be written.
pub fn write_secret_file(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    write_whole(path, bytes).map_err(|source| KeyError::Write { path: path.to_owned(), source })
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, SECRET_MODE);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;

    sync_directory(directory)
}

/// Makes the names in a directory durable.
///
/// # Errors
/// When the directory cannot be opened or synced.
#[cfg_attr(
    not(unix),
    expect(clippy::unnecessary_wraps, reason = "Windows cannot sync a directory")
)]
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = directory;

    Ok(())
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;

    let read_error = |source| KeyError::Read { path: path.to_owned(), source };
    let mode = file.metadata().map_err(read_error)?.permissions().mode() & 0o777;
    if mode & !SECRET_MODE != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }

    Ok(())
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the rights of a file are inherited from its directory here"
)]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), KeyError> {
    Ok(())
}

fn new_pkcs8() -> Result<Vec<u8>, KeyError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    document
        .map(|pkcs8| pkcs8.as_ref().to_vec())
        .map_err(|_| KeyError::Generate)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_signs_the_same_way_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(ORDER_KEY_FILE);
        let first = SigningKey::load_or_create(&path).unwrap();
        let second = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(first.public(), second.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let public = second.public_base64();
        let signature = first.sign_base64(b"text");
        let signed = Signed { public_key: &public, bytes: b"text", signature: &signature };
        assert!(signed.is_genuine());
        assert!(!Signed { bytes: b"Text", ..signed }.is_genuine());
        assert!(!Signed { signature: "not base64!", ..signed }.is_genuine());
    }

    #[test]
    fn an_exposed_or_damaged_key_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(REPORT_KEY_FILE);
        SigningKey::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { mode: 0o640, .. }), "{error}");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"").unwrap();
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_torn_earlier_attempt_does_not_stand_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(REPORT_KEY_FILE);
        fs::write(path.with_extension("new"), b"torn").unwrap();
        assert!(SigningKey::load_or_create(&path).is_ok());
    }
}
