//! Cuts: events that end what was minted before them.

use prost::Message;
use sekisho_eventlog::{Fold, Log, Position, ReadError, Recorded, StreamId};
use sekisho_proto::credentials::v1::AccountState;
use sekisho_proto::events::{AccountEvent, SessionEvent};
use sekisho_proto::from_timestamp;
use sekisho_proto::sessions::v1::SessionsState;
use time::OffsetDateTime;

/// The version of the state that `account` entries carry.
pub const ACCOUNT_FOLD: u32 = 5;
/// The version of the state that `session` entries carry.
pub const SESSIONS_FOLD: u32 = 1;

/// The newest cuts of an account, from all its streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cuts {
    /// Ends sessions and flows that were minted at or before it.
    pub all: Position,
    /// Ends only flows that have not become a session, and resets.
    pub flows: Position,
}

impl Cuts {
    /// Whether a session that was minted here still lives.
    pub fn session_lives(self, minted: Position) -> bool {
        minted > self.all
    }

    /// Whether a flow that was minted here may still be used.
    pub fn flow_lives(self, minted: Position) -> bool {
        minted > self.all.max(self.flows)
    }

    /// What an epoch cuts: everything that was minted before it.
    pub fn by_epoch(epoch: Position) -> Self {
        Self {
            all: epoch,
            flows: epoch,
        }
    }

    /// The cuts with those of another stream.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            all: self.all.max(other.all),
            flows: self.flows.max(other.flows),
        }
    }

    /// The cuts after an event of kind `account`.
    #[must_use]
    pub fn after_account(self, event: &AccountEvent, position: Position) -> Self {
        match event {
            AccountEvent::PasswordChanged(_)
            | AccountEvent::PasswordExpired(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::FederatedIdentityLinked(_)
            | AccountEvent::AccountErased(_) => Self {
                all: position,
                ..self
            },
            AccountEvent::ProfileChanged(changed) if !changed.facility_code.is_empty() => Self {
                all: position,
                ..self
            },
            AccountEvent::EmailChanged(_) => Self {
                flows: position,
                ..self
            },
            AccountEvent::AccountRegistered(_)
            | AccountEvent::PasswordAccepted(_)
            | AccountEvent::PasswordRejected(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::PasswordResetRequested(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountEnabled(_)
            | AccountEvent::AccountUnlocked(_)
            | AccountEvent::FederatedIdentityAccepted(_)
            | AccountEvent::FederatedIdentityRejected(_) => self,
        }
    }

    /// The cuts after an event of kind `session`.
    #[must_use]
    pub fn after_session(self, event: &SessionEvent, position: Position) -> Self {
        match event {
            SessionEvent::SessionsCut(_) => Self {
                all: position,
                ..self
            },
            SessionEvent::SessionStarted(_)
            | SessionEvent::SessionExtended(_)
            | SessionEvent::SessionEnded(_) => self,
        }
    }
}

/// What the `account` stream says to those who do not write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountCuts {
    /// Its cuts.
    pub cuts: Cuts,
    /// The newest pardon: wrong codes up to here count no more.
    pub pardon: Position,
}

/// Whether an event forgives the wrong codes before it: an administrator has said so, or whoever reads the mails of the account
/// has set another password.
pub fn pardons(event: &AccountEvent) -> bool {
    match event {
        AccountEvent::AccountUnlocked(_) | AccountEvent::PasswordChanged(_) => true,
        AccountEvent::AccountRegistered(_)
        | AccountEvent::PasswordAccepted(_)
        | AccountEvent::PasswordRejected(_)
        | AccountEvent::SignInRefused(_)
        | AccountEvent::PasswordResetRequested(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::ProfileChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_)
        | AccountEvent::FederatedIdentityLinked(_)
        | AccountEvent::FederatedIdentityAccepted(_)
        | AccountEvent::FederatedIdentityRejected(_) => false,
    }
}

impl Fold for AccountCuts {
    type Event = AccountEvent;
    const VERSION: u32 = ACCOUNT_FOLD;

    fn evolve(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        let pardon = if pardons(event) {
            recorded.position
        } else {
            self.pardon
        };
        Self {
            cuts: self.cuts.after_account(event, recorded.position),
            pardon,
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let state = AccountState::decode(bytes).ok()?;
        Some(Self {
            cuts: Cuts {
                all: Position(state.newest_cut),
                flows: Position(state.newest_flow_cut),
            },
            pardon: Position(state.newest_pardon),
        })
    }
}

/// What the `session` stream says to those who do not write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionCuts {
    /// Its cuts.
    pub cuts: Cuts,
    /// When a session was started last.
    pub last_started_at: Option<OffsetDateTime>,
}

impl Fold for SessionCuts {
    type Event = SessionEvent;
    const VERSION: u32 = SESSIONS_FOLD;

    fn evolve(self, event: &SessionEvent, recorded: &Recorded) -> Self {
        let last_started_at = match event {
            SessionEvent::SessionStarted(_) => Some(recorded.recorded_at),
            SessionEvent::SessionExtended(_)
            | SessionEvent::SessionEnded(_)
            | SessionEvent::SessionsCut(_) => self.last_started_at,
        };
        Self {
            cuts: self.cuts.after_session(event, recorded.position),
            last_started_at,
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let state = SessionsState::decode(bytes).ok()?;
        Some(Self {
            cuts: Cuts {
                all: Position(state.newest_cut),
                flows: Position(0),
            },
            last_started_at: state.last_started_at.as_ref().and_then(from_timestamp),
        })
    }
}

/// The newest cuts of an account, read from the log now, without those in its stream of sessions. An epoch that begins
/// meanwhile is not among them; nothing is appended by who does not know of it.
///
/// # Errors
/// [`ReadError`].
pub async fn account_cuts(log: &Log, account: StreamId) -> Result<Cuts, ReadError> {
    let epoch = Cuts::by_epoch(log.epoch());
    Ok(log.load::<AccountCuts>(account).await?.state.cuts.and(epoch))
}

/// The newest cuts of an account, like [`account_cuts`] but all of them.
///
/// # Errors
/// [`ReadError`].
pub async fn newest_cuts(log: &Log, account: StreamId) -> Result<Cuts, ReadError> {
    Ok(newest_account(log, account).await?.cuts)
}

/// What the `account` stream says, read from the log now, with the cuts that stand elsewhere as well.
///
/// # Errors
/// [`ReadError`].
pub async fn newest_account(log: &Log, account: StreamId) -> Result<AccountCuts, ReadError> {
    let epoch = Cuts::by_epoch(log.epoch());
    let (own, elsewhere) = log.load_both::<AccountCuts, SessionCuts>(account).await?;
    let cuts = own.state.cuts.and(elsewhere.state.cuts).and(epoch);
    Ok(AccountCuts { cuts, ..own.state })
}

/// The newest cuts of an account, like [`account_cuts`] but those that do not stand in its own stream.
///
/// # Errors
/// [`ReadError`].
pub async fn session_cuts(log: &Log, account: StreamId) -> Result<Cuts, ReadError> {
    let epoch = Cuts::by_epoch(log.epoch());
    Ok(log.load::<SessionCuts>(account).await?.state.cuts.and(epoch))
}

#[cfg(test)]
mod tests {
    use sekisho_proto::credentials::v1 as credentials;
    use sekisho_proto::to_timestamp;

    use super::*;

    #[test]
    fn what_was_minted_before_a_cut_is_dead() {
        let changed = AccountEvent::from(credentials::PasswordChanged::default());
        let cuts = Cuts::default().after_account(&changed, Position(10));
        assert!(!cuts.session_lives(Position(9)));
        assert!(!cuts.session_lives(Position(10)));
        assert!(!cuts.flow_lives(Position(10)));
        assert!(cuts.session_lives(Position(11)));
    }

    #[test]
    fn a_new_address_ends_flows_and_spares_sessions() {
        let changed = AccountEvent::from(credentials::EmailChanged::default());
        let cuts = Cuts::default().after_account(&changed, Position(10));
        assert!(cuts.session_lives(Position(9)));
        assert!(!cuts.flow_lives(Position(9)));
    }

    #[test]
    fn another_facility_ends_sessions_and_another_name_does_not() {
        let after = |facility_code: &str| {
            let changed = credentials::ProfileChanged {
                facility_code: facility_code.to_owned(),
            };
            Cuts::default().after_account(&changed.into(), Position(10))
        };
        assert!(!after("0460000").session_lives(Position(9)));
        assert!(!after("0460000").flow_lives(Position(9)));
        assert_eq!(after(""), Cuts::default());
    }

    #[test]
    fn another_way_to_sign_in_ends_whatever_the_former_one_opened() {
        let linked = AccountEvent::from(credentials::FederatedIdentityLinked::default());
        let cuts = Cuts::default().after_account(&linked, Position(10));
        assert!(!cuts.session_lives(Position(9)));
        assert!(!cuts.flow_lives(Position(9)));
    }

    #[test]
    fn an_epoch_ends_whatever_was_minted_before_it() {
        let cuts = Cuts::default().and(Cuts::by_epoch(Position(10)));
        assert!(!cuts.session_lives(Position(9)));
        assert!(!cuts.flow_lives(Position(9)));
        assert!(cuts.session_lives(Position(11)));
    }

    #[test]
    fn carried_cuts_are_those_that_were_folded() {
        let account = AccountState {
            newest_cut: 10,
            newest_flow_cut: 12,
            newest_pardon: 14,
            ..Default::default()
        };
        let resumed = AccountCuts::resume(&account.encode_to_vec());
        let (all, flows) = (Position(10), Position(12));
        let expected = AccountCuts {
            cuts: Cuts { all, flows },
            pardon: Position(14),
        };
        assert_eq!(resumed, Some(expected));
        let sessions = SessionsState {
            newest_cut: 10,
            last_started_at: Some(to_timestamp(OffsetDateTime::UNIX_EPOCH)),
            ..Default::default()
        };
        let resumed = SessionCuts::resume(&sessions.encode_to_vec());
        let flows = Position(0);
        let expected = SessionCuts {
            cuts: Cuts { all, flows },
            last_started_at: Some(OffsetDateTime::UNIX_EPOCH),
        };
        assert_eq!(resumed, Some(expected));
    }
}
