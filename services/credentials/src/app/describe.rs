//! What the holder of a flow's secret may see of the person, as far as the flow has come.

use sekisho_eventlog::{FlowId, Fold, Log, Position, Recorded};
use sekisho_evidence::{Cuts, Flow, Mint, Minted, Refusal, newest_cuts};
use sekisho_proto::events::AccountEvent;
use sekisho_service::settings::Secret;
use time::OffsetDateTime;

use super::{App, Error};
use crate::domain::{Account, Address};

/// What may be seen. Never printed: it is for the person alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// First character, five stars, domain; after PasswordAccepted.
    pub masked_address: String,
    /// In full; after CodeAccepted.
    pub address: String,
    /// After SessionStarted.
    pub person: Option<Known>,
}

/// Who signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
    /// When the password was accepted the time before.
    pub last_signed_in_at: Option<OffsetDateTime>,
}

impl App {
    /// Describes the person behind a flow.
    ///
    /// # Errors
    /// [`Error::Flow`]; [`Error::Behind`] when the log does not have the position that the caller has seen.
    pub async fn describe_flow(
        &self,
        flow: FlowId,
        secret: &Secret<Vec<u8>>,
        seen: Position,
    ) -> Result<Described, Error> {
        reach(&self.log, seen).await?;
        let flow = Flow::fold(&self.log.flow(flow).await?)?;
        let minted = *flow.open_with(secret.expose())?;
        alive(&flow, &minted, newest_cuts(&self.log, minted.account).await?)?;
        if minted.mint == Mint::Reset {
            return Ok(Described::default());
        }
        let person = self
            .store
            .person(minted.account)
            .await?
            .ok_or(Error::Flow(Refusal::Unknown))?;
        let in_full = person.address.as_ref().map_or("", Address::as_str);
        let stage = Stage::of(&flow);
        Ok(Described {
            masked_address: person.address.as_ref().map(Address::masked).unwrap_or_default(),
            address: if stage >= Stage::Verified { in_full } else { "" }.to_owned(),
            person: match stage {
                Stage::Open | Stage::Verified => None,
                Stage::SignedIn => Some(Known {
                    last_signed_in_at: self.accepted_before(&minted).await?,
                    facility: person.facility,
                    name: person.name,
                }),
            },
        })
    }

    async fn accepted_before(&self, minted: &Minted) -> Result<Option<OffsetDateTime>, Error> {
        let loaded = self.log.load::<Acceptances>(minted.account).await?;
        Ok(loaded.state.before(minted))
    }
}

/// How far a sign-in has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Verified,
    SignedIn,
}

impl Stage {
    fn of(flow: &Flow) -> Self {
        match flow {
            Flow::Unminted | Flow::Mixed | Flow::Cancelled(_) | Flow::Open(_) => Self::Open,
            Flow::Verified(..) => Self::Verified,
            Flow::Used(..) => Self::SignedIn,
        }
    }
}

/// A cancelled or cut flow shows nothing. Once it has become a session, only what cuts sessions counts.
fn alive(flow: &Flow, minted: &Minted, cuts: Cuts) -> Result<(), Refusal> {
    let lives = match flow {
        Flow::Unminted => return Err(Refusal::Unknown),
        Flow::Mixed => return Err(Refusal::Mixed),
        Flow::Cancelled(_) => return Err(Refusal::Cancelled),
        Flow::Open(_) | Flow::Verified(..) => cuts.flow_lives(minted.position),
        Flow::Used(..) => cuts.session_lives(minted.position),
    };
    if lives { Ok(()) } else { Err(Refusal::Cut) }
}

/// Everything here is read from PostgreSQL itself, so a position that was ever answered can be seen at once. One that
/// cannot be seen was never recorded, or the log went back.
async fn reach(log: &Log, position: Position) -> Result<(), Error> {
    if log.head() >= position || log.confirm_head().await? >= position {
        return Ok(());
    }
    Err(Error::Behind)
}

/// When passwords were accepted: all since the newest carried state, and the last one before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Acceptances(Vec<OffsetDateTime>);

impl Acceptances {
    fn before(&self, minted: &Minted) -> Option<OffsetDateTime> {
        self.0.iter().rev().find(|at| **at < minted.at).copied()
    }
}

impl Fold for Acceptances {
    type Event = AccountEvent;
    const VERSION: u32 = Account::VERSION;

    fn evolve(mut self, event: &AccountEvent, recorded: &Recorded) -> Self {
        if let AccountEvent::PasswordAccepted(_) = event {
            self.0.push(recorded.recorded_at);
        }
        self
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let account = Account::resume(bytes)?;
        Some(Self(account.history().last_accepted_at.into_iter().collect()))
    }
}

impl std::fmt::Debug for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
