//! A flow as credentials mint it.

use sekisho_eventlog::{Draft, EventId, FlowId, Log, Outcome, Position, StreamId, Version, Via};
use sekisho_evidence::{AccountCuts, secret_digest};
use sekisho_otp::app::Caller;
use sekisho_otp::code::Owner;
use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::otp::v1::Purpose;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::sessions::v1 as sessions;
use sekisho_proto::{Event, Kind};
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use super::until;

/// A flow and its secret.
pub struct Flow {
    pub owner: Owner,
    secret: Secret<Vec<u8>>,
    /// Of nobody.
    other: Secret<Vec<u8>>,
    log: Log,
}

impl Flow {
    /// The id of a new account.
    pub fn new_account(log: &Log) -> StreamId {
        StreamId(EventId::new(log.now()).0)
    }

    pub async fn sign_in(log: &Log) -> Self {
        Self::sign_in_of(log, Self::new_account(log)).await
    }

    /// A sign-in of an account that may have had others.
    pub async fn sign_in_of(log: &Log, account: StreamId) -> Self {
        let secret = entropy::bytes();
        let accepted = credentials::PasswordAccepted {
            secret_digest: secret_digest(&secret).to_vec(),
            ..Default::default()
        };
        Self::minted_by(log, secret, (account, Purpose::SignIn), accepted.into()).await
    }

    pub async fn reset(log: &Log) -> Self {
        Self::reset_of(log, Self::new_account(log)).await
    }

    /// A reset of an account, or of a login id that nobody has.
    pub async fn reset_of(log: &Log, account: StreamId) -> Self {
        let secret = entropy::bytes();
        let requested = credentials::PasswordResetRequested {
            secret_digest: secret_digest(&secret).to_vec(),
            ..Default::default()
        };
        Self::minted_by(log, secret, (account, Purpose::Reset), requested.into()).await
    }

    async fn minted_by(
        log: &Log,
        secret: [u8; 32],
        (account, purpose): (StreamId, Purpose),
        event: AccountEvent,
    ) -> Self {
        let owner = Owner {
            account,
            flow: FlowId::mint(log.head()),
            purpose,
        };
        let flow = Self {
            owner,
            secret: Secret::new(secret.to_vec()),
            other: Secret::new(b"another secret".to_vec()),
            log: log.clone(),
        };
        let version = log.load::<AccountCuts>(account).await.unwrap().version;
        flow.append(log, version.0, Some(owner.flow), event).await;
        flow
    }

    /// An administrator forgives what was typed wrong.
    pub async fn unlock(&self) {
        let version = self
            .log
            .load::<AccountCuts>(self.owner.account)
            .await
            .unwrap()
            .version;
        let unlocked = AccountEvent::from(credentials::AccountUnlocked {});
        self.append(&self.log, version.0, None, unlocked).await;
    }

    /// The password of this flow's account changes: a cut.
    pub async fn cut(&self) {
        let version = self
            .log
            .load::<AccountCuts>(self.owner.account)
            .await
            .unwrap()
            .version;
        let changed = AccountEvent::from(credentials::PasswordChanged::default());
        self.append(&self.log, version.0, None, changed).await;
    }

    /// A wrong password locks this flow's account; the stream is at this version.
    pub async fn lock(&self, version: u64) {
        let locking = credentials::PasswordRejected {
            password_version: 1,
            lock: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
            ..Default::default()
        };
        self.append(&self.log, version, None, AccountEvent::from(locking))
            .await;
    }

    /// What became of mails to the account that belong to no flow, in order.
    pub async fn notice_events(&self) -> Vec<CodeEvent> {
        let account = self.owner.account;
        let newest = self
            .log
            .newest::<CodeEvent>(CodeEvent::TYPES, account, Position(0), 100)
            .await
            .unwrap();
        let of_no_flow = newest.iter().rev().filter(|entry| entry.recorded.flow.is_none());
        of_no_flow.map(|entry| entry.event().unwrap()).collect()
    }

    /// The names of those events.
    pub async fn notice_types(&self) -> Vec<&'static str> {
        self.notice_events()
            .await
            .iter()
            .map(CodeEvent::event_type)
            .collect()
    }

    /// Class, reply code, whether another attempt follows.
    pub async fn notice_failures(&self) -> Vec<(Class, u32, bool)> {
        failures(self.notice_events().await)
    }

    /// Until mails to the account that belong to no flow have come so far.
    pub async fn until_told(&self, types: &[&str]) {
        until("the notice's events", async || self.notice_types().await == types).await;
    }

    /// The flow leads to a session, by the log as sessions hold it.
    pub async fn use_up(&self, sessions: &Log) {
        let started = SessionEvent::from(sessions::SessionStarted::default());
        self.append(sessions, 0, Some(self.owner.flow), started).await;
    }

    /// An event of a version to come: nothing of this account's codes can be decided any more.
    pub async fn spoil(&self, otp: &Log) {
        let draft = Draft {
            kind: Kind::Code,
            stream: self.owner.account,
            expected: Version(1),
            event_id: EventId::new(otp.now()),
            flow: None,
            event_type: "code_sung",
            payload: Payload::default(),
            metadata: Metadata::default(),
            not_after: None,
        };
        let outcome = otp.append(draft, &Via::Append).await.unwrap();
        assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
    }

    async fn append<E: Event>(&self, log: &Log, expected: u64, flow: Option<FlowId>, event: E) {
        let draft = Draft {
            kind: E::KIND,
            stream: self.owner.account,
            expected: Version(expected),
            event_id: EventId::new(self.log.now()),
            flow,
            event_type: event.event_type(),
            payload: Payload {
                event: event.encode(),
                carried: None,
            },
            metadata: Metadata::default(),
            not_after: None,
        };
        let outcome = log.append(draft, &Via::Append).await.unwrap();
        assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
    }

    /// Who holds the secret.
    pub fn caller(&self) -> Caller<'_> {
        Caller {
            flow: self.owner.flow,
            secret: &self.secret,
        }
    }

    /// Who holds another one.
    pub fn stranger(&self) -> Caller<'_> {
        Caller {
            flow: self.owner.flow,
            secret: &self.other,
        }
    }

    /// The events of kind `code` of this flow, in order.
    pub async fn events(&self) -> Vec<CodeEvent> {
        let entries = self.log.flow(self.owner.flow).await.unwrap();
        let codes = entries.iter().filter(|entry| entry.kind == Kind::Code);
        codes.map(|entry| entry.event().unwrap()).collect()
    }

    /// The names of those events.
    pub async fn types(&self) -> Vec<&'static str> {
        self.events().await.iter().map(CodeEvent::event_type).collect()
    }

    /// Class, reply code, whether another attempt follows.
    pub async fn failures(&self) -> Vec<(Class, u32, bool)> {
        failures(self.events().await)
    }

    /// Until the flow has come so far.
    pub async fn until_types(&self, types: &[&str]) {
        until("the flow's events", async || self.types().await == types).await;
    }

    /// The services that wrote the events of one type.
    pub async fn writers(&self, event_type: &str) -> Vec<String> {
        let entries = self.log.flow(self.owner.flow).await.unwrap();
        let of_type = entries.into_iter().filter(|entry| entry.event_type == event_type);
        of_type.map(|entry| entry.metadata().service).collect()
    }

    /// How long after the first event of one type the first of another was recorded.
    pub async fn between(&self, first: &str, second: &str) -> time::Duration {
        let entries = self.log.flow(self.owner.flow).await.unwrap();
        let at = |event_type: &str| {
            let found = entries.iter().find(|entry| entry.event_type == event_type);
            found.unwrap().recorded.recorded_at
        };
        at(second) - at(first)
    }
}

fn failures(events: Vec<CodeEvent>) -> Vec<(Class, u32, bool)> {
    let failed = events.into_iter().filter_map(|event| match event {
        CodeEvent::MailFailed(failed) => Some((failed.class(), failed.reply, failed.will_retry)),
        _ => None,
    });
    failed.collect()
}
