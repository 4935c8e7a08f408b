//! What may be asked of an account.

use sekisho_eventlog::{Position, Version};
use sekisho_evidence::Refusal;
use sekisho_proto::credentials::v1::SealedClient;
use time::OffsetDateTime;

/// A command with everything that was gathered for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Makes the account.
    Register {
        /// The facility's public code.
        facility_code: String,
    },
    /// Records what came of a typed password.
    VerifyPassword {
        /// What the comparison said.
        verdict: Verdict,
        /// SHA-256 of the secret of the flow that acceptance mints; `None` mints nothing, because the account has no
        /// address for a code.
        mints: Option<[u8; 32]>,
        /// The browser's side, sealed.
        client: SealedClient,
    },
    /// Mints a flow for a new password.
    RequestReset {
        /// SHA-256 of the flow's secret.
        secret_digest: [u8; 32],
        /// The browser's side, sealed.
        client: SealedClient,
    },
    /// Records a new password.
    SetPassword {
        /// Positions of PasswordResetRequested and of CodeAccepted.
        evidence: [Position; 2],
        /// When that evidence is too old.
        not_after: OffsetDateTime,
    },
    /// Ends everything that was opened and forbids to sign in.
    Disable,
    /// Allows to sign in again.
    Enable,
}

/// What a slow comparison said, and about which password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the typed password was right.
    pub right: bool,
    /// The version that set the password it was compared with; 0 for a phantom.
    pub against: Version,
}

/// Why a command has no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The password was set anew after the comparison began: compare again.
    #[error("the verdict is about an older password")]
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
