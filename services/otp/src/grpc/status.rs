//! What each refusal is on the wire.

use sekisho_service::refusal;
use tonic::Status;

use crate::app::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        refusal::status(&error)
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::LogFault;
    use sekisho_evidence::Refusal;
    use tonic::Code;

    use super::*;
    use crate::code::Malformed;
    use crate::domain::Rejection;

    #[test]
    fn every_refusal_carries_its_reason() {
        let cases: [(Error, Code, &str); 6] = [
            (Refusal::Unknown.into(), Code::NotFound, "FLOW_UNKNOWN"),
            (
                Refusal::SecretWrong.into(),
                Code::PermissionDenied,
                "FLOW_SECRET_WRONG",
            ),
            (
                Rejection::Expired.into(),
                Code::FailedPrecondition,
                "OTP_CODE_EXPIRED",
            ),
            (
                Rejection::Spent.into(),
                Code::FailedPrecondition,
                "OTP_CODE_SPENT",
            ),
            (Malformed.into(), Code::InvalidArgument, "OTP_CODE_MALFORMED"),
            (
                Error::Log(LogFault::Unavailable),
                Code::Unavailable,
                "LOG_UNAVAILABLE",
            ),
        ];
        for (error, code, reason) in cases {
            let status = Status::from(error);
            assert_eq!(status.code(), code);
            assert_eq!(refusal::reason(&status).as_deref(), Some(reason));
        }
    }
}
