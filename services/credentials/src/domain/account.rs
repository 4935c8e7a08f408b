//! The state of an account, folded from its stream.

use sekisho_eventlog::{FlowId, Fold, Position, Recorded, Version};
use sekisho_evidence::{ACCOUNT_FOLD, Cuts, pardons};
use sekisho_proto::credentials::v1::{
    PasswordAccepted, PasswordRejected, PasswordResetRequested, SealedClient,
    federated_identity_rejected::Reason as Unopened,
};
use sekisho_proto::events::AccountEvent;
use time::{Duration, OffsetDateTime};

use super::carried;
use super::client::ClientTag;
use super::command::{Comparison, Vouched};
use super::devices::{Device, Devices};
use super::identity::Identity;
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
    /// The newest event that forgives wrong codes.
    pub pardon: Position,
    /// Wrong passwords in browsers that are not known, all together.
    pub unknown_browsers: Failures,
    /// The known browsers, with their own.
    pub devices: Devices,
    /// Which person at the provider opens it, and no password does.
    pub linked: Option<Identity>,
    /// When the newest PasswordAccepted or FederatedIdentityAccepted was recorded.
    pub last_accepted_at: Option<OffsetDateTime>,
    /// When the newest SignInRefused or FederatedIdentityRejected was recorded.
    pub last_refused_at: Option<OffsetDateTime>,
    /// The newest PasswordResetRequested.
    pub last_reset: Option<LastReset>,
}

/// A request to set a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastReset {
    /// SHA-256 of the secret of its flow.
    pub secret_digest: [u8; 32],
    /// The flow.
    pub flow: FlowId,
    /// Where it was asked for.
    pub client: Option<ClientTag>,
    /// When.
    pub at: OffsetDateTime,
}

/// A form that comes again within this time, from the same address, is a double click. Longer than the gateway waits for an answer; not
/// much, for whoever left the form open in the browser of somebody else could send it, too, and be in the flow with them.
const DOUBLE_CLICK: Duration = Duration::seconds(3);

impl Account {
    /// The password; that of version 0 for an account that has none.
    pub fn password(&self) -> Password {
        match self.stage {
            Stage::Unregistered | Stage::Erased => Password::default(),
            Stage::Enabled { password } | Stage::Disabled { password } => password,
        }
    }

    /// Whether a person at the provider opens it, and no password does.
    pub fn is_linked(&self) -> bool {
        self.history.linked.is_some()
    }

    /// Why a person whom the provider vouches for is not let in; `None` if they are. Who came without a second factor learns nothing
    /// of an account.
    pub fn why_not(&self, vouched: &Vouched) -> Option<Unopened> {
        match self.stage {
            _ if !vouched.has_second_factor => Some(Unopened::FactorMissing),
            Stage::Unregistered | Stage::Erased => Some(Unopened::NoAccount),
            Stage::Disabled { .. } => Some(Unopened::Disabled),
            Stage::Enabled { .. } => None,
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
            AccountEvent::AccountRegistered(registered) => {
                let password = Password {
                    set_by: recorded.version,
                    initial_since: registered.password_is_initial.then_some(recorded.recorded_at),
                    expired: false,
                };
                if registered.disabled {
                    Self::Disabled { password }
                } else {
                    Self::Enabled { password }
                }
            }
            AccountEvent::PasswordChanged(_) => self.with_password(|_| Password {
                set_by: recorded.version,
                initial_since: None,
                expired: false,
            }),
            AccountEvent::PasswordExpired(_) => self.with_used_up_password(),
            // It is from before the link, and whoever knows it need not be who has the account now.
            AccountEvent::FederatedIdentityLinked(linked) if linked.removed => self.with_used_up_password(),
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
            | AccountEvent::AccountUnlocked(_)
            | AccountEvent::FederatedIdentityLinked(_)
            | AccountEvent::FederatedIdentityAccepted(_)
            | AccountEvent::FederatedIdentityRejected(_) => self,
        }
    }

    fn with_used_up_password(self) -> Self {
        self.with_password(|password| Password {
            expired: true,
            ..password
        })
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
        known.map_or(self.unknown_browsers, |known| known.failures)
    }

    /// The flow of the same form a moment ago: its secret is derived from the form.
    pub fn repeated_reset(
        &self,
        secret_digest: &[u8; 32],
        client: &SealedClient,
        now: OffsetDateTime,
    ) -> Option<FlowId> {
        let last = self.last_reset?;
        let is_the_same =
            last.secret_digest == *secret_digest && last.client == ClientTag::read(&client.address_tag);
        (is_the_same && now < last.at + DOUBLE_CLICK).then_some(last.flow)
    }

    fn after(self, event: &AccountEvent, recorded: &Recorded) -> Self {
        let cuts = self.cuts.after_account(event, recorded.position);
        let pardon = if pardons(event) {
            recorded.position
        } else {
            self.pardon
        };
        let now = Self { cuts, pardon, ..self };
        match event {
            AccountEvent::PasswordAccepted(accepted) => now.accepted(accepted, recorded),
            AccountEvent::PasswordRejected(rejected) => now.rejected(rejected, recorded.recorded_at),
            AccountEvent::PasswordChanged(changed) => Self {
                unknown_browsers: Failures::default(),
                devices: Device::read(&changed.device).map_or_else(Devices::default, |device| {
                    Devices::default().with(device, recorded.position)
                }),
                ..now
            },
            AccountEvent::AccountUnlocked(_) => Self {
                unknown_browsers: now.unknown_browsers.unlocked(),
                devices: now.devices.all_changed(Failures::unlocked),
                ..now
            },
            AccountEvent::SignInRefused(_) | AccountEvent::FederatedIdentityRejected(_) => Self {
                last_refused_at: Some(recorded.recorded_at),
                ..now
            },
            AccountEvent::FederatedIdentityLinked(linked) => Self {
                linked: Identity::read(&linked.identity),
                ..now
            },
            AccountEvent::FederatedIdentityAccepted(_) => Self {
                last_accepted_at: Some(recorded.recorded_at),
                ..now
            },
            AccountEvent::PasswordResetRequested(request) => Self {
                last_reset: last_reset(request, recorded),
                ..now
            },
            AccountEvent::AccountRegistered(_)
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
            unknown_browsers: if accepted.device_known {
                self.unknown_browsers
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
                unknown_browsers: self.unknown_browsers.after(consequence, at),
                ..self
            },
        }
    }
}

fn last_reset(request: &PasswordResetRequested, recorded: &Recorded) -> Option<LastReset> {
    Some(LastReset {
        secret_digest: request.secret_digest.as_slice().try_into().ok()?,
        flow: recorded.flow?,
        client: ClientTag::read(&request.client.as_ref()?.address_tag),
        at: recorded.recorded_at,
    })
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
