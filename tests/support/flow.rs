//! A sign-in at gRPC level, step by step, as the gateway does it.

use anyhow::{Context, Result, bail};
use sekisho_dev::{Service, Stack};
use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::credentials::v1::credentials_service_client::CredentialsServiceClient;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::otp_service_client::OtpServiceClient;
use sekisho_proto::sessions::v1 as sessions;
use sekisho_proto::sessions::v1::sessions_service_client::SessionsServiceClient;
use sha2::{Digest, Sha256};
use tonic::Status;
use tonic::transport::Channel;

use crate::{grpc, mail};

/// Clients of the three services, with the gateway's certificate.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Of one credentials replica.
    pub credentials: CredentialsServiceClient<Channel>,
    /// Of one otp replica.
    pub otp: OtpServiceClient<Channel>,
    /// Of one sessions replica.
    pub sessions: SessionsServiceClient<Channel>,
    mailbox: String,
    /// Where passwords are typed.
    pub client: Option<credentials::Client>,
}

/// A flow and its secret, as a browser's cookie holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The flow's id.
    pub id: Vec<u8>,
    /// 32 random bytes.
    pub secret: Vec<u8>,
}

impl Gateway {
    /// Connects to one replica of each service.
    ///
    /// # Errors
    /// When one cannot be reached.
    pub async fn connect(stack: &Stack, replica: usize) -> Result<Self> {
        let keys = stack.certificates();
        let place = |service: Service| {
            let replicas = stack
                .processes()
                .iter()
                .filter(|process| process.service == service)
                .count();
            stack
                .process(service, replica.min(replicas.saturating_sub(1)))
                .address
                .to_string()
        };
        let channel =
            async |service: Service| grpc::channel(keys, "gateway", service.name(), &place(service)).await;
        Ok(Self {
            credentials: CredentialsServiceClient::new(channel(Service::Credentials).await?),
            otp: OtpServiceClient::new(channel(Service::Otp).await?),
            sessions: SessionsServiceClient::new(channel(Service::Sessions).await?),
            mailbox: stack.mailbox_url(),
            client: Some(credentials::Client {
                address: "192.0.2.7".into(),
                user_agent: "tests".into(),
            }),
        })
    }

    /// The password step.
    ///
    /// # Errors
    /// When the password is not accepted.
    pub async fn accept_password(&mut self, login: &str, password: &str) -> Result<Flow> {
        let secret = random();
        match self.verify_password(login, password, &secret).await?.outcome {
            Some(credentials::verify_password_response::Outcome::Accepted(accepted)) => Ok(Flow {
                id: accepted.flow_id,
                secret,
            }),
            other => bail!("the password was not accepted: {other:?}"),
        }
    }

    /// The raw call of the password step.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn verify_password(
        &mut self,
        login: &str,
        password: &str,
        secret: &[u8],
    ) -> Result<credentials::VerifyPasswordResponse, Status> {
        let request = credentials::VerifyPasswordRequest {
            login_id: login.to_owned(),
            password: password.to_owned(),
            secret_digest: Sha256::digest(secret).to_vec(),
            device: Vec::new(),
            device_is_new: false,
            client: self.client.clone(),
        };
        Ok(self.credentials.verify_password(request).await?.into_inner())
    }

    /// Asks for a password reset.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn request_reset(&mut self, login: &str) -> Result<Flow, Status> {
        let secret = random();
        let request = credentials::RequestPasswordResetRequest {
            login_id: login.to_owned(),
            secret_digest: Sha256::digest(&secret).to_vec(),
            device: Vec::new(),
            client: None,
        };
        let id = self
            .credentials
            .request_password_reset(request)
            .await?
            .into_inner()
            .flow_id;
        Ok(Flow { id, secret })
    }

    /// Has a code mailed for a flow, and reads it from the newest mail with the code's reference.
    ///
    /// # Errors
    /// When no code is issued or no mail arrives.
    pub async fn mailed_code(&mut self, flow: &Flow, address: &str) -> Result<String> {
        let view = self.issue_code(flow).await?;
        let end = std::time::Instant::now() + std::time::Duration::from_secs(15);
        loop {
            let mails = mail::to(&self.mailbox, address)?;
            if let Some(mail) = mails
                .iter()
                .rev()
                .find(|mail| mail.text.contains(&view.reference))
            {
                return mail.code();
            }
            if std::time::Instant::now() > end {
                bail!("no mail with the reference of this code");
            }
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
    }

    /// The raw call that issues a code.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn issue_code(&mut self, flow: &Flow) -> Result<otp::FlowView> {
        let request = otp::IssueCodeRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.clone(),
            command_id: command_id(),
        };
        self.otp
            .issue_code(request)
            .await?
            .into_inner()
            .flow
            .context("no view of the flow")
    }

    /// Types a code.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn verify_code(&mut self, flow: &Flow, code: &str) -> Result<otp::VerifyCodeResponse, Status> {
        let request = otp::VerifyCodeRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.clone(),
            code: code.to_owned(),
            command_id: command_id(),
        };
        Ok(self.otp.verify_code(request).await?.into_inner())
    }

    /// キャンセル.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn cancel(&mut self, flow: &Flow) -> Result<(), Status> {
        let request = otp::CancelFlowRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.clone(),
        };
        self.otp.cancel_flow(request).await?;
        Ok(())
    }

    /// A flow with an accepted password and an accepted code.
    ///
    /// # Errors
    /// When a step does not succeed.
    pub async fn verified_flow(&mut self, login: &str, password: &str, address: &str) -> Result<Flow> {
        let flow = self.accept_password(login, password).await?;
        self.verify_by_mail(&flow, address).await?;
        Ok(flow)
    }

    /// A reset flow with an accepted code.
    ///
    /// # Errors
    /// When a step does not succeed.
    pub async fn verified_reset(&mut self, login: &str, address: &str) -> Result<Flow> {
        let flow = self.request_reset(login).await?;
        self.verify_by_mail(&flow, address).await?;
        Ok(flow)
    }

    async fn verify_by_mail(&mut self, flow: &Flow, address: &str) -> Result<()> {
        let code = self.mailed_code(flow, address).await?;
        match self.verify_code(flow, &code).await?.outcome {
            Some(otp::verify_code_response::Outcome::Accepted(_)) => Ok(()),
            other => bail!("the code was not accepted: {other:?}"),
        }
    }

    /// 続行.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn start(&mut self, flow: &Flow) -> Result<sessions::StartResponse, Status> {
        let request = sessions::StartRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.clone(),
        };
        Ok(self.sessions.start(request).await?.into_inner())
    }

    /// Whether a token is a live session.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn check(&mut self, token: &[u8]) -> Result<sessions::CheckResponse, Status> {
        Ok(self
            .sessions
            .check(sessions::CheckRequest {
                token: token.to_vec(),
            })
            .await?
            .into_inner())
    }

    /// Sets a new password.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn set_password(&mut self, flow: &Flow, password: &str) -> Result<u64, Status> {
        let request = credentials::SetPasswordRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.clone(),
            new_password: password.to_owned(),
            command_id: command_id(),
            device: Vec::new(),
        };
        Ok(self
            .credentials
            .set_password(request)
            .await?
            .into_inner()
            .position)
    }
}

/// 32 random bytes.
pub fn random() -> Vec<u8> {
    sekisho_service::entropy::bytes::<32>().to_vec()
}

/// The id of a form of its own.
pub fn command_id() -> Vec<u8> {
    sekisho_service::entropy::bytes::<16>().to_vec()
}
