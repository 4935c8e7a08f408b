//! The services behind the gateway: one function per call, with its deadline, and one table of refusals.

mod credentials;
mod otp;
mod reason;
mod sessions;

use std::time::Duration;

use tonic::Status;
use tower::util::BoxCloneSyncService;

use sekisho_proto::credentials::v1::credentials_service_client::CredentialsServiceClient;
use sekisho_proto::otp::v1::otp_service_client::OtpServiceClient;
use sekisho_proto::sessions::v1::sessions_service_client::SessionsServiceClient;

pub use credentials::{Described, Known, Verdict};
pub use otp::CodeVerdict;
pub use reason::{Over, Reason};
pub use sessions::Started;

use crate::refusal::{Place, Refusal, Trouble};

/// A connection to all replicas of one service.
pub type Transport = BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<tonic::body::Body>,
    Box<dyn std::error::Error + Send + Sync>,
>;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long a code may take: the call waits up to 3 s for the mail's fate.
const ISSUE_DEADLINE: Duration = Duration::from_secs(5);

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
        let name = reason::of(status);
        match name.as_deref().and_then(Reason::read) {
            Some(reason) => Self::Refused(reason),
            None => Self::Down { call, code: status.code(), reason: name },
        }
    }

    /// An answer that lacks what its contract promises.
    fn incomplete(call: &'static str) -> Self {
        Self::Down { call, code: tonic::Code::Internal, reason: Some("INCOMPLETE_ANSWER".into()) }
    }

    /// The error page for a fault that the handler has no better answer to.
    pub fn refusal(self, place: Place) -> Refusal {
        match self {
            Self::Refused(Reason::Busy) => Refusal::Busy,
            Self::Refused(reason) => {
                let (code, reason) = (tonic::Code::Unknown, Some(format!("unexpected {reason:?}")));
                Refusal::Down(Trouble { place, call: "", code, reason })
            }
            Self::Down { call, code, reason } => Refusal::Down(Trouble { place, call, code, reason }),
        }
    }
}

/// Waits for an answer until the deadline, which the service learns as well.
async fn call<Q, A, F>(name: &'static str, deadline: Duration, question: Q, ask: F) -> Result<A, Fault>
where
    F: AsyncFnOnce(tonic::Request<Q>) -> Result<tonic::Response<A>, Status>,
{
    let mut request = tonic::Request::new(question);
    request.set_timeout(deadline);
    match tokio::time::timeout(deadline, ask(request)).await {
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        Ok(Err(status)) => Err(Fault::from_status(name, &status)),
        Err(_) => Err(Fault::Down { call: name, code: tonic::Code::DeadlineExceeded, reason: None }),
    }
}
