//! What an entry of the log means to the owner of its account.

use sekisho_eventlog::Entry;
use sekisho_proto::Kind;
use sekisho_proto::credentials::v1::sign_in_refused::Reason;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::sessions::v1::session_ended;

pub use sekisho_proto::sessions::v1::get_history_response::What;

/// Events that take a right password, a right code or an administrator.
pub const DEEDS: Types = Types {
    account: &[
        "account_registered",
        "password_changed",
        "password_expired",
        "email_changed",
        "profile_changed",
        "account_disabled",
        "account_enabled",
        "account_unlocked",
        "federated_identity_linked",
        "password_accepted",
        "federated_identity_accepted",
    ],
    code: &["code_accepted"],
    session: &["session_started", "session_ended", "sessions_cut"],
};

/// Events that anybody brings about who knows a login id, as often as the limits let them.
pub const ATTEMPTS: Types = Types {
    account: &[
        "password_rejected",
        "sign_in_refused",
        "password_reset_requested",
        "federated_identity_rejected",
    ],
    code: &["mailed", "mail_failed", "code_rejected"],
    session: &[],
};

/// Event types by kind.
#[derive(Debug, Clone, Copy)]
pub struct Types {
    /// Of kind `account`.
    pub account: &'static [&'static str],
    /// Of kind `code`.
    pub code: &'static [&'static str],
    /// Of kind `session`.
    pub session: &'static [&'static str],
}

/// What an entry means to the owner, in the order in which it came about; nothing for steps in between, and for what this
/// version does not know.
pub fn what(entry: &Entry) -> Vec<What> {
    let meant = match entry.kind {
        Kind::Account => entry.event().ok().and_then(|event| of_account(&event)),
        Kind::Code => {
            let is_notice = entry.recorded.flow.is_none();
            let event = entry.event().ok().filter(|_| !is_notice);
            event.and_then(|event| of_code(&event))
        }
        Kind::Session => {
            return entry
                .event()
                .map_or_else(|_| Vec::new(), |event| of_session(&event));
        }
        Kind::Client | Kind::System | Kind::Audit => None,
    };
    meant.into_iter().collect()
}

fn of_account(event: &AccountEvent) -> Option<What> {
    Some(match event {
        AccountEvent::AccountRegistered(_) => What::AccountRegistered,
        AccountEvent::PasswordAccepted(_) => What::PasswordAccepted,
        AccountEvent::PasswordRejected(_) => What::PasswordWrong,
        AccountEvent::SignInRefused(refused) => match refused.reason() {
            Reason::Locked => What::RefusedLocked,
            Reason::Disabled => What::RefusedDisabled,
            Reason::Unspecified => return None,
        },
        AccountEvent::PasswordResetRequested(_) => What::ResetRequested,
        AccountEvent::PasswordChanged(_) => What::PasswordChanged,
        AccountEvent::PasswordExpired(_) => What::PasswordExpired,
        AccountEvent::EmailChanged(_) => What::AddressChanged,
        AccountEvent::ProfileChanged(_) => What::ProfileChanged,
        AccountEvent::AccountDisabled(_) => What::AccountDisabled,
        AccountEvent::AccountEnabled(_) => What::AccountEnabled,
        AccountEvent::AccountUnlocked(_) => What::AccountUnlocked,
        AccountEvent::FederatedIdentityLinked(linked) if linked.removed => What::NcrUnlinked,
        AccountEvent::FederatedIdentityLinked(_) => What::NcrLinked,
        AccountEvent::FederatedIdentityAccepted(_) => What::NcrAccepted,
        AccountEvent::FederatedIdentityRejected(_) => What::NcrRefused,
        AccountEvent::AccountErased(_) => return None,
    })
}

fn of_code(event: &CodeEvent) -> Option<What> {
    match event {
        CodeEvent::Mailed(_) => Some(What::CodeMailed),
        CodeEvent::MailFailed(failed) if !failed.will_retry => Some(What::CodeNotMailed),
        CodeEvent::CodeRejected(_) => Some(What::CodeWrong),
        CodeEvent::CodeAccepted(_) => Some(What::CodeAccepted),
        CodeEvent::MailFailed(_)
        | CodeEvent::MailStarted(_)
        | CodeEvent::CodeIssued(_)
        | CodeEvent::CodeRefused(_)
        | CodeEvent::FlowCancelled(_) => None,
    }
}

fn of_session(event: &SessionEvent) -> Vec<What> {
    match event {
        // One session too many ends the oldest.
        SessionEvent::SessionStarted(started) if !started.ended.is_empty() => {
            vec![What::EndedElsewhere, What::SignedIn]
        }
        SessionEvent::SessionStarted(_) => vec![What::SignedIn],
        SessionEvent::SessionExtended(_) => Vec::new(),
        SessionEvent::SessionEnded(ended) => vec![match ended.why() {
            session_ended::Why::SignedOut => What::SignedOut,
            session_ended::Why::Idle => What::EndedIdle,
            session_ended::Why::Absolute => What::EndedAbsolute,
            session_ended::Why::Cut | session_ended::Why::Revoked | session_ended::Why::Unspecified => {
                What::EndedElsewhere
            }
        }],
        SessionEvent::SessionsCut(_) => vec![What::EndedElsewhere],
    }
}

#[cfg(test)]
#[path = "what_tests.rs"]
mod tests;
