//! The rules of issuing, typing and giving up. Those of the mail: `mail.rs`.

use sekisho_eventlog::{Decision, FlowId};
use sekisho_evidence::Bucket;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::to_timestamp;
use time::OffsetDateTime;

use super::command::{Command, Finding, Rejection, Subject};
use super::limits::{CLOSED_AT, CODE_LIFE, LOCK, LOCKED_EACH, REFUSALS};
use super::sent::Pace;
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
                subject,
                evidence,
                again,
                key_id,
                reference,
                not_after,
            } => {
                let issued = otp::CodeIssued {
                    purpose: subject.bucket.purpose().into(),
                    issue: self.issued.saturating_add(1),
                    key_id,
                    reference,
                    expires_at: Some(to_timestamp(now + CODE_LIFE)),
                    evidence: evidence.0,
                    withheld: false,
                    proved: subject.bucket.is_proved(),
                };
                self.issue(subject, now, issued, again, not_after)
            }
            Command::Verify { subject, finding } => self.verify(subject, now, finding),
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
        subject: Subject,
        now: OffsetDateTime,
        issued: otp::CodeIssued,
        again: bool,
        not_after: OffsetDateTime,
    ) -> Decided {
        match self.standing(subject.flow, now) {
            Standing::Cancelled => Err(Rejection::Cancelled),
            // A flow is verified once; another code would prove nothing more.
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent | Standing::Expired { .. } | Standing::Spent(_) | Standing::Live { .. } => {
                self.ensure_open(subject, now)?;
                let withheld = match self.pace(subject, now) {
                    Pace::Free => false,
                    Pace::TooSoon { .. } => return Err(Rejection::TooSoon),
                    // Anyone can start a reset. The page of the first code is the same whether a mail comes or not; who asks
                    // for another one is told that it is too many.
                    Pace::TooMany if issued.purpose() == otp::Purpose::Reset && !again => true,
                    Pace::TooMany => return self.refuse(issued.purpose, now),
                };
                let issued = otp::CodeIssued { withheld, ..issued };
                Ok(Decision::RecordBefore(issued.into(), not_after))
            }
        }
    }

    /// Refuses what wrong codes have shut.
    fn ensure_open(&self, subject: Subject, now: OffsetDateTime) -> Result<(), Rejection> {
        match self.wrong.shut(subject.bucket, subject.pardon, now) {
            Some(shut) => Err(shut.into()),
            None => Ok(()),
        }
    }

    fn refuse(&self, purpose: i32, now: OffsetDateTime) -> Decided {
        if self.refused_at.is_some_and(|at| now < at + REFUSALS) {
            return Err(Rejection::TooMany);
        }
        Ok(Decision::Record(otp::CodeRefused { purpose }.into()))
    }

    fn verify(&self, subject: Subject, now: OffsetDateTime, finding: Finding) -> Decided {
        let standing = self.standing(subject.flow, now);
        if !matches!(standing, Standing::Cancelled | Standing::Verified) {
            self.ensure_open(subject, now)?;
        }
        match standing {
            Standing::Cancelled => Err(Rejection::Cancelled),
            Standing::Verified => Ok(Decision::Nothing),
            Standing::NotSent => Err(Rejection::NoLiveCode),
            Standing::Expired { .. } => Err(Rejection::Expired),
            Standing::Spent(_) => Err(Rejection::Spent),
            Standing::Live { code, tries_left, .. } => {
                let in_a_row = self.wrong.in_a_row(subject.bucket, subject.pardon);
                let before = Before { tries_left, in_a_row };
                let event = compared(code, subject.bucket, before, finding)?;
                // The log's clock has the last word on the ten minutes.
                Ok(Decision::RecordBefore(event, code.expires_at))
            }
        }
    }

    fn cancel(&self, flow: FlowId, now: OffsetDateTime) -> Decision<CodeEvent> {
        match self.standing(flow, now) {
            Standing::Cancelled => Decision::Nothing,
            Standing::Verified
            | Standing::NotSent
            | Standing::Expired { .. }
            | Standing::Spent(_)
            | Standing::Live { .. } => Decision::Record(otp::FlowCancelled {}.into()),
        }
    }
}

/// What was counted before a code was typed.
#[derive(Debug, Clone, Copy)]
struct Before {
    tries_left: u32,
    in_a_row: u32,
}

fn compared(code: &Issued, bucket: Bucket, before: Before, finding: Finding) -> Result<CodeEvent, Rejection> {
    let (purpose, proved) = (bucket.purpose().into(), bucket.is_proved());
    // A code that nobody was mailed cannot be guessed: else whoever asks for resets all day would close them.
    let counts = u32::from(!code.withheld);
    let in_a_row = before.in_a_row.saturating_add(counts);
    let closes = counts > 0 && in_a_row >= CLOSED_AT;
    let locks = counts > 0 && !closes && in_a_row.is_multiple_of(LOCKED_EACH);
    let rejected = |replaced| otp::CodeRejected {
        purpose,
        issue: code.issue,
        tries_left: before.tries_left.saturating_sub(1),
        replaced,
        proved,
        in_a_row,
        lock: locks.then_some(LOCK),
        closes,
    };
    Ok(match finding {
        // The digits of a code that nobody was mailed can only be guessed.
        Finding::Right if code.withheld => rejected(false).into(),
        Finding::Right => otp::CodeAccepted {
            purpose,
            issue: code.issue,
            evidence: code.position.0,
            proved,
        }
        .into(),
        Finding::Replaced => rejected(true).into(),
        Finding::Wrong => rejected(false).into(),
        Finding::NothingToCompare => return Err(Rejection::NoLiveCode),
    })
}
