//! The view of a flow on the wire.

use sekisho_proto::otp::v1::FlowView;
use sekisho_proto::otp::v1::flow_view::{Mail, Stage};
use sekisho_proto::to_timestamp;

use crate::app::Error;
use crate::domain::{Issued, MailFate, Rejection, TRIES, View, ViewStage};

/// A cancelled flow shows nothing.
pub(super) fn flow_view(view: &View) -> Result<FlowView, Error> {
    let shown = match &view.stage {
        ViewStage::Cancelled => return Err(Rejection::Cancelled.into()),
        ViewStage::Verified => without_code(Stage::Verified),
        ViewStage::NotSent => without_code(Stage::NotSent),
        ViewStage::Locked => without_code(Stage::Locked),
        ViewStage::Closed => without_code(Stage::Closed),
        ViewStage::Expired { code, mail } => with_mail(with_code(Stage::Expired, code), *mail),
        ViewStage::Spent(code) => with_code(Stage::Spent, code),
        ViewStage::Live {
            code,
            tries_left,
            mail,
        } => FlowView {
            tries_left: *tries_left,
            was_guessed_at: *tries_left < TRIES,
            ..with_mail(with_code(Stage::Live, code), *mail)
        },
    };
    Ok(FlowView {
        now: Some(to_timestamp(view.now)),
        resend_at: view.resend_at.map(to_timestamp),
        ..shown
    })
}

fn without_code(stage: Stage) -> FlowView {
    FlowView {
        stage: stage.into(),
        ..Default::default()
    }
}

fn with_code(stage: Stage, code: &Issued) -> FlowView {
    FlowView {
        reference: code.reference.clone(),
        issued_at: Some(to_timestamp(code.issued_at)),
        expires_at: Some(to_timestamp(code.expires_at)),
        ..without_code(stage)
    }
}

fn with_mail(shown: FlowView, mail: Option<MailFate>) -> FlowView {
    let (mail, mailed_at) = match mail {
        None => (Mail::Unspecified, None),
        Some(MailFate::Waiting) => (Mail::Waiting, None),
        Some(MailFate::HandedOver(at)) => (Mail::HandedOver, Some(to_timestamp(at))),
        Some(MailFate::Failed) => (Mail::Failed, None),
    };
    FlowView {
        mail: mail.into(),
        mailed_at,
        ..shown
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::Position;
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn a_page_hears_whether_a_code_that_is_too_old_was_mailed() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let code = Issued {
            issue: 1,
            key_id: "k1".to_owned(),
            reference: "CFHJ".to_owned(),
            issued_at: now,
            expires_at: now,
            position: Position(1),
            withheld: false,
        };
        let view = View {
            stage: ViewStage::Expired {
                code,
                mail: Some(MailFate::HandedOver(now)),
            },
            resend_at: None,
            now,
        };
        let shown = flow_view(&view).unwrap();
        assert_eq!((shown.stage(), shown.mail()), (Stage::Expired, Mail::HandedOver));
        assert_eq!(shown.mailed_at, Some(to_timestamp(now)));
    }
}
