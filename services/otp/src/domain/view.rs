//! What a page may show of a flow.

use sekisho_eventlog::FlowId;
use sekisho_proto::otp::v1::Purpose;
use time::OffsetDateTime;

use super::standing::{MailFate, Standing};
use super::state::{Codes, Issued};

/// What a page may show of a flow at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// How far the flow has come.
    pub stage: ViewStage,
    /// The moment.
    pub now: OffsetDateTime,
}

/// How far a flow has come, as pages tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewStage {
    /// The flow is over.
    Cancelled,
    /// The address is proved.
    Verified,
    /// No code was asked for.
    NotSent,
    /// The code's time is over.
    Expired(Issued),
    /// Too many wrong tries.
    Spent(Issued),
    /// A code can be typed.
    Live {
        /// The code.
        code: Issued,
        /// Tries that are left.
        tries_left: u32,
        /// What became of the mail; `None` where it must not be told.
        mail: Option<MailFate>,
    },
}

impl View {
    /// The view of one flow, whose purpose is that of the event that minted it.
    ///
    /// Anyone who knows a login id can start a reset; the fate of its mail would say whether the account exists.
    pub fn of(codes: &Codes, flow: FlowId, purpose: Purpose, now: OffsetDateTime) -> Self {
        let may_tell = match purpose {
            Purpose::SignIn => true,
            Purpose::Reset | Purpose::Unspecified => false,
        };
        let stage = match codes.standing(flow, now) {
            Standing::Cancelled => ViewStage::Cancelled,
            Standing::Verified => ViewStage::Verified,
            Standing::NotSent => ViewStage::NotSent,
            Standing::Expired(code) => ViewStage::Expired(code.clone()),
            Standing::Spent(code) => ViewStage::Spent(code.clone()),
            Standing::Live {
                code,
                tries_left,
                mail,
            } => ViewStage::Live {
                code: code.clone(),
                tries_left,
                mail: may_tell.then_some(mail),
            },
        };
        Self { stage, now }
    }

    /// Whether the page would have more to tell soon.
    pub fn waits_for_mail(&self) -> bool {
        matches!(
            self.stage,
            ViewStage::Live {
                mail: Some(MailFate::Waiting),
                ..
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{FLOW, given, issued, start};
    use super::*;

    #[test]
    fn the_fate_of_a_mail_is_told_for_sign_ins_only() {
        let codes = given([issued(1)]).codes;
        let told = |purpose| match View::of(&codes, FLOW, purpose, start()).stage {
            ViewStage::Live { mail, .. } => mail,
            other => panic!("{other:?}"),
        };
        assert_eq!(told(Purpose::SignIn), Some(MailFate::Waiting));
        assert_eq!(told(Purpose::Reset), None);
    }
}
