//! What a page may show of a flow.

use sekisho_evidence::Shut;
use sekisho_proto::otp::v1::Purpose;
use time::OffsetDateTime;

use super::command::Subject;
use super::standing::{MailFate, Standing};
use super::state::{Codes, Issued};

/// What a page may show of a flow at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// How far the flow has come.
    pub stage: ViewStage,
    /// When another code may be asked for, if that is to be waited for.
    pub resend_at: Option<OffsetDateTime>,
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
    /// Too many wrong codes in a row, in whatever flows: nothing can be done for a while.
    Locked,
    /// Far too many: nothing can be done until somebody pardons.
    Closed,
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
    /// The view of one flow: how far it has come is read from `own`, which is folded from its own entries alone and forgets
    /// nothing, and what is counted over all flows from `all`.
    ///
    /// Anyone who knows a login id can start a reset; the fate of its mail would say whether the account exists.
    pub fn of(own: &Codes, all: &Codes, subject: Subject, now: OffsetDateTime) -> Self {
        let shut = all.wrong.shut(subject.bucket, subject.pardon, now);
        Self {
            stage: stage(own, shut, subject, now),
            resend_at: own.resend_at(subject.flow, now),
            now,
        }
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

fn stage(own: &Codes, shut: Option<Shut>, subject: Subject, now: OffsetDateTime) -> ViewStage {
    let may_tell = match subject.bucket.purpose() {
        Purpose::SignIn => true,
        Purpose::Reset | Purpose::Unspecified => false,
    };
    match (own.standing(subject.flow, now), shut) {
        (Standing::Cancelled, _) => ViewStage::Cancelled,
        (Standing::Verified, _) => ViewStage::Verified,
        (_, Some(Shut::Locked { .. })) => ViewStage::Locked,
        (_, Some(Shut::Closed)) => ViewStage::Closed,
        (Standing::NotSent, None) => ViewStage::NotSent,
        (Standing::Expired(code), None) => ViewStage::Expired(code.clone()),
        (Standing::Spent(code), None) => ViewStage::Spent(code.clone()),
        (
            Standing::Live {
                code,
                tries_left,
                mail,
            },
            None,
        ) => ViewStage::Live {
            code: code.clone(),
            tries_left,
            mail: may_tell.then_some(mail),
        },
    }
}

#[cfg(test)]
mod tests {
    use sekisho_evidence::Bucket;

    use super::super::sample::{FLOW, given, issued, start, subject};
    use super::*;

    #[test]
    fn the_fate_of_a_mail_is_told_for_sign_ins_only() {
        let codes = given([issued(1)]).codes;
        let told = |purpose| {
            let bucket = Bucket::of(purpose, true);
            let subject = Subject {
                bucket,
                ..subject(FLOW)
            };
            match View::of(&codes, &codes, subject, start()).stage {
                ViewStage::Live { mail, .. } => mail,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told(Purpose::SignIn), Some(MailFate::Waiting));
        assert_eq!(told(Purpose::Reset), None);
    }
}
