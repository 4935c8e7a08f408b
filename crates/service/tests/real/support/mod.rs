//! What the tests of this crate share: an authority, certificates, and the sample process.

pub mod api;
pub mod sample;

use sekisho_service::tls::TlsSettings;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// The longest that any state is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);

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

/// Waits until `state` yields something, at most [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut state: impl AsyncFnMut() -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = state().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, search).await;
    found.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

pub fn url(address: std::net::SocketAddr) -> http::Uri {
    format!("https://{address}").parse().unwrap()
}
