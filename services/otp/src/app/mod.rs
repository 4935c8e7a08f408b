//! One use case each: gather facts from the log, make a command, have it decided, say what came of it.

mod cancel;
mod error;
mod fates;
mod issue;
mod verify;

pub use error::Error;
pub use fates::Fates;
pub use verify::Verified;

use sekisho_eventlog::{Context, Entry, FlowId, Fold, Log, Position, StreamId};
use sekisho_evidence::{Bucket, Flow, Minted, Refusal, newest_account};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::{EventError, Kind};
use sekisho_service::roles;
use sekisho_service::settings::Secret;
use time::OffsetDateTime;

use crate::code::Keys;
use crate::domain::{Codes, FLOW_AGE, FLOW_IDLE, Subject, View};

/// The use cases of this service.
#[derive(Debug, Clone)]
pub struct App {
    log: Log,
    keys: Keys,
    fates: Fates,
}

/// Who asks: the holder of a flow's secret.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The flow.
    pub flow: FlowId,
    /// Its secret, which the log knows only as a digest.
    pub secret: &'a Secret<Vec<u8>>,
}

/// A flow that its caller has opened.
#[derive(Debug)]
struct Opened {
    entries: Vec<Entry>,
    flow: Flow,
    minted: Minted,
}

/// A flow that its caller has opened and that lives.
#[derive(Debug)]
struct Alive {
    entries: Vec<Entry>,
    minted: Minted,
    subject: Subject,
    /// From then on it is over, unless it is verified by then.
    until: OffsetDateTime,
}

impl App {
    /// The use cases over a log. `fates` are what the worker's follower of the same log announces.
    pub fn new(log: Log, keys: Keys, fates: Fates) -> Self {
        Self { log, keys, fates }
    }

    /// What a page shows.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn view(&self, caller: Caller<'_>) -> Result<View, Error> {
        let alive = self.open_alive(caller).await?;
        let own = codes_of(&alive.entries)?;
        let all = self.log.load::<Codes>(alive.minted.account).await?.state;
        Ok(View::of(&own, &all, alive.subject, self.log.now()))
    }

    /// The flow, for a caller that holds its secret.
    async fn open(&self, caller: Caller<'_>) -> Result<Opened, Error> {
        let entries = self.log.flow(caller.flow).await?;
        let flow = Flow::fold(&entries)?;
        let minted = *flow.open_with(caller.secret.expose())?;
        Ok(Opened {
            entries,
            flow,
            minted,
        })
    }

    /// The flow, unless it was given up, was left alone for too long or a cut stands after the event that minted it.
    async fn open_alive(&self, caller: Caller<'_>) -> Result<Alive, Error> {
        let opened = self.open(caller).await?;
        if matches!(opened.flow, Flow::Cancelled(_)) {
            return Err(Refusal::Cancelled.into());
        }
        let minted = opened.minted;
        let account = newest_account(&self.log, minted.account).await?;
        if !account.cuts.flow_lives(minted.position) {
            return Err(Refusal::Cut.into());
        }
        let until = last_used(&opened.entries, &minted)? + FLOW_IDLE;
        if matches!(opened.flow, Flow::Open(_)) && self.log.now() > until {
            return Err(Refusal::Old.into());
        }
        Ok(Alive {
            entries: opened.entries,
            subject: subject(&minted, account.pardon),
            until: until.min(minted.at + FLOW_AGE),
            minted,
        })
    }
}

fn subject(minted: &Minted, pardon: Position) -> Subject {
    Subject {
        flow: minted.flow,
        bucket: Bucket::of(minted.mint.purpose(), minted.proved),
        pardon,
    }
}

/// When whoever is in a flow last did something that stands in the log. What workers do to its mails is not theirs.
fn last_used(entries: &[Entry], minted: &Minted) -> Result<OffsetDateTime, EventError> {
    let mut at = minted.at;
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Code) {
        match entry.event()? {
            CodeEvent::MailStarted(_) | CodeEvent::Mailed(_) | CodeEvent::MailFailed(_) => {}
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => at = entry.recorded.recorded_at,
        }
    }
    Ok(at)
}

/// The codes of one flow, folded from its own entries alone.
fn codes_of(entries: &[Entry]) -> Result<Codes, EventError> {
    let mut codes = Codes::default();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::Code) {
        codes = codes.evolve(&entry.event()?, &entry.recorded);
    }
    Ok(codes)
}

/// Around a command of this service on an account's codes and notices.
pub(crate) fn context(account: StreamId, flow: Option<FlowId>, digest: Option<[u8; 32]>) -> Context {
    Context {
        digest,
        ..Context::new(account, flow, roles::OTP)
    }
}
