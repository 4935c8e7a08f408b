//! The one provider of cryptography for TLS.

/// Makes `ring` the provider of the whole process. Later calls change nothing.
pub(crate) fn install() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
