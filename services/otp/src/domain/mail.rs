//! The rules of mails: who may try, and what is recorded afterwards.

use sekisho_eventlog::{Decision, FlowId, Position};
use sekisho_evidence::NOTICE_LIFE;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::Topic;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};

use super::command::Rejection;
use super::decide::Decided;
use super::limits::{CODE_PAUSES, NOTICE_PAUSES, too_late_to_mail};
use super::state::{Codes, Mail, Stage};

/// What a mail brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// A code of this flow.
    Code(FlowId),
    /// A notice.
    Notice {
        /// What the person is told.
        topic: Topic,
        /// When the event was recorded that owes it.
        owed_at: OffsetDateTime,
    },
}

/// A mail that is owed, was owed or was tried.
struct Owing {
    mail: Mail,
    /// From then on it is worth nothing.
    expires_at: OffsetDateTime,
}

/// Why a mail that is about to be handed over is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoHandOver {
    /// The code died on the way, or nobody needs the notice any more.
    Dead,
    /// The claim has run out or would before the relay has the mail; the mail may still be owed.
    ClaimOver,
}

impl Codes {
    /// One worker at a time, and only for what will still be worth something when the mail arrives.
    pub(super) fn claim_mail(
        &self,
        letter: Letter,
        now: OffsetDateTime,
        about: Position,
        attempt: u32,
        until: OffsetDateTime,
    ) -> Decided {
        let Owing { mail, expires_at } = self.owing(letter, about).ok_or(Rejection::NotOwed)?;
        let made = match mail {
            Mail::Owed { attempts, .. } => attempts,
            Mail::Claimed { until, .. } if now <= until => return Err(Rejection::Held),
            // Two workers have come nobody knows how far: a third letter would be one too many.
            Mail::Claimed { in_doubt: true, .. } | Mail::Mailed { .. } | Mail::Failed => {
                return Err(Rejection::NotOwed);
            }
            Mail::Claimed { attempt, .. } => attempt,
        };
        if too_late_to_mail(expires_at, now) {
            return Err(Rejection::NotOwed);
        }
        if attempt != made + 1 {
            return Err(Rejection::Behind { attempts: made });
        }
        let started = otp::MailStarted {
            about: about.0,
            attempt,
            until: Some(to_timestamp(until)),
            topic: letter.topic().into(),
        };
        Ok(Decision::Record(started.into()))
    }

    /// Whether the worker that made this attempt may still hand the mail over and be done by `done_by`: its claim is
    /// the newest, and neither the claim nor what the mail brings dies before.
    ///
    /// # Errors
    /// [`NoHandOver`].
    pub fn may_hand_over(
        &self,
        letter: Letter,
        about: Position,
        attempt: u32,
        done_by: OffsetDateTime,
    ) -> Result<(), NoHandOver> {
        let Owing { mail, expires_at } = self.owing(letter, about).ok_or(NoHandOver::Dead)?;
        if done_by > expires_at {
            return Err(NoHandOver::Dead);
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
        letter: Letter,
        about: Position,
        attempt: u32,
        reply: u32,
    ) -> Decision<CodeEvent> {
        match self.owing(letter, about).map(|owing| owing.mail) {
            Some(Mail::Mailed { .. }) => Decision::Nothing,
            Some(Mail::Owed { .. } | Mail::Claimed { .. } | Mail::Failed) | None => {
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
        letter: Letter,
        now: OffsetDateTime,
        failed: otp::MailFailed,
    ) -> Decision<CodeEvent> {
        match self.owing(letter, Position(failed.about)) {
            Some(Owing {
                mail: Mail::Claimed {
                    attempt, in_doubt, ..
                },
                expires_at,
            }) if attempt == failed.attempt => {
                let next = now + letter.back_off(attempt, u8::MAX);
                let will_retry = passes(failed.class(), in_doubt) && !too_late_to_mail(expires_at, next);
                Decision::Record(otp::MailFailed { will_retry, ..failed }.into())
            }
            // A newer attempt is under way or has ended: this one no longer matters.
            Some(_) => Decision::Nothing,
            None => Decision::Record(failed.into()),
        }
    }

    /// What a mail is about, if it is still worth something, and where the mail stands.
    fn owing(&self, letter: Letter, about: Position) -> Option<Owing> {
        match letter {
            Letter::Code(flow) => match &self.flow(flow)?.stage {
                Stage::Live { code, mail, .. } if code.position == about => Some(Owing {
                    mail: *mail,
                    expires_at: code.expires_at,
                }),
                Stage::Live { .. }
                | Stage::Spent { .. }
                | Stage::Accepted { .. }
                | Stage::Cancelled { .. } => None,
            },
            Letter::Notice { topic, owed_at } => Some(Owing {
                mail: self.notice(about, topic, owed_at)?,
                expires_at: owed_at + NOTICE_LIFE,
            }),
        }
    }
}

impl Letter {
    /// The flow that its entries belong to.
    pub fn flow(self) -> Option<FlowId> {
        match self {
            Self::Code(flow) => Some(flow),
            Self::Notice { .. } => None,
        }
    }

    /// The pause after a failed attempt, which is counted from 1; chance lengthens it.
    pub fn back_off(self, attempt: u32, chance: u8) -> Duration {
        match self {
            Self::Code(_) => CODE_PAUSES.after(attempt, chance),
            Self::Notice { .. } => NOTICE_PAUSES.after(attempt, chance),
        }
    }

    fn topic(self) -> Topic {
        match self {
            Self::Code(_) => Topic::Unspecified,
            Self::Notice { topic, .. } => topic,
        }
    }
}

/// Whether what made an attempt fail may have passed by the next one. A relay that is too slow to answer may have taken
/// every letter: it gets one more, and not one each time.
fn passes(class: Class, in_doubt: bool) -> bool {
    match class {
        Class::Unreachable | Class::Unprepared | Class::Transient => true,
        Class::InDoubt => !in_doubt,
        Class::Unspecified | Class::Permanent | Class::NoAddress | Class::Dead => false,
    }
}
