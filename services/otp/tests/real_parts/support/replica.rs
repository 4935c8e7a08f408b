//! One replica of the service, inside the test's process.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use sekisho_eventlog::Log;
use sekisho_evidence::CommandId;
use sekisho_letters::{Charset, Letters, MailFrom};
use sekisho_otp::app::{App, Error, Fates, Verified};
use sekisho_otp::code::{Keys, Owner};
use sekisho_otp::domain::View;
use sekisho_otp::worker::{Addresses, Courier, Failure, FollowerGone, MailWorker, Question, RelayUrl};
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_service::process::Process;
use sekisho_service::settings::{KeyRing, Secret, Value as _};
use sekisho_service::tls::Certificates;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Flow, Relay, World};

/// One replica.
pub struct Replica {
    pub log: Log,
    pub app: App,
    keys: Keys,
    fates: Fates,
    stop: CancellationToken,
    worker: Option<JoinHandle<Result<(), FollowerGone>>>,
}

/// What credentials answer.
#[derive(Clone, Copy)]
pub enum Mailbox {
    Known,
    /// The account is a phantom.
    Phantom,
}

impl Addresses for Mailbox {
    fn resolve(&self, _question: Question) -> BoxFuture<'_, Result<Secret<String>, Failure>> {
        let answer = match self {
            Self::Known => Ok(Secret::new("gantoroku@example.com".to_owned())),
            Self::Phantom => Err(Failure::of(Class::NoAddress)),
        };
        Box::pin(async { answer })
    }
}

impl Replica {
    /// A replica without NATS and without a worker.
    pub async fn new(world: &World, name: &str) -> Self {
        Self::with_nats(world, name, None).await
    }

    /// A replica that hands mails over, to an address that is known.
    pub async fn worker(world: &World, name: &str, relay: &Relay) -> Self {
        Self::new(world, name).await.work(relay, Mailbox::Known).await
    }

    /// A replica whose key file says this.
    pub async fn keyed(world: &World, name: &str, lines: &[&str]) -> Self {
        Self::with(world, name, None, keys_of(lines)).await
    }

    pub async fn with_nats(world: &World, name: &str, nats: Option<async_nats::Client>) -> Self {
        Self::with(world, name, nats, keys()).await
    }

    async fn with(world: &World, name: &str, nats: Option<async_nats::Client>, keys: Keys) -> Self {
        let log = world.log(name, nats).await;
        let fates = Fates::new();
        let app = App::new(log.clone(), keys.clone(), fates.clone());
        let stop = CancellationToken::new();
        Self {
            log,
            app,
            keys,
            fates,
            stop,
            worker: None,
        }
    }

    /// Starts its mail worker and waits until that has caught up with the log.
    pub async fn work(self, relay: &Relay, mailbox: Mailbox) -> Self {
        self.work_at(&relay.url(), mailbox).await
    }

    pub async fn work_at(self, relay: &str, mailbox: Mailbox) -> Self {
        self.work_with(relay, None, mailbox).await
    }

    /// A relay that must prove its name by this authority.
    pub async fn work_with(
        mut self,
        relay: &str,
        authority: Option<&Certificates>,
        mailbox: Mailbox,
    ) -> Self {
        let letters = Letters::new(
            MailFrom::parse("gtol@localhost").unwrap(),
            "件名".to_owned(),
            Charset::Utf8,
        );
        let url = RelayUrl::parse(relay).unwrap();
        let relay = sekisho_otp::worker::Relay::new(url, authority).unwrap();
        let courier = Courier::new(
            self.log.clone(),
            self.keys.clone(),
            Arc::new(mailbox),
            letters,
            relay,
        );
        let worker = MailWorker::new(self.log.clone(), courier, self.fates.clone());
        let process = Process::new(Duration::from_secs(5));
        let caught_up = process.latch("caught up");
        self.worker = Some(tokio::spawn(worker.run(self.stop.clone(), caught_up)));
        let caught_up = tokio::time::timeout(Duration::from_secs(20), process.readiness().ready()).await;
        caught_up.unwrap();
        self
    }

    /// The process dies: whatever its worker does ends in the middle.
    pub async fn die(mut self) {
        let worker = self.worker.take().unwrap();
        worker.abort();
        let _ = worker.await;
    }

    pub async fn issue(&self, flow: &Flow) -> Result<View, Error> {
        let command = sekisho_service::entropy::bytes().into();
        self.issue_form(flow, command).await
    }

    /// Asks for a code by one form.
    pub async fn issue_form(&self, flow: &Flow, command: CommandId) -> Result<View, Error> {
        self.app.issue(flow.caller(), command).await
    }

    /// Types a code as a form of its own.
    pub async fn verify(&self, flow: &Flow, code: &str) -> Result<Verified, Error> {
        let command = sekisho_service::entropy::bytes().into();
        self.verify_form(flow, code, command).await
    }

    /// Types a code into one form.
    pub async fn verify_form(&self, flow: &Flow, code: &str, command: CommandId) -> Result<Verified, Error> {
        let code = Secret::new(code.to_owned());
        self.app.verify(flow.caller(), &code, command).await
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The key of every replica that is given no others.
pub const K1: &str = "k1 abababababababababababababababababababababababababababababababab";
/// Another one.
pub const K2: &str = "k2 0101010101010101010101010101010101010101010101010101010101010101";

fn keys() -> Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| keys_of(&[K1])).clone()
}

fn keys_of(lines: &[&str]) -> Keys {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", lines.join("\n")).unwrap();
    Keys::new(KeyRing::read(file.path()).unwrap())
}

/// The right digits.
pub fn code(owner: Owner, issue: u64) -> String {
    code_of(K1, owner, issue)
}

/// The right digits by such a line of a key file.
pub fn code_of(line: &str, owner: Owner, issue: u64) -> String {
    let keys = keys_of(&[line]);
    let digits = keys.code(owner, keys.current_id(), issue).unwrap();
    String::from_utf8(digits.expose().to_vec()).unwrap()
}

/// Digits that are not those of the issues 1 to 9.
pub fn wrong(owner: Owner, number: u32) -> String {
    let known: Vec<_> = (1..10).map(|issue| code(owner, issue)).collect();
    let candidates = (number..1_000_000).map(|digits| format!("{digits:06}"));
    candidates
        .into_iter()
        .find(|digits| !known.contains(digits))
        .unwrap()
}
