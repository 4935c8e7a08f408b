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
    Expired {
        /// The code.
        code: Issued,
        /// What became of the mail; `None` where it must not be told, or is not known any more.
        mail: Option<MailFate>,
    },
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
        (Standing::Expired { code, mail }, None) => ViewStage::Expired {
            code: code.clone(),
            mail: mail.filter(|_| may_tell),
        },
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
    use sekisho_proto::events::CodeEvent;
    use sekisho_proto::otp::v1 as otp;
    use time::Duration;

    use super::super::limits::CODE_LIFE;
    use super::super::sample::{FLOW, four_wrong, given, issued, rejected, start, subject};
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

    #[test]
    fn of_a_code_that_is_too_old_it_is_told_whether_it_was_mailed() {
        let late = start() + CODE_LIFE + Duration::seconds(1);
        let told = |events: &[CodeEvent], purpose| {
            let codes = given(events.iter().cloned()).codes;
            let subject = Subject {
                bucket: Bucket::of(purpose, true),
                ..subject(FLOW)
            };
            match View::of(&codes, &codes, subject, late).stage {
                ViewStage::Expired { mail, .. } => mail,
                other => panic!("{other:?}"),
            }
        };
        let mailed = [
            issued(1).into(),
            otp::Mailed {
                about: 1,
                attempt: 1,
                reply: 250,
            }
            .into(),
        ];
        let handed_over = Some(MailFate::HandedOver(start()));
        assert_eq!(told(&mailed, Purpose::SignIn), handed_over);
        assert_eq!(told(&mailed, Purpose::Reset), None);
        assert_eq!(told(&mailed[..1], Purpose::SignIn), Some(MailFate::Failed));
        // It was seen, or it could not have been guessed at: but that is not what the page would say.
        let spent: Vec<_> = four_wrong(1).into_iter().chain([rejected(1, 0).into()]).collect();
        assert_eq!(told(&spent, Purpose::SignIn), None);
    }
}
