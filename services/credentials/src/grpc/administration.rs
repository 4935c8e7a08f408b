//! `signin.credentials.v1.AdministrationService`

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::administration_service_server::AdministrationService;
use sekisho_service::Late;
use sekisho_service::server::Peer;
use sekisho_service::settings::Secret;
use tonic::{Request, Response, Status};

use crate::app::{App, Error, Registration};
use crate::domain::Profile;
use crate::hashing::Phc;

/// Serves administrators.
#[derive(Debug, Clone)]
pub struct Administration {
    app: Late<App>,
}

impl Administration {
    /// Serves an app that may still be on its way.
    pub fn new(app: Late<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl AdministrationService for Administration {
    async fn register_account(
        &self,
        request: Request<proto::RegisterAccountRequest>,
    ) -> Result<Response<proto::RegisterAccountResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let registration = registration(request.into_inner())?;
        let (account, position) = self.app.get()?.register(registration, &actor).await?;
        Ok(Response::new(proto::RegisterAccountResponse {
            account_id: account.to_vec(),
            position: position.0,
        }))
    }

    async fn disable_account(
        &self,
        request: Request<proto::DisableAccountRequest>,
    ) -> Result<Response<proto::DisableAccountResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let login_id = request.into_inner().login_id;
        let position = self.app.get()?.disable(&login_id, &actor).await?;
        Ok(Response::new(proto::DisableAccountResponse {
            position: position.0,
        }))
    }

    async fn enable_account(
        &self,
        request: Request<proto::EnableAccountRequest>,
    ) -> Result<Response<proto::EnableAccountResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let login_id = request.into_inner().login_id;
        let position = self.app.get()?.enable(&login_id, &actor).await?;
        Ok(Response::new(proto::EnableAccountResponse {
            position: position.0,
        }))
    }

    async fn unlock_account(
        &self,
        request: Request<proto::UnlockAccountRequest>,
    ) -> Result<Response<proto::UnlockAccountResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let login_id = request.into_inner().login_id;
        let position = self.app.get()?.unlock(&login_id, &actor).await?;
        Ok(Response::new(proto::UnlockAccountResponse {
            position: position.0,
        }))
    }

    async fn resolve_login(
        &self,
        request: Request<proto::ResolveLoginRequest>,
    ) -> Result<Response<proto::ResolveLoginResponse>, Status> {
        let login_id = request.into_inner().login_id;
        let account = self.app.get()?.resolve_login(&login_id).await?;
        Ok(Response::new(proto::ResolveLoginResponse {
            account_id: account.to_vec(),
        }))
    }
}

fn registration(request: proto::RegisterAccountRequest) -> Result<Registration, Error> {
    let password_hash = Secret::new(request.password_hash);
    let profile = Profile::read(
        request.facility_code,
        request.facility,
        request.name,
        &request.address,
    );
    Ok(Registration {
        login_id: request.login_id,
        profile: profile.map_err(Error::Profile)?,
        password_hash: Phc::try_from(password_hash.expose().as_str()).map_err(Error::PasswordHash)?,
        password_is_initial: request.password_is_initial,
    })
}
