//! Protobuf ↔ use cases. No rules.

mod status;
mod view;

use sekisho_eventlog::FlowId;
use sekisho_evidence::CommandId;
use sekisho_proto::otp::v1 as proto;
use sekisho_proto::otp::v1::otp_service_server::OtpService;
use sekisho_proto::otp::v1::verify_code_response::{Accepted, Outcome, Rejected};
use sekisho_service::refusal::malformed;
use sekisho_service::server::Method;
use sekisho_service::settings::Secret;
use sekisho_service::{Late, roles};
use tonic::{Request, Response, Status};

use crate::app::{App, Caller, Verified};

/// Who may call what.
pub const CALLERS: &[Method] = &[
    Method {
        path: "/signin.otp.v1.OtpService/IssueCode",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.otp.v1.OtpService/VerifyCode",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.otp.v1.OtpService/CancelFlow",
        roles: &[roles::GATEWAY],
    },
    Method {
        path: "/signin.otp.v1.OtpService/GetFlow",
        roles: &[roles::GATEWAY],
    },
];

/// The gRPC service.
#[derive(Debug, Clone, Default)]
pub struct Api(pub Late<App>);

#[tonic::async_trait]
impl OtpService for Api {
    async fn issue_code(
        &self,
        request: Request<proto::IssueCodeRequest>,
    ) -> Result<Response<proto::IssueCodeResponse>, Status> {
        let request = request.into_inner();
        let secret = Secret::new(request.flow_secret);
        let caller = caller(&request.flow_id, &secret)?;
        let seen = self.0.get()?.issue(caller, command(&request.command_id)?).await?;
        let flow = Some(view::flow_view(&seen)?);
        Ok(Response::new(proto::IssueCodeResponse { flow }))
    }

    async fn verify_code(
        &self,
        request: Request<proto::VerifyCodeRequest>,
    ) -> Result<Response<proto::VerifyCodeResponse>, Status> {
        let request = request.into_inner();
        let (secret, code) = (Secret::new(request.flow_secret), Secret::new(request.code));
        let caller = caller(&request.flow_id, &secret)?;
        let command = command(&request.command_id)?;
        let outcome = match self.0.get()?.verify(caller, &code, command).await? {
            Verified::Accepted { position } => Outcome::Accepted(Accepted { position: position.0 }),
            Verified::Rejected { tries_left, replaced } => {
                Outcome::Rejected(Rejected { tries_left, replaced })
            }
        };
        let outcome = Some(outcome);
        Ok(Response::new(proto::VerifyCodeResponse { outcome }))
    }

    async fn cancel_flow(
        &self,
        request: Request<proto::CancelFlowRequest>,
    ) -> Result<Response<proto::CancelFlowResponse>, Status> {
        let request = request.into_inner();
        let secret = Secret::new(request.flow_secret);
        let caller = caller(&request.flow_id, &secret)?;
        self.0.get()?.cancel(caller).await?;
        Ok(Response::new(proto::CancelFlowResponse {}))
    }

    async fn get_flow(
        &self,
        request: Request<proto::GetFlowRequest>,
    ) -> Result<Response<proto::GetFlowResponse>, Status> {
        let request = request.into_inner();
        let secret = Secret::new(request.flow_secret);
        let caller = caller(&request.flow_id, &secret)?;
        let seen = self.0.get()?.view(caller).await?;
        let flow = Some(view::flow_view(&seen)?);
        Ok(Response::new(proto::GetFlowResponse { flow }))
    }
}

fn caller<'a>(flow_id: &[u8], secret: &'a Secret<Vec<u8>>) -> Result<Caller<'a>, Status> {
    let flow = FlowId::try_from(flow_id).map_err(|_| malformed("flow_id", 16))?;
    Ok(Caller { flow, secret })
}

fn command(id: &[u8]) -> Result<CommandId, Status> {
    CommandId::try_from(id).map_err(|_| malformed("command_id", 16))
}

#[cfg(test)]
mod tests {
    use sekisho_service::refusal;
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn until_the_log_is_there_calls_are_answered_unavailable() {
        let request = proto::GetFlowRequest {
            flow_id: vec![0; 16],
            flow_secret: vec![0; 32],
        };
        let status = Api::default().get_flow(Request::new(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(refusal::reason(&status).as_deref(), Some("NOT_READY"));
    }

    #[test]
    fn a_flow_secret_is_never_printed() {
        let secret = Secret::new(b"canary".to_vec());
        let printed = format!("{:?}", caller(&[0; 16], &secret).unwrap());
        assert!(printed.contains("secret: [redacted]"), "{printed}");
    }

    #[tokio::test]
    async fn ids_of_another_length_are_malformed() {
        let short = proto::VerifyCodeRequest {
            flow_id: vec![0; 16],
            command_id: vec![0; 15],
            ..Default::default()
        };
        let answers = [
            Api::default().verify_code(Request::new(short)).await.map(drop),
            Api::default()
                .cancel_flow(Request::new(proto::CancelFlowRequest::default()))
                .await
                .map(drop),
        ];
        for answer in answers {
            assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
        }
    }
}
