//! One flow, folded from its entries in every kind.

use sekisho_eventlog::{Entry, FlowId, Position, StreamId};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::otp::v1::Purpose;
use sekisho_proto::{EventError, Kind};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

use crate::cuts::Cuts;
use crate::refusal::Refusal;
use crate::secret::secret_digest;

/// How long an accepted code is evidence, for a session and for a new password alike.
pub const EVIDENCE_LIFE: Duration = Duration::minutes(30);

/// What a flow was minted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mint {
    /// By PasswordAccepted or FederatedIdentityAccepted: leads to a session.
    SignIn,
    /// By PasswordResetRequested: leads to a new password.
    Reset,
}

impl Mint {
    /// The purpose of the codes of such a flow.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::SignIn => Purpose::SignIn,
            Self::Reset => Purpose::Reset,
        }
    }
}

/// The event that minted a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minted {
    /// The flow.
    pub flow: FlowId,
    /// What for.
    pub mint: Mint,
    /// The account.
    pub account: StreamId,
    /// Where; decides against cuts.
    pub position: Position,
    /// When.
    pub at: OffsetDateTime,
    /// Whether it began with the right password, or in a browser that the account knows. True for sign-ins.
    pub proved: bool,
    /// The browser of a sign-in: a keyed digest of account and device cookie.
    pub device: Option<[u8; 32]>,
    /// SHA-256 of the flow's secret.
    pub secret_digest: [u8; 32],
}

/// What an event says of the flow that it mints.
struct Begun<'a> {
    mint: Mint,
    secret_digest: &'a [u8],
    proved: bool,
    device: &'a [u8],
}

/// The accepted code of a flow, or the accepted identity, which needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Where CodeAccepted stands, or the mint itself.
    pub position: Position,
    /// When.
    pub at: OffsetDateTime,
}

impl Proof {
    /// Until when it is evidence, inclusive.
    pub fn good_until(&self) -> OffsetDateTime {
        self.at + EVIDENCE_LIFE
    }
}

/// How far a flow has come, by the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    /// Nothing mints it.
    #[default]
    Unminted,
    /// The first step is done.
    Open(Minted),
    /// A code of its purpose was accepted, or none is needed.
    Verified(Minted, Proof),
    /// It has led to a session or a new password, at this position.
    Used(Minted, Proof, Position),
    /// The person gave it up.
    Cancelled(Minted),
    /// Entries of several accounts, two mints, steps out of order: it opens nothing.
    Mixed,
}

impl Flow {
    /// Folds the entries of one flow, in order.
    ///
    /// # Errors
    /// [`EventError`] for an entry that this version does not understand.
    pub fn fold(entries: &[Entry]) -> Result<Self, EventError> {
        entries.iter().try_fold(Self::default(), Self::after)
    }

    fn after(self, entry: &Entry) -> Result<Self, EventError> {
        // These are no steps of a flow, and whoever writes them must not be able to spoil one.
        if matches!(entry.kind, Kind::Client | Kind::System | Kind::Audit) {
            return Ok(self);
        }
        if self
            .minted()
            .is_some_and(|minted| minted.account != entry.recorded.stream)
        {
            return Ok(Self::Mixed);
        }
        Ok(match entry.kind {
            Kind::Account => self.after_account(&entry.event()?, entry),
            Kind::Code => self.after_code(&entry.event()?, entry),
            Kind::Session => self.after_session(&entry.event()?, entry),
            Kind::Client | Kind::System | Kind::Audit => self,
        })
    }

    fn after_account(self, event: &AccountEvent, entry: &Entry) -> Self {
        match event {
            AccountEvent::PasswordAccepted(accepted) => {
                let begun = Begun {
                    mint: Mint::SignIn,
                    secret_digest: &accepted.secret_digest,
                    proved: true,
                    device: &accepted.device,
                };
                self.mint(&begun, entry)
            }
            AccountEvent::PasswordResetRequested(request) => {
                let begun = Begun {
                    mint: Mint::Reset,
                    secret_digest: &request.secret_digest,
                    proved: request.password_version > 0 || request.device_known,
                    device: &[],
                };
                self.mint(&begun, entry)
            }
            AccountEvent::FederatedIdentityAccepted(accepted) => {
                let begun = Begun {
                    mint: Mint::SignIn,
                    secret_digest: &accepted.secret_digest,
                    proved: true,
                    device: &[],
                };
                self.mint(&begun, entry).vouched_for(entry)
            }
            AccountEvent::PasswordChanged(_) => self.used(Mint::Reset, entry),
            AccountEvent::AccountRegistered(_)
            | AccountEvent::PasswordRejected(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::AccountEnabled(_)
            | AccountEvent::AccountUnlocked(_)
            | AccountEvent::PasswordExpired(_)
            | AccountEvent::AccountErased(_)
            | AccountEvent::FederatedIdentityLinked(_)
            | AccountEvent::FederatedIdentityRejected(_) => self,
        }
    }

    /// After a mint by a provider, which has asked for a second factor: that is the proof.
    fn vouched_for(self, entry: &Entry) -> Self {
        match self {
            Self::Open(minted) => Self::Verified(minted, proof(entry)),
            other => other,
        }
    }

    fn after_code(self, event: &CodeEvent, entry: &Entry) -> Self {
        match (event, self) {
            (CodeEvent::CodeAccepted(accepted), Self::Open(minted)) => {
                if accepted.purpose() == minted.mint.purpose() {
                    Self::Verified(minted, proof(entry))
                } else {
                    Self::Mixed
                }
            }
            (CodeEvent::CodeAccepted(_), _) => Self::Mixed,
            (CodeEvent::FlowCancelled(_), Self::Open(minted) | Self::Verified(minted, _)) => {
                Self::Cancelled(minted)
            }
            (
                CodeEvent::FlowCancelled(_)
                | CodeEvent::CodeIssued(_)
                | CodeEvent::CodeRefused(_)
                | CodeEvent::MailStarted(_)
                | CodeEvent::Mailed(_)
                | CodeEvent::MailFailed(_)
                | CodeEvent::CodeRejected(_),
                unchanged,
            ) => unchanged,
        }
    }

    fn after_session(self, event: &SessionEvent, entry: &Entry) -> Self {
        match event {
            SessionEvent::SessionStarted(_) => self.used(Mint::SignIn, entry),
            SessionEvent::SessionExtended(_)
            | SessionEvent::SessionEnded(_)
            | SessionEvent::SessionsCut(_) => self,
        }
    }

    fn mint(self, begun: &Begun<'_>, entry: &Entry) -> Self {
        let secret_digest = begun.secret_digest.try_into();
        let (Self::Unminted, Some(flow), Ok(secret_digest)) = (self, entry.recorded.flow, secret_digest)
        else {
            return Self::Mixed;
        };
        let recorded = entry.recorded;
        Self::Open(Minted {
            flow,
            mint: begun.mint,
            account: recorded.stream,
            position: recorded.position,
            at: recorded.recorded_at,
            proved: begun.proved,
            device: begun.device.try_into().ok(),
            secret_digest,
        })
    }

    fn used(self, mint: Mint, entry: &Entry) -> Self {
        match self {
            Self::Verified(minted, proof) if minted.mint == mint => {
                Self::Used(minted, proof, entry.recorded.position)
            }
            Self::Cancelled(minted) => Self::Cancelled(minted),
            Self::Unminted | Self::Open(_) | Self::Verified(..) | Self::Used(..) | Self::Mixed => Self::Mixed,
        }
    }

    /// The event that minted the flow.
    pub fn minted(&self) -> Option<&Minted> {
        match self {
            Self::Open(minted)
            | Self::Verified(minted, _)
            | Self::Used(minted, ..)
            | Self::Cancelled(minted) => Some(minted),
            Self::Unminted | Self::Mixed => None,
        }
    }

    /// Whether a code was accepted in it; none is needed where a provider vouches for the person.
    pub fn has_accepted_code(&self) -> bool {
        match self {
            Self::Verified(minted, proof) | Self::Used(minted, proof, _) => proof.position != minted.position,
            Self::Unminted | Self::Open(_) | Self::Cancelled(_) | Self::Mixed => false,
        }
    }

    /// The mint, for a caller that holds the flow's secret; compared in constant time.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::Mixed`], [`Refusal::SecretWrong`].
    pub fn open_with(&self, secret: &[u8]) -> Result<&Minted, Refusal> {
        let minted = match self {
            Self::Unminted => return Err(Refusal::Unknown),
            Self::Mixed => return Err(Refusal::Mixed),
            Self::Open(minted)
            | Self::Verified(minted, _)
            | Self::Used(minted, ..)
            | Self::Cancelled(minted) => minted,
        };
        let held = secret_digest(secret).ct_eq(&minted.secret_digest);
        if bool::from(held) {
            Ok(minted)
        } else {
            Err(Refusal::SecretWrong)
        }
    }

    /// The evidence for the last step: an accepted code of a live flow that has not been used.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn evidence(&self, mint: Mint, cuts: Cuts, now: OffsetDateTime) -> Result<(Minted, Proof), Refusal> {
        let (minted, proof) = match *self {
            Self::Unminted => return Err(Refusal::Unknown),
            Self::Mixed => return Err(Refusal::Mixed),
            Self::Cancelled(_) => return Err(Refusal::Cancelled),
            Self::Used(..) => return Err(Refusal::Used),
            Self::Open(_) => return Err(Refusal::Missing),
            Self::Verified(minted, proof) => (minted, proof),
        };
        if minted.mint != mint {
            return Err(Refusal::Missing);
        }
        if !cuts.flow_lives(minted.position) {
            return Err(Refusal::Cut);
        }
        if now > proof.good_until() {
            return Err(Refusal::Old);
        }
        Ok((minted, proof))
    }
}

fn proof(entry: &Entry) -> Proof {
    Proof {
        position: entry.recorded.position,
        at: entry.recorded.recorded_at,
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
