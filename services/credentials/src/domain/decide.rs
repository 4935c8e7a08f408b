//! The rules.

use sekisho_eventlog::Decision;
use sekisho_evidence::Refusal;
use sekisho_proto::credentials::v1::{
    AccountDisabled, AccountEnabled, AccountErased, AccountRegistered, AccountUnlocked, EmailChanged,
    FederatedIdentityAccepted, FederatedIdentityLinked, FederatedIdentityRejected, PasswordAccepted,
    PasswordChanged, PasswordExpired, PasswordRejected, PasswordResetRequested, ProfileChanged, SealedClient,
    SignInRefused, sign_in_refused::Reason,
};
use sekisho_proto::events::AccountEvent;
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};

use super::command::{Command, Comparison, Finding, Rejection, Vouched};
use super::lockout::Consequence;
use super::{Account, Device, Identity, Password, Stage};

/// One refusal without a verdict in so long is recorded; others get the same answer (design, "Events").
const REFUSALS: Duration = Duration::minutes(1);

type Decided = Result<Decision<AccountEvent>, Rejection>;

/// What a command comes to at a moment.
///
/// # Errors
/// [`Rejection`]; a wrong password is an event, not a rejection.
pub fn decide(account: &Account, now: OffsetDateTime, command: Command) -> Decided {
    match command {
        Command::Register {
            facility_code,
            password_is_initial,
            disabled,
        } => register(
            account,
            AccountRegistered {
                facility_code,
                password_is_initial,
                disabled,
            },
        ),
        Command::VerifyPassword(comparison) => verify(account, now, comparison),
        Command::AcceptIdentity(vouched) => accept_identity(account, now, vouched),
        Command::LinkIdentity(identity) => of_somebody(
            account,
            FederatedIdentityLinked {
                removed: identity.is_none(),
                identity: identity
                    .map(|Identity(digest)| digest.to_vec())
                    .unwrap_or_default(),
            },
        ),
        // Alike in every stage: who asks must not learn whether anybody has the login id.
        Command::RequestReset {
            secret_digest,
            client,
            device,
            cuts,
        } => record(PasswordResetRequested {
            secret_digest: secret_digest.to_vec(),
            client: Some(client),
            password_version: 0,
            device_known: account.known_device(device, cuts).is_some(),
        }),
        Command::SetPassword {
            evidence,
            not_after,
            device,
        } => {
            let changed = PasswordChanged {
                evidence: evidence.map(|position| position.0).to_vec(),
                device: bytes(device),
            };
            match account.stage {
                // A phantom's code can at best be guessed. It never accepts anything.
                Stage::Unregistered | Stage::Erased => Err(Rejection::Evidence(Refusal::Missing)),
                Stage::Enabled { .. } | Stage::Disabled { .. } if account.is_linked() => {
                    Err(Rejection::Evidence(Refusal::Missing))
                }
                Stage::Disabled { .. } => Err(Rejection::Disabled),
                Stage::Enabled { .. } => Ok(Decision::RecordBefore(changed.into(), not_after)),
            }
        }
        Command::Disable => match account.stage {
            Stage::Unregistered | Stage::Erased => Err(Rejection::Unknown),
            Stage::Enabled { .. } => record(AccountDisabled {}),
            Stage::Disabled { .. } => Ok(Decision::Nothing),
        },
        Command::Enable => match account.stage {
            Stage::Unregistered | Stage::Erased => Err(Rejection::Unknown),
            Stage::Enabled { .. } => Ok(Decision::Nothing),
            Stage::Disabled { .. } => record(AccountEnabled {}),
        },
        Command::Unlock => of_somebody(account, AccountUnlocked {}),
        Command::ChangeAddress => of_somebody(account, EmailChanged {}),
        Command::ChangeProfile { facility_code } => of_somebody(account, ProfileChanged { facility_code }),
        Command::ExpirePassword if account.password().expired => Ok(Decision::Nothing),
        Command::ExpirePassword => of_somebody(account, PasswordExpired {}),
        Command::Erase => of_somebody(account, AccountErased {}),
    }
}

fn register(account: &Account, registered: AccountRegistered) -> Decided {
    match account.stage {
        Stage::Unregistered => record(registered),
        Stage::Enabled { .. } | Stage::Disabled { .. } | Stage::Erased => Err(Rejection::Exists),
    }
}

fn verify(account: &Account, now: OffsetDateTime, comparison: Comparison) -> Decided {
    let known = account.known_device(comparison.device, comparison.cuts);
    let failures = account.history.failures(known);
    // Before anybody looks at the verdict: of many guesses at once, the late ones learn nothing.
    if failures.are_locked(now) {
        return Ok(refuse(account, now, Reason::Locked, comparison.client));
    }
    let verdict = comparison.verdict;
    if verdict.against != account.password().set_by || account.is_linked() {
        return Err(Rejection::VerdictStale);
    }
    match (account.stage, verdict.finding) {
        (Stage::Enabled { password }, Finding::Right) => match must_be_changed(password, now, &comparison) {
            // What was distributed opens the choice of another password, and the code by mail comes before that.
            Some(secret_digest) => record(PasswordResetRequested {
                secret_digest: secret_digest.to_vec(),
                client: Some(comparison.client),
                password_version: verdict.against.0,
                device_known: known.is_some(),
            }),
            None => record(PasswordAccepted {
                secret_digest: comparison.mints.map(Vec::from).unwrap_or_default(),
                password_version: verdict.against.0,
                client: Some(comparison.client),
                previous_accepted_at: account.history.last_accepted_at.map(to_timestamp),
                device: bytes(comparison.device),
                device_known: known.is_some(),
            }),
        },
        // Only who knows the password learns that the account is disabled.
        (Stage::Disabled { .. }, Finding::Right) => {
            Ok(refuse(account, now, Reason::Disabled, comparison.client))
        }
        (Stage::Unregistered | Stage::Erased, finding)
        | (
            Stage::Enabled { .. } | Stage::Disabled { .. },
            finding @ (Finding::Wrong | Finding::WrongAgain),
        ) => {
            let is_repeated = finding == Finding::WrongAgain;
            let consequence = comparison.lockout.consequence(&failures, is_repeated);
            record(rejected(&comparison, known, consequence))
        }
    }
}

/// The tables say which account a person opens, and the log must say the same.
fn accept_identity(account: &Account, now: OffsetDateTime, vouched: Vouched) -> Decided {
    if vouched.linked != account.history.linked {
        return Err(Rejection::VerdictStale);
    }
    match account.why_not(&vouched) {
        None => record(FederatedIdentityAccepted {
            secret_digest: vouched.secret_digest.to_vec(),
            client: Some(vouched.client),
            previous_accepted_at: account.history.last_accepted_at.map(to_timestamp),
            authenticated_at: Some(to_timestamp(vouched.authenticated_at)),
        }),
        Some(_) if is_refused_already(account, now) => Ok(Decision::Nothing),
        Some(reason) => record(FederatedIdentityRejected {
            reason: reason.into(),
            client: Some(vouched.client),
        }),
    }
}

/// The digest of the secret of the flow in which another password must be chosen. Without an address there is no such flow,
/// and no sign-in either.
fn must_be_changed(password: Password, now: OffsetDateTime, comparison: &Comparison) -> Option<[u8; 32]> {
    let rules = comparison.initial_passwords;
    let is_over = password
        .initial_since
        .is_some_and(|since| rules.must_be_changed(since, now));
    comparison.mints.filter(|_| is_over || password.expired)
}

fn rejected(comparison: &Comparison, known: Option<Device>, consequence: Consequence) -> PasswordRejected {
    let (repeated, lock, closes) = match consequence {
        Consequence::Counts => (false, None, false),
        Consequence::Repeats => (true, None, false),
        Consequence::Locks(period) => (false, Some(period), false),
        Consequence::Closes => (false, None, true),
    };
    PasswordRejected {
        password_version: comparison.verdict.against.0,
        client: Some(comparison.client.clone()),
        device: bytes(known),
        repeated,
        lock: lock.and_then(|period| period.try_into().ok()),
        closes,
    }
}

/// Tells nothing of the verdict, or, to who knows the password of a disabled account, that it is disabled.
fn refuse(
    account: &Account,
    now: OffsetDateTime,
    reason: Reason,
    client: SealedClient,
) -> Decision<AccountEvent> {
    if is_refused_already(account, now) {
        return Decision::Nothing;
    }
    let refused = SignInRefused {
        reason: reason.into(),
        client: Some(client),
    };
    Decision::Record(refused.into())
}

/// A refusal stands in the log already, not longer ago than one is recorded.
fn is_refused_already(account: &Account, now: OffsetDateTime) -> bool {
    let is_recent = |at: OffsetDateTime| now < at.saturating_add(REFUSALS);
    account.history.last_refused_at.is_some_and(is_recent)
}

/// Of an account that somebody has, disabled or not.
fn of_somebody(account: &Account, event: impl Into<AccountEvent>) -> Decided {
    match account.stage {
        Stage::Unregistered | Stage::Erased => Err(Rejection::Unknown),
        Stage::Enabled { .. } | Stage::Disabled { .. } => record(event),
    }
}

fn bytes(device: Option<Device>) -> Vec<u8> {
    device.map(|Device(digest)| digest.to_vec()).unwrap_or_default()
}

#[expect(clippy::unnecessary_wraps, reason = "the common end of most branches")]
fn record(event: impl Into<AccountEvent>) -> Decided {
    Ok(Decision::Record(event.into()))
}
