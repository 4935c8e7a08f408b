//! `sekisho sessions`

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::sessions::v1::verify_state_response::{self, Step};
use sekisho_proto::sessions::v1::{VerifyStateRequest, VerifyStateResponse};
use sekisho_service::tls::TlsSettings;
use sekisho_service::{client, roles};
use tonic::Streaming;
use uuid::Uuid;

use crate::certificates::{Certificates, refused};
use crate::progress;

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Folds the log once more and compares it with what each replica answers from.
    ///
    /// Names the sessions that differ, and ends with 1 if any replica's state is not what the log says. Takes as much memory
    /// again as a replica has; answers go on meanwhile.
    Verify(Verify),
}

/// Which replicas.
#[derive(Debug, Args)]
pub struct Verify {
    /// The administration listener of a replica of sessions, such as `https://127.0.0.1:9446`; once for each replica, or
    /// divided by commas.
    #[arg(
        long,
        env = "SEKISHO_SESSIONS_ADMIN_URL",
        value_name = "URL",
        value_delimiter = ',',
        required = true
    )]
    sessions: Vec<http::Uri>,
    #[command(flatten)]
    certificates: Certificates,
}

/// Runs a command.
///
/// # Errors
/// What went wrong, in a sentence; also when a state is not what the log says.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Verify(verify) => verify.run().await,
    }
}

impl Verify {
    async fn run(self) -> anyhow::Result<()> {
        let tls = self.certificates.read()?;
        let mut wrong = 0;
        for url in &self.sessions {
            let result = verified(url, &tls).await?;
            if !report(url, &result, &mut io::stdout().lock())? {
                wrong += 1;
            }
        }
        match wrong {
            0 => Ok(()),
            _ => bail!(
                "{wrong} of {} replicas answer from another state than the log's",
                self.sessions.len()
            ),
        }
    }
}

/// Prints what was found of a replica; whether its state is what the log says.
fn report(
    url: &http::Uri,
    result: &verify_state_response::Result,
    output: &mut impl Write,
) -> io::Result<bool> {
    let agrees = result.digest == result.rebuilt_digest;
    let verdict = if agrees {
        "is what the log says"
    } else {
        "IS NOT what the log says"
    };
    writeln!(
        output,
        "{url}: the state {verdict}, {} sessions, alive or lately over, up to position {}\n  answers from  {}\n  folded anew   {}",
        result.sessions,
        result.position,
        hex(&result.digest),
        hex(&result.rebuilt_digest),
    )?;
    for id in &result.differing_session_ids {
        let id = Uuid::from_slice(id).map_or_else(|_| hex(id), |id| id.to_string());
        writeln!(output, "  differs: session {id}")?;
    }
    Ok(agrees)
}

async fn verified(url: &http::Uri, tls: &TlsSettings) -> anyhow::Result<verify_state_response::Result> {
    let channel = client::connect(roles::SESSIONS, std::slice::from_ref(url), tls)?;
    let asked = AdministrationServiceClient::new(channel)
        .verify_state(VerifyStateRequest {})
        .await;
    let watched = match asked {
        Ok(steps) => watched(steps.into_inner()).await,
        Err(status) => Err(refused("sessions did not begin", &status)),
    };
    watched.with_context(|| format!("{url} was not verified"))
}

/// Shows the way and answers the result.
async fn watched(mut steps: Streaming<VerifyStateResponse>) -> anyhow::Result<verify_state_response::Result> {
    let bar = progress::bar(0, "{bar:40} {human_pos} of {human_len} entries, {eta} left")?;
    loop {
        let step = steps
            .message()
            .await
            .map_err(|status| refused("sessions gave up", &status))?;
        match step.context("sessions ended without a result")?.step {
            Some(Step::Progress(progress)) => {
                bar.set_length(progress.head);
                bar.set_position(progress.position);
            }
            Some(Step::Result(result)) => {
                bar.finish_and_clear();
                return Ok(result);
            }
            None => {}
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
