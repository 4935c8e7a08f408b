//! Where a mail goes.

use futures::future::BoxFuture;
use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_proto::credentials::v1::ResolveAddressRequest;
use sekisho_proto::credentials::v1::credentials_service_client::CredentialsServiceClient;
use sekisho_proto::credentials::v1::resolve_address_request::{Mail, Notice};
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_service::client::Channel;
use sekisho_service::refusal;
use sekisho_service::settings::Secret;
use tonic::{Code, Request, Status};

use super::failure::Failure;
use super::times::ADDRESS;

/// Which address is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The account, or a phantom.
    pub account: StreamId,
    /// The flow of a code; `None` for a notice.
    pub flow: Option<FlowId>,
    /// Position of the event that owes the mail.
    pub about: Position,
}

/// Who knows addresses.
pub trait Addresses: Send + Sync + 'static {
    /// The address for a live code, or for a notice.
    ///
    /// # Errors
    /// [`Failure`]: of class NO_ADDRESS for a phantom, DEAD when the code is not alive or the notice not owed, UNREACHABLE when
    /// nothing is known.
    fn resolve(&self, question: Question) -> BoxFuture<'_, Result<Secret<String>, Failure>>;
}

/// The credentials service.
#[derive(Debug, Clone)]
pub struct Credentials {
    client: CredentialsServiceClient<Channel>,
}

impl Credentials {
    /// Over a channel to all replicas of credentials.
    pub fn new(channel: Channel) -> Self {
        Self {
            client: CredentialsServiceClient::new(channel),
        }
    }
}

impl Addresses for Credentials {
    fn resolve(&self, question: Question) -> BoxFuture<'_, Result<Secret<String>, Failure>> {
        let mut client = self.client.clone();
        Box::pin(async move {
            let mut request = Request::new(ResolveAddressRequest {
                account_id: question.account.to_vec(),
                position: question.about.0,
                mail: Some(match question.flow {
                    Some(flow) => Mail::FlowId(flow.to_vec()),
                    None => Mail::Notice(Notice {}),
                }),
            });
            request.set_timeout(ADDRESS);
            let answer = client.resolve_address(request).await;
            let address = answer.map_err(|status| refused(&status))?.into_inner().address;
            if address.is_empty() {
                return Err(Failure::of(Class::NoAddress));
            }
            Ok(Secret::new(address))
        })
    }
}

fn refused(status: &Status) -> Failure {
    let reason = refusal::reason(status);
    tracing::warn!(code = refusal::code_name(status.code()), reason, "no address");
    match status.code() {
        Code::NotFound | Code::FailedPrecondition => Failure::of(Class::Dead),
        _ => Failure::of(Class::Unprepared),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_credentials_calls_dead_is_not_tried_again() {
        assert_eq!(refused(&Status::failed_precondition("")).class, Class::Dead);
        assert_eq!(refused(&Status::not_found("")).class, Class::Dead);
        assert_eq!(refused(&Status::unavailable("")).class, Class::Unprepared);
        assert_eq!(refused(&Status::permission_denied("")).class, Class::Unprepared);
    }
}
