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
        ViewStage::Expired(code) => with_code(Stage::Expired, code),
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
