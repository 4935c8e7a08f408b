//! How a session ended.

use sekisho_proto::sessions::v1::session_ended;

/// How a session ended. [`reason`](Why::reason) is stable and has a page in `docs/errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// サインアウト.
    SignedOut,
    /// No activity for the idle timeout.
    Idle,
    /// As old as a session may get.
    Absolute,
    /// A cut stands after the event that minted its flow.
    Cut,
    /// Ended by an administrator, or by the owner from another session.
    Revoked,
    /// The account opened more sessions than it may have.
    Displaced,
}

impl Why {
    /// The reason as it travels in `google.rpc.ErrorInfo`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::SignedOut => "SESSION_SIGNED_OUT",
            Self::Idle => "SESSION_IDLE",
            Self::Absolute => "SESSION_ABSOLUTE",
            Self::Cut => "SESSION_CUT",
            Self::Revoked | Self::Displaced => "SESSION_REVOKED",
        }
    }

    /// As SessionEnded says it. A displaced session is ended by the SessionStarted that displaces it; where an event
    /// of its own is written, it was revoked.
    pub fn to_proto(self) -> session_ended::Why {
        match self {
            Self::SignedOut => session_ended::Why::SignedOut,
            Self::Idle => session_ended::Why::Idle,
            Self::Absolute => session_ended::Why::Absolute,
            Self::Cut => session_ended::Why::Cut,
            Self::Revoked | Self::Displaced => session_ended::Why::Revoked,
        }
    }
}

/// A reason that this version does not know still ends the session.
impl From<session_ended::Why> for Why {
    fn from(why: session_ended::Why) -> Self {
        match why {
            session_ended::Why::SignedOut => Self::SignedOut,
            session_ended::Why::Idle => Self::Idle,
            session_ended::Why::Absolute => Self::Absolute,
            session_ended::Why::Cut => Self::Cut,
            session_ended::Why::Revoked | session_ended::Why::Unspecified => Self::Revoked,
        }
    }
}
