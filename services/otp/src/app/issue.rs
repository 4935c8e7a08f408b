//! 確認コードを送信.

use std::time::Duration;

use sekisho_eventlog::{DecideError, Decided, Decision, Entry, Facts, Position};
use sekisho_evidence::{CommandId, Flow, Mint, Refusal};
use sekisho_proto::Kind;
use sekisho_proto::events::CodeEvent;
use sekisho_service::entropy;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Alive, App, Caller, Error, context};
use crate::code::reference;
use crate::domain::{Codes, Command, Rejection, View};

/// How long a sign-in waits for the fate of its mail (design, "Flows" 2).
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the answer to a reset takes at least: longer than its mail, if there is one, is at work beside it, so that nobody sees from
/// the time whether there is.
const RESET_TIME: Duration = Duration::from_millis(150);
/// The event that issues a code.
const CODE_ISSUED: &str = "code_issued";

/// A code that this call or one before it has issued.
struct Issued {
    position: Position,
    /// This call has: what becomes of the mail is still to be heard.
    is_new: bool,
}

impl App {
    /// Issues a code. For a sign-in it waits up to 3 s until the log says what became of the mail; for a reset it does
    /// not wait, because the wait would tell whether there is an account.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn issue(&self, caller: Caller<'_>, command: CommandId) -> Result<View, Error> {
        let begun = Instant::now();
        let alive = self.open_alive(caller).await?;
        // Heard from before the event on, so that no outcome is missed.
        let mut hearing = self.fates.hear();
        let issued = self.record_issue(&alive, command).await?;
        let may_tell = alive.minted.mint == Mint::SignIn;
        let Some(Issued { position, is_new }) = issued.filter(|_| may_tell) else {
            let view = self.view(caller).await;
            if !may_tell {
                sleep_until(begun + RESET_TIME).await;
            }
            return view;
        };
        if !is_new {
            let view = self.view(caller).await?;
            if !view.waits_for_mail() {
                return Ok(view);
            }
        }
        if timeout_at(begun + PATIENCE, hearing.until_settled(position))
            .await
            .is_err()
        {
            tracing::info!(about = position.0, "the mail's fate is not known yet");
        }
        self.view(caller).await
    }

    /// Where CodeIssued stands; `None` where no code was needed.
    async fn record_issue(&self, alive: &Alive, command: CommandId) -> Result<Option<Issued>, Error> {
        let minted = &alive.minted;
        let digest = command.digest(&[b"IssueCode"]);
        let context = context(minted.account, Some(minted.flow), Some(digest));
        let reference = reference(entropy::bytes());
        let decided = self
            .log
            .decide(&context, |facts: &Facts<Codes>| {
                if is_verified(facts, alive.until)? {
                    return Ok(Decision::Nothing);
                }
                let command = Command::Issue {
                    subject: alive.subject,
                    evidence: minted.position,
                    again: facts.flow.iter().any(is_a_code),
                    key_id: self.keys.current_id().to_owned(),
                    reference: reference.clone(),
                    not_after: alive.until,
                };
                facts.state.decide(facts.now, command).map_err(Error::from)
            })
            .await;
        let decided = match decided {
            // The log's clock has the last word on the hour, and on the half.
            Err(DecideError::Expired) => return Err(Refusal::Old.into()),
            decided => decided?,
        };
        let (recorded, event, is_new) = match decided {
            Decided::Recorded { recorded, event, .. } => (recorded, event, true),
            Decided::Repeated { recorded, event } => (recorded, event, false),
            Decided::Nothing(_) => return Ok(None),
        };
        let position = recorded.position;
        match event {
            CodeEvent::CodeIssued(_) => Ok(Some(Issued { position, is_new })),
            CodeEvent::CodeRefused(_) => Err(Rejection::TooMany.into()),
            CodeEvent::MailStarted(_)
            | CodeEvent::Mailed(_)
            | CodeEvent::MailFailed(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => Ok(None),
        }
    }
}

/// Whether an entry issues a code.
fn is_a_code(entry: &Entry) -> bool {
    entry.kind == Kind::Code && entry.event_type == CODE_ISSUED
}

/// Whether the flow needs no code any more. The flow's own entries say so even when it has left the fold.
fn is_verified(facts: &Facts<Codes>, until: OffsetDateTime) -> Result<bool, Error> {
    match Flow::fold(&facts.flow)? {
        Flow::Unminted => Err(Refusal::Unknown.into()),
        Flow::Mixed => Err(Refusal::Mixed.into()),
        Flow::Cancelled(_) => Err(Refusal::Cancelled.into()),
        Flow::Used(..) => Err(Refusal::Used.into()),
        Flow::Verified(..) => Ok(true),
        Flow::Open(_) if facts.now > until => Err(Refusal::Old.into()),
        Flow::Open(_) => Ok(false),
    }
}
