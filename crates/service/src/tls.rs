//! Who this process is to its peers, and whom it believes.

use crate::settings::{Reader, Secret, Settings, Value};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

/// How long a TLS handshake may take.
const HANDSHAKE: std::time::Duration = std::time::Duration::from_secs(3);

/// The certificate and key of this process and the authority that signs its peers, as read from files at the start.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    certificate: Certificates,
    key: PrivateKey,
    authority: Certificates,
}

/// A file with at least one certificate, PEM.
#[derive(Clone, Debug)]
pub struct Certificates(Vec<u8>);

/// A file with a private key, PEM.
#[derive(Clone, Debug)]
struct PrivateKey(Secret<Vec<u8>>);

impl TlsSettings {
    /// Reads the three files, for programs that do not read settings.
    ///
    /// # Errors
    ///
    /// What is wrong with the first file that is wrong.
    pub fn from_files(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, TlsFileError> {
        Ok(Self {
            certificate: Certificates::read(certificate).map_err(TlsFileError)?,
            key: PrivateKey::read(key).map_err(TlsFileError)?,
            authority: Certificates::read(authority).map_err(TlsFileError)?,
        })
    }

    /// A server that refuses the handshake to anyone without a certificate of the authority.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity())
            .client_ca_root(Certificate::from_pem(&self.authority.0))
            .timeout(HANDSHAKE)
    }

    /// A client that believes only a server whose certificate names `role`.
    pub(crate) fn client(&self, role: &str) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .identity(self.identity())
            .ca_certificate(Certificate::from_pem(&self.authority.0))
            .domain_name(role)
            .timeout(HANDSHAKE)
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate.0, self.key.0.expose())
    }
}

/// The certificate that browsers are shown where nothing in front of this process speaks TLS with them.
#[derive(Clone)]
pub struct BrowserTls(TlsAcceptor);

impl BrowserTls {
    /// Reads `BROWSER_TLS_CERTIFICATE` and `BROWSER_TLS_KEY`: both or neither.
    pub fn read(reader: &mut Reader) -> Option<Option<Self>> {
        let certificate = reader.optional::<Certificates>(
            "BROWSER_TLS_CERTIFICATE",
            "the certificate that browsers are shown; without it they are answered in plain HTTP, behind an ingress",
        );
        let key = reader.optional::<PrivateKey>("BROWSER_TLS_KEY", "the private key of that certificate");
        match (certificate?, key?) {
            (None, None) => Some(None),
            (Some(certificate), Some(key)) => {
                let acceptor = Self::new(&certificate, &key);
                if acceptor.is_none() {
                    reader.mistake("BROWSER_TLS_KEY", "is not the key of the certificate");
                }
                acceptor.map(Some)
            }
            (Some(_), None) => {
                reader.mistake("BROWSER_TLS_KEY", "is missing beside the certificate");
                None
            }
            (None, Some(_)) => {
                reader.mistake("BROWSER_TLS_CERTIFICATE", "is missing beside the key");
                None
            }
        }
    }

    fn new(certificate: &Certificates, key: &PrivateKey) -> Option<Self> {
        crate::crypto::install();
        let chain = CertificateDer::pem_slice_iter(&certificate.0).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(key.0.expose()).ok()?;
        // TLS 1.2 and 1.3, and HTTP/1.1 is all that is spoken within.
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain.ok()?, key)
            .ok()?;
        Some(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Waits for the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl std::fmt::Debug for BrowserTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BrowserTls")
    }
}

/// A file of certificates or keys that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("a TLS file {0}")]
pub struct TlsFileError(String);

impl Settings for TlsSettings {
    fn read(reader: &mut Reader) -> Option<Self> {
        let certificate = reader.required(
            "TLS_CERTIFICATE",
            "this process's certificate (subject OU: its role)",
        );
        let key = reader.required("TLS_KEY", "the private key of that certificate, PKCS#8");
        let authority = reader.required("TLS_CA", "the authority that signs every peer");
        Some(Self {
            certificate: certificate?,
            key: key?,
            authority: authority?,
        })
    }
}

impl Certificates {
    /// The certificates as they stand in the file, PEM.
    pub fn pem(&self) -> &[u8] {
        &self.0
    }

    /// Each of the certificates, DER.
    pub fn ders(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(&self.0).flatten()
    }

    fn read(path: &Path) -> Result<Self, String> {
        let pem = content(path)?;
        let whole = CertificateDer::pem_slice_iter(&pem).all(|found| found.is_ok());
        let any = CertificateDer::pem_slice_iter(&pem).next().is_some();
        if whole && any {
            Ok(Self(pem))
        } else {
            Err("holds no certificate in PEM form".to_owned())
        }
    }
}

impl PrivateKey {
    fn read(path: &Path) -> Result<Self, String> {
        let pem = Secret::new(content(path)?);
        match PrivateKeyDer::from_pem_slice(pem.expose()) {
            Ok(_) => Ok(Self(pem)),
            Err(_) => Err("holds no private key in PEM form".to_owned()),
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("names a file that cannot be read ({})", error.kind()))
}

impl Value for Certificates {
    const KIND: &'static str = "path of a PEM file";

    fn parse(text: &str) -> Result<Self, String> {
        Self::read(Path::new(text))
    }
}

impl Value for PrivateKey {
    const KIND: &'static str = "path of a PEM file";

    fn parse(text: &str) -> Result<Self, String> {
        Self::read(Path::new(text))
    }
}
