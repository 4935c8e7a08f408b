//! The state after one more event. No rules: what stands in the log has happened.

use prost::Message;
use sekisho_eventlog::{Carry, FlowId, Fold, Position, Recorded};
use sekisho_evidence::{Bucket, CODES_FOLD};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::CodesState;
use time::OffsetDateTime;

use super::limits::{FLOWS, REMEMBERED, REPLACED};
use super::sent::Sent;
use super::state::{Codes, FlowCodes, Issued, Mail, Stage};

impl Fold for Codes {
    type Event = CodeEvent;
    // Also what `sekisho_evidence::WrongCodes` reads from the same bytes.
    const VERSION: u32 = CODES_FOLD;

    fn evolve(mut self, event: &CodeEvent, recorded: &Recorded) -> Self {
        self.forget_old(recorded.recorded_at);
        self.wrong.note(event, recorded);
        let Some(flow) = recorded.flow else {
            return self.after_notice(event, recorded);
        };
        match event {
            CodeEvent::CodeIssued(issued) => self.issued(flow, issued, recorded),
            CodeEvent::CodeRefused(_) => self.refused_at = Some(recorded.recorded_at),
            CodeEvent::CodeRejected(rejected) => self.rejected(flow, rejected),
            CodeEvent::CodeAccepted(accepted) => self.accepted(flow, accepted, recorded),
            CodeEvent::FlowCancelled(_) => self.cancelled(flow, recorded.recorded_at),
            CodeEvent::MailStarted(started) => {
                let until = moment(started.until.as_ref(), recorded);
                self.mail(flow, started.about, |before| {
                    before.claimed(started.attempt, until)
                });
            }
            CodeEvent::Mailed(mailed) => {
                let at = recorded.recorded_at;
                self.mail(flow, mailed.about, |_| Mail::Mailed { at });
            }
            CodeEvent::MailFailed(failed) => {
                self.count_no_longer(flow, failed);
                self.mail(flow, failed.about, |before| before.failed(failed));
            }
        }
        self.forget_too_many();
        self
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        Self::from_carried(&CodesState::decode(bytes).ok()?)
    }
}

impl Carry for Codes {
    fn carry(&self) -> Vec<u8> {
        self.to_carried().encode_to_vec()
    }
}

impl Codes {
    /// Mails of notices belong to no flow.
    fn after_notice(mut self, event: &CodeEvent, recorded: &Recorded) -> Self {
        let at = recorded.recorded_at;
        match event {
            CodeEvent::MailStarted(started) => self.notice_claimed(started.topic(), started, at),
            CodeEvent::Mailed(mailed) => {
                self.notice_mail(Position(mailed.about), |_| Mail::Mailed { at });
            }
            CodeEvent::MailFailed(failed) => {
                self.notice_mail(Position(failed.about), |before| before.failed(failed));
            }
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => {}
        }
        self
    }

    fn issued(&mut self, flow: FlowId, event: &otp::CodeIssued, recorded: &Recorded) {
        let before = self.take(flow);
        let counts = u32::from(!event.withheld);
        let sent = before.as_ref().map_or(0, |known| known.sent) + counts;
        let replaced = before.map_or_else(Vec::new, with_last_replaced);
        let bucket = Bucket::of(event.purpose(), event.proved);
        let code = Issued {
            issue: event.issue,
            key_id: event.key_id.clone(),
            reference: event.reference.clone(),
            issued_at: recorded.recorded_at,
            expires_at: moment(event.expires_at.as_ref(), recorded),
            position: recorded.position,
            withheld: event.withheld,
        };
        let mail = if event.withheld { Mail::Failed } else { Mail::NEW };
        self.issued = self.issued.max(event.issue);
        if !event.withheld {
            self.count_sent(Sent {
                about: recorded.position,
                bucket,
                at: recorded.recorded_at,
            });
        }
        self.flows.push(FlowCodes {
            flow,
            bucket,
            sent,
            stage: Stage::Live {
                code,
                replaced,
                wrong: 0,
                mail,
            },
        });
    }

    fn rejected(&mut self, flow: FlowId, event: &otp::CodeRejected) {
        let Some(known) = self.flow_mut(flow) else { return };
        let Stage::Live {
            code,
            replaced,
            wrong,
            ..
        } = &mut known.stage
        else {
            return;
        };
        if code.issue != event.issue {
            return;
        }
        *wrong += 1;
        if event.tries_left == 0 {
            known.stage = Stage::Spent {
                code: code.clone(),
                replaced: std::mem::take(replaced),
            };
        }
    }

    fn accepted(&mut self, flow: FlowId, event: &otp::CodeAccepted, recorded: &Recorded) {
        let Some(known) = self.flow_mut(flow) else { return };
        let expires_at = match &known.stage {
            Stage::Live { code, .. } | Stage::Spent { code, .. } => code.expires_at,
            Stage::Accepted { .. } | Stage::Cancelled { .. } => return,
        };
        known.stage = Stage::Accepted {
            issue: event.issue,
            position: recorded.position,
            expires_at,
        };
    }

    fn cancelled(&mut self, flow: FlowId, at: OffsetDateTime) {
        let before = self.take(flow);
        let unspecified = Bucket::of(otp::Purpose::Unspecified, false);
        self.flows.push(FlowCodes {
            flow,
            bucket: before.as_ref().map_or(unspecified, |known| known.bucket),
            sent: before.map_or(0, |known| known.sent),
            stage: Stage::Cancelled { at },
        });
    }

    fn mail(&mut self, flow: FlowId, about: u64, after: impl FnOnce(Mail) -> Mail) {
        let Some(known) = self.flow_mut(flow) else { return };
        match &mut known.stage {
            Stage::Live { code, mail, .. } if code.position == Position(about) => *mail = after(*mail),
            Stage::Live { .. } | Stage::Spent { .. } | Stage::Accepted { .. } | Stage::Cancelled { .. } => {}
        }
    }

    pub(super) fn flow_mut(&mut self, flow: FlowId) -> Option<&mut FlowCodes> {
        self.flows.iter_mut().find(|known| known.flow == flow)
    }

    fn take(&mut self, flow: FlowId) -> Option<FlowCodes> {
        let index = self.flows.iter().position(|known| known.flow == flow)?;
        Some(self.flows.remove(index))
    }

    /// Flows whose last code has been dead for an hour leave. No worker is still at their mail: a claim is made in
    /// the code's life and ends within minutes.
    fn forget_old(&mut self, at: OffsetDateTime) {
        self.forget_old_sent(at);
        self.forget_old_notices(at);
        self.flows.retain(|known| {
            let dead_from = match &known.stage {
                Stage::Live { code, .. } | Stage::Spent { code, .. } => code.expires_at,
                Stage::Accepted { expires_at, .. } => *expires_at,
                Stage::Cancelled { at: cancelled } => *cancelled,
            };
            at <= dead_from + REMEMBERED
        });
    }

    /// Of each purpose only the newest flows stay; those whose code can no longer be right leave first.
    fn forget_too_many(&mut self) {
        for purpose in [
            otp::Purpose::Unspecified,
            otp::Purpose::SignIn,
            otp::Purpose::Reset,
        ] {
            let of_purpose = |known: &&FlowCodes| known.bucket.purpose() == purpose;
            while self.flows.iter().filter(of_purpose).count() > FLOWS {
                let settled =
                    |known: &FlowCodes| !matches!(&known.stage, Stage::Live { code, .. } if !code.withheld);
                let mut candidates = self.flows.iter().filter(of_purpose);
                let oldest = candidates
                    .clone()
                    .find(|known| settled(known))
                    .or(candidates.next());
                let Some(flow) = oldest.map(|known| known.flow) else {
                    break;
                };
                self.take(flow);
            }
        }
    }
}

/// The issues that a flow's next code replaces.
fn with_last_replaced(known: FlowCodes) -> Vec<u64> {
    let (Stage::Live { code, replaced, .. } | Stage::Spent { code, replaced }) = known.stage else {
        return Vec::new();
    };
    let mut all = replaced;
    all.push(code.issue);
    let first = all.len().saturating_sub(REPLACED);
    all.split_off(first)
}

/// A moment of an event; one that no calendar knows is taken as the event's own.
fn moment(timestamp: Option<&prost_types::Timestamp>, recorded: &Recorded) -> OffsetDateTime {
    timestamp.and_then(from_timestamp).unwrap_or(recorded.recorded_at)
}
