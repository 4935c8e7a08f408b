//! How many codes may be mailed (screens, part 6).

use sekisho_eventlog::{FlowId, Position};
use sekisho_evidence::Bucket;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::otp::v1::{MailFailed, Purpose};
use time::{Duration, OffsetDateTime};

use super::command::Subject;
use super::limits::RESEND_WAIT;
use super::state::{Codes, Stage};

/// How long a code counts.
const COUNTS: Duration = Duration::DAY;

/// A code that counts against the limits: it was not withheld, and its mail has not failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Position of the CodeIssued.
    pub about: Position,
    /// What it counts against.
    pub bucket: Bucket,
    /// When it was issued.
    pub at: OffsetDateTime,
}

/// Whether a flow may have another code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It may.
    Free,
    /// Its last one is too young.
    TooSoon {
        /// From then on it may.
        until: OffsetDateTime,
    },
    /// The flow, the hour or the day has had its share.
    TooMany,
}

/// How many codes count at most.
struct Share {
    a_flow: u32,
    an_hour: usize,
    a_day: usize,
}

const OF_SIGN_INS: Share = Share {
    a_flow: 5,
    an_hour: 10,
    a_day: 20,
};
/// Whoever knows a login id can begin a reset. Those that began in a known browser count apart, but no more of them are mailed:
/// else it would show at a shared terminal who has signed in there.
const OF_RESETS: Share = Share {
    a_flow: 5,
    an_hour: 3,
    a_day: 6,
};

fn share(purpose: Purpose) -> Share {
    match purpose {
        Purpose::SignIn => OF_SIGN_INS,
        Purpose::Reset | Purpose::Unspecified => OF_RESETS,
    }
}

impl Codes {
    /// Whether a flow may have another code at a moment. What was mailed before a pardon counts no more in a reset: strangers may
    /// have used it up.
    pub fn pace(&self, subject: Subject, now: OffsetDateTime) -> Pace {
        if let Some(until) = self.resend_at(subject.flow, now) {
            return Pace::TooSoon { until };
        }
        let share = share(subject.bucket.purpose());
        let of_flow = self.flow(subject.flow).map_or(0, |known| known.sent);
        let is_pardoned =
            |sent: &Sent| sent.bucket.purpose() == Purpose::Reset && sent.about <= subject.pardon;
        let within = |time: Duration| {
            let counts =
                |sent: &&Sent| sent.bucket == subject.bucket && now < sent.at + time && !is_pardoned(sent);
            self.sent.iter().filter(counts).count()
        };
        if of_flow >= share.a_flow || within(Duration::HOUR) >= share.an_hour || within(COUNTS) >= share.a_day
        {
            Pace::TooMany
        } else {
            Pace::Free
        }
    }

    /// When a flow's last code is old enough for another one; `None` if it is so already. A code that nobody was mailed has
    /// nothing to wait for.
    pub fn resend_at(&self, flow: FlowId, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let (code, _) = self.flow(flow)?.stage.last_code()?;
        let until = code.issued_at + RESEND_WAIT;
        (!code.withheld && now < until).then_some(until)
    }

    pub(super) fn count_sent(&mut self, sent: Sent) {
        self.sent.push(sent);
        let share = share(sent.bucket.purpose()).a_day;
        let of_bucket = |other: &Sent| other.bucket == sent.bucket;
        while self.sent.iter().filter(|other| of_bucket(other)).count() > share {
            let Some(oldest) = self.sent.iter().position(of_bucket) else {
                break;
            };
            self.sent.remove(oldest);
        }
    }

    /// A mail that has failed was none, unless the relay may have taken an earlier letter of it. For a reset it counts all the same: what became of its mail must not be told, not even by
    /// what may be asked for next.
    pub(super) fn count_no_longer(&mut self, flow: FlowId, failed: &MailFailed) {
        if failed.will_retry || failed.class() == Class::InDoubt || self.is_in_doubt(flow, failed.about) {
            return;
        }
        let is_it = |sent: &Sent| sent.about.0 == failed.about && sent.bucket.purpose() == Purpose::SignIn;
        let before = self.sent.len();
        self.sent.retain(|sent| !is_it(sent));
        if self.sent.len() < before
            && let Some(known) = self.flow_mut(flow)
        {
            known.sent = known.sent.saturating_sub(1);
        }
    }

    fn is_in_doubt(&self, flow: FlowId, about: u64) -> bool {
        self.flow(flow).is_some_and(|known| match &known.stage {
            Stage::Live { code, mail, .. } => code.position == Position(about) && mail.is_in_doubt(),
            Stage::Spent { .. } | Stage::Accepted { .. } | Stage::Cancelled { .. } => false,
        })
    }

    pub(super) fn forget_old_sent(&mut self, now: OffsetDateTime) {
        self.sent.retain(|sent| now < sent.at + COUNTS);
    }
}
