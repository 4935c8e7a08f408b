//! The codes of one account.

use sekisho_eventlog::{FlowId, Position};
use sekisho_evidence::{Bucket, WrongCodes};
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::mail_failed::Class;
use time::OffsetDateTime;

use super::notice::Notice;
use super::sent::Sent;

/// The state of a stream of kind `code`: one account's codes, by flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    /// The newest issue number of the stream; enters the derivation, so no code of an account comes twice.
    pub issued: u64,
    /// What is remembered of each flow, oldest first.
    pub flows: Vec<FlowCodes>,
    /// Codes of the last day that count against the limits, oldest first.
    pub sent: Vec<Sent>,
    /// Wrong codes in a row, and what they shut.
    pub wrong: WrongCodes,
    /// When the newest CodeRefused was recorded.
    pub refused_at: Option<OffsetDateTime>,
    /// Notices that were claimed within the last day, oldest first.
    pub notices: Vec<Notice>,
}

/// One flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCodes {
    /// The flow.
    pub flow: FlowId,
    /// What its codes are for, and count against; unspecified if it was cancelled before its first code.
    pub bucket: Bucket,
    /// Its codes that count against the limits.
    pub sent: u32,
    /// How far it has come.
    pub stage: Stage,
}

/// How far the codes of a flow have come. A code that has expired is still [`Stage::Live`]: time decides, not an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It can still be typed.
    Live {
        /// The code.
        code: Issued,
        /// Older issues of this flow, oldest first.
        replaced: Vec<u64>,
        /// Wrong tries against this code.
        wrong: u32,
        /// Where its mail stands.
        mail: Mail,
    },
    /// Too many wrong tries: dead, even for the right digits.
    Spent {
        /// The code.
        code: Issued,
        /// Older issues of this flow, oldest first.
        replaced: Vec<u64>,
    },
    /// The flow has proved its address. No further code is issued.
    Accepted {
        /// The issue that was accepted.
        issue: u64,
        /// Where CodeAccepted stands.
        position: Position,
        /// When the accepted code would have expired.
        expires_at: OffsetDateTime,
    },
    /// The person gave the flow up.
    Cancelled {
        /// When.
        at: OffsetDateTime,
    },
}

/// A code as the log knows it. The digits are not here: they are derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Counts the codes of the account.
    pub issue: u64,
    /// The server key that derives it.
    pub key_id: String,
    /// 照合番号.
    pub reference: String,
    /// When.
    pub issued_at: OffsetDateTime,
    /// From then on it is dead.
    pub expires_at: OffsetDateTime,
    /// Where CodeIssued stands; mails are about this position.
    pub position: Position,
    /// No mail is owed, and whatever is typed is wrong.
    pub withheld: bool,
}

/// A mail that brings a code or a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mail {
    /// Somebody should hand it over; so many attempts have failed.
    Owed {
        /// Failed attempts.
        attempts: u32,
        /// The relay may have the letter of one of them.
        in_doubt: bool,
    },
    /// A worker is at it.
    Claimed {
        /// Which attempt, from 1.
        attempt: u32,
        /// Afterwards another worker may try.
        until: OffsetDateTime,
        /// The relay may have the letter of an earlier attempt.
        in_doubt: bool,
    },
    /// The relay has it.
    Mailed {
        /// Since when.
        at: OffsetDateTime,
    },
    /// Given up.
    Failed,
}

impl Mail {
    /// Nobody has tried yet.
    pub const NEW: Self = Self::Owed {
        attempts: 0,
        in_doubt: false,
    };

    /// After a claim. Of an earlier one without an outcome nobody knows how far it came.
    #[must_use]
    pub(super) fn claimed(self, attempt: u32, until: OffsetDateTime) -> Self {
        Self::Claimed {
            attempt,
            until,
            in_doubt: self.is_in_doubt() || matches!(self, Self::Claimed { .. }),
        }
    }

    /// After an attempt that failed.
    #[must_use]
    pub(super) fn failed(self, failed: &otp::MailFailed) -> Self {
        if failed.will_retry {
            Self::Owed {
                attempts: failed.attempt,
                in_doubt: self.is_in_doubt() || failed.class() == Class::InDoubt,
            }
        } else {
            Self::Failed
        }
    }

    /// Whether the relay may have the letter, though no event says that it has.
    pub fn is_in_doubt(self) -> bool {
        match self {
            Self::Owed { in_doubt, .. } | Self::Claimed { in_doubt, .. } => in_doubt,
            Self::Mailed { .. } | Self::Failed => false,
        }
    }
}

impl Codes {
    /// What is remembered of a flow.
    pub fn flow(&self, flow: FlowId) -> Option<&FlowCodes> {
        self.flows.iter().find(|known| known.flow == flow)
    }
}

impl Stage {
    /// The code that stands or stood last, if it may still matter, and the issues that it replaced.
    pub fn last_code(&self) -> Option<(&Issued, &[u64])> {
        match self {
            Self::Live { code, replaced, .. } | Self::Spent { code, replaced } => Some((code, replaced)),
            Self::Accepted { .. } | Self::Cancelled { .. } => None,
        }
    }
}
