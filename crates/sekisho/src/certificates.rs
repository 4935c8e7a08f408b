//! The administrator's certificate, and what is said of a refusal.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use sekisho_service::refusal;
use sekisho_service::tls::TlsSettings;
use tonic::Status;

/// Where the administrator's certificate is.
#[derive(Debug, Args)]
pub struct Certificates {
    /// A folder with administrator.pem, administrator.key and ca.pem.
    #[arg(long = "certificates", env = "SEKISHO_CERTIFICATES", value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

impl Certificates {
    /// The identity of the administrator.
    ///
    /// # Errors
    /// What is missing or wrong, in a sentence.
    pub fn read(&self) -> anyhow::Result<TlsSettings> {
        let folder = self.folder.as_ref().context("this needs --certificates")?;
        let file = |name: &str| folder.join(name);
        TlsSettings::from_files(
            &file("administrator.pem"),
            &file("administrator.key"),
            &file("ca.pem"),
        )
        .with_context(|| format!("no administrator's certificate in {}", folder.display()))
    }
}

/// A refusal in a sentence: `who` has not done what was asked.
pub fn refused(who: &str, status: &Status) -> anyhow::Error {
    let reason = refusal::reason(status).unwrap_or_else(|| format!("{:?}", status.code()));
    anyhow::anyhow!("{who}: {reason}, {}", status.message())
}
