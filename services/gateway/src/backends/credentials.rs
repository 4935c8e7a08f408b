//! Calls to credentials.

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};

use super::{Backends, DEADLINE, Fault, read, within};
use crate::cookies::{Device, Flow};
use crate::edge::Client;
use crate::secret::Secret;

/// A login id and a password, both as typed. Never printed.
pub struct Typed {
    /// The login id.
    pub login_id: String,
    /// The password.
    pub password: String,
}

/// What came of a login id and a password.
#[derive(Debug)]
pub enum Verdict {
    /// A flow began; its id.
    Accepted(Vec<u8>),
    /// The password opens nothing but the choice of another one; a flow for that began.
    MustChange(Vec<u8>),
    /// Nobody has the login id.
    UnknownAccount,
    /// The password is wrong.
    WrongPassword,
    /// Locked for a while.
    Locked,
    /// Disabled.
    Disabled,
    /// No address for codes.
    NoEmail,
    /// Too many attempts from this address failed.
    Throttled,
}

/// What the holder of a flow may see of the person.
#[derive(Debug, Default)]
pub struct Described {
    /// First character, five stars, domain.
    pub masked_address: String,
    /// In full once a code was accepted, else empty.
    pub address: String,
    /// Once the session has started.
    pub person: Option<Known>,
    /// Once the code of a reset was accepted.
    pub new_password: Option<NewPassword>,
}

/// What a new password must be, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPassword {
    /// At least.
    pub shortest: u32,
    /// At most.
    pub longest: u32,
}

/// Who signed in.
#[derive(Debug)]
pub struct Known {
    /// The facility's name.
    pub facility: String,
    /// The person's name.
    pub name: String,
}

impl Backends {
    /// Compares a login id and a password. The device, which the browser has brought or which is new, becomes known to the
    /// account if they are right.
    ///
    /// # Errors
    /// [`super::Reason::Busy`] when nothing was compared; otherwise the service is down.
    pub async fn verify_password(
        &self,
        typed: Typed,
        secret: &Secret,
        (device, device_is_new): (&Device, bool),
        client: Client,
    ) -> Result<Verdict, Fault> {
        const CALL: &str = "VerifyPassword";
        let question = proto::VerifyPasswordRequest {
            login_id: typed.login_id,
            password: typed.password,
            secret_digest: secret.digest().to_vec(),
            device: device.secret.expose().to_vec(),
            device_is_new,
            client: Some(client.into()),
        };
        let mut credentials = self.credentials.clone();
        let answer = read(
            CALL,
            credentials.verify_password(within(DEADLINE, question)).await,
        )?;
        match answer.outcome {
            Some(Outcome::Accepted(accepted)) => Ok(Verdict::Accepted(accepted.flow_id)),
            Some(Outcome::MustChange(must)) => Ok(Verdict::MustChange(must.flow_id)),
            Some(Outcome::Rejected(rejected)) => match rejected.reason() {
                Reason::UnknownAccount => Ok(Verdict::UnknownAccount),
                Reason::WrongPassword => Ok(Verdict::WrongPassword),
                Reason::Locked => Ok(Verdict::Locked),
                Reason::Disabled => Ok(Verdict::Disabled),
                Reason::NoEmail => Ok(Verdict::NoEmail),
                Reason::Throttled => Ok(Verdict::Throttled),
                Reason::Unspecified => Err(Fault::incomplete(CALL)),
            },
            None => Err(Fault::incomplete(CALL)),
        }
    }

    /// What may be seen of the person behind a flow.
    ///
    /// # Errors
    /// [`super::Reason::FlowOver`]; otherwise the service is down.
    pub async fn describe_flow(&self, flow: &Flow) -> Result<Described, Fault> {
        let question = proto::DescribeFlowRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
            min_position: flow.seen,
        };
        let mut credentials = self.credentials.clone();
        let answer = read(
            "DescribeFlow",
            credentials.describe_flow(within(DEADLINE, question)).await,
        )?;
        let known = |person: proto::describe_flow_response::Person| Known {
            facility: person.facility,
            name: person.name,
        };
        let new_password = answer.new_password.map(|rules| NewPassword {
            shortest: rules.shortest,
            longest: rules.longest,
        });
        Ok(Described {
            masked_address: answer.masked_address,
            address: answer.address,
            person: answer.person.map(known),
            new_password,
        })
    }

    /// Begins a flow for a new password, whoever has the login id; its id.
    ///
    /// # Errors
    /// [`super::Reason::Throttled`]; otherwise the service is down.
    pub async fn request_reset(
        &self,
        login_id: String,
        secret: &Secret,
        device: Option<Device>,
        client: Client,
    ) -> Result<Vec<u8>, Fault> {
        let question = proto::RequestPasswordResetRequest {
            login_id,
            secret_digest: secret.digest().to_vec(),
            client: Some(client.into()),
            device: device
                .map(|device| device.secret.expose().to_vec())
                .unwrap_or_default(),
        };
        let mut credentials = self.credentials.clone();
        let answer = credentials
            .request_password_reset(within(DEADLINE, question))
            .await;
        read("RequestPasswordReset", answer).map(|answer| answer.flow_id)
    }

    /// Notes forms that were refused, by the address that they came from.
    ///
    /// # Errors
    /// When the service is down.
    pub async fn note_refused_forms(&self, address: String, forms: u64) -> Result<(), Fault> {
        let client = proto::Client {
            address,
            user_agent: String::new(),
        };
        let question = proto::NoteRefusedFormsRequest {
            client: Some(client),
            forms,
        };
        let mut credentials = self.credentials.clone();
        let answer = credentials.note_refused_forms(within(DEADLINE, question)).await;
        read("NoteRefusedForms", answer).map(drop)
    }

    /// Sets a new password, as typed, on the evidence of a flow. The device becomes known to the account.
    ///
    /// # Errors
    /// [`super::Reason::Unfit`], [`super::Reason::EvidenceMissing`], [`super::Reason::FlowOver`],
    /// [`super::Reason::FlowUsed`], [`super::Reason::Disabled`]; otherwise the service is down.
    pub async fn set_password(
        &self,
        flow: &Flow,
        new_password: String,
        command_id: Vec<u8>,
        device: &Device,
    ) -> Result<(), Fault> {
        let question = proto::SetPasswordRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
            new_password,
            command_id,
            device: device.secret.expose().to_vec(),
        };
        let mut credentials = self.credentials.clone();
        let answer = credentials.set_password(within(DEADLINE, question)).await;
        read("SetPassword", answer).map(drop)
    }
}

impl From<Client> for proto::Client {
    fn from(client: Client) -> Self {
        Self {
            address: client.address,
            user_agent: client.browser,
        }
    }
}
