//! `signin.credentials.v1.CredentialsService`

use sekisho_eventlog::{Position, StreamId};
use sekisho_evidence::CommandId;
use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::credentials_service_server::CredentialsService;
use sekisho_proto::credentials::v1::resolve_address_request::Mail;
use sekisho_proto::credentials::v1::verify_password_response as verified;
use sekisho_service::Late;
use sekisho_service::refusal::malformed;
use sekisho_service::settings::Secret;
use tonic::{Request, Response, Status};

use super::{device, flow_id, secret_digest};
use crate::app::{
    App, Attempt, Beginning, Callback, Denied, Described, Issued, Known, NewPasswordLength, Outcome,
    PasswordChange, ResetRequest,
};
use crate::domain::Address;
use crate::sealing::Seen;

/// Serves gateway and otp.
#[derive(Debug, Clone)]
pub struct Credentials {
    app: Late<App>,
}

impl Credentials {
    /// Serves an app that may still be on its way.
    pub fn new(app: Late<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl CredentialsService for Credentials {
    async fn verify_password(
        &self,
        request: Request<proto::VerifyPasswordRequest>,
    ) -> Result<Response<proto::VerifyPasswordResponse>, Status> {
        let request = request.into_inner();
        let attempt = Attempt {
            password: Secret::new(request.password),
            login_id: request.login_id,
            secret_digest: secret_digest(&request.secret_digest)?,
            device: device(Secret::new(request.device).expose())?,
            device_is_new: request.device_is_new,
            seen: request.client.map(Seen::from).unwrap_or_default(),
        };
        let outcome = self.app.get()?.verify_password(attempt).await?;
        Ok(Response::new(outcome.into()))
    }

    async fn request_password_reset(
        &self,
        request: Request<proto::RequestPasswordResetRequest>,
    ) -> Result<Response<proto::RequestPasswordResetResponse>, Status> {
        let request = request.into_inner();
        let reset = ResetRequest {
            login_id: request.login_id,
            secret_digest: secret_digest(&request.secret_digest)?,
            device: device(Secret::new(request.device).expose())?,
            seen: request.client.map(Seen::from).unwrap_or_default(),
        };
        let flow = self.app.get()?.request_reset(reset).await?;
        Ok(Response::new(proto::RequestPasswordResetResponse {
            flow_id: flow.to_vec(),
        }))
    }

    async fn note_refused_forms(
        &self,
        request: Request<proto::NoteRefusedFormsRequest>,
    ) -> Result<Response<proto::NoteRefusedFormsResponse>, Status> {
        let request = request.into_inner();
        let seen = request.client.map(Seen::from).unwrap_or_default();
        self.app.get()?.note_refused_forms(&seen, request.forms).await?;
        Ok(Response::new(proto::NoteRefusedFormsResponse {}))
    }

    async fn begin_federated_sign_in(
        &self,
        request: Request<proto::BeginFederatedSignInRequest>,
    ) -> Result<Response<proto::BeginFederatedSignInResponse>, Status> {
        let beginning = Beginning::try_from(request.into_inner())?;
        let (flow, url) = self.app.get()?.begin_federated(beginning).await?;
        Ok(Response::new(proto::BeginFederatedSignInResponse {
            flow_id: flow.to_vec(),
            url: url.expose().clone(),
        }))
    }

    async fn finish_federated_sign_in(
        &self,
        request: Request<proto::FinishFederatedSignInRequest>,
    ) -> Result<Response<proto::FinishFederatedSignInResponse>, Status> {
        let callback = Callback::try_from(request.into_inner())?;
        let finished = self.app.get()?.finish_federated(callback).await?;
        Ok(Response::new(finished.into()))
    }

    async fn set_password(
        &self,
        request: Request<proto::SetPasswordRequest>,
    ) -> Result<Response<proto::SetPasswordResponse>, Status> {
        let request = request.into_inner();
        let change = PasswordChange {
            new_password: Secret::new(request.new_password),
            secret: Secret::new(request.flow_secret),
            flow: flow_id(&request.flow_id)?,
            command: CommandId::try_from(request.command_id.as_slice())
                .map_err(|_| malformed("command_id", 16))?,
            device: device(Secret::new(request.device).expose())?,
        };
        let position = self.app.get()?.set_password(change).await?;
        Ok(Response::new(proto::SetPasswordResponse { position: position.0 }))
    }

    async fn describe_flow(
        &self,
        request: Request<proto::DescribeFlowRequest>,
    ) -> Result<Response<proto::DescribeFlowResponse>, Status> {
        let request = request.into_inner();
        let secret = Secret::new(request.flow_secret);
        let flow = flow_id(&request.flow_id)?;
        let seen = Position(request.min_position);
        let described = self.app.get()?.describe_flow(flow, &secret, seen).await?;
        Ok(Response::new(described.into()))
    }

    async fn resolve_address(
        &self,
        request: Request<proto::ResolveAddressRequest>,
    ) -> Result<Response<proto::ResolveAddressResponse>, Status> {
        let request = request.into_inner();
        let account = StreamId::try_from(request.account_id.as_slice());
        let account = account.map_err(|_| malformed("account_id", 16))?;
        let position = Position(request.position);
        let app = self.app.get()?;
        let address = match request.mail {
            Some(Mail::FlowId(flow)) => {
                let flow = flow_id(&flow)?;
                let issued = Issued {
                    account,
                    position,
                    flow,
                };
                app.resolve_address(issued).await?
            }
            Some(Mail::Notice(_)) => app.resolve_notice(account, position).await?,
            None => return Err(malformed("flow_id", 16)),
        };
        Ok(Response::new(proto::ResolveAddressResponse {
            address: address.as_ref().map_or("", Address::as_str).to_owned(),
        }))
    }
}

impl From<Outcome> for proto::VerifyPasswordResponse {
    fn from(outcome: Outcome) -> Self {
        let outcome = match outcome {
            Outcome::Accepted(flow) => verified::Outcome::Accepted(verified::Accepted {
                flow_id: flow.to_vec(),
            }),
            Outcome::MustChange(flow) => verified::Outcome::MustChange(verified::MustChange {
                flow_id: flow.to_vec(),
            }),
            Outcome::Denied(denied) => verified::Outcome::Rejected(verified::Rejected {
                reason: verified::Reason::from(denied).into(),
            }),
        };
        Self {
            outcome: Some(outcome),
        }
    }
}

impl From<Denied> for verified::Reason {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::UnknownAccount => Self::UnknownAccount,
            Denied::WrongPassword => Self::WrongPassword,
            Denied::Locked => Self::Locked,
            Denied::Disabled => Self::Disabled,
            Denied::NoEmail => Self::NoEmail,
            Denied::Throttled => Self::Throttled,
        }
    }
}

impl From<Described> for proto::DescribeFlowResponse {
    fn from(described: Described) -> Self {
        let person = |known: Known| proto::describe_flow_response::Person {
            facility: known.facility,
            name: known.name,
        };
        Self {
            masked_address: described.masked_address,
            address: described.address,
            person: described.person.map(person),
            new_password: described
                .new_password
                .map(proto::describe_flow_response::NewPassword::from),
        }
    }
}

impl From<NewPasswordLength> for proto::describe_flow_response::NewPassword {
    fn from(length: NewPasswordLength) -> Self {
        let points = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Self {
            shortest: points(length.shortest),
            longest: points(length.longest),
        }
    }
}
