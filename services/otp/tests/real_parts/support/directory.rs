//! The one method of credentials that otp calls, on the wire.

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::credentials_service_server::CredentialsService;
use tonic::{Request, Response, Status};

/// Knows one address for everybody.
pub struct Directory;

#[tonic::async_trait]
impl CredentialsService for Directory {
    async fn verify_password(
        &self,
        _: Request<proto::VerifyPasswordRequest>,
    ) -> Result<Response<proto::VerifyPasswordResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn request_password_reset(
        &self,
        _: Request<proto::RequestPasswordResetRequest>,
    ) -> Result<Response<proto::RequestPasswordResetResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn note_refused_forms(
        &self,
        _: Request<proto::NoteRefusedFormsRequest>,
    ) -> Result<Response<proto::NoteRefusedFormsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn begin_federated_sign_in(
        &self,
        _: Request<proto::BeginFederatedSignInRequest>,
    ) -> Result<Response<proto::BeginFederatedSignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn finish_federated_sign_in(
        &self,
        _: Request<proto::FinishFederatedSignInRequest>,
    ) -> Result<Response<proto::FinishFederatedSignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn set_password(
        &self,
        _: Request<proto::SetPasswordRequest>,
    ) -> Result<Response<proto::SetPasswordResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn describe_flow(
        &self,
        _: Request<proto::DescribeFlowRequest>,
    ) -> Result<Response<proto::DescribeFlowResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn resolve_address(
        &self,
        _: Request<proto::ResolveAddressRequest>,
    ) -> Result<Response<proto::ResolveAddressResponse>, Status> {
        let address = "gantoroku@example.com".to_owned();
        Ok(Response::new(proto::ResolveAddressResponse { address }))
    }
}
