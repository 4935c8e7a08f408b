//! The to-do list: codes that were issued and are alive, and events that owe a notice, whose mail has no outcome and no live
//! claim.
//!
//! A fold of the log. It only says what to try; whether a worker may is decided on the stream itself, when it claims.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sekisho_eventlog::{Entry, EventId, FlowId, Position, StreamId};
use sekisho_evidence::{NOTICE_LIFE, is_phantom, notice};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::{Purpose, Topic};
use sekisho_proto::{EventError, Kind, from_timestamp, otp::v1 as otp};
use time::OffsetDateTime;

use super::times::Chances;
use crate::domain::{Letter, too_late_to_mail};

/// Positions that NATS spoke of and the follower has not reached, at most: messages are not to be trusted.
const WAKEUPS: usize = 1024;

/// The rank of a notice: the last.
const NOTICE: u8 = 2;

/// The longest sleep while something is owed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A mail that somebody should hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owed {
    /// Position of the event that owes it.
    pub about: Position,
    /// Its id; names the mail.
    pub event_id: EventId,
    /// Who is written to.
    pub account: StreamId,
    /// What the mail brings.
    pub content: Content,
    /// When the event was recorded.
    pub recorded_at: OffsetDateTime,
    /// When the mail is worth nothing any more.
    pub expires_at: OffsetDateTime,
    /// Attempts so far.
    pub attempts: u32,
    /// Trace context of the request that caused it.
    pub traceparent: String,
    /// Not to be tried before.
    pub free_at: OffsetDateTime,
}

/// What a mail brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A code.
    Code(OwedCode),
    /// What happened to the account.
    Notice(Topic),
}

/// A code that is to be mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwedCode {
    /// The flow.
    pub flow: FlowId,
    /// What it is for.
    pub purpose: Purpose,
    /// Position of the event that minted the flow.
    pub minted: Position,
    /// The number that the code is derived from.
    pub issue: u64,
    /// The key that it is derived from.
    pub key_id: String,
    /// 照合番号.
    pub reference: String,
}

/// What is owed once: one code a flow, because a new one replaces it; each notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Code(StreamId, FlowId),
    Notice(Position),
}

/// How many mails there is room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// More than are at hand.
    pub mails: usize,
    /// Notices in all, with those at hand.
    pub notices: usize,
}

/// All mails that are owed.
#[derive(Debug, Default)]
pub(super) struct Todo {
    owed: HashMap<Key, Owed>,
    woken: HashSet<Position>,
    at_hand: HashSet<Position>,
    upto: Position,
}

impl Owed {
    /// As it is claimed and recorded.
    pub fn letter(&self) -> Letter {
        match &self.content {
            Content::Code(code) => Letter::Code(code.flow),
            Content::Notice(topic) => Letter::Notice {
                topic: *topic,
                owed_at: self.recorded_at,
            },
        }
    }

    /// Whoever waits at a page goes first, and among them whoever knows the password.
    fn rank(&self) -> u8 {
        match &self.content {
            Content::Code(code) if code.purpose == Purpose::SignIn => 0,
            Content::Code(_) => 1,
            Content::Notice(_) => NOTICE,
        }
    }
}

impl Todo {
    /// Folds one entry; answers the position of an event whose mail now has its last outcome. A new mail is left alone
    /// for a grace unless this replica was woken for it.
    pub fn fold(&mut self, entry: &Entry, chances: Chances) -> Option<Position> {
        match self.try_to_fold(entry, chances) {
            Ok(settled) => settled,
            Err(error) => {
                tracing::warn!(%error, position = entry.recorded.position.0, "passed over");
                None
            }
        }
    }

    fn try_to_fold(&mut self, entry: &Entry, chances: Chances) -> Result<Option<Position>, EventError> {
        let recorded = &entry.recorded;
        // Nobody would get it, and whoever makes login ids up would have the log filled.
        if is_phantom(recorded.stream) {
            return Ok(None);
        }
        if let Some(topic) = notice(entry)? {
            let expires_at = recorded.recorded_at + NOTICE_LIFE;
            let owed = owed(
                entry,
                Content::Notice(topic),
                expires_at,
                recorded.recorded_at + chances.grace,
            );
            self.owed.insert(Key::Notice(recorded.position), owed);
        }
        if entry.kind != Kind::Code {
            return Ok(None);
        }
        let event = entry.event::<CodeEvent>()?;
        Ok(match recorded.flow {
            Some(flow) => self.fold_code(Key::Code(recorded.stream, flow), event, entry, chances),
            None => self.fold_mail(None, &event, recorded.recorded_at, chances),
        })
    }

    fn fold_code(&mut self, key: Key, event: CodeEvent, entry: &Entry, chances: Chances) -> Option<Position> {
        let at = entry.recorded.recorded_at;
        match event {
            CodeEvent::CodeIssued(issued) if !issued.withheld => {
                let is_woken = self.woken.remove(&entry.recorded.position);
                let free_at = if is_woken { at } else { at + chances.grace };
                let expires_at = issued.expires_at.as_ref().and_then(from_timestamp).unwrap_or(at);
                if let Some(content) = content(entry, issued) {
                    self.owed.insert(key, owed(entry, content, expires_at, free_at));
                }
            }
            CodeEvent::CodeRejected(rejected) if rejected.tries_left > 0 => {}
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => drop(self.owed.remove(&key)),
            CodeEvent::CodeRefused(_) => {}
            event @ (CodeEvent::MailStarted(_) | CodeEvent::MailFailed(_) | CodeEvent::Mailed(_)) => {
                return self.fold_mail(Some(key), &event, at, chances);
            }
        }
        None
    }

    /// Without a key the mail is that of a notice.
    fn fold_mail(
        &mut self,
        key: Option<Key>,
        event: &CodeEvent,
        at: OffsetDateTime,
        chances: Chances,
    ) -> Option<Position> {
        let key = |about| key.unwrap_or(Key::Notice(Position(about)));
        match event {
            CodeEvent::MailStarted(started) => {
                let until = started.until.as_ref().and_then(from_timestamp).unwrap_or(at);
                self.tried(key(started.about), started.about, started.attempt, |_| until);
                None
            }
            CodeEvent::MailFailed(failed) if failed.will_retry => {
                let attempt = failed.attempt;
                self.tried(key(failed.about), failed.about, attempt, |owed| {
                    at + owed.letter().back_off(attempt, chances.pause)
                });
                None
            }
            CodeEvent::MailFailed(otp::MailFailed { about, .. })
            | CodeEvent::Mailed(otp::Mailed { about, .. }) => {
                let key = key(*about);
                self.owed
                    .retain(|known, owed| *known != key || owed.about.0 != *about);
                Some(Position(*about))
            }
            CodeEvent::CodeIssued(_)
            | CodeEvent::CodeRefused(_)
            | CodeEvent::CodeRejected(_)
            | CodeEvent::CodeAccepted(_)
            | CodeEvent::FlowCancelled(_) => None,
        }
    }

    /// Everything up to here was folded.
    pub fn folded_upto(&mut self, upto: Position) {
        self.upto = self.upto.max(upto);
        let upto = self.upto;
        self.woken.retain(|position| *position > upto);
    }

    /// NATS chose this replica for the mail about a position: it need not wait.
    pub fn wake(&mut self, position: Position, now: OffsetDateTime) {
        if position > self.upto {
            if self.woken.len() < WAKEUPS {
                self.woken.insert(position);
            }
            return;
        }
        let unclaimed = |owed: &&mut Owed| owed.about == position && owed.attempts == 0;
        if let Some(owed) = self.owed.values_mut().find(unclaimed) {
            owed.free_at = owed.free_at.min(now);
        }
    }

    /// Takes what is due and wanted into the hand: sign-ins before resets before notices, oldest first.
    pub fn take_due(
        &mut self,
        now: OffsetDateTime,
        room: Room,
        wanted: impl Fn(Position) -> bool,
    ) -> Vec<Owed> {
        let free =
            |owed: &&Owed| owed.free_at <= now && !self.at_hand.contains(&owed.about) && wanted(owed.about);
        let mut due: Vec<&Owed> = self.owed.values().filter(free).collect();
        // Anyone can ask for the mails of resets, and cause those of notices.
        due.sort_by_key(|owed| (owed.rank(), owed.about));
        let is_notice = |about: &Position| self.owed.contains_key(&Key::Notice(*about));
        let mut notices = self.at_hand.iter().filter(|about| is_notice(about)).count();
        due.retain(|owed| {
            let fits = owed.rank() < NOTICE || notices < room.notices;
            notices += usize::from(owed.rank() == NOTICE);
            fits
        });
        due.truncate(room.mails);
        let due: Vec<Owed> = due.into_iter().cloned().collect();
        self.at_hand.extend(due.iter().map(|owed| owed.about));
        due
    }

    /// It is owed no longer.
    pub fn forget(&mut self, about: Position) {
        self.at_hand.remove(&about);
        self.owed.retain(|_, owed| owed.about != about);
    }

    /// Another log has taken the place of the one that all this was read from. What is at hand stays so.
    pub fn forget_all(&mut self) {
        self.owed.clear();
        self.woken.clear();
        self.upto = Position(0);
    }

    /// Lets go of a mail; it is not taken up again before a moment, unless the log says so.
    pub fn put_off(&mut self, about: Position, until: OffsetDateTime) {
        self.at_hand.remove(&about);
        if let Some(owed) = self.owed.values_mut().find(|owed| owed.about == about) {
            owed.free_at = owed.free_at.max(until);
        }
    }

    /// A mail was tried so often: what was read first, its event or the attempts, is up to chance when a worker begins.
    pub fn learn(&mut self, about: Position, attempts: u32) {
        if let Some(owed) = self.owed.values_mut().find(|owed| owed.about == about) {
            owed.attempts = attempts;
        }
    }

    /// Forgets mails that are worth nothing any more, or will be soon.
    pub fn drop_dead(&mut self, now: OffsetDateTime) {
        self.owed
            .retain(|_, owed| !too_late_to_mail(owed.expires_at, now));
    }

    /// Whether a mail is still owed.
    pub fn owes(&self, about: Position) -> bool {
        self.owed.values().any(|owed| owed.about == about)
    }

    /// How long to sleep until something is due that is wanted; `None` while nothing will be. A second at most, because the log's clock
    /// may be put forward meanwhile.
    pub fn until_next(&self, now: OffsetDateTime, wanted: impl Fn(Position) -> bool) -> Option<Duration> {
        let idle = |owed: &&Owed| !self.at_hand.contains(&owed.about) && wanted(owed.about);
        let next = self.owed.values().filter(idle).map(|owed| owed.free_at).min()?;
        let pause = Duration::try_from(next - now).unwrap_or_default();
        Some(pause.min(LONGEST_PAUSE))
    }

    fn tried(&mut self, key: Key, about: u64, attempt: u32, free_at: impl FnOnce(&Owed) -> OffsetDateTime) {
        if let Some(owed) = self.owed.get_mut(&key).filter(|owed| owed.about.0 == about) {
            owed.attempts = attempt;
            owed.free_at = free_at(owed);
        }
    }
}

fn content(entry: &Entry, issued: otp::CodeIssued) -> Option<Content> {
    Some(Content::Code(OwedCode {
        flow: entry.recorded.flow?,
        purpose: issued.purpose(),
        minted: Position(issued.evidence),
        issue: issued.issue,
        key_id: issued.key_id,
        reference: issued.reference,
    }))
}

fn owed(entry: &Entry, content: Content, expires_at: OffsetDateTime, free_at: OffsetDateTime) -> Owed {
    let recorded = &entry.recorded;
    Owed {
        about: recorded.position,
        event_id: recorded.event_id,
        account: recorded.stream,
        content,
        recorded_at: recorded.recorded_at,
        expires_at,
        attempts: 0,
        traceparent: entry.metadata().traceparent,
        free_at,
    }
}

#[cfg(test)]
#[path = "todo_tests.rs"]
mod tests;
