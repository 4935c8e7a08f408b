//! How far somebody came.

use std::collections::BTreeSet;

use sekisho_proto::credentials::v1::account::What;
use sekisho_proto::credentials::v1::federated_identity_rejected::Reason as Unopened;
use sekisho_proto::credentials::v1::{Account, Episode};
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1::{CodeIssued, MailFailed, Purpose};
use time::{Duration, OffsetDateTime};

use super::advice::is_locked;
use super::story::Told;

/// After so long nothing of an attempt can be gone on with (design, "Flows": a flow gets codes for an hour).
pub(super) const OVER: Duration = Duration::hours(1);

/// How an attempt ended, as far as it goes.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub newest_at: Option<OffsetDateTime>,
    steps: BTreeSet<Step>,
    pub issued: Option<CodeIssued>,
    /// Codes that were issued.
    pub codes: usize,
    pub failed: Option<MailFailed>,
    pub tries_left: Option<u32>,
}

/// What happened in an attempt. Of codes and mails only what is about the newest code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    IsReset,
    Refused,
    PasswordWrong,
    PasswordAccepted,
    IdentityAccepted,
    FactorMissing,
    CodeRefused,
    Mailed,
    CodeAccepted,
    Cancelled,
    Completed,
}

/// Whether somebody tried to sign in, or to set a password.
pub(super) fn is_attempt(episode: &Episode) -> bool {
    episode.events.iter().any(|event| match Told::of(event) {
        Told::Account(event) => event.is_attempt(),
        Told::Code(_) | Told::Session(_) | Told::Unknown => false,
    })
}

impl Attempt {
    pub fn of(episode: &Episode) -> Self {
        let mut attempt = Self::default();
        for event in &episode.events {
            let at = event.recorded_at.as_ref().and_then(from_timestamp);
            attempt = attempt.after(Told::of(event));
            attempt.newest_at = at.or(attempt.newest_at);
        }
        attempt
    }

    /// Whether a lock stands in its way, which is said of the account already.
    pub fn is_shut(&self, account: &Account, now: OffsetDateTime) -> bool {
        if self.has(Step::Refused) {
            account.disabled || is_locked(account, &[What::UnknownBrowsers, What::KnownBrowser], now)
        } else if self.has(Step::IsReset) {
            is_locked(account, &[What::ResetCodes], now)
        } else {
            self.has(Step::PasswordAccepted) && is_locked(account, &[What::SignInCodes], now)
        }
    }

    /// The last that happened is that no more codes were mailed.
    pub fn waits_for_limit(&self, now: OffsetDateTime) -> bool {
        let is_settled =
            self.has(Step::Completed) || self.has(Step::CodeAccepted) || self.tries_left == Some(0);
        let is_of_late = self.newest_at.is_some_and(|at| now < at + OVER);
        self.has(Step::CodeRefused) && is_of_late && !is_settled
    }

    pub fn has(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }

    fn with(mut self, step: Step) -> Self {
        self.steps.insert(step);
        self
    }

    fn after(self, event: Told) -> Self {
        match event {
            Told::Account(event) => self.after_account(&event),
            Told::Code(event) => self.after_code(event),
            Told::Session(SessionEvent::SessionStarted(_)) => self.with(Step::Completed),
            Told::Session(_) | Told::Unknown => self,
        }
    }

    fn after_account(self, event: &AccountEvent) -> Self {
        match event {
            AccountEvent::PasswordAccepted(_) => self.with(Step::PasswordAccepted),
            AccountEvent::PasswordRejected(_) => self.with(Step::PasswordWrong),
            AccountEvent::PasswordResetRequested(_) => self.with(Step::IsReset),
            AccountEvent::SignInRefused(_) => self.with(Step::Refused),
            AccountEvent::PasswordChanged(_) => self.with(Step::Completed),
            AccountEvent::FederatedIdentityAccepted(_) => self.with(Step::IdentityAccepted),
            AccountEvent::FederatedIdentityRejected(rejected) => match rejected.reason() {
                Unopened::FactorMissing => self.with(Step::FactorMissing),
                Unopened::Disabled => self.with(Step::Refused),
                // Of a person without an account, whose story is another one.
                Unopened::NoAccount | Unopened::Unspecified => self,
            },
            AccountEvent::AccountRegistered(_)
            | AccountEvent::EmailChanged(_)
            | AccountEvent::ProfileChanged(_)
            | AccountEvent::AccountDisabled(_)
            | AccountEvent::AccountEnabled(_)
            | AccountEvent::AccountUnlocked(_)
            | AccountEvent::PasswordExpired(_)
            | AccountEvent::AccountErased(_)
            | AccountEvent::FederatedIdentityLinked(_) => self,
        }
    }

    /// A new code takes the place of the old one, with its mail and its tries. Mails of notices are no part of an attempt.
    fn after_code(self, event: CodeEvent) -> Self {
        let is_of_mail = matches!(event, CodeEvent::Mailed(_) | CodeEvent::MailFailed(_));
        if is_of_mail && self.issued.is_none() {
            return self;
        }
        match event {
            CodeEvent::CodeIssued(issued) => self.with_code(issued),
            CodeEvent::CodeRefused(_) => self.with(Step::CodeRefused),
            CodeEvent::Mailed(_) => Self {
                failed: None,
                ..self.with(Step::Mailed)
            },
            CodeEvent::MailFailed(failed) => Self {
                failed: Some(failed),
                ..self
            },
            CodeEvent::CodeRejected(rejected) => Self {
                tries_left: Some(rejected.tries_left),
                ..self
            },
            CodeEvent::CodeAccepted(_) => self.with(Step::CodeAccepted),
            CodeEvent::FlowCancelled(_) => self.with(Step::Cancelled),
            CodeEvent::MailStarted(_) => self,
        }
    }

    fn with_code(mut self, issued: CodeIssued) -> Self {
        self.steps.remove(&Step::CodeRefused);
        self.steps.remove(&Step::Mailed);
        if issued.purpose() == Purpose::Reset {
            self.steps.insert(Step::IsReset);
        }
        // Its mail was one too many.
        if issued.withheld {
            self.steps.insert(Step::CodeRefused);
        }
        self.codes += 1;
        Self {
            issued: Some(issued),
            failed: None,
            tries_left: None,
            ..self
        }
    }
}
