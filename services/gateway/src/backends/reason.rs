//! The reasons that services refuse for, as far as a page answers them with more than "later".

/// A reason of the domain, from `google.rpc.ErrorInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The flow does not exist, is over or cancelled, was cut, or the secret does not open it.
    FlowOver,
    /// The flow has become a session, or led to a new password.
    FlowUsed,
    /// Something that the gate asks for stands in no entry of the log.
    EvidenceMissing,
    /// What was typed is no code.
    CodeMalformed,
    /// There is no code to compare with: expired, spent or never issued. The flow's state tells which.
    NoLiveCode,
    /// The hashing pool or the log's queue is full: nothing was compared or recorded.
    Busy,
    /// The last code is too young for another one.
    TooSoon,
    /// Another code would be one too many.
    TooManyCodes,
    /// Too many wrong codes in a row: no code is issued and none compared. The flow's state tells for how long.
    CodesShut,
    /// The new password may not be set.
    Unfit(Unfit),
    /// The account was disabled meanwhile.
    Disabled,
    /// Too many attempts from this address failed.
    Throttled,
    /// The provider of NCR accounts cannot be reached, or there is none.
    ProviderAway,
    /// The session is over.
    SessionOver(Over),
}

/// Why a new password may not be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Too few characters.
    TooShort,
    /// Too many characters.
    TooLong,
    /// Many people use it.
    Common,
    /// It holds a word that belongs to the account or the system.
    Contextual,
    /// It is the one that must be changed.
    Unchanged,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// 30 minutes without activity.
    Idle,
    /// 12 hours.
    Absolute,
    /// Ended by a new password, by support, or by the owner from another device.
    Elsewhere,
    /// サインアウト, or a token that no session has.
    SignedOut,
}

impl Reason {
    /// The reason with a name; `None` for one that no page knows.
    pub fn read(name: &str) -> Option<Self> {
        Some(match name {
            "FLOW_UNKNOWN" | "FLOW_SECRET_WRONG" | "FLOW_CANCELLED" | "FLOW_MIXED" | "EVIDENCE_CUT"
            | "EVIDENCE_OLD" => Self::FlowOver,
            "FLOW_USED" => Self::FlowUsed,
            "EVIDENCE_MISSING" => Self::EvidenceMissing,
            "OTP_CODE_MALFORMED" => Self::CodeMalformed,
            "OTP_CODE_EXPIRED" | "OTP_NO_LIVE_CODE" | "OTP_CODE_SPENT" => Self::NoLiveCode,
            "CREDENTIALS_BUSY" | "LOG_BUSY" | "SERVER_BUSY" => Self::Busy,
            "CLIENT_THROTTLED" => Self::Throttled,
            "OTP_TOO_SOON" => Self::TooSoon,
            "OTP_TOO_MANY_CODES" => Self::TooManyCodes,
            "OTP_LOCKED" | "OTP_CLOSED" => Self::CodesShut,
            "PASSWORD_TOO_SHORT" => Self::Unfit(Unfit::TooShort),
            "PASSWORD_TOO_LONG" => Self::Unfit(Unfit::TooLong),
            "PASSWORD_COMMON" => Self::Unfit(Unfit::Common),
            "PASSWORD_CONTEXTUAL" => Self::Unfit(Unfit::Contextual),
            "PASSWORD_UNCHANGED" => Self::Unfit(Unfit::Unchanged),
            "ACCOUNT_DISABLED" => Self::Disabled,
            "PROVIDER_UNREACHABLE" | "PROVIDER_MISSING" => Self::ProviderAway,
            "SESSION_IDLE" => Self::SessionOver(Over::Idle),
            "SESSION_ABSOLUTE" => Self::SessionOver(Over::Absolute),
            "SESSION_CUT" | "SESSION_REVOKED" => Self::SessionOver(Over::Elsewhere),
            "SESSION_UNKNOWN" | "SESSION_SIGNED_OUT" => Self::SessionOver(Over::SignedOut),
            _ => return None,
        })
    }
}
