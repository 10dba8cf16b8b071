//! Takes the authorities the collector names, while one replaces another.
//!
//! ```text
//! answer to a sign of life ─▶ certificates of authorities? ─▶ authority.crt.next
//!    ─▶ a sign of life by a client that trusts these alone ─▶ answered: authority.crt, clients rebuilt
//!                                                          ─▶ not: forgotten, the present ones stay
//! ```
//!
//! Always holds: whoever is trusted was named by somebody trusted, and has been seen to let this host in.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use shirase_shared::error::Chain;
use shirase_shared::tls::Fingerprint;
use x509_parser::parse_x509_certificate;
use x509_parser::pem::parse_x509_pem;

use super::client::{Client, ClientError, Identity};
use super::renewal::beside;
use super::route::Upstream;
use super::signs::heartbeat;
use super::state::Parts;
use crate::durable;

/// Authorities trusted at once at the most.
const TRUSTED_MAX: usize = 4;

/// Why authorities were not taken. Those trusted before stay.
#[derive(Debug, thiserror::Error)]
enum TrustError {
    #[error("what it names is not one to {TRUSTED_MAX} certificates of authorities")]
    NoAuthorities,
    #[error("whoever trusts these alone is not let in")]
    LocksOut(#[source] ClientError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Returns the fingerprints of the authorities this host trusts; none if that cannot be told.
pub(super) fn prints(identity: &Identity) -> Vec<String> {
    let print = |der: CertificateDer<'static>| Fingerprint::of(&der).to_string();
    authorities(identity).into_iter().map(print).collect()
}

/// Whether another authority certifies hosts now than the one this host's certificate comes from.
pub(super) fn is_outdated(identity: &Identity) -> bool {
    let Ok(pem) = std::fs::read(&identity.certificate) else { return false };
    let Ok((_, pem)) = parse_x509_pem(&pem) else { return false };
    let trusted = authorities(identity);
    let certifier = trusted.first().map(|der| parse_x509_certificate(der));
    match (pem.parse_x509(), certifier) {
        (Ok(own), Some(Ok((_, certifier)))) => own.issuer() != certifier.subject(),
        (Ok(_) | Err(_), Some(_) | None) => false,
    }
}

/// Trusts the authorities named in `pem` from now on, if they let this host in.
pub(super) async fn take(parts: &Parts, upstream: Upstream, pem: &str) {
    match try_take(parts, upstream, pem).await {
        Ok(()) => tracing::warn!(
            "the collector's authorities are others now: {}",
            prints(&parts.identity).join(", ")
        ),
        Err(error) => tracing::warn!(
            error = %Chain(&error), "the authorities the collector names were not taken; those trusted before stay"
        ),
    }
}

async fn try_take(parts: &Parts, upstream: Upstream, pem: &str) -> Result<(), TrustError> {
    check(pem)?;
    let present = &parts.identity;
    let next = Identity { authority: beside(&present.authority), ..present.clone() };
    let write = |path: &PathBuf| {
        durable::replace(path, pem.as_bytes())
            .map_err(|source| TrustError::Write { path: path.clone(), source })
    };
    write(&next.authority)?;
    let base = parts.client(upstream).base().to_string();
    let tried = match Client::build(&next, &base, &parts.config) {
        Ok(client) => client.heartbeat(&heartbeat(parts)).await,
        Err(error) => Err(error),
    };
    drop(std::fs::remove_file(&next.authority));
    tried.map_err(TrustError::LocksOut)?;
    write(&present.authority)?;

    parts.rebuild_clients()?;
    parts.certifier_changed.notify_one();

    Ok(())
}

fn check(pem: &str) -> Result<(), TrustError> {
    let named = certificates(pem.as_bytes());
    let is_authority = |der: &CertificateDer<'_>| {
        parse_x509_certificate(der).is_ok_and(|(_, certificate)| certificate.is_ca())
    };
    let fits = (1..=TRUSTED_MAX).contains(&named.len()) && named.iter().all(is_authority);

    fits.then_some(()).ok_or(TrustError::NoAuthorities)
}

fn authorities(identity: &Identity) -> Vec<CertificateDer<'static>> {
    std::fs::read(&identity.authority).map_or_else(|_| Vec::new(), |pem| certificates(&pem))
}

/// Returns the certificates of a text; none if one of them is none.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .unwrap_or_default()
}
