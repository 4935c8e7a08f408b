//! NCRアカウントでサインイン, as it stands on the wire.

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason as Unopened;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response as finished;
use sekisho_service::settings::Secret;
use tonic::Status;

use super::{flow_id, secret_digest};
use crate::app::{Beginning, Callback, Finished};
use crate::domain::client::Unvouched;
use crate::sealing::Seen;

impl TryFrom<proto::BeginFederatedSignInRequest> for Beginning {
    type Error = Status;

    fn try_from(request: proto::BeginFederatedSignInRequest) -> Result<Self, Status> {
        Ok(Self {
            secret_digest: secret_digest(&request.secret_digest)?,
            host: request.host,
            ask_again: request.ask_again,
            seen: request.client.map(Seen::from).unwrap_or_default(),
        })
    }
}

impl TryFrom<proto::FinishFederatedSignInRequest> for Callback {
    type Error = Status;

    fn try_from(request: proto::FinishFederatedSignInRequest) -> Result<Self, Status> {
        Ok(Self {
            secret: Secret::new(request.flow_secret),
            state: Secret::new(request.state),
            code: Secret::new(request.code),
            flow: match request.flow_id.as_slice() {
                [] => None,
                id => Some(flow_id(id)?),
            },
            host: request.host,
            iss: request.iss,
            error: request.error,
            error_description: request.error_description,
            seen: request.client.map(Seen::from).unwrap_or_default(),
        })
    }
}

impl From<Finished> for proto::FinishFederatedSignInResponse {
    fn from(finished: Finished) -> Self {
        let rejected = |reason: finished::Reason| {
            finished::Outcome::Rejected(finished::Rejected {
                reason: reason.into(),
            })
        };
        let outcome = match finished {
            Finished::Accepted { end_session_url } => {
                finished::Outcome::Accepted(finished::Accepted { end_session_url })
            }
            Finished::Unvouched(why) => rejected(why.into()),
            Finished::Unopened(why) => rejected(unopened(why)),
        };
        Self {
            outcome: Some(outcome),
        }
    }
}

impl From<Unvouched> for finished::Reason {
    fn from(why: Unvouched) -> Self {
        match why {
            Unvouched::Cancelled => Self::Cancelled,
            Unvouched::Binding => Self::Binding,
            Unvouched::Retry => Self::Retry,
            Unvouched::ProviderFailed => Self::ProviderFailed,
            Unvouched::ProviderUnreachable => Self::ProviderUnreachable,
            Unvouched::Token => Self::Token,
        }
    }
}

fn unopened(why: Unopened) -> finished::Reason {
    match why {
        Unopened::Unspecified => finished::Reason::Unspecified,
        Unopened::NoAccount => finished::Reason::NoAccount,
        Unopened::Disabled => finished::Reason::Disabled,
        Unopened::FactorMissing => finished::Reason::FactorMissing,
    }
}
