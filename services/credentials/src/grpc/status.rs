//! One table: what each error is on the wire.

use sekisho_evidence::Refusal;
use sekisho_service::refusal::refuse;
use tonic::{Code, Status};

use crate::app::Error;
use crate::domain::{LengthError, ProfileError};

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let (code, reason) = class(&error);
        let Some(reason) = reason else {
            tracing::error!(%error, "a call was not answered");
            return Self::new(code, "an internal error");
        };
        refuse(code, reason, error.to_string())
    }
}

/// Code and reason; no reason for what is our own mistake.
fn class(error: &Error) -> (Code, Option<&'static str>) {
    let (code, reason) = match error {
        Error::Flow(refusal) => (flow(*refusal), refusal.reason()),
        Error::CodeNotLive => (Code::FailedPrecondition, "CODE_NOT_LIVE"),
        Error::Password(LengthError::TooShort) => (Code::InvalidArgument, "PASSWORD_TOO_SHORT"),
        Error::Password(LengthError::TooLong) => (Code::InvalidArgument, "PASSWORD_TOO_LONG"),
        Error::LoginId => (Code::InvalidArgument, "LOGIN_ID_INVALID"),
        Error::Profile(ProfileError::FacilityCode) => (Code::InvalidArgument, "FACILITY_CODE_INVALID"),
        Error::Profile(ProfileError::Facility) => (Code::InvalidArgument, "FACILITY_INVALID"),
        Error::Profile(ProfileError::Name) => (Code::InvalidArgument, "NAME_INVALID"),
        Error::Profile(ProfileError::Address) => (Code::InvalidArgument, "ADDRESS_INVALID"),
        Error::PasswordHash(_) => (Code::InvalidArgument, "PASSWORD_HASH_INVALID"),
        Error::AccountExists => (Code::AlreadyExists, "ACCOUNT_EXISTS"),
        Error::AccountUnknown => (Code::NotFound, "ACCOUNT_UNKNOWN"),
        Error::AccountDisabled => (Code::FailedPrecondition, "ACCOUNT_DISABLED"),
        Error::HashingBusy => (Code::ResourceExhausted, "CREDENTIALS_BUSY"),
        Error::LogBusy => (Code::ResourceExhausted, "LOG_BUSY"),
        Error::Unavailable => (Code::Unavailable, "LOG_UNAVAILABLE"),
        Error::Behind => (Code::Unavailable, "LOG_BEHIND"),
        Error::Broken(_) => return (Code::Internal, None),
    };
    (code, Some(reason))
}

fn flow(refusal: Refusal) -> Code {
    match refusal {
        Refusal::Unknown => Code::NotFound,
        Refusal::SecretWrong => Code::PermissionDenied,
        Refusal::Mixed
        | Refusal::Cancelled
        | Refusal::Used
        | Refusal::Missing
        | Refusal::Old
        | Refusal::Cut => Code::FailedPrecondition,
    }
}

#[cfg(test)]
mod tests {
    use sekisho_service::refusal;

    use super::*;

    #[test]
    fn a_refusal_carries_its_reason() {
        let status = Status::from(Error::Flow(Refusal::Cut));
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(refusal::reason(&status).as_deref(), Some("EVIDENCE_CUT"));
    }

    #[test]
    fn our_own_mistakes_stay_inside() {
        let status = Status::from(Error::Broken("a canary"));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("canary"));
        assert_eq!(refusal::reason(&status), None);
    }
}
