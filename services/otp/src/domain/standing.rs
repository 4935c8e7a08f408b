//! Where a flow stands at a moment: the one place that says which answer comes before which.

use sekisho_eventlog::FlowId;
use time::OffsetDateTime;

use super::limits::{TRIES, too_late_to_mail};
use super::state::{Codes, Issued, Mail, Stage};

/// Where a flow stands. The variants are in the order in which they win over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Given up.
    Cancelled,
    /// Verified, and stays so.
    Verified,
    /// No code was issued.
    NotSent,
    /// The newest code's time is over.
    Expired {
        /// The code.
        code: &'a Issued,
        /// What became of its mail; nothing is known of one that was guessed at too often.
        mail: Option<MailFate>,
    },
    /// The newest code is dead after too many wrong tries.
    Spent(&'a Issued),
    /// The newest code can be typed.
    Live {
        /// The code.
        code: &'a Issued,
        /// Tries that are left.
        tries_left: u32,
        /// What became of its mail.
        mail: MailFate,
    },
}

/// What became of a mail, as the page may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFate {
    /// It is on its way to the relay, or will be tried again.
    Waiting,
    /// The relay has it since then.
    HandedOver(OffsetDateTime),
    /// Nobody will try any more.
    Failed,
}

impl Codes {
    /// Where a flow stands at a moment.
    pub fn standing(&self, flow: FlowId, now: OffsetDateTime) -> Standing<'_> {
        let Some(known) = self.flow(flow) else {
            return Standing::NotSent;
        };
        match &known.stage {
            Stage::Cancelled { .. } => Standing::Cancelled,
            Stage::Accepted { .. } => Standing::Verified,
            Stage::Live { code, mail, .. } if now > code.expires_at => Standing::Expired {
                code,
                mail: Some(fate(*mail, code, now)),
            },
            Stage::Spent { code, .. } if now > code.expires_at => Standing::Expired { code, mail: None },
            Stage::Spent { code, .. } => Standing::Spent(code),
            Stage::Live {
                code, wrong, mail, ..
            } => Standing::Live {
                code,
                tries_left: TRIES.saturating_sub(*wrong),
                mail: fate(*mail, code, now),
            },
        }
    }
}

/// A mail that is owed when it is too late to mail it will never come.
fn fate(mail: Mail, code: &Issued, now: OffsetDateTime) -> MailFate {
    match mail {
        Mail::Mailed { at } => MailFate::HandedOver(at),
        Mail::Claimed { until, .. } if now <= until => MailFate::Waiting,
        Mail::Owed { .. } | Mail::Claimed { in_doubt: false, .. }
            if !too_late_to_mail(code.expires_at, now) =>
        {
            MailFate::Waiting
        }
        Mail::Owed { .. } | Mail::Claimed { .. } | Mail::Failed => MailFate::Failed,
    }
}
