//! Notices: mails that tell a person what happened to the account. They carry no code.

use sekisho_eventlog::Position;
use sekisho_evidence::NOTICE_LIFE;
use sekisho_proto::from_timestamp;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::Topic;
use time::{Duration, OffsetDateTime};

use super::state::{Codes, Mail};

/// Whoever was told of what strangers can cause is not told of the same again for so long.
const TOLD_FOR: Duration = Duration::DAY;
/// Notices in the fold, at most.
pub(super) const NOTICES: usize = 16;

/// A notice that a worker has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Position of the event that owes it.
    pub about: Position,
    /// What the person is told.
    pub topic: Topic,
    /// When it was claimed first.
    pub at: OffsetDateTime,
    /// Where its mail stands.
    pub mail: Mail,
}

impl Codes {
    /// Where the mail of a notice stands that is owed since a moment; `None` if the person was told of the same lately. Once
    /// that is so, it stays so, however late anybody asks.
    pub(super) fn notice(&self, about: Position, topic: Topic, owed_at: OffsetDateTime) -> Option<Mail> {
        if let Some(known) = self.notices.iter().find(|known| known.about == about) {
            return Some(known.mail);
        }
        // What reached nobody has told nothing.
        let is_told = |known: &&Notice| {
            known.topic == topic && known.mail != Mail::Failed && owed_at < known.at + TOLD_FOR
        };
        let is_over = can_be_caused_by_strangers(topic) && self.notices.iter().any(|known| is_told(&known));
        (!is_over).then_some(Mail::NEW)
    }

    pub(super) fn notice_claimed(&mut self, topic: Topic, claimed: &otp::MailStarted, at: OffsetDateTime) {
        let about = Position(claimed.about);
        if !self.notices.iter().any(|known| known.about == about) {
            let mail = Mail::NEW;
            self.notices.push(Notice {
                about,
                topic,
                at,
                mail,
            });
        }
        let until = claimed.until.as_ref().and_then(from_timestamp).unwrap_or(at);
        self.notice_mail(about, |mail| mail.claimed(claimed.attempt, until));
        let surplus = self.notices.len().saturating_sub(NOTICES);
        self.notices.drain(..surplus);
    }

    pub(super) fn notice_mail(&mut self, about: Position, after: impl FnOnce(Mail) -> Mail) {
        if let Some(known) = self.notices.iter_mut().find(|known| known.about == about) {
            known.mail = after(known.mail);
        }
    }

    /// As long as an event may still owe what this one has told.
    pub(super) fn forget_old_notices(&mut self, now: OffsetDateTime) {
        self.notices
            .retain(|known| now < known.at + TOLD_FOR + NOTICE_LIFE);
    }
}

/// Whether somebody who knows a login id and nothing else brings it about as often as it pleases.
fn can_be_caused_by_strangers(topic: Topic) -> bool {
    match topic {
        Topic::Locked | Topic::ResetCodeSpent => true,
        Topic::Unspecified
        | Topic::PasswordChanged
        | Topic::Closed
        | Topic::NewDevice
        | Topic::SignInCodeSpent
        | Topic::EmailChanged
        | Topic::FederatedIdentityLinked
        | Topic::SignInCodesClosed
        // Once, until an administrator pardons.
        | Topic::ResetCodesClosed => false,
    }
}
