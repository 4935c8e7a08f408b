//! The state of an account, folded from its stream.

use sekisho_eventlog::{Fold, Recorded, Version};
use sekisho_evidence::{ACCOUNT_FOLD, Cuts};
use sekisho_proto::credentials::v1::{PasswordAccepted, PasswordRejected};
use sekisho_proto::events::AccountEvent;
use time::OffsetDateTime;

use super::carried;
use super::command::Comparison;
use super::devices::{Device, Devices};
use super::lockout::{Consequence, Failures};

/// An account, or the phantom of a login id that nobody has: the same stream, never registered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Whether anybody may sign in.
    pub stage: Stage,
    /// What happened so far.
    pub history: History,
}

/// Whether anybody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nobody has the account.
    #[default]
    Unregistered,
    /// Its owner may.
    Enabled {
        /// With this password.
        password: Password,
    },
    /// Nobody may until it is enabled again.
    Disabled {
        /// The password of then.
        password: Password,
    },
    /// Nobody is known who might.
    Erased,
}

/// What is known of an account's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Password {
    /// The version of the stream that set it; 0 for a phantom, which has none.
    pub set_by: Version,
    /// When it was distributed; `None` for one that its owner has chosen.
    pub initial_since: Option<OffsetDateTime>,
    /// An administrator has declared it used up.
    pub expired: bool,
}

/// What an account remembers in every stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The newest cuts of this stream.
    pub cuts: Cuts,
    /// Wrong passwords in browsers that are not known, all together.
    pub elsewhere: Failures,
    /// The known browsers, with their own.
    pub devices: Devices,
    /// When the newest PasswordAccepted was recorded.
    pub last_accepted_at: Option<OffsetDateTime>,
    /// When the newest SignInRefused was recorded.
    pub last_refused_at: Option<OffsetDateTime>,
}

impl Account {
    /// The password; that of version 0 for an account that has none.
    pub fn password(&self) -> Password {
        match self.stage {
            Stage::Unregistered | Stage::Erased => Password::default(),
            Stage::Enabled { password } | Stage::Disabled { password } => password,
        }
    }

    /// Whether nothing may be told of a password that was typed in that browser.
    pub fn is_locked(&self, now: OffsetDateTime, comparison: &Comparison) -> bool {
        let known = self.known_device(comparison.device, comparison.cuts);
        self.history.failures(known).are_locked(now)
    }

    /// The browser, if the account knows it and no cut has ended that; `cuts` are those of other streams.
    pub fn known_device(&self, device: Option<Device>, cuts: Cuts) -> Option<Device> {
        let cuts = self.history.cuts.and(cuts);
        device.filter(|device| self.history.devices.known(*device, cuts).is_some())
    }
}

impl Stage {
    fn after(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        match event {
            AccountEvent::AccountRegistered(registered) => Self::Enabled {
                password: Password {
                    set_by: recorded.version,
                    initial_since: registered.password_is_initial.then_some(recorded.recorded_at),
                    expired: false,
                },
            },
            AccountEvent::PasswordChanged(_) => self.with_password(|_| Password {
                set_by: recorded.version,
                initial_since: None,
                expired: false,
            }),
            AccountEvent::PasswordExpired(_) => self.with_password(|password| Password {
                expired: true,
                ..password
            }),
            AccountEvent::AccountErased(_) => Self::Erased,
            AccountEvent::AccountDisabled(_) => match self {
                Self::Unregistered | Self::Erased => self,
                Self::Enabled { password } | Self::Disabled { password } => Self::Disabled { password },
            },
            AccountEvent::AccountEnabled(_) => match self {
                Self::Unregistered | Self::Erased => self,
                Self::Enabled { password } | Self::Disabled { password } => Self::Enabled { password },
            },
            AccountEvent::PasswordAccepted(_)
            | AccountEvent::PasswordRejected(_)
            | AccountEvent::SignInRefused(_)
            | AccountEvent::PasswordResetRequested(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountUnlocked(_) => self,
        }
    }

    fn with_password(self, change: impl FnOnce(Password) -> Password) -> Self {
        match self {
            Self::Unregistered | Self::Erased => self,
            Self::Enabled { password } => Self::Enabled {
                password: change(password),
            },
            Self::Disabled { password } => Self::Disabled {
                password: change(password),
            },
        }
    }
}

impl History {
    /// The wrong passwords that count for a browser: its own if it is known, else those of all unknown ones.
    pub fn failures(&self, known: Option<Device>) -> Failures {
        let known = known.and_then(|device| self.devices.get(device));
        known.map_or(self.elsewhere, |known| known.failures)
    }

    fn after(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        let cuts = self.cuts.after_account(event, recorded.position);
        let now = Self { cuts, ..self };
        match event {
            AccountEvent::PasswordAccepted(accepted) => now.accepted(accepted, recorded),
            AccountEvent::PasswordRejected(rejected) => now.rejected(rejected, recorded.recorded_at),
            AccountEvent::PasswordChanged(changed) => Self {
                elsewhere: Failures::default(),
                devices: Device::read(&changed.device).map_or_else(Devices::default, |device| {
                    Devices::default().with(device, recorded.position)
                }),
                ..now
            },
            AccountEvent::AccountUnlocked(_) => Self {
                elsewhere: now.elsewhere.unlocked(),
                devices: now.devices.all_changed(Failures::unlocked),
                ..now
            },
            AccountEvent::SignInRefused(_) => Self {
                last_refused_at: Some(recorded.recorded_at),
                ..now
            },
            AccountEvent::AccountRegistered(_)
            | AccountEvent::PasswordResetRequested(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::AccountEnabled(_)
            | AccountEvent::PasswordExpired(_)
            | AccountEvent::AccountErased(_) => now,
        }
    }

    fn accepted(self, accepted: &PasswordAccepted, recorded: &Recorded) -> Self {
        Self {
            elsewhere: if accepted.device_known {
                self.elsewhere
            } else {
                Failures::default()
            },
            devices: match Device::read(&accepted.device) {
                Some(device) => self.devices.with(device, recorded.position),
                None => self.devices,
            },
            last_accepted_at: Some(recorded.recorded_at),
            ..self
        }
    }

    fn rejected(self, rejected: &PasswordRejected, at: OffsetDateTime) -> Self {
        let consequence = consequence(rejected);
        match Device::read(&rejected.device) {
            Some(device) => Self {
                devices: self
                    .devices
                    .changed(device, |failures| failures.after(consequence, at)),
                ..self
            },
            None => Self {
                elsewhere: self.elsewhere.after(consequence, at),
                ..self
            },
        }
    }
}

/// As the event says it: whoever folds it need not know the limits of then.
fn consequence(rejected: &PasswordRejected) -> Consequence {
    let lock = rejected.lock.and_then(|lock| lock.try_into().ok());
    match (rejected.repeated, rejected.closes, lock) {
        (true, ..) => Consequence::Repeats,
        (false, true, _) => Consequence::Closes,
        (false, false, Some(period)) => Consequence::Locks(period),
        (false, false, None) => Consequence::Counts,
    }
}

impl Fold for Account {
    type Event = AccountEvent;
    // Also what `sekisho_evidence::AccountCuts` reads from the same bytes.
    const VERSION: u32 = ACCOUNT_FOLD;

    fn evolve(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        Self {
            stage: self.stage.after(event, recorded),
            history: self.history.after(event, recorded),
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        carried::read(bytes)
    }
}
