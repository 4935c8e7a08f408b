//! The administration of accounts, as credentials offers it.

use anyhow::{Context, bail};
use clap::Args;
use sekisho_proto::credentials::v1::ResolveLoginRequest;
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_service::client::{self, Channel};
use sekisho_service::roles;
use uuid::Uuid;

use crate::certificates::{Certificates, refused};

/// How the administration of accounts is reached.
#[derive(Debug, Args)]
pub struct Credentials {
    /// The administration listener of credentials, such as `https://127.0.0.1:9444`.
    #[arg(long, env = "SEKISHO_CREDENTIALS_ADMIN_URL", value_name = "URL")]
    credentials: Option<http::Uri>,
    #[command(flatten)]
    certificates: Certificates,
}

impl Credentials {
    /// A client in the name of the administrator's certificate.
    ///
    /// # Errors
    /// What is missing or wrong, in a sentence.
    pub fn client(&self) -> anyhow::Result<AdministrationServiceClient<Channel>> {
        let url = self
            .credentials
            .as_ref()
            .context("--credentials（または SEKISHO_CREDENTIALS_ADMIN_URL）が必要です。開発環境では、先に eval \"$(cargo dev env)\" を実行します")?;
        let tls = self.certificates.read()?;
        let channel = client::connect(roles::CREDENTIALS, std::slice::from_ref(url), &tls)?;
        Ok(AdministrationServiceClient::new(channel))
    }

    /// The account id of a login id, asked from credentials in the name of the administrator's certificate.
    ///
    /// # Errors
    /// What is missing, wrong or refused, in a sentence.
    pub async fn resolve(&self, login: &str) -> anyhow::Result<Uuid> {
        if self.credentials.is_none() || self.certificates.folder.is_none() {
            bail!("--account needs --credentials and --certificates; with --account-id neither is needed");
        }
        let request = ResolveLoginRequest {
            login_id: login.to_owned(),
        };
        let answer = self.client()?.resolve_login(request).await;
        let answer =
            answer.map_err(|status| refused("credentials did not say who has this login id", &status))?;
        Uuid::from_slice(&answer.into_inner().account_id).context("credentials answered no account id")
    }
}
