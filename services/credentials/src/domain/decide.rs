//! The rules.

use sekisho_eventlog::Decision;
use sekisho_evidence::Refusal;
use sekisho_proto::credentials::v1::{
    AccountDisabled, AccountEnabled, AccountRegistered, PasswordAccepted, PasswordChanged, PasswordRejected,
    PasswordResetRequested, SealedClient, SignInRefused, sign_in_refused::Reason,
};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::to_timestamp;

use super::{Account, Command, Rejection, Verdict};

/// What a command comes to.
///
/// # Errors
/// [`Rejection`]; a wrong password is an event, not a rejection.
pub fn decide(account: &Account, command: Command) -> Result<Decision<AccountEvent>, Rejection> {
    match command {
        Command::Register { facility_code } => register(account, facility_code),
        Command::VerifyPassword {
            verdict,
            mints,
            client,
        } => verify(account, verdict, mints, client),
        // Alike in every stage: who asks must not learn whether anybody has the login id.
        Command::RequestReset {
            secret_digest,
            client,
        } => record(PasswordResetRequested {
            secret_digest: secret_digest.to_vec(),
            client: Some(client),
        }),
        Command::SetPassword { evidence, not_after } => {
            let changed = PasswordChanged {
                evidence: evidence.map(|position| position.0).to_vec(),
            };
            match account {
                // A phantom's code can at best be guessed. It never accepts anything.
                Account::Unregistered(_) => Err(Rejection::Evidence(Refusal::Missing)),
                Account::Disabled { .. } => Err(Rejection::Disabled),
                Account::Enabled { .. } => Ok(Decision::RecordBefore(changed.into(), not_after)),
            }
        }
        Command::Disable => match account {
            Account::Unregistered(_) => Err(Rejection::Unknown),
            Account::Enabled { .. } => record(AccountDisabled {}),
            Account::Disabled { .. } => Ok(Decision::Nothing),
        },
        Command::Enable => match account {
            Account::Unregistered(_) => Err(Rejection::Unknown),
            Account::Enabled { .. } => Ok(Decision::Nothing),
            Account::Disabled { .. } => record(AccountEnabled {}),
        },
    }
}

fn register(account: &Account, facility_code: String) -> Result<Decision<AccountEvent>, Rejection> {
    match account {
        Account::Unregistered(_) => record(AccountRegistered { facility_code }),
        Account::Enabled { .. } | Account::Disabled { .. } => Err(Rejection::Exists),
    }
}

fn verify(
    account: &Account,
    verdict: Verdict,
    mints: Option<[u8; 32]>,
    client: SealedClient,
) -> Result<Decision<AccountEvent>, Rejection> {
    let Verdict { right, against } = verdict;
    if against != account.password() {
        return Err(Rejection::VerdictStale);
    }
    let client = Some(client);
    match (account, right) {
        (Account::Enabled { .. }, true) => record(PasswordAccepted {
            secret_digest: mints.map(Vec::from).unwrap_or_default(),
            password_version: against.0,
            client,
            previous_accepted_at: account.history().last_accepted_at.map(to_timestamp),
        }),
        // Only who knows the password learns that the account is disabled.
        (Account::Disabled { .. }, true) => record(SignInRefused {
            reason: Reason::Disabled.into(),
            client,
        }),
        (Account::Enabled { .. } | Account::Disabled { .. }, false) | (Account::Unregistered(_), _) => {
            record(PasswordRejected {
                password_version: against.0,
                client,
            })
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the common end of most branches")]
fn record(event: impl Into<AccountEvent>) -> Result<Decision<AccountEvent>, Rejection> {
    Ok(Decision::Record(event.into()))
}
