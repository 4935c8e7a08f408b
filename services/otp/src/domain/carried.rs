//! The state as every 64th entry carries it.

use prost_types::Timestamp;
use sekisho_eventlog::{FlowId, Position};
use sekisho_evidence::{Bucket, WrongCodes};
use sekisho_proto::otp::v1::CodesState;
use sekisho_proto::otp::v1::codes_state as proto;
use sekisho_proto::{from_timestamp, to_timestamp};
use time::OffsetDateTime;

use super::limits::TRIES;
use super::notice::Notice;
use super::sent::Sent;
use super::state::{Codes, FlowCodes, Issued, Mail, Stage};

impl Codes {
    pub(super) fn to_carried(&self) -> CodesState {
        CodesState {
            issued: self.issued,
            flows: self.flows.iter().map(written).collect(),
            refused_at: self.refused_at.map(to_timestamp),
            notices: self.notices.iter().map(written_notice).collect(),
            sent: self.sent.iter().map(written_sent).collect(),
            wrong_codes: self.wrong.carry(),
            ..CodesState::default()
        }
    }

    pub(super) fn from_carried(state: &CodesState) -> Option<Self> {
        let flows = state.flows.iter().map(read).collect::<Option<_>>()?;
        Some(Self {
            issued: state.issued,
            flows,
            sent: state.sent.iter().map(read_sent).collect::<Option<_>>()?,
            wrong: WrongCodes::resume(&state.wrong_codes)?,
            refused_at: moment(state.refused_at.as_ref()),
            notices: state.notices.iter().map(read_notice).collect::<Option<_>>()?,
        })
    }
}

/// The fields of a stage that are not its own stay empty; an accepted flow's position is that of CodeAccepted, and a
/// cancelled flow's `expires_at` is the moment of the cancelling.
fn written(known: &FlowCodes) -> proto::FlowCodes {
    let base = proto::FlowCodes {
        flow_id: known.flow.to_vec(),
        purpose: known.bucket.purpose().into(),
        proved: known.bucket.is_proved(),
        sent: known.sent,
        ..Default::default()
    };
    match &known.stage {
        Stage::Live {
            code,
            replaced,
            wrong,
            mail,
        } => {
            let with_code = with_code(base, code, replaced, proto::Stage::Live);
            let with_mail = with_mail(with_code, *mail);
            proto::FlowCodes {
                rejected: *wrong,
                ..with_mail
            }
        }
        Stage::Spent { code, replaced } => proto::FlowCodes {
            rejected: TRIES,
            ..with_code(base, code, replaced, proto::Stage::Spent)
        },
        Stage::Accepted {
            issue,
            position,
            expires_at,
        } => proto::FlowCodes {
            issue: *issue,
            position: position.0,
            expires_at: Some(to_timestamp(*expires_at)),
            stage: proto::Stage::Accepted.into(),
            ..base
        },
        Stage::Cancelled { at } => proto::FlowCodes {
            expires_at: Some(to_timestamp(*at)),
            stage: proto::Stage::Cancelled.into(),
            ..base
        },
    }
}

fn with_code(
    base: proto::FlowCodes,
    code: &Issued,
    replaced: &[u64],
    stage: proto::Stage,
) -> proto::FlowCodes {
    proto::FlowCodes {
        issue: code.issue,
        replaced: replaced.to_vec(),
        key_id: code.key_id.clone(),
        reference: code.reference.clone(),
        issued_at: Some(to_timestamp(code.issued_at)),
        expires_at: Some(to_timestamp(code.expires_at)),
        position: code.position.0,
        withheld: code.withheld,
        stage: stage.into(),
        ..base
    }
}

fn with_mail(base: proto::FlowCodes, mail: Mail) -> proto::FlowCodes {
    let state = written_mail(mail);
    proto::FlowCodes {
        mail: state.stage,
        attempt: state.attempt,
        claimed_until: state.claimed_until,
        mailed_at: state.mailed_at,
        in_doubt: state.in_doubt,
        ..base
    }
}

fn written_mail(mail: Mail) -> proto::MailState {
    let (stage, attempt, claimed_until, mailed_at) = match mail {
        Mail::Owed { attempts, .. } => (proto::Mail::Owed, attempts, None, None),
        Mail::Claimed { attempt, until, .. } => {
            (proto::Mail::Claimed, attempt, Some(to_timestamp(until)), None)
        }
        Mail::Mailed { at } => (proto::Mail::Mailed, 0, None, Some(to_timestamp(at))),
        Mail::Failed => (proto::Mail::Failed, 0, None, None),
    };
    proto::MailState {
        stage: stage.into(),
        attempt,
        claimed_until,
        mailed_at,
        in_doubt: mail.is_in_doubt(),
    }
}

fn written_sent(sent: &Sent) -> proto::Sent {
    proto::Sent {
        about: sent.about.0,
        at: Some(to_timestamp(sent.at)),
        purpose: sent.bucket.purpose().into(),
        proved: sent.bucket.is_proved(),
    }
}

fn read_sent(sent: &proto::Sent) -> Option<Sent> {
    Some(Sent {
        about: Position(sent.about),
        bucket: Bucket::of(sent.purpose(), sent.proved),
        at: moment(sent.at.as_ref())?,
    })
}

fn written_notice(notice: &Notice) -> proto::Notice {
    proto::Notice {
        about: notice.about.0,
        topic: notice.topic.into(),
        at: Some(to_timestamp(notice.at)),
        mail: Some(written_mail(notice.mail)),
    }
}

fn read_notice(notice: &proto::Notice) -> Option<Notice> {
    Some(Notice {
        about: Position(notice.about),
        topic: notice.topic(),
        at: moment(notice.at.as_ref())?,
        mail: read_mail(notice.mail.as_ref()?)?,
    })
}

/// `None` for what this version has not written: then the whole stream is folded instead.
fn read(flow: &proto::FlowCodes) -> Option<FlowCodes> {
    let stage = match flow.stage() {
        proto::Stage::Unspecified => return None,
        proto::Stage::Live => Stage::Live {
            code: read_code(flow)?,
            wrong: flow.rejected,
            mail: mail_of(flow)?,
            replaced: flow.replaced.clone(),
        },
        proto::Stage::Spent => Stage::Spent {
            code: read_code(flow)?,
            replaced: flow.replaced.clone(),
        },
        proto::Stage::Accepted => Stage::Accepted {
            issue: flow.issue,
            position: Position(flow.position),
            expires_at: moment(flow.expires_at.as_ref())?,
        },
        proto::Stage::Cancelled => Stage::Cancelled {
            at: moment(flow.expires_at.as_ref())?,
        },
    };
    Some(FlowCodes {
        flow: FlowId::try_from(flow.flow_id.as_slice()).ok()?,
        bucket: Bucket::of(flow.purpose(), flow.proved),
        sent: flow.sent,
        stage,
    })
}

fn read_code(flow: &proto::FlowCodes) -> Option<Issued> {
    Some(Issued {
        issue: flow.issue,
        key_id: flow.key_id.clone(),
        reference: flow.reference.clone(),
        issued_at: moment(flow.issued_at.as_ref())?,
        expires_at: moment(flow.expires_at.as_ref())?,
        position: Position(flow.position),
        withheld: flow.withheld,
    })
}

fn mail_of(flow: &proto::FlowCodes) -> Option<Mail> {
    read_mail(&proto::MailState {
        stage: flow.mail,
        attempt: flow.attempt,
        claimed_until: flow.claimed_until,
        mailed_at: flow.mailed_at,
        in_doubt: flow.in_doubt,
    })
}

fn read_mail(state: &proto::MailState) -> Option<Mail> {
    let proto::MailState {
        attempt, in_doubt, ..
    } = *state;
    match state.stage() {
        proto::Mail::Unspecified => None,
        proto::Mail::Owed => Some(Mail::Owed {
            attempts: attempt,
            in_doubt,
        }),
        proto::Mail::Claimed => Some(Mail::Claimed {
            attempt,
            until: moment(state.claimed_until.as_ref())?,
            in_doubt,
        }),
        proto::Mail::Mailed => Some(Mail::Mailed {
            at: moment(state.mailed_at.as_ref())?,
        }),
        proto::Mail::Failed => Some(Mail::Failed),
    }
}

fn moment(timestamp: Option<&Timestamp>) -> Option<OffsetDateTime> {
    timestamp.and_then(from_timestamp)
}
