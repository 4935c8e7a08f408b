//! Calls to otp.

use sekisho_proto::otp::v1 as proto;
use sekisho_proto::otp::v1::verify_code_response::Outcome;

use super::{Backends, DEADLINE, Fault, ISSUE_DEADLINE, read, within};
use crate::cookies::Flow;

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeVerdict {
    /// Accepted, by the entry at this position.
    Accepted(u64),
    /// Wrong.
    Rejected {
        /// It equals an older code of the flow.
        replaced: bool,
    },
}

impl Backends {
    /// Issues a code and has it mailed.
    ///
    /// # Errors
    /// [`super::Reason::FlowOver`]; otherwise the service is down.
    pub async fn issue_code(&self, flow: &Flow, command_id: Vec<u8>) -> Result<(), Fault> {
        let question = proto::IssueCodeRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
            command_id,
        };
        let mut otp = self.otp.clone();
        read(
            "IssueCode",
            otp.issue_code(within(ISSUE_DEADLINE, question)).await,
        )
        .map(drop)
    }

    /// Compares a code, as typed.
    ///
    /// # Errors
    /// [`super::Reason::CodeMalformed`], [`super::Reason::NoLiveCode`], [`super::Reason::FlowOver`]; otherwise the
    /// service is down.
    pub async fn verify_code(
        &self,
        flow: &Flow,
        code: String,
        command_id: Vec<u8>,
    ) -> Result<CodeVerdict, Fault> {
        const CALL: &str = "VerifyCode";
        let question = proto::VerifyCodeRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
            code,
            command_id,
        };
        let mut otp = self.otp.clone();
        let answer = read(CALL, otp.verify_code(within(DEADLINE, question)).await)?;
        match answer.outcome {
            Some(Outcome::Accepted(accepted)) => Ok(CodeVerdict::Accepted(accepted.position)),
            Some(Outcome::Rejected(rejected)) => Ok(CodeVerdict::Rejected {
                replaced: rejected.replaced,
            }),
            None => Err(Fault::incomplete(CALL)),
        }
    }

    /// Ends a flow and its codes.
    ///
    /// # Errors
    /// [`super::Reason::FlowOver`]; otherwise the service is down.
    pub async fn cancel_flow(&self, flow: &Flow) -> Result<(), Fault> {
        let question = proto::CancelFlowRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
        };
        let mut otp = self.otp.clone();
        read("CancelFlow", otp.cancel_flow(within(DEADLINE, question)).await).map(drop)
    }

    /// Where a flow stands in the log.
    ///
    /// # Errors
    /// [`super::Reason::FlowOver`]; otherwise the service is down.
    pub async fn flow(&self, flow: &Flow) -> Result<proto::FlowView, Fault> {
        const CALL: &str = "GetFlow";
        let question = proto::GetFlowRequest {
            flow_id: flow.id.clone(),
            flow_secret: flow.secret.expose().to_vec(),
        };
        let mut otp = self.otp.clone();
        let answer = read(CALL, otp.get_flow(within(DEADLINE, question)).await)?;
        answer.flow.ok_or_else(|| Fault::incomplete(CALL))
    }
}
