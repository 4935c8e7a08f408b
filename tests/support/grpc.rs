//! gRPC clients that come with a service's own certificate.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_types::StatusExt;

/// The roles that have a certificate.
pub const ROLES: [&str; 6] = [
    "gateway",
    "credentials",
    "otp",
    "sessions",
    "audit",
    "administrator",
];

/// A channel to a service, with the certificate of `role`.
///
/// # Errors
/// When the certificates cannot be read or the service cannot be reached.
pub async fn channel(
    certificates: &Path,
    role: &str,
    service: &'static str,
    address: &str,
) -> Result<Channel> {
    Ok(endpoint(certificates, role, service, address)?.connect().await?)
}

/// The endpoint behind [`channel`], not yet connected.
///
/// # Errors
/// When the certificates cannot be read.
pub fn endpoint(certificates: &Path, role: &str, service: &'static str, address: &str) -> Result<Endpoint> {
    let read = |name: String| std::fs::read_to_string(certificates.join(name));
    let identity = Identity::from_pem(read(format!("{role}.pem"))?, read(format!("{role}.key"))?);
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.pem".to_owned())?))
        .identity(identity)
        .domain_name(service);
    let endpoint = Endpoint::from_shared(format!("https://{address}"))?;
    Ok(endpoint
        .tls_config(tls)?
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10)))
}

/// The stable reason of a refusal.
pub fn reason(status: &tonic::Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}
