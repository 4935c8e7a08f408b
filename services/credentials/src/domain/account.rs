//! The state of an account, folded from its stream.

use prost::Message;
use sekisho_eventlog::{Carry, Fold, Position, Recorded, Version};
use sekisho_evidence::{ACCOUNT_FOLD, Cuts};
use sekisho_proto::credentials::v1::{AccountState, account_state::Stage};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::{from_timestamp, to_timestamp};
use time::OffsetDateTime;

/// An account, or the phantom of a login id that nobody has: the same stream, never registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Nobody has it.
    Unregistered(History),
    /// May sign in.
    Enabled {
        /// The version of the stream that set the password.
        password: Version,
        /// What happened so far.
        history: History,
    },
    /// May not sign in until it is enabled again.
    Disabled {
        /// The version of the stream that set the password.
        password: Version,
        /// What happened so far.
        history: History,
    },
}

/// What an account remembers in every stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// The newest cuts of this stream.
    pub cuts: Cuts,
    /// Rejected passwords since the last accepted or changed one.
    pub rejected_in_a_row: u32,
    /// When the newest PasswordAccepted was recorded.
    pub last_accepted_at: Option<OffsetDateTime>,
}

impl Account {
    /// What happened so far.
    pub fn history(&self) -> History {
        match self {
            Self::Unregistered(history) | Self::Enabled { history, .. } | Self::Disabled { history, .. } => {
                *history
            }
        }
    }

    /// The version that set the password; 0 for an account that has none.
    pub fn password(&self) -> Version {
        match self {
            Self::Unregistered(_) => Version(0),
            Self::Enabled { password, .. } | Self::Disabled { password, .. } => *password,
        }
    }

    fn remembering(self, history: History) -> Self {
        match self {
            Self::Unregistered(_) => Self::Unregistered(history),
            Self::Enabled { password, .. } => Self::Enabled { password, history },
            Self::Disabled { password, .. } => Self::Disabled { password, history },
        }
    }

    fn registered(self, password: Version) -> Self {
        match self {
            Self::Unregistered(history) | Self::Enabled { history, .. } => {
                Self::Enabled { password, history }
            }
            Self::Disabled { history, .. } => Self::Disabled { password, history },
        }
    }

    fn with_password(self, password: Version) -> Self {
        match self {
            Self::Unregistered(history) => Self::Unregistered(history),
            Self::Enabled { history, .. } => Self::Enabled { password, history },
            Self::Disabled { history, .. } => Self::Disabled { password, history },
        }
    }

    fn disabled(self) -> Self {
        match self {
            Self::Unregistered(history) => Self::Unregistered(history),
            Self::Enabled { password, history } | Self::Disabled { password, history } => {
                Self::Disabled { password, history }
            }
        }
    }

    fn enabled(self) -> Self {
        match self {
            Self::Unregistered(history) => Self::Unregistered(history),
            Self::Enabled { password, history } | Self::Disabled { password, history } => {
                Self::Enabled { password, history }
            }
        }
    }
}

impl History {
    fn after(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        let cuts = self.cuts.after_account(event, recorded.position);
        match event {
            AccountEvent::PasswordAccepted(_) => Self {
                cuts,
                rejected_in_a_row: 0,
                last_accepted_at: Some(recorded.recorded_at),
            },
            AccountEvent::PasswordRejected(_) => Self {
                cuts,
                rejected_in_a_row: self.rejected_in_a_row.saturating_add(1),
                ..self
            },
            AccountEvent::PasswordChanged(_) => Self {
                cuts,
                rejected_in_a_row: 0,
                ..self
            },
            AccountEvent::AccountRegistered(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::PasswordResetRequested(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::AccountEnabled(_) => Self { cuts, ..self },
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::Unregistered(History::default())
    }
}

impl Fold for Account {
    type Event = AccountEvent;
    // Also what `sekisho_evidence::AccountCuts` reads from the same bytes.
    const VERSION: u32 = ACCOUNT_FOLD;

    fn evolve(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        let now = self.remembering(self.history().after(event, recorded));
        match event {
            AccountEvent::AccountRegistered(_) => now.registered(recorded.version),
            AccountEvent::PasswordChanged(_) => now.with_password(recorded.version),
            AccountEvent::AccountDisabled(_) => now.disabled(),
            AccountEvent::AccountEnabled(_) => now.enabled(),
            AccountEvent::PasswordAccepted(_)
            | AccountEvent::PasswordRejected(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::PasswordResetRequested(_)
            | AccountEvent::EmailChanged(_) => now,
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let state = AccountState::decode(bytes).ok()?;
        let history = History {
            cuts: Cuts {
                all: Position(state.newest_cut),
                flows: Position(state.newest_flow_cut),
            },
            rejected_in_a_row: state.rejected_in_a_row,
            last_accepted_at: state.last_accepted_at.as_ref().and_then(from_timestamp),
        };
        let password = Version(state.password_version);
        match Stage::try_from(state.stage).ok()? {
            Stage::Unspecified => Some(Self::Unregistered(history)),
            Stage::Enabled => Some(Self::Enabled { password, history }),
            Stage::Disabled => Some(Self::Disabled { password, history }),
        }
    }
}

impl Carry for Account {
    fn carry(&self) -> Vec<u8> {
        let stage = match self {
            Self::Unregistered(_) => Stage::Unspecified,
            Self::Enabled { .. } => Stage::Enabled,
            Self::Disabled { .. } => Stage::Disabled,
        };
        let history = self.history();
        AccountState {
            stage: stage.into(),
            password_version: self.password().0,
            newest_cut: history.cuts.all.0,
            newest_flow_cut: history.cuts.flows.0,
            rejected_in_a_row: history.rejected_in_a_row,
            last_accepted_at: history.last_accepted_at.map(to_timestamp),
        }
        .encode_to_vec()
    }
}
