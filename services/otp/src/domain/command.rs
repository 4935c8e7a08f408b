//! What can be asked of an account's codes, and why it may be refused.

use sekisho_eventlog::{FlowId, Position};
use sekisho_evidence::{Bucket, Shut};
use sekisho_proto::otp::v1::mail_failed;
use sekisho_proto::refusal::{Class, Refuse};
use time::OffsetDateTime;

use super::mail::Letter;

/// Whose codes a command is about, as the log says outside of this stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The flow.
    pub flow: FlowId,
    /// What its codes are for, and count against.
    pub bucket: Bucket,
    /// The newest pardon of the account.
    pub pardon: Position,
}

/// A command. What it needs beside the state comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Issue a code for a flow; it replaces the flow's older ones.
    Issue {
        /// Whose.
        subject: Subject,
        /// Where the event that minted the flow stands.
        evidence: Position,
        /// The flow has had a code before.
        again: bool,
        /// The server key that derives the code.
        key_id: String,
        /// A random 照合番号.
        reference: String,
        /// After this the flow may not ask for codes.
        not_after: OffsetDateTime,
    },
    /// A code was typed and compared with this very state, so that the finding cannot be stale.
    Verify {
        /// Whose.
        subject: Subject,
        /// What the comparison said.
        finding: Finding,
    },
    /// Give the flow up.
    Cancel {
        /// The flow.
        flow: FlowId,
    },
    /// A worker wants to hand the mail over.
    ClaimMail {
        /// What it brings.
        letter: Letter,
        /// Position of the event that owes it.
        about: Position,
        /// Which attempt, from 1.
        attempt: u32,
        /// How long nobody else may try.
        until: OffsetDateTime,
    },
    /// The relay has the mail.
    RecordMailed {
        /// What it brings.
        letter: Letter,
        /// Position of the event that owes it.
        about: Position,
        /// Which attempt.
        attempt: u32,
        /// The relay's reply code.
        reply: u32,
    },
    /// The relay does not have the mail, or may not have it.
    RecordMailFailed {
        /// What it brings.
        letter: Letter,
        /// Position of the event that owes it.
        about: Position,
        /// Which attempt.
        attempt: u32,
        /// Why.
        class: mail_failed::Class,
        /// The relay's reply code; 0 without one.
        reply: u32,
    },
}

/// The result of comparing typed digits with the newest code of a flow and with those that it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The digits are the code's.
    Right,
    /// The digits are those of a code that this one replaced.
    Replaced,
    /// Neither.
    Wrong,
    /// The flow has no code.
    NothingToCompare,
}

/// Why a command has no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The person gave the flow up.
    #[error("the flow was cancelled")]
    Cancelled,
    /// The flow's last code is too young for another one.
    #[error("the last code is too young for another one")]
    TooSoon,
    /// Too many codes were mailed in the flow, within the hour or within the day.
    #[error("too many codes were mailed")]
    TooMany,
    /// Too many wrong codes in a row: for a while none is issued and none compared.
    #[error("the second step is locked after wrong codes")]
    Locked,
    /// Far too many: until somebody pardons.
    #[error("the second step is closed after wrong codes")]
    Closed,
    /// No code was issued in this flow.
    #[error("there is no code to compare with")]
    NoLiveCode,
    /// The code's ten minutes are over. Not counted as a try.
    #[error("the code has expired")]
    Expired,
    /// Five wrong tries.
    #[error("the code is dead after too many wrong tries")]
    Spent,
    /// The mail is no longer owed: handed over, given up, or what it brings is dead.
    #[error("the mail is not owed")]
    NotOwed,
    /// Another worker holds the mail.
    #[error("another worker holds the mail")]
    Held,
    /// The worker does not know of the newest attempt.
    #[error("the mail was tried {attempts} times")]
    Behind {
        /// Attempts so far.
        attempts: u32,
    },
}

impl From<Shut> for Rejection {
    fn from(shut: Shut) -> Self {
        match shut {
            Shut::Locked { .. } => Self::Locked,
            Shut::Closed => Self::Closed,
        }
    }
}

impl Refuse for Rejection {
    fn class(&self) -> Class {
        match self {
            Self::Cancelled
            | Self::TooSoon
            | Self::TooMany
            | Self::Locked
            | Self::Closed
            | Self::NoLiveCode
            | Self::Expired
            | Self::Spent => Class::Precondition,
            // Only the worker asks for mails: at a caller these would be a mistake of ours.
            Self::NotOwed | Self::Held | Self::Behind { .. } => Class::Fault,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cancelled => "FLOW_CANCELLED",
            Self::TooSoon => "OTP_TOO_SOON",
            Self::TooMany => "OTP_TOO_MANY_CODES",
            Self::Locked => "OTP_LOCKED",
            Self::Closed => "OTP_CLOSED",
            Self::NoLiveCode => "OTP_NO_LIVE_CODE",
            Self::Expired => "OTP_CODE_EXPIRED",
            Self::Spent => "OTP_CODE_SPENT",
            Self::NotOwed | Self::Held | Self::Behind { .. } => "INTERNAL",
        }
    }
}
