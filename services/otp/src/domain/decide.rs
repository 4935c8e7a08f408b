//! The rules of issuing, typing and giving up. Those of the mail: `mail.rs`.

use sekisho_eventlog::{Decision, FlowId};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;

use super::command::{Command, Finding, Rejection};
use super::limits::{CODE_LIFE, REFUSALS, too_many_resets};
use super::standing::Standing;
use super::state::{Codes, Issued};

pub(super) type Decided = Result<Decision<CodeEvent>, Rejection>;

impl Codes {
    /// Decides a command at a moment.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn decide(&self, now: OffsetDateTime, command: Command) -> Decided {
        match command {
            Command::Issue {
                flow,
                purpose,
                evidence,
                proved,
                again,
                key_id,
                reference,
                not_after,
            } => {
                let issued = otp::CodeIssued {
                    purpose: purpose.into(),
                    issue: self.issued.saturating_add(1),
                    key_id,
                    reference,
                    expires_at: Some(to_timestamp(now + CODE_LIFE)),
                    evidence: evidence.0,
                    withheld: false,
                    proved,
                };
                self.issue(flow, now, issued, again, not_after)
            }
            Command::Verify { flow, finding } => self.verify(flow, now, finding),
            Command::Cancel { flow } => Ok(self.cancel(flow, now)),
            Command::ClaimMail {
                letter,
                about,
                attempt,
                until,
            } => self.claim_mail(letter, now, about, attempt, until),
            Command::RecordMailed {
                letter,
                about,
                attempt,
                reply,
            } => Ok(self.mailed(letter, about, attempt, reply)),
            Command::RecordMailFailed {
                letter,
                about,
                attempt,
                class,
                reply,
            } => {
                let failed = otp::MailFailed {
                    about: about.0,
                    attempt,
                    class: class.into(),
                    reply,
                    will_retry: false,
                };
                Ok(self.mail_failed(letter, now, failed))
            }
        }
    }

    fn issue(
        &self,
        flow: FlowId,
        now: OffsetDateTime,
        issued: otp::CodeIssued,
        again: bool,
        not_after: OffsetDateTime,
    ) -> Decided {
        match self.standing(flow, now) {
            Standing::Cancelled => Err(Rejection::Cancelled),
            // A flow is verified once; another code would prove nothing more.
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent | Standing::Expired(_) | Standing::Spent(_) | Standing::Live { .. } => {
                let is_too_many = self.is_too_many(&issued, now);
                // Anyone can start a reset. The page of the first code is the same whether a mail comes or not; who asks for
                // another one is told that it is too many.
                if is_too_many && again {
                    return self.refuse(issued.purpose, now);
                }
                let issued = otp::CodeIssued {
                    withheld: is_too_many,
                    ..issued
                };
                Ok(Decision::RecordBefore(issued.into(), not_after))
            }
        }
    }

    fn is_too_many(&self, issued: &otp::CodeIssued, now: OffsetDateTime) -> bool {
        match issued.purpose() {
            otp::Purpose::Reset => !issued.proved && too_many_resets(&self.resets_at, now),
            otp::Purpose::SignIn | otp::Purpose::Unspecified => false,
        }
    }

    fn refuse(&self, purpose: i32, now: OffsetDateTime) -> Decided {
        if self.refused_at.is_some_and(|at| now < at + REFUSALS) {
            return Err(Rejection::TooMany);
        }
        Ok(Decision::Record(otp::CodeRefused { purpose }.into()))
    }

    fn verify(&self, flow: FlowId, now: OffsetDateTime, finding: Finding) -> Decided {
        match self.standing(flow, now) {
            Standing::Cancelled => Err(Rejection::Cancelled),
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent => Err(Rejection::NoLiveCode),
            Standing::Expired(_) => Err(Rejection::Expired),
            Standing::Spent(_) => Err(Rejection::Spent),
            Standing::Live { code, tries_left, .. } => {
                let event = compared(code, tries_left, self.purpose(flow), finding)?;
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
}

fn compared(
    code: &Issued,
    tries_left: u32,
    purpose: otp::Purpose,
    finding: Finding,
) -> Result<CodeEvent, Rejection> {
    let rejected = |replaced| otp::CodeRejected {
        purpose: purpose.into(),
        issue: code.issue,
        tries_left: tries_left.saturating_sub(1),
        replaced,
    };
    Ok(match finding {
        // The digits of a code that nobody was mailed can only be guessed.
        Finding::Right if code.withheld => rejected(false).into(),
        Finding::Right => otp::CodeAccepted {
            purpose: purpose.into(),
            issue: code.issue,
            evidence: code.position.0,
        }
        .into(),
        Finding::Replaced => rejected(true).into(),
        Finding::Wrong => rejected(false).into(),
        Finding::NothingToCompare => return Err(Rejection::NoLiveCode),
    })
}
