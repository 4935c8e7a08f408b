//! What the holder of a flow's secret may see of the person, as far as the flow has come.

use sekisho_eventlog::{FlowId, Log, Position};
use sekisho_evidence::{Cuts, Flow, Mint, Minted, Refusal, newest_cuts};
use sekisho_service::settings::Secret;

use super::{App, Error};
use crate::domain::{Address, LONGEST_PASSWORD};

/// What may be seen. Never printed: it is for the person alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// First character, five stars, domain; after PasswordAccepted.
    pub masked_address: String,
    /// In full; after CodeAccepted.
    pub address: String,
    /// After SessionStarted.
    pub person: Option<Known>,
    /// After the CodeAccepted of a reset.
    pub new_password: Option<NewPasswordLength>,
}

/// How long a new password must be, in code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPasswordLength {
    /// At least.
    pub shortest: usize,
    /// At most.
    pub longest: usize,
}

/// Who signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
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
        let entries = self.log.flow(flow).await?;
        let flow = Flow::fold(&entries)?;
        let minted = *flow.open_with(secret.expose())?;
        if minted.mint == Mint::Reset && matches!(flow, Flow::Used(..)) {
            // What it led to has cut it, too.
            return Err(Error::Flow(Refusal::Used));
        }
        alive(&flow, &minted, newest_cuts(&self.log, minted.account).await?)?;
        if minted.mint == Mint::Reset {
            let is_verified = matches!(flow, Flow::Verified(..));
            return Ok(Described {
                new_password: is_verified.then_some(NewPasswordLength {
                    shortest: self.rules.new_passwords.shortest,
                    longest: LONGEST_PASSWORD,
                }),
                ..Described::default()
            });
        }
        let person = self
            .store
            .person(minted.account)
            .await?
            .ok_or(Error::Flow(Refusal::Unknown))?;
        let in_full = person.address.as_ref().map_or("", Address::as_str);
        let address = if flow.has_accepted_code() { in_full } else { "" };
        // No mail is sent where a provider vouches for the person.
        let may_be_mailed = matches!(flow, Flow::Open(_)) || flow.has_accepted_code();
        let masked = person
            .address
            .as_ref()
            .filter(|_| may_be_mailed)
            .map(Address::masked);
        Ok(Described {
            masked_address: masked.unwrap_or_default(),
            address: address.to_owned(),
            person: matches!(flow, Flow::Used(..)).then_some(Known {
                facility: person.facility,
                name: person.name,
            }),
            new_password: None,
        })
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
