//! Trusts exactly a site's authority, by a clock of the caller's choice.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

/// Begins a client's configuration that trusts one authority and judges certificates by `clock`.
///
/// # Errors
/// When the certificate does not read.
pub fn config(
    authority_pem: &[u8],
    clock: Arc<dyn TimeProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority_pem).context("not a certificate")?;
    roots.add(authority).context("not an authority")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_details(provider, clock)
        .with_safe_default_protocol_versions()
        .context("no version of TLS")?;

    Ok(builder.with_root_certificates(roots))
}
