//! Certificates as an installation has them: OU says the role, CN the name.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use sekisho_service::tls::TlsSettings;
use tempfile::TempDir;

/// Signs certificates and keeps them in a folder.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes `<role>.pem` and `<role>.key`.
    pub fn certify(&self, role: &str) -> TlsSettings {
        let mut params = CertificateParams::new([role.to_owned(), "localhost".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for kind in [DnType::OrganizationalUnitName, DnType::CommonName] {
            params.distinguished_name.push(kind, role);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, key_pem) = (
            self.file(&format!("{role}.pem")),
            self.file(&format!("{role}.key")),
        );
        std::fs::write(&pem, certificate.pem()).unwrap();
        std::fs::write(&key_pem, key.serialize_pem()).unwrap();
        TlsSettings::from_files(&pem, &key_pem, &self.file("ca.pem")).unwrap()
    }
}
