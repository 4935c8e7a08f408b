//! The rules of the mail that brings a code: who may try, and what is recorded afterwards.

use sekisho_eventlog::{Decision, FlowId, Position};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;

use super::command::Rejection;
use super::decide::Decided;
use super::limits::{back_off, too_late_to_mail};
use super::state::{Codes, Issued, Mail, Stage};

/// Why a mail that is about to be handed over is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHandOver {
    /// The code died on the way.
    CodeDead,
    /// The claim has run out or would before the relay has the mail; the mail may still be owed.
    ClaimOver,
}

impl Codes {
    /// One worker at a time, and only for a code that will still live when the mail arrives.
    pub(super) fn claim_mail(
        &self,
        flow: FlowId,
        now: OffsetDateTime,
        about: Position,
        attempt: u32,
        until: OffsetDateTime,
    ) -> Decided {
        let (code, mail) = self.owing(flow, about).ok_or(Rejection::NotOwed)?;
        let made = match mail {
            Mail::Owed { attempts, .. } => attempts,
            Mail::Claimed { until, .. } if now <= until => return Err(Rejection::Held),
            // Two workers have come nobody knows how far: a third letter would be one too many.
            Mail::Claimed { in_doubt: true, .. } | Mail::Mailed { .. } | Mail::Failed => {
                return Err(Rejection::NotOwed);
            }
            Mail::Claimed { attempt, .. } => attempt,
        };
        if too_late_to_mail(code.expires_at, now) {
            return Err(Rejection::NotOwed);
        }
        // Who does not know of the newest attempt is not up to date.
        if attempt != made + 1 {
            return Err(Rejection::Held);
        }
        let started = otp::MailStarted {
            about: about.0,
            attempt,
            until: Some(to_timestamp(until)),
        };
        Ok(Decision::Record(started.into()))
    }

    /// Whether the worker that made this attempt may still hand the mail over and be done by `done_by`: its claim is
    /// the newest, and neither the claim nor the code dies before.
    ///
    /// # Errors
    /// [`NoHandOver`].
    pub fn may_hand_over(
        &self,
        flow: FlowId,
        about: Position,
        attempt: u32,
        done_by: OffsetDateTime,
    ) -> Result<(), NoHandOver> {
        let (code, mail) = self.owing(flow, about).ok_or(NoHandOver::CodeDead)?;
        if done_by > code.expires_at {
            return Err(NoHandOver::CodeDead);
        }
        match mail {
            Mail::Claimed {
                attempt: newest,
                until,
                ..
            } if newest == attempt && done_by <= until => Ok(()),
            Mail::Claimed { .. } | Mail::Owed { .. } | Mail::Mailed { .. } | Mail::Failed => {
                Err(NoHandOver::ClaimOver)
            }
        }
    }

    /// What the relay took is a fact, whatever has become of the code since.
    pub(super) fn mailed(
        &self,
        flow: FlowId,
        about: Position,
        attempt: u32,
        reply: u32,
    ) -> Decision<CodeEvent> {
        match self.owing(flow, about) {
            Some((_, Mail::Mailed { .. })) => Decision::Nothing,
            Some((_, Mail::Owed { .. } | Mail::Claimed { .. } | Mail::Failed)) | None => {
                let about = about.0;
                let mailed = otp::Mailed {
                    about,
                    attempt,
                    reply,
                };
                Decision::Record(mailed.into())
            }
        }
    }

    pub(super) fn mail_failed(
        &self,
        flow: FlowId,
        now: OffsetDateTime,
        failed: otp::MailFailed,
    ) -> Decision<CodeEvent> {
        match self.owing(flow, Position(failed.about)) {
            Some((
                code,
                Mail::Claimed {
                    attempt, in_doubt, ..
                },
            )) if attempt == failed.attempt => {
                let next = now + back_off(attempt);
                let will_retry = passes(failed.class(), in_doubt) && !too_late_to_mail(code.expires_at, next);
                Decision::Record(otp::MailFailed { will_retry, ..failed }.into())
            }
            // A newer attempt is under way or has ended: this one no longer matters.
            Some(_) => Decision::Nothing,
            None => Decision::Record(failed.into()),
        }
    }

    /// The live code that a mail is about, and where the mail stands.
    fn owing(&self, flow: FlowId, about: Position) -> Option<(&Issued, Mail)> {
        match &self.flow(flow)?.stage {
            Stage::Live { code, mail, .. } if code.position == about => Some((code, *mail)),
            Stage::Live { .. } | Stage::Spent { .. } | Stage::Accepted { .. } | Stage::Cancelled { .. } => {
                None
            }
        }
    }
}

/// Whether what made an attempt fail may have passed by the next one. A relay that is too slow to answer may have taken
/// every letter: it gets one more, and not one each time.
fn passes(class: Class, in_doubt: bool) -> bool {
    match class {
        Class::Unreachable | Class::Transient => true,
        Class::InDoubt => !in_doubt,
        Class::Unspecified | Class::Permanent | Class::NoAddress | Class::Dead => false,
    }
}
