//! Where mails go: live codes, and notices of what happened. For the otp service alone.

use sekisho_eventlog::{Entry, FlowId, Position, StreamId};
use sekisho_evidence::{Cuts, Flow, NOTICE_LIFE, Refusal, SessionCuts, notice};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::{CodeIssued, Topic};
use sekisho_proto::{EventError, Kind, from_timestamp};
use time::OffsetDateTime;

use super::{App, Error};
use crate::domain::{Account, Address, Stage};

/// A code that is about to be mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// Whose.
    pub account: StreamId,
    /// Where its CodeIssued stands.
    pub position: Position,
    /// The flow that it is for.
    pub flow: FlowId,
}

impl App {
    /// The address of a live code; `None` for a phantom, for a disabled account and for one without an address: their
    /// mails are dropped, and nobody who waits for one can tell.
    ///
    /// # Errors
    /// [`Error::MailNotOwed`] when no live CodeIssued of that account and flow stands there, [`Error::Flow`] when the
    /// flow is cut or cancelled.
    pub async fn resolve_address(&self, issued: Issued) -> Result<Option<Address>, Error> {
        let entries = self.log.flow(issued.flow).await?;
        let flow = Flow::fold(&entries)?;
        let code = code_at(&entries, issued)?.ok_or(Error::MailNotOwed)?;
        let minted = match flow {
            Flow::Unminted => return Err(Refusal::Unknown.into()),
            Flow::Mixed => return Err(Refusal::Mixed.into()),
            Flow::Cancelled(_) => return Err(Refusal::Cancelled.into()),
            // The code has done its work.
            Flow::Verified(..) | Flow::Used(..) => return Err(Error::MailNotOwed),
            Flow::Open(minted) => minted,
        };
        let epoch = Cuts::by_epoch(self.log.epoch());
        let (account, sessions) = self.log.load_both::<Account, SessionCuts>(minted.account).await?;
        let Account { stage, history } = account.state;
        let cuts = history.cuts.and(sessions.state.cuts).and(epoch);
        if !cuts.flow_lives(minted.position) {
            return Err(Refusal::Cut.into());
        }
        if !is_live(&code, self.log.now()) || is_dead(&entries, issued.position)? {
            return Err(Error::MailNotOwed);
        }
        match stage {
            Stage::Unregistered | Stage::Disabled { .. } | Stage::Erased => Ok(None),
            Stage::Enabled { .. } => Ok(self
                .store
                .person(issued.account)
                .await?
                .and_then(|person| person.address)),
        }
    }
}

impl App {
    /// The address that is told of an event of an account: the one of then, even if there is another one by now; `None` if
    /// there was none.
    ///
    /// # Errors
    /// [`Error::MailNotOwed`] when no event of the account stands there that owes a notice, or it is over a day old.
    pub async fn resolve_notice(
        &self,
        account: StreamId,
        position: Position,
    ) -> Result<Option<Address>, Error> {
        let now = self.log.now();
        let is_owing = |entry: &Entry| {
            entry.recorded.stream == account && now < entry.recorded.recorded_at + NOTICE_LIFE
        };
        let entry = self.log.entry(position).await?.filter(is_owing);
        let topic = entry.as_ref().map(notice).transpose()?.flatten();
        let topic = topic.ok_or(Error::MailNotOwed)?;
        match (topic, self.log.load::<Account>(account).await?.state.stage) {
            (Topic::EmailChanged, _) => Ok(self.store.former_address(account, position).await?),
            // An account that is disabled may be linked, and enabled after it.
            (Topic::FederatedIdentityLinked, Stage::Disabled { .. }) | (_, Stage::Enabled { .. }) => {
                if let Some(of_then) = self.store.address_before_change(account, position).await? {
                    return Ok(Some(of_then));
                }
                let person = self.store.person(account).await?;
                Ok(person.and_then(|person| person.address))
            }
            // Whoever left must not be told how to get in again.
            (_, Stage::Unregistered | Stage::Disabled { .. } | Stage::Erased) => Ok(None),
        }
    }
}

/// The CodeIssued at that position, if it is one of that account that owes a mail.
fn code_at(entries: &[Entry], issued: Issued) -> Result<Option<CodeIssued>, EventError> {
    let named = entries.iter().find(|entry| {
        entry.kind == Kind::Code
            && entry.recorded.position == issued.position
            && entry.recorded.stream == issued.account
    });
    match named.map(Entry::event::<CodeEvent>).transpose()? {
        Some(CodeEvent::CodeIssued(code)) if !code.withheld => Ok(Some(code)),
        Some(_) | None => Ok(None),
    }
}

fn is_live(code: &CodeIssued, now: OffsetDateTime) -> bool {
    let expires_at = code.expires_at.as_ref().and_then(from_timestamp);
    expires_at.is_some_and(|expires_at| now < expires_at)
}

/// Whether a newer code of the flow has replaced it, or its tries are spent. A guess is always about the newest code.
fn is_dead(entries: &[Entry], position: Position) -> Result<bool, EventError> {
    let later = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Code && entry.recorded.position > position);
    for entry in later {
        match entry.event::<CodeEvent>()? {
            CodeEvent::CodeIssued(_) => return Ok(true),
            CodeEvent::CodeRejected(rejected) if rejected.tries_left == 0 => return Ok(true),
            CodeEvent::CodeRejected(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::MailStarted(_)
            | CodeEvent::Mailed(_)
            | CodeEvent::MailFailed(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => {}
        }
    }
    Ok(false)
}
