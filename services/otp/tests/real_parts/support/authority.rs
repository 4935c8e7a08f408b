//! Certificates as an installation has them.

use std::path::PathBuf;

use sekisho_service::tls::TlsSettings;
use tempfile::TempDir;

/// A certificate authority in a folder of its own; OU says the role, CN the name.
pub struct Authority {
    inner: sekisho_seed::Authority,
    _folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            inner: sekisho_seed::Authority::open(folder.path()).unwrap(),
            _folder: folder,
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
}
