//! What a listener shows and demands, replaceable while it runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig};
use shirase_shared::clock::SharedClock;
use shirase_shared::error::Chain;
use tokio_util::sync::CancellationToken;

use crate::enrolment::authority::{Authority, AuthorityError};

/// Protocols offered, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// How often the age of the certificate is looked at.
const FRESHNESS_INTERVAL: Duration = Duration::from_secs(3600);

/// Whether a listener wants to see certificates of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Only hosts with a certificate of the authority finish the handshake.
    Demanded,
    /// Nobody is asked for one.
    NotAsked,
}

/// Why a listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority did not make a certificate.
    #[error("failed to make the listener's certificate")]
    Authority(#[from] AuthorityError),
    /// The certificate and the key do not go together, or the library refused.
    #[error("failed to set TLS up: do certificate and key belong together?")]
    Config(#[source] rustls::Error),
    /// The authority's certificate is not accepted as a root.
    #[error("failed to trust the authority's own certificate")]
    Roots(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file of the hospital's own cannot be read.
    #[error("failed to read the PEM file `{}`", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
}

/// The TLS settings of one listener. Clones share them; replacing them concerns new connections.
#[derive(Clone)]
pub struct TlsSettings {
    current: Arc<RwLock<Arc<ServerConfig>>>,
    renew_at: Arc<RwLock<Timestamp>>,
}

impl TlsSettings {
    /// Shows a certificate of the authority for `names`, and demands those of hosts or not.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn by_authority(
        authority: &Authority,
        names: &[String],
        clients: ClientCertificates,
        clock: &SharedClock,
    ) -> Result<Self, TlsError> {
        let (config, renew_at) = made(authority, names, clients, clock)?;

        Ok(Self::new(config, renew_at))
    }

    /// Shows the certificate chain and key of two PEM files; nobody is asked for a certificate.
    ///
    /// # Errors
    /// When a file cannot be read, or the two do not belong together.
    pub fn by_files(certificate: &Path, key: &Path, clock: &SharedClock) -> Result<Self, TlsError> {
        let unread = |path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::File { path, source }
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(unread(certificate))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(unread(key))?;
        let config = finish(
            builder(clock)?
                .with_no_client_auth()
                .with_single_cert(chain, key),
        )?;

        Ok(Self::new(config, Timestamp::MAX))
    }

    /// Returns what the next connection gets.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the settings of another, for new connections.
    pub fn replace(&self, by: &Self) {
        let renew_at = *by.renew_at.read().unwrap_or_else(PoisonError::into_inner);
        *self
            .renew_at
            .write()
            .unwrap_or_else(PoisonError::into_inner) = renew_at;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = by.current();
    }

    /// Returns from when on the certificate should be made anew.
    #[must_use]
    pub fn renew_at(&self) -> Timestamp {
        *self.renew_at.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn new(config: ServerConfig, renew_at: Timestamp) -> Self {
        Self {
            current: Arc::new(RwLock::new(Arc::new(config))),
            renew_at: Arc::new(RwLock::new(renew_at)),
        }
    }
}

/// Makes a listener's certificate anew before it ends, until told to stop.
pub async fn keep_fresh(
    (settings, clients): (TlsSettings, ClientCertificates),
    (authority, names): (Arc<Authority>, Vec<String>),
    clock: SharedClock,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FRESHNESS_INTERVAL) => {}
        }
        if clock.now() < settings.renew_at() {
            continue;
        }
        match TlsSettings::by_authority(&authority, &names, clients, &clock) {
            Ok(fresh) => {
                settings.replace(&fresh);
                tracing::info!("made the listener's certificate anew");
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "failed to make the listener's certificate anew");
            }
        }
    }
}

fn made(
    authority: &Authority,
    names: &[String],
    clients: ClientCertificates,
    clock: &SharedClock,
) -> Result<(ServerConfig, Timestamp), TlsError> {
    let server = authority.certify_server(names, clock.now())?;
    let builder = builder(clock)?;
    let builder = match clients {
        ClientCertificates::NotAsked => builder.with_no_client_auth(),
        ClientCertificates::Demanded => {
            let mut roots = RootCertStore::empty();
            for trusted in authority.trusted() {
                roots
                    .add(trusted.clone())
                    .map_err(|error| TlsError::Roots(error.into()))?;
            }
            let provider = Arc::new(default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| TlsError::Roots(error.into()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = finish(builder.with_single_cert(server.chain, server.key))?;

    Ok((config, server.renew_at))
}

fn builder(
    clock: &SharedClock,
) -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, TlsError> {
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    ServerConfig::builder_with_details(Arc::new(default_provider()), time)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)
}

fn finish(config: Result<ServerConfig, rustls::Error>) -> Result<ServerConfig, TlsError> {
    let mut config = config.map_err(TlsError::Config)?;
    config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();

    Ok(config)
}

/// Lets certificates be checked by the one clock.
struct ClockTime(SharedClock);

impl std::fmt::Debug for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClockTime")
    }
}

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;

        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
