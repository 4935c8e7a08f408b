//! The to-do list: codes that were issued, are alive, and whose mail has no outcome and no live claim.
//!
//! A fold of kind `code` over the whole log. It only says what to try; whether a worker may is decided on the stream
//! itself, when it claims.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sekisho_eventlog::{Entry, EventId, FlowId, Position, StreamId};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::Purpose;
use sekisho_proto::{from_timestamp, otp::v1 as otp};
use time::OffsetDateTime;

use crate::code::Owner;
use crate::domain::{back_off, too_late_to_mail};

/// Positions that NATS spoke of and the follower has not reached, at most: messages are not to be trusted.
const WAKEUPS: usize = 1024;

/// The longest sleep while something is owed.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A mail that somebody should hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owed {
    /// Position of the CodeIssued.
    pub about: Position,
    /// Its id; names the mail.
    pub event_id: EventId,
    /// Whose code it is.
    pub owner: Owner,
    /// Position of the event that minted the flow.
    pub minted: Position,
    /// The number that the code is derived from.
    pub issue: u64,
    /// The key that it is derived from.
    pub key_id: String,
    /// 照合番号.
    pub reference: String,
    /// When the code was issued.
    pub issued_at: OffsetDateTime,
    /// When it dies.
    pub expires_at: OffsetDateTime,
    /// Attempts so far.
    pub attempts: u32,
    /// Trace context of the request that asked for the code.
    pub traceparent: String,
    /// Not to be tried before.
    pub free_at: OffsetDateTime,
}

/// All mails that are owed, one per flow: a new code replaces those of its flow.
#[derive(Debug, Default)]
pub(super) struct Todo {
    owed: HashMap<(StreamId, FlowId), Owed>,
    woken: HashSet<Position>,
    at_hand: HashSet<Position>,
    upto: Position,
}

impl Todo {
    /// Folds one entry; answers the position of a code whose mail now has its last outcome. A new mail is left alone
    /// for `grace` unless this replica was woken for it.
    pub fn fold(&mut self, entry: &Entry, grace: time::Duration) -> Option<Position> {
        let flow = entry.recorded.flow?;
        let event = match entry.event::<CodeEvent>() {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, position = entry.recorded.position.0, "passed over");
                return None;
            }
        };
        let key = (entry.recorded.stream, flow);
        let at = entry.recorded.recorded_at;
        match event {
            CodeEvent::CodeIssued(issued) if issued.withheld => {
                self.owed.remove(&key);
                None
            }
            CodeEvent::CodeIssued(issued) => {
                let is_woken = self.woken.remove(&entry.recorded.position);
                let free_at = if is_woken { at } else { at + grace };
                self.owed.insert(key, owed(entry, flow, &issued, free_at));
                None
            }
            CodeEvent::CodeRefused(_) => None,
            CodeEvent::CodeRejected(rejected) if rejected.tries_left > 0 => None,
            CodeEvent::CodeRejected(_) | CodeEvent::CodeAccepted(_) | CodeEvent::FlowCancelled(_) => {
                self.owed.remove(&key);
                None
            }
            CodeEvent::MailStarted(started) => {
                let until = started.until.as_ref().and_then(from_timestamp).unwrap_or(at);
                self.tried(key, started.about, started.attempt, until);
                None
            }
            CodeEvent::MailFailed(failed) if failed.will_retry => {
                self.tried(key, failed.about, failed.attempt, at + back_off(failed.attempt));
                None
            }
            CodeEvent::MailFailed(otp::MailFailed { about, .. })
            | CodeEvent::Mailed(otp::Mailed { about, .. }) => {
                self.owed
                    .retain(|known, owed| *known != key || owed.about.0 != about);
                Some(Position(about))
            }
        }
    }

    /// Everything up to here was folded.
    pub fn folded_upto(&mut self, upto: Position) {
        self.upto = upto;
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

    /// Takes what is due and wanted into the hand: sign-ins before resets, oldest first.
    pub fn take_due(
        &mut self,
        now: OffsetDateTime,
        limit: usize,
        wanted: impl Fn(Position) -> bool,
    ) -> Vec<Owed> {
        let free =
            |owed: &&Owed| owed.free_at <= now && !self.at_hand.contains(&owed.about) && wanted(owed.about);
        let mut due: Vec<Owed> = self.owed.values().filter(free).cloned().collect();
        // Anyone can ask for the mails of resets: those of sign-ins go first.
        due.sort_by_key(|owed| (owed.owner.purpose != Purpose::SignIn, owed.about));
        due.truncate(limit);
        self.at_hand.extend(due.iter().map(|owed| owed.about));
        due
    }

    /// Lets go of a mail; it is not taken up again before a moment, unless the log says so.
    pub fn put_off(&mut self, about: Position, until: OffsetDateTime) {
        self.at_hand.remove(&about);
        if let Some(owed) = self.owed.values_mut().find(|owed| owed.about == about) {
            owed.free_at = owed.free_at.max(until);
        }
    }

    /// Forgets mails of codes that are dead or will be soon.
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

    fn tried(&mut self, key: (StreamId, FlowId), about: u64, attempt: u32, free_at: OffsetDateTime) {
        if let Some(owed) = self.owed.get_mut(&key).filter(|owed| owed.about.0 == about) {
            owed.attempts = attempt;
            owed.free_at = free_at;
        }
    }
}

fn owed(entry: &Entry, flow: FlowId, issued: &otp::CodeIssued, free_at: OffsetDateTime) -> Owed {
    let recorded = &entry.recorded;
    let expires_at = issued.expires_at.as_ref().and_then(from_timestamp);
    Owed {
        about: recorded.position,
        event_id: recorded.event_id,
        owner: Owner {
            account: recorded.stream,
            flow,
            purpose: issued.purpose(),
        },
        minted: Position(issued.evidence),
        issue: issued.issue,
        key_id: issued.key_id.clone(),
        reference: issued.reference.clone(),
        issued_at: recorded.recorded_at,
        expires_at: expires_at.unwrap_or(recorded.recorded_at),
        attempts: 0,
        traceparent: entry.metadata().traceparent,
        free_at,
    }
}

#[cfg(test)]
#[path = "todo_tests.rs"]
mod tests;
