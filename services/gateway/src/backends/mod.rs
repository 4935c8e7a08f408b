//! The services behind the gateway: one function per call, with its deadline, and one table of refusals.

mod credentials;
mod federated;
mod otp;
mod reason;
mod sessions;

use std::time::Duration;

use sekisho_service::refusal;
use tonic::Status;
use tower::util::BoxCloneSyncService;

use sekisho_proto::credentials::v1::credentials_service_client::CredentialsServiceClient;
use sekisho_proto::otp::v1::otp_service_client::OtpServiceClient;
use sekisho_proto::sessions::v1::sessions_service_client::SessionsServiceClient;

pub use credentials::{Described, Known, NewPassword, Typed, Verdict};
pub use federated::{NotVouched, Question, Returned, Vouched};
pub use otp::CodeVerdict;
pub use reason::{Over, Reason, Unfit};
pub use sessions::{Ended, Happening, History, Left, OpenSession, Started};

use crate::refusal::{Place, Refusal, Trouble};

/// A connection to all replicas of one service.
pub type Transport =
    BoxCloneSyncService<http::Request<tonic::body::Body>, http::Response<tonic::body::Body>, Status>;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long a code may take: the call waits up to 3 s for the mail's fate.
const ISSUE_DEADLINE: Duration = Duration::from_millis(3_500);

/// The clients of the three services. Cloning is cheap.
#[derive(Clone)]
pub struct Backends {
    credentials: CredentialsServiceClient<Transport>,
    otp: OtpServiceClient<Transport>,
    sessions: SessionsServiceClient<Transport>,
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service refused, for a reason of the domain.
    Refused(Reason),
    /// The service did not answer, or with something that no page knows.
    Down {
        /// The method.
        call: &'static str,
        /// The gRPC status.
        code: tonic::Code,
        /// The reason, if it named one.
        reason: Option<String>,
    },
}

impl Backends {
    /// Clients over connections that are made lazily.
    pub fn new(credentials: Transport, otp: Transport, sessions: Transport) -> Self {
        Self {
            credentials: CredentialsServiceClient::new(credentials),
            otp: OtpServiceClient::new(otp),
            sessions: SessionsServiceClient::new(sessions),
        }
    }
}

impl Fault {
    /// What a status means to a page.
    fn from_status(call: &'static str, status: &Status) -> Self {
        let name = refusal::reason(status);
        match name.as_deref().and_then(Reason::read) {
            Some(reason) => Self::Refused(reason),
            None => Self::Down {
                call,
                code: status.code(),
                reason: name,
            },
        }
    }

    /// An answer that lacks what its contract promises.
    fn incomplete(call: &'static str) -> Self {
        Self::Down {
            call,
            code: tonic::Code::Internal,
            reason: Some("INCOMPLETE_ANSWER".into()),
        }
    }

    /// A service is ahead of the page.
    pub fn unknown_state(call: &'static str) -> Self {
        Self::Down {
            call,
            code: tonic::Code::Internal,
            reason: Some("UNKNOWN_STATE".into()),
        }
    }

    /// The error page for a fault that the handler has no better answer to.
    pub fn refusal(self, place: Place) -> Refusal {
        match self {
            Self::Refused(Reason::Busy) => Refusal::Busy(place),
            Self::Refused(Reason::Throttled) => Refusal::Throttled(place),
            Self::Refused(reason) => {
                let (code, reason) = (tonic::Code::Unknown, Some(format!("unexpected {reason:?}")));
                Refusal::Down(Trouble {
                    place,
                    call: "",
                    code,
                    reason,
                })
            }
            Self::Down { call, code, reason } => Refusal::Down(Trouble {
                place,
                call,
                code,
                reason,
            }),
        }
    }
}

/// A question with a deadline, which connection and service both keep.
fn within<Q>(deadline: Duration, question: Q) -> tonic::Request<Q> {
    let mut request = tonic::Request::new(question);
    request.set_timeout(deadline);
    request
}

/// The answer to a call, or why there is none.
fn read<A>(call: &'static str, answer: Result<tonic::Response<A>, Status>) -> Result<A, Fault> {
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| Fault::from_status(call, &status))
}
