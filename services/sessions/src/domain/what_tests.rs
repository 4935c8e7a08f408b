use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::sessions::v1::{SessionEnded, SessionExtended};

use super::super::testing::{cut, entry, flow, recorded, started};
use super::*;

fn of_account(event: impl Into<AccountEvent>) -> Vec<What> {
    what(&entry::<AccountEvent>(recorded(1, None), &event.into()))
}

fn of_code(event: impl Into<CodeEvent>) -> Vec<What> {
    what(&entry::<CodeEvent>(recorded(1, Some(flow(1))), &event.into()))
}

fn of_session(event: impl Into<SessionEvent>) -> Vec<What> {
    what(&entry::<SessionEvent>(recorded(1, Some(flow(1))), &event.into()))
}

#[test]
fn an_owner_sees_what_happened_to_the_account() {
    assert_eq!(
        of_account(credentials::AccountRegistered::default()),
        [What::AccountRegistered]
    );
    assert_eq!(
        of_account(credentials::PasswordChanged::default()),
        [What::PasswordChanged]
    );
    assert_eq!(
        of_account(credentials::PasswordExpired::default()),
        [What::PasswordExpired]
    );
    assert_eq!(
        of_account(credentials::EmailChanged::default()),
        [What::AddressChanged]
    );
    assert_eq!(
        of_account(credentials::ProfileChanged::default()),
        [What::ProfileChanged]
    );
    assert_eq!(
        of_account(credentials::AccountDisabled::default()),
        [What::AccountDisabled]
    );
    assert_eq!(
        of_account(credentials::AccountEnabled::default()),
        [What::AccountEnabled]
    );
    assert_eq!(
        of_account(credentials::AccountUnlocked::default()),
        [What::AccountUnlocked]
    );
    let linked = |removed| credentials::FederatedIdentityLinked {
        removed,
        ..Default::default()
    };
    assert_eq!(of_account(linked(false)), [What::NcrLinked]);
    assert_eq!(of_account(linked(true)), [What::NcrUnlinked]);
    assert_eq!(of_account(credentials::AccountErased::default()), []);
}

#[test]
fn an_owner_sees_what_was_attempted() {
    assert_eq!(
        of_account(credentials::PasswordAccepted::default()),
        [What::PasswordAccepted]
    );
    assert_eq!(
        of_account(credentials::PasswordRejected::default()),
        [What::PasswordWrong]
    );
    let refused = |reason: Reason| credentials::SignInRefused {
        reason: reason.into(),
        ..Default::default()
    };
    assert_eq!(of_account(refused(Reason::Locked)), [What::RefusedLocked]);
    assert_eq!(of_account(refused(Reason::Disabled)), [What::RefusedDisabled]);
    assert_eq!(of_account(refused(Reason::Unspecified)), []);
    assert_eq!(
        of_account(credentials::PasswordResetRequested::default()),
        [What::ResetRequested]
    );
    assert_eq!(
        of_account(credentials::FederatedIdentityAccepted::default()),
        [What::NcrAccepted]
    );
    assert_eq!(
        of_account(credentials::FederatedIdentityRejected::default()),
        [What::NcrRefused]
    );
}

#[test]
fn an_owner_sees_what_became_of_codes() {
    let failed = |will_retry| otp::MailFailed {
        will_retry,
        ..Default::default()
    };
    assert_eq!(of_code(otp::Mailed::default()), [What::CodeMailed]);
    assert_eq!(of_code(failed(false)), [What::CodeNotMailed]);
    assert_eq!(of_code(otp::CodeRejected::default()), [What::CodeWrong]);
    assert_eq!(of_code(otp::CodeAccepted::default()), [What::CodeAccepted]);
}

#[test]
fn an_owner_sees_no_steps_in_between_and_no_notices() {
    let failed = otp::MailFailed {
        will_retry: true,
        ..Default::default()
    };
    assert_eq!(of_code(failed), []);
    assert_eq!(of_code(otp::MailStarted::default()), []);
    assert_eq!(of_code(otp::CodeIssued::default()), []);
    assert_eq!(of_code(otp::CodeRefused::default()), []);
    assert_eq!(of_code(otp::FlowCancelled::default()), []);
    assert_eq!(of_session(SessionExtended::default()), []);
    let notice: CodeEvent = otp::Mailed::default().into();
    assert_eq!(what(&entry(recorded(1, None), &notice)), []);
}

#[test]
fn an_owner_sees_how_sessions_began_and_ended() {
    assert_eq!(of_session(started(1, 10)), [What::SignedIn]);
    for (why, expected) in [
        (session_ended::Why::SignedOut, What::SignedOut),
        (session_ended::Why::Idle, What::EndedIdle),
        (session_ended::Why::Absolute, What::EndedAbsolute),
        (session_ended::Why::Cut, What::EndedElsewhere),
        (session_ended::Why::Revoked, What::EndedElsewhere),
        (session_ended::Why::Unspecified, What::EndedElsewhere),
    ] {
        let ended = SessionEnded {
            why: why.into(),
            ..Default::default()
        };
        assert_eq!(of_session(ended), [expected], "{why:?}");
    }
    assert_eq!(of_session(cut()), [What::EndedElsewhere]);
}

/// A new event is of one class or of none that an owner sees: nobody forgets to say which.
#[test]
fn every_event_type_is_a_deed_an_attempt_or_a_step_in_between() {
    const STEPS: Types = Types {
        account: &["account_erased"],
        code: &["code_issued", "code_refused", "mail_started", "flow_cancelled"],
        session: &["session_extended"],
    };
    let classes = [DEEDS, ATTEMPTS, STEPS];
    let said = |of: fn(&Types) -> &'static [&'static str]| {
        let mut types: Vec<_> = classes.iter().flat_map(of).copied().collect();
        types.sort_unstable();
        types
    };
    let known = |types: &[&'static str]| {
        let mut types = types.to_vec();
        types.sort_unstable();
        types
    };
    assert_eq!(said(|types| types.account), known(AccountEvent::TYPES));
    assert_eq!(said(|types| types.code), known(CodeEvent::TYPES));
    assert_eq!(said(|types| types.session), known(SessionEvent::TYPES));
}
