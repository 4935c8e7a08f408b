//! One table: what each failure is on the wire.

use sekisho_evidence::Refusal;
use sekisho_service::refusal::refuse;
use tonic::{Code, Status};

use crate::app::Failure;

impl Failure {
    /// The stable reason; each has a page in `docs/errors`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Flow(refusal) => refusal.reason(),
            Self::Over(why) => why.reason(),
            Self::Unknown => "SESSION_UNKNOWN",
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::Unconfirmed => "SESSION_UNCONFIRMED",
            Self::Unavailable => "LOG_UNAVAILABLE",
            Self::Busy => "LOG_BUSY",
            Self::Internal => "INTERNAL",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::Flow(Refusal::Unknown) | Self::AccountUnknown => Code::NotFound,
            Self::Flow(Refusal::SecretWrong) => Code::PermissionDenied,
            Self::Flow(
                Refusal::Mixed
                | Refusal::Cancelled
                | Refusal::Used
                | Refusal::Missing
                | Refusal::Old
                | Refusal::Cut,
            ) => Code::FailedPrecondition,
            Self::Over(_) | Self::Unknown => Code::Unauthenticated,
            Self::Unconfirmed | Self::Unavailable => Code::Unavailable,
            Self::Busy => Code::ResourceExhausted,
            Self::Internal => Code::Internal,
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        refuse(failure.code(), failure.reason(), failure.to_string())
    }
}
