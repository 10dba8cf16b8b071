//! A new authority in the place of the present one, with nobody shut out in between.
//!
//! ```text
//! make_next ─▶ authority-next.key, authority-next-cross.pem, authority-next.pem (the commit point)
//!     │ next start: take_next
//!     ▼
//! authority.key, authority.pem (the new one)    authority-cross.pem (it, signed by the one before)
//! authority-former.pem (the one before)
//!     │ servers show the cross certificate as well: whoever trusts either accepts them
//!     │ agents are told both, take both, and renew under the new one
//!     ▼ retire_former, once no host needs it
//! authority.key, authority.pem, authority-cross.pem
//! ```
//!
//! Always holds:
//! - the key of the one before is gone from the moment the new one is in force;
//! - an interrupted change is finished at the next start, from wherever it stopped;
//! - the cross certificate stays: partners and TAXII clients that still trust the one before go on being served.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rcgen::KeyPair;
use shirase_shared::tls::Fingerprint;

use super::params::{authority_name, authority_params, random_serial};
use super::{
    AUTHORITY_CERTIFICATE_FILE, AUTHORITY_KEY_FILE, Authority, AuthorityError,
    CROSS_CERTIFICATE_FILE, FORMER_CERTIFICATE_FILE, read_certificate,
};
use crate::keys::{read_secret_file, sync_directory, write_secret_file};

/// The key of an authority that is not in force yet.
const NEXT_KEY_FILE: &str = "authority-next.key";
/// Its certificate by the present one.
const NEXT_CROSS_FILE: &str = "authority-next-cross.pem";
/// Its own certificate, written last.
const NEXT_CERTIFICATE_FILE: &str = "authority-next.pem";

/// Why an authority was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RolloverError {
    /// The last change has not come to its end.
    #[error(
        "the authority before this one ({former}) is still trusted; end that with `authority retire` before making another"
    )]
    Unfinished {
        /// The one before.
        former: Fingerprint,
    },
    /// A new one waits already.
    #[error(
        "a new authority ({next}) was made already; restart the collector, which puts it in force"
    )]
    Waiting {
        /// The one that waits.
        next: Fingerprint,
    },
    /// There is none to retire.
    #[error("there is no former authority; only the present one is trusted")]
    NoFormer,
    /// Making it failed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A file cannot be moved or removed.
    #[error("failed to change `{}`; nothing is lost, correct that and start again", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The authorities of a data directory, by their fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// Made, in force from the next start of the collector on.
    pub next: Option<Fingerprint>,
    /// The one before, trusted still.
    pub former: Option<Fingerprint>,
}

impl Succession {
    /// Reads it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(data_dir: &Path) -> Result<Self, AuthorityError> {
        let print = |name| {
            let found = read_certificate(&data_dir.join(name))?;
            Ok::<_, AuthorityError>(found.map(|(_, der)| Fingerprint::of(&der)))
        };

        Ok(Self { next: print(NEXT_CERTIFICATE_FILE)?, former: print(FORMER_CERTIFICATE_FILE)? })
    }
}

/// Makes the authority that is in force from the collector's next start on. Returns its fingerprint.
///
/// # Errors
/// When one waits already, or the one before the present one is still trusted.
pub fn make_next(
    data_dir: &Path,
    present: &Authority,
    now: Timestamp,
) -> Result<Fingerprint, RolloverError> {
    match Succession::read(data_dir)? {
        Succession { next: Some(next), .. } => return Err(RolloverError::Waiting { next }),
        Succession { former: Some(former), .. } => {
            return Err(RolloverError::Unfinished { former });
        }
        Succession { next: None, former: None } => {}
    }
    let key = KeyPair::generate().map_err(AuthorityError::Make)?;
    let serial = random_serial()?;
    let name = authority_name(serial);
    let own = authority_params(&name, serial, now)
        .self_signed(&key)
        .map_err(AuthorityError::Make)?;
    let cross = authority_params(&name, random_serial()?, now)
        .signed_by(&key, &present.issuer)
        .map_err(AuthorityError::Make)?;
    let write = |name: &str, text: &str| {
        write_secret_file(&data_dir.join(name), text.as_bytes()).map_err(AuthorityError::Key)
    };
    write(NEXT_KEY_FILE, &key.serialize_pem())?;
    write(NEXT_CROSS_FILE, &cross.pem())?;
    write(NEXT_CERTIFICATE_FILE, &own.pem())?;

    Ok(Fingerprint::of(own.der()))
}

/// Puts an authority that waits in force. Returns the fingerprint of the one before, if that happened.
///
/// For the collector alone, before it opens its authority: whoever runs with the old one must not be surprised.
///
/// # Errors
/// When a file cannot be read, written or moved; the next start goes on where this one stopped.
pub fn take_next(data_dir: &Path) -> Result<Option<Fingerprint>, RolloverError> {
    let at = |name: &str| data_dir.join(name);
    if read_certificate(&at(NEXT_CERTIFICATE_FILE))?.is_none() {
        return Ok(None);
    }
    // Its key is moved after the present certificate was set aside, and the certificate last: so whatever was done
    // can be told from what is there.
    if read_secret_file(&at(NEXT_KEY_FILE))
        .map_err(AuthorityError::Key)?
        .is_some()
    {
        let present =
            read_secret_file(&at(AUTHORITY_CERTIFICATE_FILE)).map_err(AuthorityError::Key)?;
        if let Some(present) = present {
            write_secret_file(&at(FORMER_CERTIFICATE_FILE), &present)
                .map_err(AuthorityError::Key)?;
        }
        rename(data_dir, NEXT_KEY_FILE, AUTHORITY_KEY_FILE)?;
    }
    if at(NEXT_CROSS_FILE).exists() {
        rename(data_dir, NEXT_CROSS_FILE, CROSS_CERTIFICATE_FILE)?;
    }
    rename(data_dir, NEXT_CERTIFICATE_FILE, AUTHORITY_CERTIFICATE_FILE)?;

    Ok(Succession::read(data_dir)?.former)
}

/// Trusts the authority before the present one no more, from the collector's next start on. Returns which that was.
///
/// # Errors
/// When there is none, or its file cannot be removed.
pub fn retire_former(data_dir: &Path) -> Result<Fingerprint, RolloverError> {
    let path = data_dir.join(FORMER_CERTIFICATE_FILE);
    let former = Succession::read(data_dir)?
        .former
        .ok_or(RolloverError::NoFormer)?;
    std::fs::remove_file(&path)
        .and_then(|()| sync_directory(data_dir))
        .map_err(|source| RolloverError::File { path, source })?;

    Ok(former)
}

fn rename(data_dir: &Path, from: &str, to: &str) -> Result<(), RolloverError> {
    let path = data_dir.join(to);
    std::fs::rename(data_dir.join(from), &path)
        .and_then(|()| sync_directory(data_dir))
        .map_err(|source| RolloverError::File { path, source })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{RootCertStore, crypto::ring::default_provider};

    use super::*;

    fn now() -> Timestamp {
        "2026-02-09T01:50:00Z".parse().unwrap()
    }

    fn opened(dir: &Path) -> Authority {
        Authority::open(dir, now()).unwrap()
    }

    /// Whether somebody who trusts these alone accepts the authority's servers.
    fn is_accepted(authority: &Authority, trusted: &[CertificateDer<'static>]) -> bool {
        let mut roots = RootCertStore::empty();
        for root in trusted {
            roots.add(root.clone()).unwrap();
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(default_provider()),
        )
        .build()
        .unwrap();
        let server = authority
            .certify_server(&["collector.hospital.example".to_owned()], now())
            .unwrap();
        let (leaf, above) = server.chain.split_first().unwrap();
        let name = ServerName::try_from("collector.hospital.example").unwrap();
        let seconds = u64::try_from(now().as_second()).unwrap();
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier
            .verify_server_cert(leaf, above, &name, &[], at)
            .is_ok()
    }

    #[test]
    fn both_are_trusted_from_the_next_start_until_the_former_is_retired() {
        let dir = tempfile::tempdir().unwrap();
        let first = opened(dir.path());
        let print = make_next(dir.path(), &first, now()).unwrap();
        assert_eq!(opened(dir.path()).fingerprint(), first.fingerprint(), "not yet");
        assert_eq!(take_next(dir.path()).unwrap(), Some(first.fingerprint()));
        assert_eq!(take_next(dir.path()).unwrap(), None);

        let second = opened(dir.path());
        assert_eq!(second.fingerprint(), print);
        assert_eq!(second.trusted_prints(), [print.to_string(), first.fingerprint().to_string()]);
        assert_eq!(second.trusted_pem().matches("BEGIN CERTIFICATE").count(), 2);
        let stranger = tempfile::tempdir().unwrap();
        let stranger = opened(stranger.path()).der().clone();
        for (trusted, expected) in [
            (vec![first.der().clone()], true),
            (vec![second.der().clone()], true),
            (second.trusted().cloned().collect(), true),
            (vec![stranger], false),
        ] {
            assert_eq!(is_accepted(&second, &trusted), expected);
        }

        let error = make_next(dir.path(), &second, now()).unwrap_err();
        assert!(matches!(error, RolloverError::Unfinished { .. }), "{error}");
        assert_eq!(retire_former(dir.path()).unwrap(), first.fingerprint());
        assert!(matches!(retire_former(dir.path()), Err(RolloverError::NoFormer)));
        let alone = opened(dir.path());
        assert_eq!(alone.trusted_prints(), [print.to_string()]);
        assert!(is_accepted(&alone, &[first.der().clone()]), "partners keep their card");
        make_next(dir.path(), &alone, now()).unwrap();
        let error = make_next(dir.path(), &alone, now()).unwrap_err();
        assert!(matches!(error, RolloverError::Waiting { .. }), "{error}");
    }

    #[test]
    fn a_change_is_finished_from_every_point_at_which_a_crash_can_stop_it() {
        // How many of the steps were done before the crash.
        for steps in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let first = opened(dir.path());
            let print = make_next(dir.path(), &first, now()).unwrap();
            let present = std::fs::read(dir.path().join(AUTHORITY_CERTIFICATE_FILE)).unwrap();
            let done: [&dyn Fn(); 3] = [
                &|| {
                    write_secret_file(&dir.path().join(FORMER_CERTIFICATE_FILE), &present).unwrap();
                },
                &|| rename(dir.path(), NEXT_KEY_FILE, AUTHORITY_KEY_FILE).unwrap(),
                &|| rename(dir.path(), NEXT_CROSS_FILE, CROSS_CERTIFICATE_FILE).unwrap(),
            ];
            done.iter().take(steps).for_each(|step| step());
            assert_eq!(take_next(dir.path()).unwrap(), Some(first.fingerprint()), "{steps}");
            let second = opened(dir.path());
            assert_eq!(second.fingerprint(), print);
            assert_eq!(second.trusted().count(), 2);
            assert!(is_accepted(&second, &[first.der().clone()]));
        }
    }

    #[test]
    fn one_that_was_not_written_to_its_end_is_no_authority() {
        let dir = tempfile::tempdir().unwrap();
        let first = opened(dir.path());
        make_next(dir.path(), &first, now()).unwrap();
        std::fs::remove_file(dir.path().join(NEXT_CERTIFICATE_FILE)).unwrap();
        assert_eq!(take_next(dir.path()).unwrap(), None);
        assert_eq!(opened(dir.path()).fingerprint(), first.fingerprint());
        make_next(dir.path(), &first, now()).unwrap();
        assert_eq!(take_next(dir.path()).unwrap(), Some(first.fingerprint()));
    }
}
