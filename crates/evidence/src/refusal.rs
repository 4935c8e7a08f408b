//! Why a flow opens nothing.

use sekisho_proto::refusal::{Class, Refuse};

/// A gate that stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No entry of the log mints this flow.
    #[error("no such flow")]
    Unknown,
    /// The caller does not hold the flow's secret.
    #[error("the flow's secret is wrong")]
    SecretWrong,
    /// The flow holds entries of several accounts, or was minted twice.
    #[error("the flow is not of one account")]
    Mixed,
    /// The person pressed キャンセル.
    #[error("the flow was cancelled")]
    Cancelled,
    /// The flow has led to its end.
    #[error("the flow was used")]
    Used,
    /// A step before this one is missing in the log.
    #[error("a step is missing")]
    Missing,
    /// The evidence is too old.
    #[error("the evidence is too old")]
    Old,
    /// A cut stands after the event that minted the flow.
    #[error("a cut ended the flow")]
    Cut,
}

impl Refuse for Refusal {
    fn class(&self) -> Class {
        match self {
            Self::Unknown => Class::NotFound,
            Self::SecretWrong => Class::Denied,
            Self::Mixed | Self::Cancelled | Self::Used | Self::Missing | Self::Old | Self::Cut => {
                Class::Precondition
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unknown => "FLOW_UNKNOWN",
            Self::SecretWrong => "FLOW_SECRET_WRONG",
            Self::Mixed => "FLOW_MIXED",
            Self::Cancelled => "FLOW_CANCELLED",
            Self::Used => "FLOW_USED",
            Self::Missing => "EVIDENCE_MISSING",
            Self::Old => "EVIDENCE_OLD",
            Self::Cut => "EVIDENCE_CUT",
        }
    }
}
