//! What the two pages with a code have in common: what they show, from where the flow stands in the log and what the last
//! POST has to say, and the forms that compare a code and ask for another one.

use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1::FlowView;
use sekisho_proto::otp::v1::flow_view;

use crate::backends::Described;
use crate::cookies::Flow;
use crate::notes::CodeMessage;
use crate::seals::Seals;
use crate::texts::Texts;
use crate::{marks, times, typing};

/// A code has 6 digits; nobody types it with more than this many spaces and hyphens.
const LONGEST_CODE: usize = 64;

/// Where the flow stands, as far as the page differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No code was asked for (S0).
    NotSent,
    /// The mail was handed over (S1).
    Sent,
    /// The mail is on its way to the relay (S1d).
    Sending,
    /// The newest code is too old (S3).
    Expired,
    /// The newest code was guessed at too often (S4).
    Spent,
    /// The mail could not be handed over (S6f).
    Failed,
    /// A code was accepted (S7).
    Verified,
    /// Too many wrong codes in a row (S9).
    Locked,
    /// Far too many (S9d).
    Closed,
}

/// Which element gets the focus when the page opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The code.
    Code,
    /// The button that asks for a code.
    Send,
    /// 続行.
    Continue,
    /// キャンセル.
    Cancel,
    /// The bad news at the top.
    Summary,
}

/// Everything that the template shows.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    /// Where the flow stands.
    pub stage: Stage,
    /// What became of the last button, where nobody did anything wrong.
    pub said: Option<&'static str>,
    /// Good news.
    pub status: Option<&'static str>,
    /// How many seconds to wait for another code, after it was asked for too soon (S5).
    pub wait: Option<i64>,
    /// Bad news, at the top.
    pub alert: Option<&'static str>,
    /// Bad news about the code, beside its field.
    pub field_error: Option<&'static str>,
    /// How many more tries, after bad news about the code.
    pub left: Option<String>,
    /// Masked, or in full once a code was accepted; `None` for a reset.
    pub address: Option<String>,
    /// When the code was mailed and how long it lives.
    pub times: Option<String>,
    /// When the mail server took the mail.
    pub handed_over: Option<String>,
    /// The number that the mail shows as well.
    pub reference: Option<String>,
    /// Where to go.
    pub focus: Focus,
}

impl Stage {
    /// `None` for a state that this page does not know.
    pub fn of(flow: &FlowView) -> Option<Self> {
        Some(match (flow.stage(), flow.mail()) {
            (flow_view::Stage::NotSent, _) => Self::NotSent,
            (flow_view::Stage::Live, flow_view::Mail::HandedOver) => Self::Sent,
            (flow_view::Stage::Live, flow_view::Mail::Waiting) => Self::Sending,
            (flow_view::Stage::Live, flow_view::Mail::Failed) => Self::Failed,
            (flow_view::Stage::Expired, _) => Self::Expired,
            (flow_view::Stage::Spent, _) => Self::Spent,
            (flow_view::Stage::Verified, _) => Self::Verified,
            (flow_view::Stage::Locked, _) => Self::Locked,
            (flow_view::Stage::Closed, _) => Self::Closed,
            (flow_view::Stage::Live, flow_view::Mail::Unspecified) | (flow_view::Stage::Unspecified, _) => {
                return None;
            }
        })
    }

    /// Of a reset, whose page never tells whether a mail is on its way, or ever will be.
    fn of_reset(flow: &FlowView) -> Option<Self> {
        Some(match flow.stage() {
            flow_view::Stage::NotSent | flow_view::Stage::Live => Self::Sent,
            flow_view::Stage::Expired => Self::Expired,
            flow_view::Stage::Spent => Self::Spent,
            flow_view::Stage::Verified => Self::Verified,
            flow_view::Stage::Locked => Self::Locked,
            flow_view::Stage::Closed => Self::Closed,
            flow_view::Stage::Unspecified => return None,
        })
    }

    /// Whether another code could help.
    fn takes_codes(self) -> bool {
        !matches!(self, Self::Verified | Self::Locked | Self::Closed)
    }

    fn status(self, texts: &'static Texts) -> Option<&'static str> {
        match self {
            Self::NotSent => Some(texts.not_sent),
            Self::Sent => Some(texts.sent),
            Self::Sending => Some(texts.sending),
            Self::Expired | Self::Spent | Self::Failed | Self::Locked | Self::Closed => None,
            Self::Verified => Some(texts.verified),
        }
    }

    fn alert(self, texts: &'static Texts) -> Option<&'static str> {
        match self {
            Self::Expired => Some(texts.code_expired),
            Self::Spent => Some(texts.code_spent),
            Self::Failed => Some(texts.send_failed),
            Self::Locked => Some(texts.codes_locked),
            Self::Closed => Some(texts.disabled),
            Self::NotSent | Self::Sent | Self::Sending | Self::Verified => None,
        }
    }

    fn focus(self) -> Focus {
        match self {
            Self::Sent | Self::Sending => Focus::Code,
            Self::NotSent | Self::Expired | Self::Spent | Self::Failed => Focus::Send,
            Self::Verified => Focus::Continue,
            Self::Locked | Self::Closed => Focus::Summary,
        }
    }
}

/// The forms of a page with a code.
pub struct Forms {
    /// Compares what is typed.
    pub verify: Hidden,
    /// Asks for a code.
    pub send: Hidden,
}

/// Where a form goes, and what it carries beside what is typed.
pub struct Hidden {
    /// The address, which the mark names as well.
    pub action: &'static str,
    /// Against requests that the person did not mean.
    pub mark: String,
    /// However often the form is sent, it has its effect once.
    pub command: String,
}

impl Forms {
    /// The forms of a flow's page.
    pub fn new(seals: &Seals, flow: &Flow, verify: &'static str, send: &'static str) -> Self {
        let hidden = |action| Hidden {
            action,
            mark: marks::make(seals, action, &flow.secret),
            command: marks::command_id(),
        };
        Self {
            verify: hidden(verify),
            send: hidden(send),
        }
    }
}

/// What is typed is compared, unless it cannot be a code.
///
/// # Errors
/// What the page has to say.
pub fn readable(code: &str) -> Result<(), CodeMessage> {
    if typing::is_empty(code) {
        Err(CodeMessage::Missing)
    } else if code.chars().count() > LONGEST_CODE {
        Err(CodeMessage::Malformed)
    } else {
        Ok(())
    }
}

impl View {
    /// What to show of a sign-in; `None` for a flow in a state that this page does not know.
    pub fn of_sign_in(
        texts: &'static Texts,
        flow: &FlowView,
        described: Described,
        said: Option<CodeMessage>,
    ) -> Option<Self> {
        let stage = Stage::of(flow)?;
        let status = match (stage, flow.mail()) {
            (Stage::Expired, flow_view::Mail::HandedOver) => Some(texts.sent),
            _ => stage.status(texts),
        };
        let verified = stage == Stage::Verified && !described.address.is_empty();
        let address = if verified {
            described.address
        } else {
            described.masked_address
        };
        Some(Self {
            address: Some(address),
            times: written_times(texts, stage, flow),
            handed_over: times::second(texts, flow.mailed_at.as_ref())
                .filter(|_| stage == Stage::Sent)
                .map(|at| (texts.handed_over)(&at)),
            ..Self::new(texts, stage, status, flow, said)
        })
    }

    /// What to show of a reset, with the sentence above the code; `None` for a flow in a state that this page does not know.
    pub fn of_reset(
        texts: &'static Texts,
        flow: &FlowView,
        sentence: &'static str,
        said: Option<CodeMessage>,
    ) -> Option<Self> {
        let stage = Stage::of_reset(flow)?;
        let status = matches!(stage, Stage::Sent | Stage::Expired).then_some(sentence);
        let until = times::minute(texts, flow.expires_at.as_ref()).filter(|_| stage == Stage::Sent);
        let view = Self::new(texts, stage, status, flow, said);
        Some(Self {
            times: until.map(|until| (texts.valid)(&until)),
            alert: match stage {
                Stage::Locked => Some(texts.resets_locked),
                Stage::Closed => Some(texts.resets_closed),
                _ => view.alert,
            },
            ..view
        })
    }

    fn new(
        texts: &'static Texts,
        stage: Stage,
        status: Option<&'static str>,
        flow: &FlowView,
        said: Option<CodeMessage>,
    ) -> Self {
        let is_stale = said == Some(CodeMessage::StaleForm);
        let news = News::of(texts, stage, flow.was_guessed_at, said);
        let wait = wait(flow).filter(|_| said == Some(CodeMessage::TooSoon) && stage.takes_codes());
        let is_too_many = news.alert == Some(texts.too_many_codes);
        Self {
            stage,
            said: is_stale.then_some(texts.stale_button),
            status,
            wait,
            alert: news.alert,
            field_error: news.field_error,
            left: news.counts.then(|| (texts.tries_left)(flow.tries_left)),
            address: None,
            times: None,
            handed_over: None,
            reference: Some(flow.reference.clone()).filter(|reference| !reference.is_empty()),
            focus: if is_too_many { Focus::Cancel } else { stage.focus() },
        }
    }

    /// Whether there is a code to type.
    pub fn shows_code(&self) -> bool {
        matches!(self.stage, Stage::Sent | Stage::Sending | Stage::Expired)
    }

    /// The button that asks for a code, if there is one.
    pub fn send_label(&self, texts: &'static Texts) -> Option<&'static str> {
        match self.stage {
            Stage::NotSent | Stage::Failed => Some(texts.send),
            Stage::Sent | Stage::Sending | Stage::Expired | Stage::Spent => Some(texts.send_again),
            Stage::Verified | Stage::Locked | Stage::Closed => None,
        }
    }
}

/// Bad news, at the top and beside the field.
#[derive(Default)]
struct News {
    alert: Option<&'static str>,
    field_error: Option<&'static str>,
    /// A try was counted.
    counts: bool,
}

impl News {
    /// What the log tells outweighs what the last POST said, except where the person pressed 続行 too early. That a code was wrong is read from the log, so a reload or a second tab shows it too.
    fn of(texts: &'static Texts, stage: Stage, was_guessed_at: bool, said: Option<CodeMessage>) -> Self {
        if said == Some(CodeMessage::TooMany) && stage.takes_codes() {
            return Self {
                alert: Some(texts.too_many_codes),
                ..Self::default()
            };
        }
        let waits_for_code = matches!(stage, Stage::NotSent | Stage::Sent | Stage::Sending);
        if waits_for_code && said == Some(CodeMessage::NotVerified) {
            return Self {
                alert: Some(texts.not_verified),
                ..Self::default()
            };
        }
        // Where the code is dead or its mail lost, that is what 続行 lacks.
        match stage {
            Stage::Sent | Stage::Sending => Self::of_code(texts, was_guessed_at, said),
            _ => Self {
                alert: stage.alert(texts),
                ..Self::default()
            },
        }
    }

    fn of_code(texts: &'static Texts, was_guessed_at: bool, said: Option<CodeMessage>) -> Self {
        let (text, counts) = match said {
            Some(CodeMessage::Missing) => (texts.code_missing, false),
            Some(CodeMessage::Malformed) => (texts.code_malformed, false),
            Some(CodeMessage::Wrong { replaced: true }) => (texts.code_replaced, true),
            Some(CodeMessage::Wrong { replaced: false }) => (texts.code_wrong, true),
            // What the button came to is news; that an earlier code was wrong is none any more.
            Some(CodeMessage::TooSoon) => return Self::default(),
            Some(CodeMessage::NotVerified | CodeMessage::StaleForm | CodeMessage::TooMany) | None => {
                if !was_guessed_at {
                    return Self::default();
                }
                (texts.code_wrong, true)
            }
        };
        Self {
            alert: Some(text),
            field_error: Some(text),
            counts,
        }
    }
}

/// Seconds until another code may be asked for, the last one begun counting whole.
fn wait(flow: &FlowView) -> Option<i64> {
    let at = from_timestamp(flow.resend_at.as_ref()?)?;
    let now = from_timestamp(flow.now.as_ref()?)?;
    let wait = at - now;
    let seconds = wait.whole_seconds() + i64::from(wait.subsec_nanoseconds() > 0);
    (seconds > 0).then_some(seconds)
}

fn written_times(texts: &Texts, stage: Stage, flow: &FlowView) -> Option<String> {
    let until = times::minute(texts, flow.expires_at.as_ref())?;
    match (
        stage,
        times::minute(texts, flow.mailed_at.as_ref().or(flow.issued_at.as_ref())),
    ) {
        (Stage::Sent, Some(at)) => Some((texts.mailed)(&at, &until)),
        (Stage::Sent | Stage::Sending, _) => Some((texts.valid)(&until)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::JAPANESE;

    fn view(stage: flow_view::Stage, was_guessed_at: bool, said: Option<CodeMessage>) -> View {
        let flow = FlowView {
            stage: stage.into(),
            mail: flow_view::Mail::HandedOver.into(),
            was_guessed_at,
            ..FlowView::default()
        };
        View::of_sign_in(&JAPANESE, &flow, Described::default(), said).unwrap()
    }

    #[test]
    fn what_the_log_tells_outweighs_what_was_said_last() {
        let expired = view(flow_view::Stage::Expired, false, Some(CodeMessage::Malformed));
        assert_eq!(
            (expired.alert, expired.field_error),
            (Some(JAPANESE.code_expired), None)
        );
        let verified = view(flow_view::Stage::Verified, true, Some(CodeMessage::NotVerified));
        assert_eq!(verified.alert, None);
        let spent = view(flow_view::Stage::Spent, true, Some(CodeMessage::NotVerified));
        assert_eq!(spent.alert, Some(JAPANESE.code_spent));
        let live = view(flow_view::Stage::Live, false, Some(CodeMessage::NotVerified));
        assert_eq!(live.alert, Some(JAPANESE.not_verified));
    }

    #[test]
    fn an_earlier_wrong_code_is_told_until_a_newer_message_or_a_new_code() {
        assert_eq!(
            view(flow_view::Stage::Live, true, None).alert,
            Some(JAPANESE.code_wrong)
        );
        let empty = view(flow_view::Stage::Live, true, Some(CodeMessage::Missing));
        assert_eq!((empty.alert, empty.left), (Some(JAPANESE.code_missing), None));
        assert_eq!(view(flow_view::Stage::Live, false, None).alert, None);
    }

    #[test]
    fn the_full_address_is_shown_after_a_code_was_accepted_and_never_before() {
        let described = || Described {
            masked_address: "m".into(),
            address: "full".into(),
            ..Described::default()
        };
        let mut flow = FlowView::default();
        for stage in [
            flow_view::Stage::NotSent,
            flow_view::Stage::Spent,
            flow_view::Stage::Expired,
        ] {
            flow.stage = stage.into();
            let view = View::of_sign_in(&JAPANESE, &flow, described(), None).unwrap();
            assert_eq!(view.address.as_deref(), Some("m"));
        }
        flow.stage = flow_view::Stage::Verified.into();
        let view = View::of_sign_in(&JAPANESE, &flow, described(), None).unwrap();
        assert_eq!(view.address.as_deref(), Some("full"));
    }

    #[test]
    fn a_state_that_this_page_does_not_know_is_no_page() {
        let flow = FlowView::default();
        assert_eq!(
            View::of_sign_in(&JAPANESE, &flow, Described::default(), None),
            None
        );
        assert_eq!(View::of_reset(&JAPANESE, &flow, JAPANESE.reset_sent, None), None);
    }

    /// C-29: whatever became of the mail.
    #[test]
    fn a_reset_never_tells_what_became_of_its_mail() {
        let shown = |mail: flow_view::Mail| {
            let flow = FlowView {
                stage: flow_view::Stage::Live.into(),
                mail: mail.into(),
                ..FlowView::default()
            };
            View::of_reset(&JAPANESE, &flow, JAPANESE.reset_sent, None).unwrap()
        };
        let silent = shown(flow_view::Mail::Unspecified);
        assert_eq!(
            (silent.stage, silent.status),
            (Stage::Sent, Some(JAPANESE.reset_sent))
        );
        for mail in [
            flow_view::Mail::Waiting,
            flow_view::Mail::HandedOver,
            flow_view::Mail::Failed,
        ] {
            assert_eq!(shown(mail), silent);
        }
    }
}
