//! What each refusal is on the wire.

use sekisho_service::refusal;
use tonic::Status;

use crate::app::Refused;

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        refusal::status(&refused)
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
        let cases: [(Refused, Code, &str); 6] = [
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
                Refused::Log(LogFault::Unavailable),
                Code::Unavailable,
                "LOG_UNAVAILABLE",
            ),
        ];
        for (refused, code, reason) in cases {
            let status = Status::from(refused);
            assert_eq!(status.code(), code);
            assert_eq!(refusal::reason(&status).as_deref(), Some(reason));
        }
    }
}
