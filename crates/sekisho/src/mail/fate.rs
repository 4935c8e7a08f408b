//! What became of mails, folded from the entries of kind `code`.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use sekisho_eventlog::StreamId;
use sekisho_evidence::is_phantom;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::otp::v1::{CodeIssued, MailFailed, MailStarted, Purpose, Topic};
use sekisho_proto::{Event as _, from_timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::log::Line;

/// What a mail brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brings {
    /// A code.
    Code(Purpose),
    /// A notice, known from its first claim.
    Notice(Topic),
}

/// A mail that is or was owed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mail {
    /// Position of the event that owes it.
    pub about: u64,
    /// What it brings.
    pub brings: Brings,
    /// When a code was issued, or a notice claimed first.
    pub since: OffsetDateTime,
    /// 照合番号, of a code.
    pub reference: String,
    /// When a code is worth nothing any more.
    pub expires_at: Option<OffsetDateTime>,
    /// What happened to it, in order.
    pub steps: Vec<(OffsetDateTime, Step)>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// What happened to a mail.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A worker has claimed it.
    Claimed {
        /// From 1.
        attempt: u32,
        /// Which replica.
        service: String,
    },
    /// The relay took it.
    Mailed {
        /// The relay's answer.
        reply: u32,
    },
    /// The relay did not, or said nothing.
    Failed(MailFailed),
}

/// How a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The relay has it.
    Mailed,
    /// It was given up.
    Failed,
    /// Before it was mailed a newer code of the flow took its place, or the flow went on or was over without it.
    Superseded,
    /// Before it was mailed its code was worth nothing any more.
    Expired,
    /// Nobody was to get it: there were too many, or nobody has the login id.
    Withheld,
}

/// All mails that some entries owe, by the position that owes them.
#[derive(Debug, Default)]
pub(super) struct Mails {
    all: BTreeMap<u64, Mail>,
    /// The newest code of each flow.
    newest: BTreeMap<Uuid, u64>,
    /// Entries up to here were not read.
    after: u64,
    /// Outcomes of codes that were never issued.
    pub strays: usize,
}

impl Mails {
    /// Of mails that were owed up to a position nothing is known.
    pub fn after(position: u64) -> Self {
        Self {
            after: position,
            ..Self::default()
        }
    }

    /// Folds an entry of kind `code`; entries in their order.
    ///
    /// # Errors
    /// A sentence for an entry that this version does not understand.
    pub fn fold(&mut self, line: &Line) -> anyhow::Result<()> {
        let not_understood = || format!("この版では分からない記録です（位置 {}）", line.position);
        let bytes = line.event.as_deref().ok_or_else(|| anyhow!(not_understood()))?;
        let event = CodeEvent::decode(&line.event_type, bytes).with_context(not_understood)?;
        let at = line.recorded_at;
        match event {
            CodeEvent::CodeIssued(issued) => self.issued(line, &issued)?,
            CodeEvent::CodeRejected(rejected) if rejected.tries_left == 0 => self.over(line.flow),
            CodeEvent::CodeAccepted(_) | CodeEvent::FlowCancelled(_) => self.over(line.flow),
            CodeEvent::CodeRejected(_) | CodeEvent::CodeRefused(_) => {}
            CodeEvent::MailStarted(started) => self.claimed(line, &started),
            CodeEvent::Mailed(mailed) => {
                let reply = mailed.reply;
                self.step(mailed.about, at, Step::Mailed { reply }, Some(End::Mailed));
            }
            CodeEvent::MailFailed(failed) => {
                let end = match (failed.will_retry, failed.class()) {
                    (true, _) => None,
                    (false, Class::Dead) => Some(End::Superseded),
                    (false, _) => Some(End::Failed),
                };
                self.step(failed.about, at, Step::Failed(failed), end);
            }
        }
        Ok(())
    }

    /// As they stand at a moment: what is too late has ended.
    pub fn at(&self, now: OffsetDateTime) -> Vec<Mail> {
        let mut all: Vec<Mail> = self.all.values().cloned().collect();
        for mail in &mut all {
            let is_over = mail.expires_at.is_some_and(|at| at < now);
            if mail.end.is_none() && is_over {
                mail.end = Some(End::Expired);
            }
        }
        all
    }

    fn issued(&mut self, line: &Line, issued: &CodeIssued) -> anyhow::Result<()> {
        self.over(line.flow);
        let about = u64::try_from(line.position)?;
        let is_withheld = issued.withheld || is_phantom(StreamId(line.stream));
        let mail = Mail {
            about,
            brings: Brings::Code(issued.purpose()),
            since: line.recorded_at,
            reference: issued.reference.clone(),
            expires_at: issued.expires_at.as_ref().and_then(from_timestamp),
            steps: Vec::new(),
            end: is_withheld.then_some(End::Withheld),
        };
        self.all.insert(about, mail);
        if let Some(flow) = line.flow {
            self.newest.insert(flow, about);
        }
        Ok(())
    }

    /// The flow's newest code is not needed any more.
    fn over(&mut self, flow: Option<Uuid>) {
        let newest = flow.and_then(|flow| self.newest.get(&flow));
        if let Some(mail) = newest.and_then(|about| self.all.get_mut(about)) {
            mail.end = mail.end.or(Some(End::Superseded));
        }
    }

    fn claimed(&mut self, line: &Line, started: &MailStarted) {
        let at = line.recorded_at;
        if line.flow.is_none() {
            self.all.entry(started.about).or_insert_with(|| Mail {
                about: started.about,
                brings: Brings::Notice(started.topic()),
                since: at,
                reference: String::new(),
                expires_at: None,
                steps: Vec::new(),
                end: None,
            });
        }
        let step = Step::Claimed {
            attempt: started.attempt,
            service: line.metadata.service.clone(),
        };
        self.step(started.about, at, step, None);
    }

    /// What the relay took is a fact, whatever had become of the code.
    fn step(&mut self, about: u64, at: OffsetDateTime, step: Step, end: Option<End>) {
        let Some(mail) = self.all.get_mut(&about) else {
            self.strays += usize::from(about > self.after);
            return;
        };
        mail.steps.push((at, step));
        mail.end = match (mail.end, end) {
            (_, Some(End::Mailed)) => Some(End::Mailed),
            (before, end) => before.or(end),
        };
    }
}

#[cfg(test)]
#[path = "fate_tests.rs"]
mod tests;
