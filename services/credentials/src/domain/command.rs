//! What may be asked of an account.

use sekisho_eventlog::{Position, Version};
use sekisho_evidence::{Cuts, Refusal};
use sekisho_proto::credentials::v1::SealedClient;
use time::OffsetDateTime;

use super::{Device, Identity, InitialPasswords, Lockout};

/// A command with everything that was gathered for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Makes the account.
    Register {
        /// The facility's public code.
        facility_code: String,
        /// The password is distributed to its owner, who has not chosen it.
        password_is_initial: bool,
        /// Nobody may sign in yet.
        disabled: bool,
    },
    /// Records what came of a typed password.
    VerifyPassword(Comparison),
    /// Records what comes of a person whom the provider vouches for.
    AcceptIdentity(Vouched),
    /// Records which person at the provider opens the account from now on; `None` for nobody any more.
    LinkIdentity(Option<Identity>),
    /// Mints a flow for a new password.
    RequestReset {
        /// SHA-256 of the flow's secret.
        secret_digest: [u8; 32],
        /// The browser's side, sealed.
        client: SealedClient,
        /// The browser, if it keeps a device cookie.
        device: Option<Device>,
        /// The newest cuts in other streams than the account's own.
        cuts: Cuts,
    },
    /// Records a new password.
    SetPassword {
        /// Positions of PasswordResetRequested and of CodeAccepted.
        evidence: [Position; 2],
        /// When that evidence is too old.
        not_after: OffsetDateTime,
        /// The browser, known from then on.
        device: Option<Device>,
    },
    /// Ends everything that was opened and forbids to sign in.
    Disable,
    /// Allows to sign in again.
    Enable,
    /// Ends all locks but those that only a new password ends, and forgives wrong codes.
    Unlock,
    /// Records that codes go elsewhere.
    ChangeAddress,
    /// Records that the facility or the name is another one.
    ChangeProfile {
        /// The new facility's public code; empty if the person stays.
        facility_code: String,
    },
    /// Declares the password used up.
    ExpirePassword,
    /// Ends what is known of the person.
    Erase,
}

/// A typed password, and what was gathered about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What the comparison said.
    pub verdict: Verdict,
    /// SHA-256 of the secret of the flow that acceptance mints; `None` mints nothing, because the account has no address
    /// for a code.
    pub mints: Option<[u8; 32]>,
    /// The browser's side, sealed.
    pub client: SealedClient,
    /// The browser, if it keeps a device cookie.
    pub device: Option<Device>,
    /// The newest cuts in other streams than the account's own.
    pub cuts: Cuts,
    /// When failures lock.
    pub lockout: Lockout,
    /// What becomes of distributed passwords.
    pub initial_passwords: InitialPasswords,
}

/// A person whom the provider vouches for.
#[derive(Debug, Clone, PartialEq)]
pub struct Vouched {
    /// SHA-256 of the secret of the flow that acceptance mints.
    pub secret_digest: [u8; 32],
    /// The person, if one was found in the tables who opens the account.
    pub linked: Option<Identity>,
    /// The person signed in there with a second factor, not too long ago.
    pub has_second_factor: bool,
    /// When the person signed in there.
    pub authenticated_at: OffsetDateTime,
    /// The browser's side, sealed.
    pub client: SealedClient,
}

/// What a slow comparison said, and about which password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What the typed password was.
    pub finding: Finding,
    /// The version that set the password it was compared with; 0 for a phantom.
    pub against: Version,
}

/// What a typed password was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The account's.
    Right,
    /// Another one.
    Wrong,
    /// Another one, the same as a short while ago.
    WrongAgain,
}

/// Why a command has no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The password was set anew, or the account linked, after it was looked up: look again.
    #[error("the verdict is about an older state of the account")]
    VerdictStale,
    /// There is an account of this id.
    #[error("the account exists")]
    Exists,
    /// Nobody has registered.
    #[error("there is no such account")]
    Unknown,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The log does not hold what the gate asks for.
    #[error("the evidence is refused")]
    Evidence(#[source] Refusal),
}
