//! パスワードを忘れた場合: a flow for a new password, alike for every login id.

use sekisho_eventlog::{Decided, Decision, FlowId};
use sekisho_evidence::session_cuts;
use tokio::time::{Instant, sleep_until};

use super::verify::Stopped;
use super::{App, Error, context};
use crate::domain::{Account, Command, TypedLogin, decide};
use crate::sealing::Seen;

/// Who forgot a password.
#[derive(Debug)]
pub struct ResetRequest {
    /// As typed.
    pub login_id: String,
    /// SHA-256 of the flow's secret.
    pub secret_digest: [u8; 32],
    /// What the browser's device cookie holds.
    pub device: Option<[u8; 32]>,
    /// The browser's side.
    pub seen: Seen,
}

impl App {
    /// Mints a flow for a new password. A form that comes twice gets the flow of the first time.
    ///
    /// # Errors
    /// [`Error::Throttled`]; none tells whether anybody has the login id, and neither does the time.
    pub async fn request_reset(&self, request: ResetRequest) -> Result<FlowId, Error> {
        let begun = Instant::now();
        let minted = self.mint_reset(request).await;
        sleep_until(begun + self.rules.denial_time).await;
        minted
    }

    async fn mint_reset(&self, request: ResetRequest) -> Result<FlowId, Error> {
        let tags = self.day_keys.tags(&request.seen, self.log.now()).await?;
        if self.is_reset_throttled(tags) {
            return Err(Error::Throttled);
        }
        let subject = self.subject(&TypedLogin::read(&request.login_id)).await?;
        let stream = subject.stream();
        let cuts = session_cuts(&self.log, stream).await?;
        let device = self.device(stream, request.device);
        let flow = FlowId::mint(self.log.head());
        let mut repeated = None;
        let decided = self
            .log
            .decide::<Account, Stopped>(&context(stream, Some(flow)), |facts| {
                let client = self
                    .sealed(subject.owner(), facts, &request.seen, tags)
                    .map_err(|error| Stopped::Failed(error.into()))?;
                let history = &facts.state.history;
                repeated = history.repeated_reset(&request.secret_digest, &client, facts.now);
                if repeated.is_some() {
                    return Ok(Decision::Nothing);
                }
                let command = Command::RequestReset {
                    secret_digest: request.secret_digest,
                    client,
                    device,
                    cuts,
                };
                decide(&facts.state, facts.now, command).map_err(Stopped::Rejected)
            })
            .await?;
        match decided {
            Decided::Recorded { .. } => Ok(flow),
            Decided::Repeated { .. } | Decided::Nothing(_) => {
                repeated.ok_or(Error::Broken("a reset was recorded as something else"))
            }
        }
    }
}
