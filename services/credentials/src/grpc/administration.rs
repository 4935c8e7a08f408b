//! `signin.credentials.v1.AdministrationService`

use sekisho_eventlog::Version;
use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::administration_service_server::AdministrationService;
use sekisho_proto::credentials::v1::link_federated_identity_request::Link;
use sekisho_proto::to_timestamp;
use sekisho_service::Late;
use sekisho_service::server::Peer;
use sekisho_service::settings::Secret;
use tonic::{Request, Response, Status};

use crate::app::{App, Error, Import, ImportRow, Overview, Question, Registration};
use crate::domain::{Address, Lock, Locked, Profile, ProfileError, SubjectIdentifier};
use crate::hashing::FirstPassword;
use crate::store::Page;

/// The version of a registration: the first entry of its stream.
const REGISTRATION: Version = Version(1);

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

    async fn show_account(
        &self,
        request: Request<proto::ShowAccountRequest>,
    ) -> Result<Response<proto::ShowAccountResponse>, Status> {
        let login_id = request.into_inner().login_id;
        let account = self.app.get()?.show(&login_id).await?;
        Ok(Response::new(proto::ShowAccountResponse {
            account: Some(account.into()),
        }))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        let request = request.into_inner();
        let page = Page {
            facility_code: request.facility_code,
            after: request.after_login_id,
            limit: request.limit,
        };
        let app = self.app.get()?;
        let accounts = app.list(page).await?;
        Ok(Response::new(proto::ListAccountsResponse {
            accounts: accounts.into_iter().map(proto::Account::from).collect(),
            now: Some(to_timestamp(app.now())),
        }))
    }

    async fn explain_account(
        &self,
        request: Request<proto::ExplainAccountRequest>,
    ) -> Result<Response<proto::ExplainAccountResponse>, Status> {
        let question = Question::try_from(request.into_inner())?;
        let explanation = self.app.get()?.explain(question).await?;
        Ok(Response::new(explanation.into()))
    }

    async fn change_address(
        &self,
        request: Request<proto::ChangeAddressRequest>,
    ) -> Result<Response<proto::ChangeAddressResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let request = request.into_inner();
        let address = match request.address.as_str() {
            "" => None,
            text => Some(Address::try_from(text).map_err(|_| Error::Profile(ProfileError::Address))?),
        };
        let app = self.app.get()?;
        let position = app.change_address(&request.login_id, address, &actor).await?;
        Ok(Response::new(proto::ChangeAddressResponse {
            position: position.0,
        }))
    }

    async fn expire_password(
        &self,
        request: Request<proto::ExpirePasswordRequest>,
    ) -> Result<Response<proto::ExpirePasswordResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let login_id = request.into_inner().login_id;
        let position = self.app.get()?.expire_password(&login_id, &actor).await?;
        Ok(Response::new(proto::ExpirePasswordResponse {
            position: position.0,
        }))
    }

    async fn link_federated_identity(
        &self,
        request: Request<proto::LinkFederatedIdentityRequest>,
    ) -> Result<Response<proto::LinkFederatedIdentityResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let request = request.into_inner();
        let subject = match request.link.ok_or(Error::SubjectInvalid)? {
            Link::Nobody(()) => None,
            Link::NcrSubject(text) => {
                Some(SubjectIdentifier::try_from(text.as_str()).map_err(|_| Error::SubjectInvalid)?)
            }
        };
        let app = self.app.get()?;
        let position = app.link_ncr(&request.login_id, subject, &actor).await?;
        Ok(Response::new(proto::LinkFederatedIdentityResponse {
            position: position.0,
        }))
    }

    async fn import_accounts(
        &self,
        request: Request<proto::ImportAccountsRequest>,
    ) -> Result<Response<proto::ImportAccountsResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let proto::ImportAccountsRequest { rows, dry_run } = request.into_inner();
        let import = if dry_run {
            Import::DryRun
        } else {
            Import::By(&actor)
        };
        let rows = rows.into_iter().map(ImportRow::from).collect();
        let imported = self.app.get()?.import(rows, import).await?;
        Ok(Response::new(proto::ImportAccountsResponse {
            rows: imported.into_iter().map(proto::ImportedRow::from).collect(),
        }))
    }

    async fn erase_account(
        &self,
        request: Request<proto::EraseAccountRequest>,
    ) -> Result<Response<proto::EraseAccountResponse>, Status> {
        let actor = Peer::of(&request)?.actor.clone();
        let login_id = request.into_inner().login_id;
        let position = self.app.get()?.erase(&login_id, &actor).await?;
        Ok(Response::new(proto::EraseAccountResponse {
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

impl From<Overview> for proto::Account {
    fn from(overview: Overview) -> Self {
        let Overview {
            account,
            row,
            password,
            ..
        } = overview;
        Self {
            account_id: account.to_vec(),
            login_id: row.login_id,
            facility_code: row.facility_code,
            facility: row.facility,
            name: row.name,
            address: row.address,
            disabled: overview.disabled,
            password_is_initial: password.initial_since.is_some(),
            password_is_of_registration: password.set_by <= REGISTRATION,
            password_expired: password.expired,
            last_accepted_at: overview.last_accepted_at.map(to_timestamp),
            last_signed_in_at: overview.last_started_at.map(to_timestamp),
            locks: overview.locks.iter().map(lock).collect(),
            failures: overview.failures,
            ncr_subject: row.subject,
            known_devices: u32::try_from(overview.known_devices).unwrap_or(u32::MAX),
        }
    }
}

fn lock(lock: &Lock) -> proto::account::Lock {
    let what = match lock.what {
        Locked::UnknownBrowsers => proto::account::What::UnknownBrowsers,
        Locked::KnownBrowser => proto::account::What::KnownBrowser,
        Locked::SignInCodes => proto::account::What::SignInCodes,
        Locked::ResetCodes => proto::account::What::ResetCodes,
    };
    proto::account::Lock {
        what: what.into(),
        until: lock.until.map(to_timestamp),
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
        password: FirstPassword::try_from(password_hash.expose().as_str()).map_err(Error::PasswordHash)?,
        password_is_initial: request.password_is_initial,
        disabled: false,
    })
}
