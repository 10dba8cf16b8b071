//! Renews the host's certificate before it expires, or once another authority certifies, without a restart.
//!
//! ```text
//! new key in memory ─▶ POST /v1/renew ─▶ fits the key? usable? ─▶ host.key.next, host.crt.next (the commit point)
//!                                                              ─▶ renamed over host.key and host.crt ─▶ client rebuilt
//! ```
//!
//! Always holds: key and certificate change together. Once `*.crt.next` is there the pair is complete, and a crash
//! between the two renames is finished by [`settle`] at the next start.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use shirase_shared::backoff::Backoff;
use shirase_shared::error::Chain;
use shirase_shared::wire::RenewRequest;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use x509_parser::pem::parse_x509_pem;

use super::client::{Client, ClientError, Identity};
use super::state::Parts;
use super::trust;
use crate::durable;

/// Pause between two looks at the certificate.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// First pause after a renewal that failed; it doubles up to the pause between two looks.
const RETRY_FIRST: Duration = Duration::from_secs(15);
/// A certificate is renewed when less than one part in so many of its validity is left.
const RENEW_AT_PART: i64 = 3;

/// Why a certificate was not renewed. The present one stays in use.
#[derive(Debug, thiserror::Error)]
enum RenewalError {
    #[error("failed to make a key or a request")]
    Key(#[from] rcgen::Error),
    #[error("the new certificate is for another key")]
    OtherKey,
    #[error("the collector's answer holds no certificate")]
    NoCertificate,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    fn is_due(self, now: Timestamp) -> bool {
        let whole = self.until.as_second() - self.from.as_second();
        self.until.as_second() - now.as_second() < whole / RENEW_AT_PART
    }
}

enum Wake {
    Stop,
    Look,
}

pub(super) async fn run(parts: &Parts, stop: &CancellationToken) {
    let mut backoff = Backoff::new(RETRY_FIRST, LOOK_EVERY);
    let mut pause = Duration::ZERO;
    loop {
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            () = parts.certifier_changed.notified() => Wake::Look,
            () = sleep(pause) => Wake::Look,
        };
        match wake {
            Wake::Stop => return,
            Wake::Look => pause = look(parts, &mut backoff, stop).await,
        }
    }
}

async fn look(parts: &Parts, backoff: &mut Backoff, stop: &CancellationToken) -> Duration {
    let due = match validity(&parts.identity) {
        Ok(Some(validity)) => {
            validity.is_due(parts.clock.now()) || trust::is_outdated(&parts.identity)
        }
        Ok(None) => false,
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "the certificate could not be looked at");
            false
        }
    };
    if !due {
        return LOOK_EVERY;
    }
    let outcome = tokio::select! {
        biased;
        () = stop.cancelled() => return LOOK_EVERY,
        outcome = renew(parts) => outcome,
    };
    match outcome {
        Ok(validity) => {
            backoff.reset();
            parts
                .board
                .update(|state| state.certificate_expires = Some(validity.until));
            tracing::info!("renewed the certificate; it expires at {}", validity.until);
            LOOK_EVERY
        }
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "certificate not renewed; the present one stays in use");
            backoff.fail(parts.random())
        }
    }
}

async fn renew(parts: &Parts) -> Result<Validity, RenewalError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let csr_pem = CertificateParams::default()
        .serialize_request(&key)?
        .pem()?;
    let answer = parts.chosen().1.renew(&RenewRequest { csr_pem }).await?;
    let validity = judge(&answer.certificate_pem, &key)?;
    let next = next(&parts.identity);
    write(&next.key, key.serialize_pem().as_bytes())?;
    write(&next.certificate, answer.certificate_pem.as_bytes())?;
    // Proves that the pair makes a client before the present one is given up.
    if let Err(error) = Client::build(&next, &parts.config.collector_url, &parts.config) {
        drop(std::fs::remove_file(&next.certificate));
        return Err(error.into());
    }
    settle(&parts.identity)?;
    parts.rebuild_clients()?;

    Ok(validity)
}

/// Checks that a certificate is for our key.
fn judge(pem: &str, key: &KeyPair) -> Result<Validity, RenewalError> {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).map_err(|_| RenewalError::NoCertificate)?;
    let certificate = pem.parse_x509().map_err(|_| RenewalError::NoCertificate)?;
    if certificate.public_key().raw != key.subject_public_key_info() {
        return Err(RenewalError::OtherKey);
    }

    validity_of(&certificate).ok_or(RenewalError::NoCertificate)
}

/// Returns when the present certificate is valid; `None` if it cannot be told.
pub(super) fn validity(identity: &Identity) -> Result<Option<Validity>, ClientError> {
    let path = &identity.certificate;
    let pem =
        std::fs::read(path).map_err(|source| ClientError::Read { path: path.clone(), source })?;
    let Ok((_, pem)) = parse_x509_pem(&pem) else { return Ok(None) };

    Ok(pem.parse_x509().ok().as_ref().and_then(validity_of))
}

fn validity_of(certificate: &x509_parser::certificate::X509Certificate<'_>) -> Option<Validity> {
    let validity = certificate.validity();
    let from = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
    let until = Timestamp::from_second(validity.not_after.timestamp()).ok()?;

    Some(Validity { from, until })
}

/// Finishes a change of key and certificate that a crash interrupted, or forgets one that was not committed.
pub(super) fn settle(identity: &Identity) -> Result<(), ClientError> {
    let next = next(identity);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ClientError::Read { path, source }
    };
    if !next.certificate.exists() {
        return match std::fs::remove_file(&next.key) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&next.key)(error)),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    if next.key.exists() {
        std::fs::rename(&next.key, &identity.key).map_err(failed(&identity.key))?;
        sync_parent(&identity.key).map_err(failed(&identity.key))?;
    }
    std::fs::rename(&next.certificate, &identity.certificate)
        .map_err(failed(&identity.certificate))?;
    sync_parent(&identity.certificate).map_err(failed(&identity.certificate))
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), crate::service::sync_dir)
}

fn next(identity: &Identity) -> Identity {
    Identity {
        certificate: beside(&identity.certificate),
        key: beside(&identity.key),
        authority: identity.authority.clone(),
    }
}

pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".next");
    path.with_file_name(name)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RenewalError> {
    durable::replace(path, bytes)
        .map_err(|source| RenewalError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_due_in_the_last_third_of_its_validity() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let validity = Validity { from: at(0), until: at(90) };
        assert!(!validity.is_due(at(60)));
        assert!(validity.is_due(at(61)));
        assert!(validity.is_due(at(900)));
    }

    #[test]
    fn a_change_is_finished_from_every_point_at_which_a_crash_can_stop_it() {
        // What a crash leaves -> the pair that is in force afterwards.
        let cases = [
            ("key.next", "old old"),
            ("key.next crt.next", "new new"),
            ("KEY crt.next", "new new"),
        ];
        for (left, expected) in cases {
            let dir = tempfile::tempdir().unwrap();
            let identity = Identity {
                certificate: dir.path().join("host.crt"),
                key: dir.path().join("host.key"),
                authority: dir.path().join("authority.crt"),
            };
            let next = next(&identity);
            std::fs::write(&identity.key, if left.contains("KEY") { "new" } else { "old" })
                .unwrap();
            std::fs::write(&identity.certificate, "old").unwrap();
            if left.contains("key.next") {
                std::fs::write(&next.key, "new").unwrap();
            }
            if left.contains("crt.next") {
                std::fs::write(&next.certificate, "new").unwrap();
            }
            settle(&identity).unwrap();
            let read = |path| std::fs::read_to_string(path).unwrap();
            let found = format!("{} {}", read(&identity.key), read(&identity.certificate));
            assert_eq!(found, expected, "after {left}");
            assert!(!next.key.exists() && !next.certificate.exists(), "after {left}");
        }
    }
}
