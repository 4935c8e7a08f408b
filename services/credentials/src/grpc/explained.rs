//! What lately happened, as it stands on the wire.

use sekisho_eventlog::Entry;
use sekisho_proto::credentials::v1 as proto;
use sekisho_proto::credentials::v1::explain_account_request::Question as Asked;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::sessions::v1::SessionStarted;
use sekisho_proto::{Event as _, Kind, to_timestamp};

use crate::app::{Episode, Error, Explanation, Question};

impl TryFrom<proto::ExplainAccountRequest> for Question {
    type Error = Error;

    fn try_from(request: proto::ExplainAccountRequest) -> Result<Self, Error> {
        match request.question {
            Some(Asked::LoginId(login)) => Ok(Self::Login(login)),
            Some(Asked::Enquiry(number)) => {
                let enquiry = number.parse().map_err(|_| Error::EnquiryInvalid)?;
                Ok(Self::Enquiry(enquiry))
            }
            None => Err(Error::LoginId),
        }
    }
}

impl From<Explanation> for proto::ExplainAccountResponse {
    fn from(explanation: Explanation) -> Self {
        Self {
            account: explanation.account.map(proto::Account::from),
            episodes: explanation
                .episodes
                .into_iter()
                .map(proto::Episode::from)
                .collect(),
            now: Some(to_timestamp(explanation.now)),
        }
    }
}

impl From<Episode> for proto::Episode {
    fn from(episode: Episode) -> Self {
        Self {
            events: episode.entries.iter().map(logged).collect(),
            enquiry: episode
                .enquiry
                .map_or_else(String::new, |enquiry| enquiry.to_string()),
        }
    }
}

fn logged(entry: &Entry) -> proto::LoggedEvent {
    proto::LoggedEvent {
        recorded_at: Some(to_timestamp(entry.recorded.recorded_at)),
        kind: entry.kind.to_string(),
        event_type: entry.event_type.clone(),
        event: for_the_help_desk(entry),
    }
}

/// The event without what only auditors and machines need: of digests there is left whether there was one.
fn for_the_help_desk(entry: &Entry) -> Vec<u8> {
    match entry.kind {
        Kind::Account => entry
            .event()
            .map(|event| of_account(event).encode())
            .unwrap_or_default(),
        Kind::Code => entry
            .event::<CodeEvent>()
            .map(|event| event.encode())
            .unwrap_or_default(),
        Kind::Session => entry
            .event()
            .map(|event| of_session(event).encode())
            .unwrap_or_default(),
        Kind::Client | Kind::System | Kind::Audit => Vec::new(),
    }
}

fn of_account(event: AccountEvent) -> AccountEvent {
    match event {
        AccountEvent::PasswordAccepted(accepted) => proto::PasswordAccepted {
            secret_digest: mark(&accepted.secret_digest),
            client: None,
            device: mark(&accepted.device),
            ..accepted
        }
        .into(),
        AccountEvent::PasswordRejected(rejected) => proto::PasswordRejected {
            client: None,
            device: mark(&rejected.device),
            ..rejected
        }
        .into(),
        AccountEvent::SignInRefused(refused) => proto::SignInRefused {
            client: None,
            ..refused
        }
        .into(),
        AccountEvent::PasswordResetRequested(request) => proto::PasswordResetRequested {
            secret_digest: mark(&request.secret_digest),
            client: None,
            ..request
        }
        .into(),
        AccountEvent::PasswordChanged(changed) => proto::PasswordChanged {
            device: mark(&changed.device),
            ..changed
        }
        .into(),
        AccountEvent::FederatedIdentityAccepted(accepted) => proto::FederatedIdentityAccepted {
            secret_digest: mark(&accepted.secret_digest),
            client: None,
            ..accepted
        }
        .into(),
        AccountEvent::FederatedIdentityRejected(rejected) => proto::FederatedIdentityRejected {
            client: None,
            ..rejected
        }
        .into(),
        event @ (AccountEvent::AccountRegistered(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::ProfileChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::AccountUnlocked(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_)
        | AccountEvent::FederatedIdentityLinked(_)) => event,
    }
}

fn of_session(event: SessionEvent) -> SessionEvent {
    match event {
        SessionEvent::SessionStarted(started) => SessionStarted {
            session_id: Vec::new(),
            token_digest: Vec::new(),
            ended: Vec::new(),
            device: mark(&started.device),
            ..started
        }
        .into(),
        event @ (SessionEvent::SessionExtended(_)
        | SessionEvent::SessionEnded(_)
        | SessionEvent::SessionsCut(_)) => event,
    }
}

fn mark(digest: &[u8]) -> Vec<u8> {
    digest.first().map(|_| vec![1]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_desk_sees_no_digest_and_nothing_sealed() {
        let canary = || vec![0xca; 32];
        let client = Some(proto::SealedClient {
            sealed: canary(),
            address_tag: canary(),
        });
        let events: [AccountEvent; 7] = [
            proto::PasswordAccepted {
                secret_digest: canary(),
                device: canary(),
                client: client.clone(),
                ..Default::default()
            }
            .into(),
            proto::PasswordRejected {
                device: canary(),
                client: client.clone(),
                ..Default::default()
            }
            .into(),
            proto::SignInRefused {
                client: client.clone(),
                ..Default::default()
            }
            .into(),
            proto::FederatedIdentityAccepted {
                secret_digest: canary(),
                client: client.clone(),
                ..Default::default()
            }
            .into(),
            proto::FederatedIdentityRejected {
                client: client.clone(),
                ..Default::default()
            }
            .into(),
            proto::PasswordResetRequested {
                secret_digest: canary(),
                client,
                ..Default::default()
            }
            .into(),
            proto::PasswordChanged {
                device: canary(),
                ..Default::default()
            }
            .into(),
        ];
        for event in events {
            let told = of_account(event).encode();
            assert!(!told.contains(&0xca), "{told:?}");
        }
        let started = SessionStarted {
            session_id: canary(),
            token_digest: canary(),
            device: canary(),
            ended: vec![canary()],
            ..Default::default()
        };
        assert!(!of_session(started.into()).encode().contains(&0xca));
    }
}
