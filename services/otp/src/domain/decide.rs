//! The rules.

use sekisho_eventlog::{Decision, FlowId, Position};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;

use super::command::{Command, Finding, Rejection, Verdict};
use super::limits::{CODE_LIFE, TRIES, back_off, too_late_to_mail};
use super::standing::Standing;
use super::state::{Codes, FlowCodes, Issued, Mail, Stage};

type Decided = Result<Decision<CodeEvent>, Rejection>;

impl Codes {
    /// Decides a command at a moment.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, now: OffsetDateTime, command: &Command) -> Decided {
        match command {
            Command::Issue {
                flow,
                purpose,
                evidence,
                key_id,
                reference,
            } => {
                let issued = otp::CodeIssued {
                    purpose: (*purpose).into(),
                    issue: self.issued + 1,
                    key_id: key_id.clone(),
                    reference: reference.clone(),
                    expires_at: Some(to_timestamp(now + CODE_LIFE)),
                    evidence: evidence.0,
                };
                self.issue(*flow, now, issued)
            }
            Command::Verify { flow, verdict } => self.verify(*flow, now, *verdict),
            Command::Cancel { flow } => Ok(self.cancel(*flow, now)),
            Command::ClaimMail {
                flow,
                about,
                attempt,
                until,
            } => {
                self.may_claim(*flow, *about, *attempt, now)?;
                let started = otp::MailStarted {
                    about: about.0,
                    attempt: *attempt,
                    until: Some(to_timestamp(*until)),
                };
                Ok(Decision::Record(started.into()))
            }
            Command::RecordMailed {
                flow,
                about,
                attempt,
                reply,
            } => {
                let mailed = otp::Mailed {
                    about: about.0,
                    attempt: *attempt,
                    reply: *reply,
                };
                Ok(self.mailed(*flow, mailed))
            }
            Command::RecordMailFailed {
                flow,
                about,
                attempt,
                class,
                reply,
            } => {
                let failed = otp::MailFailed {
                    about: about.0,
                    attempt: *attempt,
                    class: (*class).into(),
                    reply: *reply,
                    will_retry: false,
                };
                Ok(self.mail_failed(*flow, now, failed))
            }
        }
    }

    fn issue(&self, flow: FlowId, now: OffsetDateTime, issued: otp::CodeIssued) -> Decided {
        match self.standing(flow, now) {
            Standing::Cancelled => Err(Rejection::Cancelled),
            // A flow is verified once; another code would prove nothing more.
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent | Standing::Expired(_) | Standing::Spent(_) | Standing::Live { .. } => {
                Ok(Decision::Record(issued.into()))
            }
        }
    }

    fn verify(&self, flow: FlowId, now: OffsetDateTime, verdict: Verdict) -> Decided {
        match self.standing(flow, now) {
            Standing::Cancelled => Err(Rejection::Cancelled),
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent => Err(Rejection::NoLiveCode),
            Standing::Expired(_) => Err(Rejection::Expired),
            Standing::Spent(_) => Err(Rejection::Spent),
            Standing::Live { code, tries_left, .. } => {
                let purpose = self.purpose(flow);
                let event = compared(code, tries_left, purpose, verdict)?;
                // The log's clock has the last word on the ten minutes.
                Ok(Decision::RecordBefore(event, code.expires_at))
            }
        }
    }

    fn purpose(&self, flow: FlowId) -> otp::Purpose {
        self.flow(flow)
            .map_or(otp::Purpose::Unspecified, |known| known.purpose)
    }

    fn cancel(&self, flow: FlowId, now: OffsetDateTime) -> Decision<CodeEvent> {
        match self.standing(flow, now) {
            Standing::Cancelled => Decision::Nothing,
            Standing::Verified
            | Standing::NotSent
            | Standing::Expired(_)
            | Standing::Spent(_)
            | Standing::Live { .. } => Decision::Record(otp::FlowCancelled {}.into()),
        }
    }

    /// Whether an attempt may start now.
    fn may_claim(
        &self,
        flow: FlowId,
        about: Position,
        attempt: u32,
        now: OffsetDateTime,
    ) -> Result<(), Rejection> {
        let (code, mail) = self.owing(flow, about).ok_or(Rejection::NotOwed)?;
        let made = match mail {
            Mail::Owed { attempts } => attempts,
            Mail::Claimed { until, .. } if now <= until => return Err(Rejection::Held),
            Mail::Claimed { attempt, .. } => attempt,
            Mail::Mailed { .. } | Mail::Failed => return Err(Rejection::NotOwed),
        };
        if too_late_to_mail(code.expires_at, now) {
            return Err(Rejection::NotOwed);
        }
        // A worker that does not know of the last attempt is not up to date.
        if attempt == made + 1 {
            Ok(())
        } else {
            Err(Rejection::Held)
        }
    }

    /// The live code that a mail is about, and where the mail stands.
    fn owing(&self, flow: FlowId, about: Position) -> Option<(&Issued, Mail)> {
        match &self.flow(flow)?.stage {
            Stage::Live { code, mail, .. } if code.position == about => Some((code, *mail)),
            Stage::Live { .. } | Stage::Spent { .. } | Stage::Accepted { .. } | Stage::Cancelled { .. } => None,
        }
    }

    /// Whether the worker that made this attempt may still hand the mail over, and be done by `done_by`: its claim is
    /// the newest one, and neither the claim nor the code has died.
    pub fn may_hand_over(&self, flow: FlowId, about: Position, attempt: u32, done_by: OffsetDateTime) -> bool {
        let Some((code, mail)) = self.owing(flow, about) else {
            return false;
        };
        let held = match mail {
            Mail::Claimed {
                attempt: newest,
                until,
            } => newest == attempt && done_by <= until,
            Mail::Owed { .. } | Mail::Mailed { .. } | Mail::Failed => false,
        };
        held && done_by <= code.expires_at
    }

    /// What the relay took is a fact, whatever has become of the code since.
    fn mailed(&self, flow: FlowId, mailed: otp::Mailed) -> Decision<CodeEvent> {
        let Some(FlowCodes { .. }) = self.flow(flow) else {
            return Decision::Nothing;
        };
        match self.owing(flow, Position(mailed.about)) {
            Some((_, Mail::Mailed { .. })) => Decision::Nothing,
            Some((_, Mail::Owed { .. } | Mail::Claimed { .. } | Mail::Failed)) | None => {
                Decision::Record(mailed.into())
            }
        }
    }

    fn mail_failed(&self, flow: FlowId, now: OffsetDateTime, failed: otp::MailFailed) -> Decision<CodeEvent> {
        let Some(FlowCodes { .. }) = self.flow(flow) else {
            return Decision::Nothing;
        };
        match self.owing(flow, Position(failed.about)) {
            Some((code, Mail::Claimed { attempt, .. })) if attempt == failed.attempt => {
                let next = now + back_off(attempt);
                let will_retry = passes(failed.class()) && !too_late_to_mail(code.expires_at, next);
                Decision::Record(otp::MailFailed { will_retry, ..failed }.into())
            }
            // A newer attempt is under way or has ended: this one no longer matters.
            Some(_) => Decision::Nothing,
            None => Decision::Record(failed.into()),
        }
    }
}

fn compared(
    code: &Issued,
    tries_left: u32,
    purpose: otp::Purpose,
    verdict: Verdict,
) -> Result<CodeEvent, Rejection> {
    let finding = match verdict {
        Verdict::Compared { against, finding } if against == code.issue => finding,
        Verdict::Compared { .. } | Verdict::NotCompared => return Err(Rejection::VerdictStale),
    };
    let rejected = |superseded| otp::CodeRejected {
        purpose: purpose.into(),
        issue: code.issue,
        tries_left: tries_left.min(TRIES).saturating_sub(1),
        superseded,
    };
    Ok(match finding {
        Finding::Right => otp::CodeAccepted {
            purpose: purpose.into(),
            issue: code.issue,
            evidence: code.position.0,
        }
        .into(),
        Finding::Replaced => rejected(true).into(),
        Finding::Wrong => rejected(false).into(),
    })
}

/// Whether what made an attempt fail may have passed by the next one.
fn passes(class: Class) -> bool {
    match class {
        Class::Unreachable | Class::Transient => true,
        Class::Unspecified | Class::Permanent | Class::NoAddress | Class::Dead => false,
    }
}
