//! Who is behind a login id.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use sekisho_proto::credentials::v1::ResolveLoginRequest;
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_service::tls::TlsSettings;
use sekisho_service::{client, refusal, roles};
use uuid::Uuid;

/// How the administration of accounts is reached.
#[derive(Debug, Args)]
pub struct Credentials {
    /// The administration listener of credentials, such as <https://127.0.0.1:9444>.
    #[arg(long, env = "SEKISHO_CREDENTIALS_ADMIN_URL", value_name = "URL")]
    credentials: Option<http::Uri>,
    /// A folder with administrator.pem, administrator.key and ca.pem.
    #[arg(long, env = "SEKISHO_CERTIFICATES", value_name = "DIR")]
    certificates: Option<PathBuf>,
}

impl Credentials {
    /// The account id of a login id, asked from credentials in the name of the administrator's certificate.
    ///
    /// # Errors
    /// What is missing, wrong or refused, in a sentence.
    pub async fn resolve(&self, login: &str) -> anyhow::Result<Uuid> {
        let (Some(url), Some(folder)) = (&self.credentials, &self.certificates) else {
            bail!("--account needs --credentials and --certificates; with --account-id neither is needed");
        };
        let file = |name: &str| folder.join(name);
        let tls = TlsSettings::from_files(
            &file("administrator.pem"),
            &file("administrator.key"),
            &file("ca.pem"),
        )
        .with_context(|| format!("no administrator's certificate in {}", folder.display()))?;
        let channel = client::connect(roles::CREDENTIALS, std::slice::from_ref(url), &tls)?;
        let request = ResolveLoginRequest {
            login_id: login.to_owned(),
        };
        let answer = AdministrationServiceClient::new(channel)
            .resolve_login(request)
            .await;
        let answer = answer.map_err(|status| {
            let reason = refusal::reason(&status).unwrap_or_else(|| format!("{:?}", status.code()));
            anyhow::anyhow!(
                "credentials did not say who has this login id: {reason}, {}",
                status.message()
            )
        })?;
        Uuid::from_slice(&answer.into_inner().account_id).context("credentials answered no account id")
    }
}
