//! Calls to credentials about NCR accounts.

use std::time::Duration;

use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::finish_federated_sign_in_response::{Outcome, Reason};

use super::{Backends, Fault, read, within};
use crate::cookies::Flow;
use crate::edge::Client;
use crate::secret::Secret;

/// How long an answer may take: behind credentials stands the provider, which has three seconds.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// The longest parameter that is given on, in bytes: codes and states are of some hundred.
const LONGEST: usize = 8 * 1_024;

/// Where a browser goes to sign in with an NCR account. Never printed: what ties the answer to the flow stands in the address.
pub struct Question {
    /// The flow that it comes back in.
    pub flow: Flow,
    /// The authorization request.
    pub url: String,
}

/// What a browser brings back in its address. Never printed. Parameters that are missing are empty.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Returned {
    state: String,
    code: String,
    iss: String,
    error: String,
    error_description: String,
}

impl Returned {
    /// No provider brings more than this.
    pub fn is_bounded(&self) -> bool {
        let all = [
            &self.state,
            &self.code,
            &self.iss,
            &self.error,
            &self.error_description,
        ];
        all.iter().all(|text| text.len() <= LONGEST)
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// The flow opens a session, if it has not ended meanwhile.
    Accepted {
        /// Where the browser goes after a sign-out; empty if there is no such place.
        end_session_url: String,
    },
    /// Why it does not.
    Rejected(NotVouched),
}

/// Why a flow opens no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotVouched {
    /// The person gave up at the provider.
    Cancelled,
    /// Not the answer to this flow's question, or too late.
    Binding,
    /// The provider wants to be asked again.
    Retry,
    /// The provider fails, or says what is not to be believed.
    Failed,
    /// The provider cannot be reached.
    Unreachable,
    /// No account is linked with the person's.
    NoAccount,
    /// The account is disabled.
    Disabled,
    /// The person signed in there without a second factor.
    FactorMissing,
}

impl Backends {
    /// Where the browser goes, and comes back from to this host. The provider asks who it is, whatever it remembers, if `ask_again`.
    ///
    /// # Errors
    /// [`super::Reason::ProviderAway`]; otherwise the service is down.
    pub async fn begin_federated(
        &self,
        host: &str,
        ask_again: bool,
        client: Client,
    ) -> Result<Question, Fault> {
        let secret = Secret::fresh();
        let question = proto::BeginFederatedSignInRequest {
            secret_digest: secret.digest().to_vec(),
            host: host.to_owned(),
            ask_again,
            client: Some(client.into()),
        };
        let mut credentials = self.credentials.clone();
        let answer = credentials
            .begin_federated_sign_in(within(DEADLINE, question))
            .await;
        let answer = read("BeginFederatedSignIn", answer)?;
        let flow = Flow {
            id: answer.flow_id,
            secret,
            seen: 0,
            federated: true,
        };
        Ok(Question {
            flow,
            url: answer.url,
        })
    }

    /// What comes of what a browser brings back to the flow that it left in; without one it is only counted.
    ///
    /// # Errors
    /// [`super::Reason::Throttled`]; otherwise the service is down; the same call may be made again, and comes to nothing if its code was asked about.
    pub async fn finish_federated(
        &self,
        flow: Option<&Flow>,
        host: &str,
        returned: Returned,
        client: Client,
    ) -> Result<Vouched, Fault> {
        const CALL: &str = "FinishFederatedSignIn";
        let question = proto::FinishFederatedSignInRequest {
            flow_id: flow.map(|flow| flow.id.clone()).unwrap_or_default(),
            flow_secret: flow.map(|flow| flow.secret.expose().to_vec()).unwrap_or_default(),
            host: host.to_owned(),
            state: returned.state,
            code: returned.code,
            iss: returned.iss,
            error: returned.error,
            error_description: returned.error_description,
            client: Some(client.into()),
        };
        let mut credentials = self.credentials.clone();
        let answer = credentials
            .finish_federated_sign_in(within(DEADLINE, question))
            .await;
        match read(CALL, answer)?.outcome {
            Some(Outcome::Accepted(accepted)) => Ok(Vouched::Accepted {
                end_session_url: accepted.end_session_url,
            }),
            Some(Outcome::Rejected(rejected)) => {
                let why = not_vouched(rejected.reason()).ok_or_else(|| Fault::incomplete(CALL))?;
                Ok(Vouched::Rejected(why))
            }
            None => Err(Fault::incomplete(CALL)),
        }
    }
}

fn not_vouched(reason: Reason) -> Option<NotVouched> {
    Some(match reason {
        Reason::Unspecified => return None,
        Reason::Cancelled => NotVouched::Cancelled,
        Reason::Binding => NotVouched::Binding,
        Reason::Retry => NotVouched::Retry,
        Reason::ProviderFailed | Reason::Token => NotVouched::Failed,
        Reason::ProviderUnreachable => NotVouched::Unreachable,
        Reason::NoAccount => NotVouched::NoAccount,
        Reason::Disabled => NotVouched::Disabled,
        Reason::FactorMissing => NotVouched::FactorMissing,
    })
}
