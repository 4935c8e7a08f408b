//! Why a call has no answer.

use sekisho_eventlog::{DecideError, LogFault, ReadError};
use sekisho_evidence::Refusal;
use sekisho_proto::EventError;
use sekisho_proto::refusal::{Class, Refuse};

use crate::domain::{DeclarationError, Missing, PasswordError, ProfileError, Rejection};
use crate::hashing::{PepperError, PhcError, PoolError};
use crate::sealing::{DayKeyError, SealError};
use crate::store::StoreError;

/// A call that is refused, or that something kept from its answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The gate stays shut.
    #[error(transparent)]
    Flow(Refusal),
    /// No code is on its way, or it is dead, or the event owes no notice.
    #[error("nothing owes a mail at this position")]
    MailNotOwed,
    /// A new password that may not be set.
    #[error("the password may not be set")]
    Password(#[source] PasswordError),
    /// A login id that no account can have.
    #[error("the login id cannot be used")]
    LoginId,
    /// A profile that cannot be used.
    #[error("the profile cannot be used")]
    Profile(#[source] ProfileError),
    /// A row of a list that cannot be followed.
    #[error("the row cannot be followed")]
    Declaration(#[source] DeclarationError),
    /// A second row about the same account.
    #[error("another row is about the same login id")]
    LoginIdRepeated,
    /// More rows than one call takes.
    #[error("too many rows at once")]
    TooManyRows,
    /// A ready-made hash that cannot be used.
    #[error("the password hash cannot be used")]
    PasswordHash(#[source] PhcError),
    /// Somebody has the login id.
    #[error("the account exists")]
    AccountExists,
    /// Nobody has the login id.
    #[error("there is no such account")]
    AccountUnknown,
    /// No flow of late has this enquiry number.
    #[error("no flow of late has this enquiry number")]
    EnquiryUnknown,
    /// A text that is no enquiry number.
    #[error("this is no enquiry number")]
    EnquiryInvalid,
    /// The account is disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// A ready-made hash that takes longer than a denial.
    #[error("the hash costs more than a denial may take")]
    PasswordHashDear,
    /// A password is said to stand with the former system, and there is none.
    #[error("there is no former system that could be asked")]
    FormerSystemMissing,
    /// The former system said neither yes nor no: nothing was recorded.
    #[error("the former system did not say whether the password is right")]
    FormerSystem,
    /// No account can be linked with this text.
    #[error("this is no subject identifier")]
    SubjectInvalid,
    /// Somebody else's account is linked with this person.
    #[error("the person at the provider opens another account")]
    IdentityTaken,
    /// Nobody signs in with an account at a provider here, or not at this host.
    #[error("there is no provider here")]
    ProviderMissing,
    /// The provider cannot be asked for its addresses.
    #[error("the provider cannot be reached")]
    ProviderUnreachable,
    /// The hashing pool is full: nothing was compared or recorded.
    #[error("too many passwords wait to be hashed")]
    HashingBusy,
    /// Too many attempts from this address failed: nothing was done.
    #[error("too many attempts from this address failed")]
    Throttled,
    /// The log gave no answer, or the tables beside it.
    #[error(transparent)]
    Log(LogFault),
    /// The caller has seen a position that the log does not have.
    #[error("the log is behind the position that the caller has seen")]
    Behind,
    /// Our own mistake, or damaged data.
    #[error("{0}")]
    Broken(&'static str),
}

impl Refuse for Error {
    fn class(&self) -> Class {
        match self {
            Self::Flow(refusal) => refusal.class(),
            Self::Log(fault) => fault.class(),
            Self::Password(_)
            | Self::LoginId
            | Self::Profile(_)
            | Self::Declaration(_)
            | Self::LoginIdRepeated
            | Self::TooManyRows
            | Self::EnquiryInvalid
            | Self::PasswordHash(_)
            | Self::PasswordHashDear
            | Self::FormerSystemMissing
            | Self::SubjectInvalid => Class::Malformed,
            Self::MailNotOwed | Self::AccountDisabled | Self::ProviderMissing => Class::Precondition,
            Self::AccountExists | Self::IdentityTaken => Class::Exists,
            Self::AccountUnknown | Self::EnquiryUnknown => Class::NotFound,
            Self::HashingBusy | Self::Throttled => Class::Busy,
            Self::Behind | Self::FormerSystem | Self::ProviderUnreachable => Class::Unavailable,
            Self::Broken(_) => Class::Fault,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Flow(refusal) => refusal.reason(),
            Self::Log(fault) => fault.reason(),
            Self::Password(PasswordError::TooShort) => "PASSWORD_TOO_SHORT",
            Self::Password(PasswordError::TooLong) => "PASSWORD_TOO_LONG",
            Self::Password(PasswordError::Common) => "PASSWORD_COMMON",
            Self::Password(PasswordError::Contextual) => "PASSWORD_CONTEXTUAL",
            Self::Password(PasswordError::Unchanged) => "PASSWORD_UNCHANGED",
            Self::LoginId | Self::Declaration(DeclarationError::LoginId) => "LOGIN_ID_INVALID",
            Self::Profile(error) | Self::Declaration(DeclarationError::Profile(error)) => match error {
                ProfileError::FacilityCode => "FACILITY_CODE_INVALID",
                ProfileError::Facility => "FACILITY_INVALID",
                ProfileError::Name => "NAME_INVALID",
                ProfileError::Address => "ADDRESS_INVALID",
            },
            Self::Declaration(DeclarationError::Missing(missing)) => match missing {
                Missing::FacilityCode => "FACILITY_CODE_MISSING",
                Missing::Facility => "FACILITY_MISSING",
                Missing::Name => "NAME_MISSING",
            },
            Self::SubjectInvalid | Self::Declaration(DeclarationError::Subject) => "NCR_SUBJECT_INVALID",
            Self::IdentityTaken => "NCR_SUBJECT_TAKEN",
            Self::ProviderMissing => "PROVIDER_MISSING",
            Self::ProviderUnreachable => "PROVIDER_UNREACHABLE",
            Self::LoginIdRepeated => "LOGIN_ID_REPEATED",
            Self::TooManyRows => "TOO_MANY_ROWS",
            Self::PasswordHash(_) => "PASSWORD_HASH_INVALID",
            Self::PasswordHashDear => "PASSWORD_HASH_DEAR",
            Self::MailNotOwed => "MAIL_NOT_OWED",
            Self::AccountExists => "ACCOUNT_EXISTS",
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::EnquiryUnknown => "ENQUIRY_UNKNOWN",
            Self::EnquiryInvalid => "ENQUIRY_INVALID",
            Self::AccountDisabled => "ACCOUNT_DISABLED",
            Self::FormerSystem => "FORMER_SYSTEM_UNAVAILABLE",
            Self::FormerSystemMissing => "FORMER_SYSTEM_MISSING",
            Self::HashingBusy => "CREDENTIALS_BUSY",
            Self::Throttled => "CLIENT_THROTTLED",
            Self::Behind => "LOG_BEHIND",
            Self::Broken(_) => "INTERNAL",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Flow(refusal)
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            // The use case compares again; this is what is left when the password was set anew each time.
            Rejection::VerdictStale => Self::Log(LogFault::Unavailable),
            Rejection::Exists => Self::AccountExists,
            Rejection::Unknown => Self::AccountUnknown,
            Rejection::Disabled => Self::AccountDisabled,
            Rejection::Evidence(refusal) => Self::Flow(refusal),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Busy => Self::HashingBusy,
            PoolError::Failed => Self::Broken("a password could not be hashed"),
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Log(error.into())
    }
}

impl From<EventError> for Error {
    fn from(error: EventError) -> Self {
        Self::Log(error.into())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(source) => {
                tracing::warn!(%error, %source, "the tables did not answer");
                Self::Log(LogFault::Unavailable)
            }
            StoreError::Damaged => Self::Broken("a row of the tables cannot be used"),
        }
    }
}

impl From<DayKeyError> for Error {
    fn from(error: DayKeyError) -> Self {
        match error {
            DayKeyError::Store(error) => error.into(),
            DayKeyError::Seal(_) => {
                Self::Broken("today's day key does not open: is its master key still in the file?")
            }
        }
    }
}

impl From<SealError> for Error {
    fn from(_: SealError) -> Self {
        Self::Broken("a personal key does not open: is its master key still in the file?")
    }
}

impl From<PepperError> for Error {
    fn from(error: PepperError) -> Self {
        match error {
            PepperError::Missing => Self::Broken("the pepper of a password is not in the file"),
            PepperError::Damaged => Self::Broken("a password hash does not open: is the pepper another one?"),
        }
    }
}

impl<R: Into<Self>> From<DecideError<R>> for Error {
    fn from(error: DecideError<R>) -> Self {
        match error {
            DecideError::Rejected(rejection) => rejection.into(),
            // Only evidence has a moment after which it must not be recorded.
            DecideError::Expired => Self::Flow(Refusal::Old),
            DecideError::Log(fault) => Self::Log(fault),
        }
    }
}
