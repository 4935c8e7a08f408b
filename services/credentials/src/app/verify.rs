//! サインイン: a login id and a password.

use sekisho_eventlog::{DecideError, Decided, FlowId, LogFault, Version};
use sekisho_proto::credentials::v1::sign_in_refused::Reason;
use sekisho_proto::events::AccountEvent;
use sekisho_service::entropy;
use sekisho_service::settings::Secret;

use super::subject::{Known, Subject};
use super::{App, Error, context};
use crate::domain::{Account, Command, Rejection, TypedLogin, TypedPassword, Verdict, decide};
use crate::hashing::Phc;
use crate::sealing::Seen;

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
    /// The browser's side.
    pub seen: Seen,
}

/// What came of it. Each has its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A flow was minted.
    Accepted(FlowId),
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
}

impl App {
    /// Compares a login id and a password, exactly once for whatever was typed, and records what came of it.
    ///
    /// # Errors
    /// [`Error::HashingBusy`]: nothing was compared or recorded. Other errors tell nothing about the password.
    pub async fn verify_password(&self, attempt: Attempt) -> Result<Outcome, Error> {
        let login = TypedLogin::read(&attempt.login_id);
        let typed = TypedPassword::read(&attempt.password);
        for _ in 0..COMPARISONS {
            let subject = self.subject(&login).await?;
            let verdict = self.compare(&subject, typed.clone()).await?;
            match self.record_verdict(&subject, verdict, &attempt).await {
                Err(DecideError::Rejected(Stopped::Rejected(Rejection::VerdictStale))) => {}
                Err(error) => return Err(error.into()),
                Ok(decided) => {
                    let outcome = outcome(&decided)?;
                    if let (Outcome::Accepted(_), Subject::Known(known)) = (outcome, subject) {
                        self.strengthen(*known, typed);
                    }
                    return Ok(outcome);
                }
            }
        }
        Err(Error::Log(LogFault::Unavailable))
    }

    async fn compare(&self, subject: &Subject, typed: TypedPassword) -> Result<Verdict, Error> {
        let (phc, against) = match subject {
            Subject::Known(known) => (known.password.phc.clone(), known.password.set_by),
            Subject::Phantom(_) => {
                let decoy = Phc::decoy().ok_or(Error::Broken("the decoy is no hash"))?;
                (decoy, Version(0))
            }
        };
        let right = self.pool.compare(typed, phc).await?;
        Ok(Verdict { right, against })
    }

    async fn record_verdict(
        &self,
        subject: &Subject,
        verdict: Verdict,
        attempt: &Attempt,
    ) -> Result<Decided<Account>, DecideError<Stopped>> {
        let mints = matches!(subject, Subject::Known(known) if known.has_address && verdict.right);
        let flow = mints.then(|| FlowId::mint(self.log.head()));
        self.log
            .decide::<Account, Stopped>(&context(subject.stream(), flow), |facts| {
                let command = Command::VerifyPassword {
                    verdict,
                    mints: flow.map(|_| attempt.secret_digest),
                    client: self
                        .sealed(subject, facts, &attempt.seen)
                        .map_err(|error| Stopped::Failed(error.into()))?,
                };
                decide(&facts.state, command).map_err(Stopped::Rejected)
            })
            .await
    }

    /// Hashes a password that was right with the parameters of today, beside the answer. If the pool is full or the
    /// password was set anew meanwhile, nothing happens: there will be another sign-in.
    fn strengthen(&self, known: Known, typed: TypedPassword) {
        let TypedPassword::Comparable(password) = typed else {
            return;
        };
        if !known.password.phc.is_weak() {
            return;
        }
        let app = self.clone();
        tokio::spawn(async move {
            let Ok(phc) = app.pool.rehash(password, entropy::bytes()).await else {
                return;
            };
            match app.store.rehash(known.account, &known.password, &phc).await {
                Ok(changed) => tracing::info!(changed, "a weak hash was made anew"),
                Err(error) => tracing::warn!(%error, "a weak hash stays"),
            }
        });
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

/// The answer follows the event.
fn outcome(decided: &Decided<Account>) -> Result<Outcome, Error> {
    const UNEXPECTED: Error = Error::Broken("an attempt was recorded as something else");
    let Decided::Recorded {
        recorded,
        event,
        before,
    } = decided
    else {
        return Err(UNEXPECTED);
    };
    match event {
        AccountEvent::PasswordAccepted(_) => Ok(recorded
            .flow
            .map_or(Outcome::Denied(Denied::NoEmail), Outcome::Accepted)),
        AccountEvent::PasswordRejected(_) => Ok(Outcome::Denied(match before {
            Account::Unregistered(_) => Denied::UnknownAccount,
            Account::Enabled { .. } | Account::Disabled { .. } => Denied::WrongPassword,
        })),
        AccountEvent::SignInRefused(refused) => match refused.reason() {
            Reason::Locked => Ok(Outcome::Denied(Denied::Locked)),
            Reason::Disabled => Ok(Outcome::Denied(Denied::Disabled)),
            Reason::Unspecified => Err(UNEXPECTED),
        },
        AccountEvent::AccountRegistered(_)
        | AccountEvent::PasswordResetRequested(_)
        | AccountEvent::PasswordChanged(_)
        | AccountEvent::EmailChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_) => Err(UNEXPECTED),
    }
}
