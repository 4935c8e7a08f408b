//! Refusals with a stable reason.
//!
//! A reason (`OTP_CODE_EXPIRED`) is what callers act on and what `docs/errors` explains; it travels as
//! `google.rpc.ErrorInfo`. The message is for people who read logs and never says anything internal.

use std::collections::HashMap;

use sekisho_proto::refusal::{Class, Refuse};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The `domain` of every `ErrorInfo` of this system.
pub const DOMAIN: &str = "sekisho";
/// In the metadata of an `ErrorInfo`: the replica has done nothing that a repetition would change, so another one may have
/// the request.
const ELSEWHERE: &str = "elsewhere";

/// A status with a reason in upper snake case.
pub fn refuse(code: Code, reason: &'static str, message: impl Into<String>) -> Status {
    with_metadata(code, reason, message, HashMap::new())
}

fn with_metadata(
    code: Code,
    reason: &'static str,
    message: impl Into<String>,
    metadata: HashMap<String, String>,
) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}

/// A refusal of a replica that leaves the request to another.
fn elsewhere(reason: &'static str, message: impl Into<String>) -> Status {
    let metadata = HashMap::from([(ELSEWHERE.to_owned(), true.to_string())]);
    with_metadata(Class::Elsewhere.code(), reason, message, metadata)
}

/// A field of a request does not have the length that its contract says: a mistake of the calling program.
pub fn malformed(field: &'static str, bytes: usize) -> Status {
    let message = format!("{field} is not {bytes} bytes");
    refuse(Code::InvalidArgument, "REQUEST_MALFORMED", message)
}

/// This replica is not ready yet and has done nothing: another one may have the request.
pub fn not_ready() -> Status {
    elsewhere("NOT_READY", "not ready yet")
}

/// Whether the replica leaves the request to another.
pub(crate) fn is_for_another(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_some_and(|info| info.domain == DOMAIN && info.metadata.contains_key(ELSEWHERE))
}

/// What the caller hears of an error, and the log's line about it. A mistake of ours is told to the log alone.
pub fn status(error: &(impl Refuse + 'static)) -> Status {
    let (class, reason) = (error.class(), error.reason());
    match class {
        Class::Fault => tracing::error!(reason, error = crate::chain(error), "not answered"),
        Class::Busy | Class::Unavailable | Class::Elsewhere => {
            tracing::warn!(reason, error = crate::chain(error), "not answered");
        }
        Class::Malformed
        | Class::Denied
        | Class::SignedOut
        | Class::NotFound
        | Class::Exists
        | Class::Precondition => tracing::debug!(reason, "refused"),
    }
    let message = match class {
        Class::Fault => "an internal error".to_owned(),
        _ => error.to_string(),
    };
    match class {
        Class::Elsewhere => elsewhere(reason, message),
        _ => refuse(class.code(), reason, message),
    }
}

/// The reason that a status of this system carries; none for statuses of libraries and of other systems.
pub fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == DOMAIN).then_some(info.reason)
}

/// The canonical name of a code (`NOT_FOUND`), as the semantic conventions write it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_survives_the_wire() {
        let sent = refuse(
            Code::FailedPrecondition,
            "OTP_CODE_EXPIRED",
            "the code has expired",
        );
        let response = sent.into_http::<tonic::body::Body>();
        let received = Status::from_header_map(response.headers()).unwrap();
        assert_eq!(reason(&received).as_deref(), Some("OTP_CODE_EXPIRED"));
        assert_eq!(received.code(), Code::FailedPrecondition);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("a canary")]
    struct Refused(Class);

    impl Refuse for Refused {
        fn class(&self) -> Class {
            self.0
        }

        fn reason(&self) -> &'static str {
            "OTP_CODE_EXPIRED"
        }
    }

    #[test]
    fn a_caller_hears_the_class_and_the_reason_of_a_refusal() {
        let told = status(&Refused(Class::Precondition));
        assert_eq!(
            (told.code(), told.message()),
            (Code::FailedPrecondition, "a canary")
        );
        assert_eq!(reason(&told).as_deref(), Some("OTP_CODE_EXPIRED"));
    }

    #[test]
    fn our_own_mistakes_stay_inside() {
        let told = status(&Refused(Class::Fault));
        assert_eq!(told.code(), Code::Internal);
        assert!(!told.message().contains("canary"));
        assert_eq!(reason(&told).as_deref(), Some("OTP_CODE_EXPIRED"));
    }

    #[test]
    fn a_status_without_details_has_no_reason() {
        assert_eq!(reason(&Status::internal("x")), None);
    }

    #[test]
    fn a_reason_of_another_system_is_not_ours() {
        let details = ErrorDetails::with_error_info("OTP_CODE_EXPIRED", "another.example", HashMap::new());
        let status = Status::with_error_details(Code::Internal, "x", details);
        assert_eq!(reason(&status), None);
    }

    #[test]
    fn only_this_system_leaves_a_call_to_another_replica() {
        let of = |domain| {
            let metadata = HashMap::from([(ELSEWHERE.to_owned(), String::new())]);
            let details = ErrorDetails::with_error_info("NOT_READY", domain, metadata);
            Status::with_error_details(Code::Unavailable, "x", details)
        };
        assert!(is_for_another(&of(DOMAIN)));
        assert!(!is_for_another(&of("another.example")));
        assert!(!is_for_another(&refuse(
            Code::Unavailable,
            "LOG_UNAVAILABLE",
            "x"
        )));
    }
}
