//! Which events a person is told of without having asked.

use sekisho_eventlog::Entry;
use sekisho_proto::events::{AccountEvent, CodeEvent, SessionEvent};
use sekisho_proto::otp::v1::{Purpose, Topic};
use sekisho_proto::{EventError, Kind};
use time::Duration;

/// How long after its event a notice is worth a mail.
pub const NOTICE_LIFE: Duration = Duration::DAY;

/// What the person is told because of an entry; `None` of most.
///
/// # Errors
/// [`EventError`] for an entry that this version does not understand.
pub fn notice(entry: &Entry) -> Result<Option<Topic>, EventError> {
    Ok(match entry.kind {
        Kind::Account => of_account(&entry.event()?),
        Kind::Code => of_code(&entry.event()?),
        Kind::Session => of_session(&entry.event()?),
        Kind::Client | Kind::System | Kind::Audit => None,
    })
}

fn of_account(event: &AccountEvent) -> Option<Topic> {
    match event {
        AccountEvent::PasswordChanged(_) => Some(Topic::PasswordChanged),
        AccountEvent::EmailChanged(_) => Some(Topic::EmailChanged),
        AccountEvent::FederatedIdentityLinked(linked) if !linked.removed => {
            Some(Topic::FederatedIdentityLinked)
        }
        // Nobody has the phantom of a login id.
        AccountEvent::PasswordRejected(rejected) if rejected.password_version > 0 => {
            match (rejected.closes, &rejected.lock) {
                (true, _) => Some(Topic::Closed),
                (false, Some(_)) => Some(Topic::Locked),
                (false, None) => None,
            }
        }
        AccountEvent::PasswordRejected(_)
        | AccountEvent::AccountRegistered(_)
        | AccountEvent::PasswordAccepted(_)
        | AccountEvent::SignInRefused(_)
        | AccountEvent::PasswordResetRequested(_)
        | AccountEvent::ProfileChanged(_)
        | AccountEvent::AccountDisabled(_)
        | AccountEvent::AccountEnabled(_)
        | AccountEvent::AccountUnlocked(_)
        | AccountEvent::PasswordExpired(_)
        | AccountEvent::AccountErased(_)
        | AccountEvent::FederatedIdentityLinked(_)
        | AccountEvent::FederatedIdentityAccepted(_)
        | AccountEvent::FederatedIdentityRejected(_) => None,
    }
}

fn of_code(event: &CodeEvent) -> Option<Topic> {
    match event {
        CodeEvent::CodeRejected(rejected) => match (rejected.purpose(), rejected.closes) {
            (Purpose::SignIn, true) => Some(Topic::SignInCodesClosed),
            (Purpose::Reset, true) => Some(Topic::ResetCodesClosed),
            (Purpose::SignIn, false) if rejected.tries_left == 0 => Some(Topic::SignInCodeSpent),
            (Purpose::Reset, false) if rejected.tries_left == 0 => Some(Topic::ResetCodeSpent),
            (Purpose::SignIn | Purpose::Reset | Purpose::Unspecified, _) => None,
        },
        CodeEvent::CodeIssued(_)
        | CodeEvent::CodeRefused(_)
        | CodeEvent::MailStarted(_)
        | CodeEvent::Mailed(_)
        | CodeEvent::MailFailed(_)
        | CodeEvent::CodeAccepted(_)
        | CodeEvent::FlowCancelled(_) => None,
    }
}

fn of_session(event: &SessionEvent) -> Option<Topic> {
    match event {
        SessionEvent::SessionStarted(started) if started.new_device => Some(Topic::NewDevice),
        SessionEvent::SessionStarted(_)
        | SessionEvent::SessionExtended(_)
        | SessionEvent::SessionEnded(_)
        | SessionEvent::SessionsCut(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::{EventId, Position, Recorded, StreamId, Version};
    use sekisho_proto::Event;
    use sekisho_proto::credentials::v1::{
        EmailChanged, FederatedIdentityLinked, PasswordChanged, PasswordRejected,
    };
    use sekisho_proto::log::v1::{Metadata, Payload};
    use sekisho_proto::otp::v1::CodeRejected;
    use sekisho_proto::sessions::v1::SessionStarted;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn told<E: Event>(event: &E) -> Option<Topic> {
        let recorded = Recorded {
            position: Position(1),
            version: Version(1),
            stream: StreamId(Uuid::nil()),
            event_id: EventId(Uuid::nil()),
            flow: None,
            recorded_at: OffsetDateTime::UNIX_EPOCH,
        };
        let payload = Payload {
            event: event.encode(),
            carried: None,
        };
        let event_type = event.event_type().to_owned();
        notice(&Entry::new(
            recorded,
            E::KIND,
            event_type,
            payload,
            &Metadata::default(),
        ))
        .unwrap()
    }

    #[test]
    fn whoever_owns_the_account_is_told_of_what_somebody_else_may_have_done() {
        assert_eq!(
            told(&AccountEvent::from(PasswordChanged::default())),
            Some(Topic::PasswordChanged)
        );
        assert_eq!(
            told(&AccountEvent::from(EmailChanged {})),
            Some(Topic::EmailChanged)
        );
        let link = |removed| {
            AccountEvent::from(FederatedIdentityLinked {
                removed,
                ..FederatedIdentityLinked::default()
            })
        };
        assert_eq!(told(&link(false)), Some(Topic::FederatedIdentityLinked));
        assert_eq!(told(&link(true)), None);
        let spent = |purpose: Purpose, tries_left| {
            CodeEvent::from(CodeRejected {
                purpose: purpose.into(),
                tries_left,
                ..CodeRejected::default()
            })
        };
        assert_eq!(told(&spent(Purpose::SignIn, 0)), Some(Topic::SignInCodeSpent));
        assert_eq!(told(&spent(Purpose::Reset, 0)), Some(Topic::ResetCodeSpent));
        assert_eq!(told(&spent(Purpose::SignIn, 1)), None);
        let closing = |purpose: Purpose| {
            CodeEvent::from(CodeRejected {
                purpose: purpose.into(),
                closes: true,
                ..CodeRejected::default()
            })
        };
        assert_eq!(told(&closing(Purpose::SignIn)), Some(Topic::SignInCodesClosed));
        assert_eq!(told(&closing(Purpose::Reset)), Some(Topic::ResetCodesClosed));
        let started = |new_device| {
            SessionEvent::from(SessionStarted {
                new_device,
                ..SessionStarted::default()
            })
        };
        assert_eq!(told(&started(true)), Some(Topic::NewDevice));
        assert_eq!(told(&started(false)), None);
    }

    #[test]
    fn a_lock_is_told_to_whoever_has_the_account() {
        let rejected = |password_version, closes| {
            AccountEvent::from(PasswordRejected {
                password_version,
                closes,
                ..PasswordRejected::default()
            })
        };
        assert_eq!(told(&rejected(1, true)), Some(Topic::Closed));
        assert_eq!(told(&rejected(1, false)), None);
        assert_eq!(told(&rejected(0, true)), None);
        let locking = AccountEvent::from(PasswordRejected {
            password_version: 1,
            lock: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
            ..PasswordRejected::default()
        });
        assert_eq!(told(&locking), Some(Topic::Locked));
    }
}
