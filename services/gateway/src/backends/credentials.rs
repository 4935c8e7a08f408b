//! Calls to credentials.

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::verify_password_response::{Outcome, Reason};

use super::{Backends, DEADLINE, Fault, read, within};
use crate::cookies::{Device, Flow};
use crate::edge::Client;
use crate::secret::Secret;

/// What came of a login id and a password.
#[derive(Debug)]
pub enum Verdict {
    /// A flow began; its id.
    Accepted(Vec<u8>),
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
    /// Compares a login id and a password, both as typed. The device becomes known to the account if they are right.
    ///
    /// # Errors
    /// [`super::Reason::Busy`] when nothing was compared; otherwise the service is down.
    pub async fn verify_password(
        &self,
        login_id: String,
        password: String,
        secret: &Secret,
        device: &Device,
        client: Client,
    ) -> Result<Verdict, Fault> {
        const CALL: &str = "VerifyPassword";
        let question = proto::VerifyPasswordRequest {
            login_id,
            password,
            secret_digest: secret.digest().to_vec(),
            device: device.secret.expose().to_vec(),
            client: Some(proto::Client {
                address: client.address,
                user_agent: client.browser,
            }),
        };
        let mut credentials = self.credentials.clone();
        let answer = read(
            CALL,
            credentials.verify_password(within(DEADLINE, question)).await,
        )?;
        match answer.outcome {
            Some(Outcome::Accepted(accepted)) => Ok(Verdict::Accepted(accepted.flow_id)),
            Some(Outcome::Rejected(rejected)) => match rejected.reason() {
                Reason::UnknownAccount => Ok(Verdict::UnknownAccount),
                Reason::WrongPassword => Ok(Verdict::WrongPassword),
                Reason::Locked => Ok(Verdict::Locked),
                Reason::Disabled => Ok(Verdict::Disabled),
                Reason::NoEmail => Ok(Verdict::NoEmail),
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
        Ok(Described {
            masked_address: answer.masked_address,
            address: answer.address,
            person: answer.person.map(known),
        })
    }
}
