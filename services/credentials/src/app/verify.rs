//! サインイン: a login id and a password.

use sekisho_eventlog::{DecideError, Decided, Decision, FlowId, LogFault, StreamId, Version};
use sekisho_evidence::{Cuts, session_cuts};
use sekisho_proto::events::AccountEvent;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument as _;

use super::former::Asked;
use super::subject::{Known, Subject};
use super::{App, Error, context};
use crate::domain::{
    Account, Command, Comparison, Finding, Rejection, Stage, TypedLogin, TypedPassword, Verdict, decide,
};
use crate::hashing::Phc;
use crate::sealing::{Seen, Tags};

/// Comparisons of one call. Another one is needed only when the password was set anew during the last.
const COMPARISONS: usize = 3;

/// What a person typed.
#[derive(Debug)]
pub struct Attempt {
    /// As typed.
    pub login_id: String,
    /// As typed.
    pub password: Secret<String>,
    /// SHA-256 of the secret of the flow that acceptance mints.
    pub secret_digest: [u8; 32],
    /// What the browser's device cookie holds, or will hold if the password is right.
    pub device: Option<[u8; 32]>,
    /// It was made for this attempt: no account can know it.
    pub device_is_new: bool,
    /// The browser's side.
    pub seen: Seen,
}

/// What came of it. Each has its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A flow was minted.
    Accepted(FlowId),
    /// The password was right, and is a distributed or used-up one: a flow was minted in which another must be chosen.
    MustChange(FlowId),
    /// The page says why not.
    Denied(Denied),
}

/// Why no flow was minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Nobody has the login id.
    UnknownAccount,
    /// The password is not the account's.
    WrongPassword,
    /// The account is locked for a while.
    Locked,
    /// The password was right, the account is disabled.
    Disabled,
    /// The password was right, and there is no address to mail a code to.
    NoEmail,
    /// Too many attempts from this address failed: nothing was compared.
    Throttled,
}

impl App {
    /// Compares a login id and a password, exactly once for whatever was typed, and records what came of it.
    ///
    /// # Errors
    /// [`Error::HashingBusy`]: nothing was compared or recorded. Other errors tell nothing about the password.
    pub async fn verify_password(&self, attempt: Attempt) -> Result<Outcome, Error> {
        let begun = Instant::now();
        let app = self.clone();
        // Whoever hangs up after the hash was begun must not have it for nothing: what it says is recorded and counted.
        let work = async move { app.compare_and_record(attempt).await };
        let work = tokio::spawn(work.in_current_span());
        let outcome = work.await.map_err(|_| Error::Broken("a comparison panicked"))??;
        match outcome {
            // Some of them take the log a commit more than others: the time must not tell which.
            Outcome::Denied(
                Denied::UnknownAccount
                | Denied::WrongPassword
                | Denied::Locked
                | Denied::Disabled
                | Denied::Throttled,
            ) => sleep_until(begun + self.rules.denial_time).await,
            Outcome::Denied(Denied::NoEmail) | Outcome::Accepted(_) | Outcome::MustChange(_) => {}
        }
        Ok(outcome)
    }

    async fn compare_and_record(&self, attempt: Attempt) -> Result<Outcome, Error> {
        let login = TypedLogin::read(&attempt.login_id);
        let typed = TypedPassword::read(&attempt.password);
        let tags = self.day_keys.tags(&attempt.seen, self.log.now()).await?;
        let brought = attempt.device.filter(|_| !attempt.device_is_new);
        if self.is_throttled(&login, brought, tags).await? {
            return Ok(Outcome::Denied(Denied::Throttled));
        }
        for _ in 0..COMPARISONS {
            let subject = self.subject(&login).await?;
            if self.is_account_throttled(subject.stream(), tags) {
                return Ok(Outcome::Denied(Denied::Throttled));
            }
            let compared = self.compare(&subject, &typed).await?;
            let asked = if compared.verdict.finding == Finding::Right {
                Asked::NOT
            } else {
                self.ask_former(&login, &subject, &typed, brought, compared.cuts)
                    .await?
            };
            let compared = compared.or_right(asked.accepts);
            let recorded = self.record_verdict(&subject, &compared, &attempt, tags).await;
            asked.give_way();
            match recorded {
                Err(DecideError::Rejected(Stopped::Rejected(Rejection::VerdictStale))) => {}
                Err(error) => return Err(error.into()),
                Ok((outcome, is_known_browser)) => {
                    let is_refused = matches!(outcome, Outcome::Denied(Denied::Locked | Denied::Disabled));
                    if is_refused {
                        self.count_refused(subject.stream(), is_known_browser, tags);
                    }
                    self.remember(&subject, outcome, &typed).await;
                    if let (Outcome::Accepted(_), Subject::Known(known)) = (outcome, subject) {
                        self.strengthen(*known, &compared.phc, typed);
                    }
                    return Ok(outcome);
                }
            }
        }
        Err(Error::Log(LogFault::Unavailable))
    }

    /// Compares, and asks meanwhile what else the decision needs: the same whatever was typed and whoever it is.
    async fn compare(&self, subject: &Subject, typed: &TypedPassword) -> Result<Compared, Error> {
        let against = match subject {
            Subject::Known(known) => known.password.set_by,
            Subject::Phantom(_) => Version(0),
        };
        let (phc, stream) = (self.phc(subject)?, subject.stream());
        let hashing = async { Ok(self.pool.compare(typed.clone(), phc.clone()).await?) };
        let asking = async { Ok::<_, Error>(self.store.wrong_passwords(stream, self.log.now()).await?) };
        let cutting = async { Ok::<_, Error>(session_cuts(&self.log, stream).await?) };
        let (right, wrong_ones, cuts) = tokio::try_join!(hashing, asking, cutting)?;
        let is_repeated = self
            .fingerprint(stream, typed)
            .is_some_and(|fingerprint| wrong_ones.contains(&fingerprint));
        let finding = match (right, is_repeated) {
            (true, _) => Finding::Right,
            (false, false) => Finding::Wrong,
            (false, true) => Finding::WrongAgain,
        };
        Ok(Compared {
            verdict: Verdict { finding, against },
            phc,
            cuts,
        })
    }

    /// The outcome, and whether the account knows the browser.
    async fn record_verdict(
        &self,
        subject: &Subject,
        compared: &Compared,
        attempt: &Attempt,
        tags: Option<Tags>,
    ) -> Result<(Outcome, bool), DecideError<Stopped>> {
        let is_right = compared.verdict.finding == Finding::Right;
        let mints = matches!(subject, Subject::Known(known) if known.has_address && is_right);
        let flow = mints.then(|| FlowId::mint(self.log.head()));
        let device = self.device(subject.stream(), attempt.device);
        // What a refusal says that stands in the log already.
        let mut refusal = Denied::Disabled;
        let mut is_known_browser = false;
        let mut repeated = None;
        let decided = self
            .log
            .decide::<Account, Stopped>(&context(subject.stream(), flow), |facts| {
                let client = self
                    .sealed(subject.owner(), facts, &attempt.seen, tags)
                    .map_err(|error| Stopped::Failed(error.into()))?;
                let last_reset =
                    facts
                        .state
                        .history
                        .repeated_reset(&attempt.secret_digest, &client, facts.now);
                let comparison = Comparison {
                    verdict: compared.verdict,
                    mints: flow.map(|_| attempt.secret_digest),
                    client,
                    device,
                    cuts: compared.cuts,
                    lockout: self.rules.lockout,
                    initial_passwords: self.rules.initial_passwords,
                };
                is_known_browser = facts.state.known_device(device, compared.cuts).is_some();
                refusal = if facts.state.is_locked(facts.now, &comparison) {
                    Denied::Locked
                } else {
                    Denied::Disabled
                };
                let decision = decide(&facts.state, facts.now, Command::VerifyPassword(comparison))
                    .map_err(Stopped::Rejected)?;
                repeated = last_reset.filter(|_| is_reset(&decision));
                Ok(repeated.map_or(decision, |_| Decision::Nothing))
            })
            .await?;
        let outcome = match repeated {
            Some(flow) => Ok(Outcome::MustChange(flow)),
            None => outcome(&decided, refusal),
        };
        let outcome = outcome.map_err(|error| DecideError::Rejected(Stopped::Failed(error)))?;
        Ok((outcome, is_known_browser))
    }

    /// Remembers a wrong password that was told to be wrong, so that it counts once. After the answer is recorded: what
    /// never counted must not be taken for a repetition.
    async fn remember(&self, subject: &Subject, outcome: Outcome, typed: &TypedPassword) {
        let (Outcome::Denied(Denied::WrongPassword | Denied::UnknownAccount), Some(fingerprint)) =
            (outcome, self.fingerprint(subject.stream(), typed))
        else {
            return;
        };
        let remembered = self
            .store
            .remember_wrong_password(subject.stream(), fingerprint, self.log.now());
        if let Err(error) = remembered.await {
            tracing::warn!(%error, "a wrong password was not remembered and will count again");
        }
    }

    fn fingerprint(&self, stream: StreamId, typed: &TypedPassword) -> Option<i32> {
        match typed {
            TypedPassword::Comparable(password) => {
                Some(self.keys.pepper.fingerprint(stream, password.expose()))
            }
            TypedPassword::Hopeless => None,
        }
    }

    /// Hashes a password that was right, beside the answer, if its hash is not of the parameters of today or stands with the former
    /// system. If the pool is full or the password was set anew meanwhile, nothing happens: there will be another sign-in.
    fn strengthen(&self, known: Known, phc: &Phc, typed: TypedPassword) {
        let TypedPassword::Comparable(password) = typed else {
            return;
        };
        let is_as_wanted = phc.is_of_today() && !known.is_with_former();
        if is_as_wanted || !phc.is_of_all(&password) {
            return;
        }
        let app = self.clone();
        tokio::spawn(async move {
            let Ok(phc) = app.pool.rehash(password, entropy::bytes()).await else {
                return;
            };
            let Ok(hash) = app.keys.pepper.seal(known.account, &phc) else {
                return;
            };
            match app.store.rehash(known.account, &known.password, hash).await {
                Ok(changed) => tracing::info!(changed, "a hash was made anew"),
                Err(error) => tracing::warn!(%error, "a hash stays as it was"),
            }
        });
    }
}

/// What was gathered about a typed password.
struct Compared {
    verdict: Verdict,
    /// What it was compared with.
    phc: Phc,
    /// In the stream of the account's sessions, and by epochs.
    cuts: Cuts,
}

impl Compared {
    /// Right where the former system says so.
    fn or_right(self, accepts: bool) -> Self {
        if !accepts {
            return self;
        }
        let verdict = Verdict {
            finding: Finding::Right,
            ..self.verdict
        };
        Self { verdict, ..self }
    }
}

/// Why there is no event yet.
pub(super) enum Stopped {
    Rejected(Rejection),
    Failed(Error),
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Rejected(rejection) => rejection.into(),
            Stopped::Failed(error) => error,
        }
    }
}

/// Whether the password was right and must be changed.
fn is_reset(decision: &Decision<AccountEvent>) -> bool {
    matches!(
        decision,
        Decision::Record(AccountEvent::PasswordResetRequested(_))
    )
}

/// The answer follows the event. Without one, a refusal like this one was recorded less than a minute ago.
fn outcome(decided: &Decided<Account>, refusal: Denied) -> Result<Outcome, Error> {
    const UNEXPECTED: Error = Error::Broken("an attempt was recorded as something else");
    let (recorded, event, before) = match decided {
        Decided::Recorded {
            recorded,
            event,
            before,
        } => (recorded, event, before),
        Decided::Nothing(_) => return Ok(Outcome::Denied(refusal)),
        Decided::Repeated { .. } => return Err(UNEXPECTED),
    };
    match event {
        AccountEvent::PasswordAccepted(_) => Ok(recorded
            .flow
            .map_or(Outcome::Denied(Denied::NoEmail), Outcome::Accepted)),
        AccountEvent::PasswordRejected(_) => Ok(Outcome::Denied(match before.stage {
            Stage::Unregistered | Stage::Erased => Denied::UnknownAccount,
            Stage::Enabled { .. } | Stage::Disabled { .. } => Denied::WrongPassword,
        })),
        AccountEvent::SignInRefused(_) => Ok(Outcome::Denied(refusal)),
        AccountEvent::PasswordResetRequested(_) => recorded.flow.map(Outcome::MustChange).ok_or(UNEXPECTED),
        AccountEvent::AccountRegistered(_)
        | AccountEvent::PasswordChanged(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::ProfileChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::AccountUnlocked(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_)
        | AccountEvent::FederatedIdentityLinked(_)
        | AccountEvent::FederatedIdentityAccepted(_)
        | AccountEvent::FederatedIdentityRejected(_) => Err(UNEXPECTED),
    }
}
