//! One use case each: gather facts from the log, make a command, have it decided, say what came of it.

mod cancel;
mod error;
mod fates;
mod issue;
mod verify;

pub use error::Error;
pub use fates::Fates;
pub use verify::Verified;

use sekisho_eventlog::{Context, Entry, FlowId, Fold, Log, StreamId};
use sekisho_evidence::{Flow, Minted, Refusal, newest_cuts};
use sekisho_proto::{EventError, Kind};
use sekisho_service::roles;
use sekisho_service::settings::Secret;

use crate::code::Keys;
use crate::domain::{Codes, View};

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
        let opened = self.open_alive(caller).await?;
        self.seen(&opened)
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

    /// The flow, unless it was given up or a cut stands after the event that minted it.
    async fn open_alive(&self, caller: Caller<'_>) -> Result<Opened, Error> {
        let opened = self.open(caller).await?;
        if matches!(opened.flow, Flow::Cancelled(_)) {
            return Err(Refusal::Cancelled.into());
        }
        let cuts = newest_cuts(&self.log, opened.minted.account).await?;
        if cuts.flow_lives(opened.minted.position) {
            Ok(opened)
        } else {
            Err(Refusal::Cut.into())
        }
    }

    fn seen(&self, opened: &Opened) -> Result<View, Error> {
        let codes = codes_of(&opened.entries)?;
        let Minted { flow, mint, .. } = opened.minted;
        Ok(View::of(&codes, flow, mint.purpose(), self.log.now()))
    }
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
