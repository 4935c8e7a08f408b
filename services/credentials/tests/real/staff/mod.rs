//! NCRアカウントでサインイン, with a provider that does what a test says, on real HTTP.

mod link;
mod provider;
mod token;
mod trouble;
mod way;

use std::time::Duration;

use openidconnect::IssuerUrl;
use sekisho_credentials::app::{App, Beginning, Callback, Finished};
use sekisho_credentials::domain::SubjectIdentifier;
use sekisho_credentials::domain::client::Unvouched;
use sekisho_credentials::provider::{Authentication, Freshness, Provider, ProviderSettings};
use sekisho_credentials::sealing::Seen;
use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::secret_digest;
use sekisho_proto::credentials::v1::Client;
use sekisho_proto::events::AccountEvent;
use sekisho_service::settings::Secret;

use crate::support::{ACTOR, Bench, LOGIN, SECRET};
use provider::{Answer, Scripted};

const HOST: &str = "portal.example.jp";
/// The person whom the scripted provider signs in.
const SUBJECT: &str = "ncr-1";

/// An installation with a provider, and an account that is linked there.
struct Staff {
    bench: Bench,
    app: App,
    provider: Scripted,
    account: StreamId,
}

/// A sign-in that has come back from the provider.
#[derive(Clone)]
struct Returned {
    flow: FlowId,
    secret: [u8; 32],
    host: &'static str,
    answer: Answer,
}

impl Staff {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let provider = Scripted::start().await;
        let app = bench.app.clone().with_provider(client(&provider, |_| ()));
        let account = bench.register().await;
        app.link_ncr(LOGIN, Some(subject(SUBJECT)), ACTOR).await.unwrap();
        Self {
            bench,
            app,
            provider,
            account,
        }
    }

    /// The way of a browser to the provider and back.
    async fn visit(&self) -> Returned {
        self.visit_with(false, *SECRET).await
    }

    async fn visit_with(&self, ask_again: bool, secret: [u8; 32]) -> Returned {
        let beginning = Beginning {
            secret_digest: secret_digest(&secret),
            host: HOST.to_owned(),
            ask_again,
            seen: seen(),
        };
        let (flow, url) = self.app.begin_federated(beginning).await.unwrap();
        Returned {
            flow,
            secret,
            host: HOST,
            answer: self.provider.visit(url.expose()),
        }
    }

    async fn finish(&self, returned: Returned) -> Finished {
        self.app.finish_federated(returned.callback()).await.unwrap()
    }

    async fn sign_in(&self) -> Finished {
        let returned = self.visit().await;
        self.finish(returned).await
    }

    /// How many identities were accepted.
    async fn accepted(&self) -> usize {
        let entries = self.bench.account_entries().await;
        let events = entries.iter().map(|entry| entry.event::<AccountEvent>().unwrap());
        events
            .filter(|event| matches!(event, AccountEvent::FederatedIdentityAccepted(_)))
            .count()
    }

    async fn head(&self) -> Position {
        self.bench.log.confirm_head().await.unwrap()
    }
}

impl Returned {
    fn callback(self) -> Callback {
        Callback {
            flow: Some(self.flow),
            secret: Secret::new(self.secret.to_vec()),
            host: self.host.to_owned(),
            state: Secret::new(self.answer.state),
            code: Secret::new(self.answer.code),
            iss: self.answer.iss,
            error: self.answer.error,
            error_description: self.answer.error_description,
            seen: seen(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        change(&mut self.answer);
        self
    }
}

/// Us, as a provider knows us.
fn client(provider: &Scripted, change: impl FnOnce(&mut ProviderSettings)) -> Provider {
    let origin = |host: &str| format!("https://{host}").parse().unwrap();
    let mut settings = ProviderSettings {
        issuer: IssuerUrl::new(provider.issuer.clone()).unwrap(),
        client_id: provider::CLIENT_ID.to_owned(),
        authentication: Authentication::Secret(Secret::new(provider::CLIENT_SECRET.to_owned())),
        origins: vec![origin(HOST), origin("portal2.example.jp")],
        amr: vec!["mfa".to_owned(), "otp".to_owned()],
        acr: Vec::new(),
        patience: Duration::from_secs(3),
        authority: None,
        freshness: Freshness::default(),
    };
    change(&mut settings);
    Provider::new(settings)
}

fn seen() -> Seen {
    Seen::from(Client {
        address: "192.0.2.88".to_owned(),
        user_agent: "canary browser".to_owned(),
    })
}

/// Somebody who wants to sign in, at a host that the provider knows.
fn beginning() -> Beginning {
    Beginning {
        secret_digest: [7; 32],
        host: HOST.to_owned(),
        ask_again: false,
        seen: seen(),
    }
}

fn subject(text: &str) -> SubjectIdentifier {
    SubjectIdentifier::try_from(text).unwrap()
}

fn is_accepted(finished: &Finished) -> bool {
    matches!(finished, Finished::Accepted { .. })
}

const BINDING: Finished = Finished::Unvouched(Unvouched::Binding);
const TOKEN: Finished = Finished::Unvouched(Unvouched::Token);
const FAILED: Finished = Finished::Unvouched(Unvouched::ProviderFailed);
const UNREACHABLE: Finished = Finished::Unvouched(Unvouched::ProviderUnreachable);
