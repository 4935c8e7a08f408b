//! The administration of accounts, as an administrator's tool calls it.

use anyhow::{Context, Result};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use sekisho_dev::{Service, Stack};
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use tonic::transport::Channel;

use crate::{PASSWORD, grpc};

/// A client of the first credentials replica, with the administrator's certificate.
///
/// # Errors
/// When it cannot be reached.
pub async fn administration(stack: &Stack) -> Result<AdministrationServiceClient<Channel>> {
    let process = stack.process(Service::Credentials, 0);
    let address = process
        .admin_address
        .context("no administration listener")?
        .to_string();
    let channel = grpc::channel(stack.certificates(), "administrator", "credentials", &address);
    Ok(AdministrationServiceClient::new(channel.await?))
}

/// A ready-made hash of the demo accounts' password.
///
/// # Errors
/// When it cannot be made.
pub fn hash() -> Result<String> {
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("{error}"))?.to_string())
}
