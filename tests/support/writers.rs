//! The services' own rights on the log, for tests that lay out evidence themselves.

use anyhow::{Context, Result, bail};
use async_nats::Client;
use sekisho_dev::Stack;
use sekisho_eventlog::{
    AppendError, Draft, EventId, FlowId, Log, LogSettings, Outcome, Position, StreamId, Version, Via,
};
use sekisho_proto::Event;
use sekisho_proto::events::{AccountEvent, CodeEvent};
use sekisho_proto::log::v1::Metadata;
use sekisho_proto::{credentials::v1 as credentials, otp::v1 as otp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::flow::{Flow, random};

/// How often an append is submitted, 2 s each.
const TRIES: u32 = 10;

/// Log handles with the rights of credentials and of otp.
#[derive(Debug, Clone)]
pub struct Writers {
    /// May write `account`.
    pub credentials: Log,
    /// May write `code`.
    pub otp: Log,
}

impl Writers {
    /// Opens the log twice.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn open(stack: &Stack) -> Result<Self> {
        Ok(Self {
            credentials: log(stack, "credentials").await?,
            otp: log(stack, "otp").await?,
        })
    }

    /// A new account's stream; nobody is registered there.
    pub fn account() -> StreamId {
        StreamId(Uuid::from_bytes(sekisho_service::entropy::bytes()))
    }

    /// PasswordAccepted of a new flow at the end of an account's stream, which has `before` entries.
    ///
    /// # Errors
    /// When it is not recorded.
    pub async fn password_accepted(&self, account: StreamId, before: u64) -> Result<Flow> {
        let secret = random();
        let id = FlowId::mint(self.credentials.head());
        let accepted = credentials::PasswordAccepted {
            secret_digest: Sha256::digest(&secret).to_vec(),
            password_version: 1,
            ..Default::default()
        };
        append(
            &self.credentials,
            account,
            before,
            Some(id),
            &AccountEvent::from(accepted),
        )
        .await?;
        Ok(Flow {
            id: id.to_vec(),
            secret,
        })
    }

    /// CodeAccepted of a flow at the end of an account's stream of codes.
    ///
    /// # Errors
    /// When it is not recorded.
    pub async fn code_accepted(&self, account: StreamId, before: u64, flow: &Flow) -> Result<Position> {
        let accepted = otp::CodeAccepted {
            purpose: otp::Purpose::SignIn.into(),
            issue: 1,
            evidence: 1,
            proved: true,
        };
        let id = FlowId::try_from(flow.id.as_slice())?;
        append(&self.otp, account, before, Some(id), &CodeEvent::from(accepted)).await
    }

    /// PasswordChanged at the end of an account's stream: a cut.
    ///
    /// # Errors
    /// When it is not recorded.
    pub async fn password_changed(&self, account: StreamId, before: u64) -> Result<Position> {
        let changed = AccountEvent::from(credentials::PasswordChanged::default());
        append(&self.credentials, account, before, None, &changed).await
    }
}

/// A client of the bus as one of its users.
///
/// # Errors
/// When the bus cannot be reached.
pub async fn bus(stack: &Stack, user: &str) -> Result<Client> {
    let url = stack.nats_url(user);
    let (login, server) = url
        .trim_start_matches("nats://")
        .split_once('@')
        .context("no login")?;
    let client = sekisho_eventlog::bus::connect(server, login.split_once(':'), user).await?;
    client.flush().await?;
    Ok(client)
}

async fn log(stack: &Stack, user: &str) -> Result<Log> {
    let settings = LogSettings {
        database_url: stack.database_url(user),
        nats: Some(bus(stack, user).await?),
        service: "tests/0".to_owned(),
        wake_on: Vec::new(),
        test_clock: true,
    };
    Ok(Log::connect(settings).await?)
}

/// Appends one event at an expected version.
///
/// # Errors
/// When it is not recorded.
pub async fn append<E: Event>(
    log: &Log,
    stream: StreamId,
    before: u64,
    flow: Option<FlowId>,
    event: &E,
) -> Result<Position> {
    let draft = Draft {
        kind: E::KIND,
        stream,
        expected: Version(before),
        event_id: EventId::new(log.now()),
        flow,
        event_type: event.event_type(),
        payload: sekisho_proto::log::v1::Payload {
            event: event.encode(),
            carried: None,
        },
        metadata: Metadata {
            actor: "tests".to_owned(),
            ..Metadata::default()
        },
        not_after: None,
    };
    // A disk that takes its time is no finding; the same draft is recorded once however often it is submitted.
    for _ in 0..TRIES {
        match log.append(draft.clone(), &Via::Append).await {
            Ok(Outcome::Recorded(receipt)) => return Ok(receipt.position),
            Ok(other) => bail!("not recorded: {other:?}"),
            Err(AppendError::Unavailable) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the log has not answered {TRIES} times")
}
