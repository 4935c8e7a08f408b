//! One table: why a use case has no result → gRPC code and log level. The reason travels as `google.rpc.ErrorInfo`.

use sekisho_evidence::Refusal;
use sekisho_service::{chain, refusal};
use tonic::{Code, Status};

use crate::app::Refused;
use crate::domain::Rejection;

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let reason = refused.reason();
        match &refused {
            Refused::KeyMissing(_) | Refused::Mismatch(_) => {
                tracing::error!(reason, error = chain(&refused), "not answered");
            }
            Refused::Busy | Refused::Unavailable => tracing::warn!(reason, "not answered"),
            Refused::Flow(_) | Refused::Code(_) | Refused::Malformed(_) => tracing::debug!(reason, "refused"),
        }
        refusal::refuse(code(&refused), reason, message(&refused))
    }
}

fn code(refused: &Refused) -> Code {
    match refused {
        Refused::Flow(refusal) => match refusal {
            Refusal::Unknown => Code::NotFound,
            Refusal::SecretWrong => Code::PermissionDenied,
            Refusal::Mixed
            | Refusal::Cancelled
            | Refusal::Used
            | Refusal::Missing
            | Refusal::Old
            | Refusal::Cut => Code::FailedPrecondition,
        },
        Refused::Code(rejection) => match rejection {
            Rejection::Cancelled | Rejection::NoLiveCode | Rejection::Expired | Rejection::Spent => {
                Code::FailedPrecondition
            }
            Rejection::VerdictStale | Rejection::NotOwed | Rejection::Held => Code::Aborted,
        },
        Refused::Malformed(_) => Code::InvalidArgument,
        Refused::Busy => Code::ResourceExhausted,
        // Another replica may have the key already.
        Refused::KeyMissing(_) | Refused::Unavailable => Code::Unavailable,
        Refused::Mismatch(_) => Code::Internal,
    }
}

fn message(refused: &Refused) -> String {
    match refused {
        Refused::Flow(refusal) => refusal.to_string(),
        Refused::Code(rejection) => rejection.to_string(),
        Refused::Malformed(malformed) => malformed.to_string(),
        Refused::Busy | Refused::Unavailable => refused.to_string(),
        Refused::KeyMissing(_) | Refused::Mismatch(_) => "an internal error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Malformed;

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
            (Refused::Unavailable, Code::Unavailable, "LOG_UNAVAILABLE"),
        ];
        for (refused, code, reason) in cases {
            let status = Status::from(refused);
            assert_eq!(status.code(), code);
            assert_eq!(refusal::reason(&status).as_deref(), Some(reason));
        }
    }
}
