//! Whether a relay is who it should be.

use std::sync::Arc;

use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sekisho_service::tls::Certificates;
use tokio_rustls::TlsConnector;

use super::url::{RelayUrl, Security};

/// How a connection is encrypted.
pub(super) enum Tls {
    /// Not at all.
    None,
    /// After a command (RFC 3207).
    Start(TlsParameters),
    /// From its first byte (RFC 8314).
    AtOnce(TlsConnector, ServerName<'static>),
}

/// TLS to the relay cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// By lettre.
    #[error("TLS to the mail relay cannot be set up")]
    Start(#[from] lettre::transport::smtp::Error),
    /// A certificate of the authority is none.
    #[error("TLS to the mail relay cannot be set up")]
    Authority(#[from] rustls::Error),
    /// No certificate can name such a host.
    #[error("TLS to the mail relay cannot be set up")]
    Host(#[from] InvalidDnsNameError),
}

impl Tls {
    /// As a URL asks for it. The relay must prove its name by a certificate of this authority; without one, of those that the
    /// system believes.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn new(url: &RelayUrl, authority: Option<&Certificates>) -> Result<Self, RelayError> {
        match url.security {
            Security::Unsaid | Security::None => Ok(Self::None),
            Security::StartTls => Ok(Self::Start(parameters(url.host.clone(), authority)?)),
            Security::Tls => {
                let connector = TlsConnector::from(Arc::new(config(authority)?));
                Ok(Self::AtOnce(connector, ServerName::try_from(url.host.clone())?))
            }
        }
    }
}

fn parameters(
    host: String,
    authority: Option<&Certificates>,
) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let parameters = TlsParameters::builder(host);
    match authority {
        None => parameters.build(),
        Some(authority) => parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(authority.pem())?)
            .build(),
    }
}

fn config(authority: Option<&Certificates>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    match authority {
        // Whatever the system believes and cannot be read is not believed.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        Some(authority) => {
            for certificate in authority.ders() {
                roots.add(certificate)?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
