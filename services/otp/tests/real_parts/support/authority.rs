//! Certificates as an installation has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho_service::settings::Value as _;
use sekisho_service::tls::{Certificates, TlsSettings};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// A certificate authority in a folder of its own; OU says the role, CN the name.
pub struct Authority {
    inner: sekisho_seed::Authority,
    _folder: Option<TempDir>,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            inner: sekisho_seed::Authority::open(folder.path()).unwrap(),
            _folder: Some(folder),
        }
    }

    /// That of a folder which another process has made.
    pub fn of(folder: &Path) -> Self {
        Self {
            inner: sekisho_seed::Authority::open(folder).unwrap(),
            _folder: None,
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.inner.file(name)
    }

    /// The identity of a role, in `<role>.pem` and `<role>.key`.
    pub fn certify(&self, role: &str) -> TlsSettings {
        self.inner.certify(role, role).unwrap();
        let file = |kind| self.file(&format!("{role}.{kind}"));
        TlsSettings::from_files(&file("pem"), &file("key"), &self.file("ca.pem")).unwrap()
    }

    /// What a client believes.
    pub fn certificates(&self) -> Certificates {
        Certificates::parse(self.file("ca.pem").to_str().unwrap()).unwrap()
    }

    /// A server that proves by this authority that it has this name.
    pub fn acceptor(&self, host: &str) -> TlsAcceptor {
        self.inner.certify_hosts(host, &[host]).unwrap();
        let certificate = CertificateDer::from_pem_file(self.file(&format!("{host}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.file(&format!("{host}.key"))).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
