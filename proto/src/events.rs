//! One enum per kind, over the event messages of the contracts.

use prost::Message;

use crate::event::{Event, EventError, Kind};
use crate::{credentials::v1 as credentials, log::v1 as log, otp::v1 as otp, sessions::v1 as sessions};

macro_rules! events {
    ($(#[$doc:meta])* $name:ident of $kind:ident from $package:ident { $($variant:ident = $event_type:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("`", $event_type, "`")] $variant($package::$variant),)+
        }

        impl $name {
            /// Every event type of this kind, as it stands in the log.
            pub const TYPES: &[&str] = &[$($event_type),+];
        }

        impl Event for $name {
            const KIND: Kind = Kind::$kind;

            fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $event_type,)+ }
            }

            fn encode(&self) -> Vec<u8> {
                match self { $(Self::$variant(event) => event.encode_to_vec(),)+ }
            }

            fn decode(event_type: &str, bytes: &[u8]) -> Result<Self, EventError> {
                let damaged = |_| EventError::Damaged { event_type: event_type.to_owned() };
                match event_type {
                    $($event_type => $package::$variant::decode(bytes).map(Self::$variant).map_err(damaged),)+
                    _ => Err(EventError::UnknownType { kind: Self::KIND, event_type: event_type.to_owned() }),
                }
            }
        }

        $(impl From<$package::$variant> for $name {
            fn from(event: $package::$variant) -> Self { Self::$variant(event) }
        })+
    };
}

events! {
    /// Events of kind `account`.
    AccountEvent of Account from credentials {
        AccountRegistered = "account_registered",
        PasswordAccepted = "password_accepted",
        PasswordRejected = "password_rejected",
        SignInRefused = "sign_in_refused",
        PasswordResetRequested = "password_reset_requested",
        PasswordChanged = "password_changed",
        EmailChanged = "email_changed",
        ProfileChanged = "profile_changed",
        AccountDisabled = "account_disabled",
        AccountEnabled = "account_enabled",
        AccountUnlocked = "account_unlocked",
        PasswordExpired = "password_expired",
        AccountErased = "account_erased",
        FederatedIdentityLinked = "federated_identity_linked",
        FederatedIdentityAccepted = "federated_identity_accepted",
        FederatedIdentityRejected = "federated_identity_rejected",
    }
}

events! {
    /// Events of kind `client`.
    ClientEvent of Client from credentials {
        ClientThrottled = "client_throttled",
        AttemptsRefused = "attempts_refused",
    }
}

events! {
    /// Events of kind `code`.
    CodeEvent of Code from otp {
        CodeIssued = "code_issued",
        CodeRefused = "code_refused",
        MailStarted = "mail_started",
        Mailed = "mailed",
        MailFailed = "mail_failed",
        CodeRejected = "code_rejected",
        CodeAccepted = "code_accepted",
        FlowCancelled = "flow_cancelled",
    }
}

events! {
    /// Events of kind `session`.
    SessionEvent of Session from sessions {
        SessionStarted = "session_started",
        SessionExtended = "session_extended",
        SessionEnded = "session_ended",
        SessionsCut = "sessions_cut",
    }
}

events! {
    /// Events of kind `system`.
    SystemEvent of System from log {
        EpochStarted = "epoch_started",
        ClockAccepted = "clock_accepted",
        MaintenanceChanged = "maintenance_changed",
    }
}

impl AccountEvent {
    /// Whether somebody tried to get in with it, or asked to set a password.
    pub fn is_attempt(&self) -> bool {
        match self {
            Self::PasswordAccepted(_)
            | Self::PasswordRejected(_)
            | Self::PasswordResetRequested(_)
            | Self::SignInRefused(_)
            | Self::FederatedIdentityAccepted(_)
            | Self::FederatedIdentityRejected(_) => true,
            Self::AccountRegistered(_)
            | Self::PasswordChanged(_)
            | Self::EmailChanged(_)
            | Self::ProfileChanged(_)
            | Self::AccountDisabled(_)
            | Self::AccountEnabled(_)
            | Self::AccountUnlocked(_)
            | Self::PasswordExpired(_)
            | Self::AccountErased(_)
            | Self::FederatedIdentityLinked(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_by_its_type() {
        let event = CodeEvent::from(otp::CodeRejected {
            issue: 3,
            tries_left: 4,
            ..Default::default()
        });
        let read = CodeEvent::decode(event.event_type(), &event.encode());
        assert_eq!(read, Ok(event));
    }

    #[test]
    fn an_event_of_a_newer_version_is_named_not_guessed() {
        let read = CodeEvent::decode("code_sung", &[]);
        assert!(matches!(read, Err(EventError::UnknownType { event_type, .. }) if event_type == "code_sung"));
    }

    #[test]
    fn damaged_bytes_are_not_an_event() {
        assert!(matches!(
            CodeEvent::decode("code_issued", &[0xff]),
            Err(EventError::Damaged { .. })
        ));
    }
}
