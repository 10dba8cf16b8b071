//! TLS to a peer that need not be trusted, and when its certificate runs out.
//!
//! Always holds: the certificate is looked at before it is judged, so that one nobody trusts still tells its end;
//! no handshake is shortened by an earlier one, which would hide a renewed certificate.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use shirase_shared::tls::install_crypto_provider;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::parse_x509_certificate;

pub use shirase_shared::settings::probe::{Certificate, Tls};

/// TLS as one probe speaks it.
#[derive(Clone, Debug)]
pub(super) struct Secured {
    config: Arc<ClientConfig>,
    seen: Arc<Mutex<Option<Timestamp>>>,
}

impl Secured {
    /// Makes the settings.
    ///
    /// # Errors
    /// If this system has no certificates to trust.
    pub(super) fn new(certificate: Certificate) -> Result<Self, String> {
        install_crypto_provider();
        let provider = CryptoProvider::get_default().ok_or("no TLS: no crypto provider")?;
        let trusted: Option<Arc<dyn ServerCertVerifier>> = match certificate {
            Certificate::Any => None,
            Certificate::Trusted => {
                let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider));
                let verifier = verifier
                    .map_err(|error| format!("this system's trusted certificates: {error}"))?;
                Some(Arc::new(verifier))
            }
        };
        let seen = Arc::default();
        let noting = Noting { seen: Arc::clone(&seen), trusted, provider: Arc::clone(provider) };
        let mut config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(noting))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();

        Ok(Self { config: Arc::new(config), seen })
    }

    /// Returns the settings for a client that makes its own connections.
    pub(super) fn config(&self) -> ClientConfig {
        ClientConfig::clone(&self.config)
    }

    /// Returns until when the certificate seen last is valid, and forgets it.
    pub(super) fn take_not_after(&self) -> Option<Timestamp> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| format!("no TLS to `{host}`: {error}"))?;
        TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(|error| format!("the TLS handshake failed: {error}"))
    }
}

/// Notes the end of each certificate, then judges it as configured.
struct Noting {
    seen: Arc<Mutex<Option<Timestamp>>>,
    /// Judges certificates; `None` takes any.
    trusted: Option<Arc<dyn ServerCertVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noting")
            .field("trusted", &self.trusted.is_some())
            .finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = not_after(end_entity);
        match &self.trusted {
            None => Ok(ServerCertVerified::assertion()),
            Some(trusted) => trusted.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.trusted {
            // Who takes any certificate needs no proof of its key either.
            None => Ok(HandshakeSignatureValid::assertion()),
            Some(trusted) => trusted.verify_tls12_signature(message, certificate, signed),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.trusted {
            None => Ok(HandshakeSignatureValid::assertion()),
            Some(trusted) => trusted.verify_tls13_signature(message, certificate, signed),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Reads until when a certificate is valid.
fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_and_garbage_has_none() {
        let mut params = rcgen::CertificateParams::new(vec!["ehr.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 3, 31);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let end: Timestamp = "2031-03-31T00:00:00Z".parse().unwrap();
        assert_eq!(not_after(certificate.der()), Some(end));
        assert_eq!(not_after(b"\x30\x82\xff\xff\x00"), None);
        assert_eq!(not_after(b""), None);
    }
}
