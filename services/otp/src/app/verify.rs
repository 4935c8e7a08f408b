//! コードの確認.

use sekisho_eventlog::{Decided, Decision, Facts, Position};
use sekisho_evidence::{CommandId, Flow, Minted, Refusal};
use sekisho_proto::events::CodeEvent;
use sekisho_service::settings::Secret;

use super::{Alive, App, Caller, Error, context};
use crate::code::{Digits, Keys, Owner, read_typed};
use crate::domain::{Codes, Command, Finding};

/// What came of a typed code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Right, now or before.
    Accepted {
        /// Where CodeAccepted stands.
        position: Position,
    },
    /// Wrong, and counted.
    Rejected {
        /// Tries that are left.
        tries_left: u32,
        /// It was a code that a newer one of the same flow replaced.
        replaced: bool,
    },
}

impl App {
    /// Compares a typed code. The same form again gets the first answer.
    ///
    /// # Errors
    /// [`Error`]; a wrong code is none.
    pub async fn verify(
        &self,
        caller: Caller<'_>,
        code: &Secret<String>,
        command: CommandId,
    ) -> Result<Verified, Error> {
        let typed = read_typed(code.expose())?;
        let Alive { minted, subject, .. } = self.open_alive(caller).await?;
        let digest = command.digest(&[b"VerifyCode", typed.expose()]);
        let context = context(minted.account, Some(minted.flow), Some(digest));
        let mut accepted = None;
        let decided = self
            .log
            .decide(&context, |facts: &Facts<Codes>| {
                accepted = accepted_at(facts)?;
                if accepted.is_some() {
                    return Ok(Decision::Nothing);
                }
                let finding = compare(&self.keys, &facts.state, &minted, &typed)?;
                let command = Command::Verify { subject, finding };
                facts.state.decide(facts.now, command).map_err(Error::from)
            })
            .await?;
        answer(decided, accepted)
    }
}

fn answer(decided: Decided<Codes>, accepted: Option<Position>) -> Result<Verified, Error> {
    let (recorded, event) = match decided {
        Decided::Recorded { recorded, event, .. } | Decided::Repeated { recorded, event } => {
            (recorded, event)
        }
        Decided::Nothing(_) => {
            let position = accepted.ok_or(Error::Internal)?;
            return Ok(Verified::Accepted { position });
        }
    };
    match event {
        CodeEvent::CodeAccepted(_) => Ok(Verified::Accepted {
            position: recorded.position,
        }),
        CodeEvent::CodeRejected(rejected) => Ok(Verified::Rejected {
            tries_left: rejected.tries_left,
            replaced: rejected.replaced,
        }),
        CodeEvent::CodeIssued(_)
        | CodeEvent::CodeRefused(_)
        | CodeEvent::MailStarted(_)
        | CodeEvent::Mailed(_)
        | CodeEvent::MailFailed(_)
        | CodeEvent::FlowCancelled(_) => Err(Error::Internal),
    }
}

/// Where the flow was verified, if it was. The flow's own entries say so even when it has left the fold.
fn accepted_at(facts: &Facts<Codes>) -> Result<Option<Position>, Error> {
    match Flow::fold(&facts.flow)? {
        Flow::Unminted => Err(Refusal::Unknown.into()),
        Flow::Mixed => Err(Refusal::Mixed.into()),
        Flow::Cancelled(_) => Err(Refusal::Cancelled.into()),
        Flow::Verified(_, proof) | Flow::Used(_, proof, _) => Ok(Some(proof.position)),
        Flow::Open(_) => Ok(None),
    }
}

fn compare(keys: &Keys, codes: &Codes, minted: &Minted, typed: &Digits) -> Result<Finding, Error> {
    let last = codes.flow(minted.flow).and_then(|known| known.stage.last_code());
    let Some((code, replaced)) = last else {
        return Ok(Finding::NothingToCompare);
    };
    let owner = Owner {
        account: minted.account,
        flow: minted.flow,
        purpose: minted.mint.purpose(),
    };
    Ok(keys.compare(owner, code, replaced, typed)?)
}
