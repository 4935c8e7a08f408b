//! What the directory remembers for a bounded while.

use std::collections::{HashSet, VecDeque};

use sekisho_eventlog::FlowId;
use sekisho_evidence::EVIDENCE_LIFE;
use time::{Duration, OffsetDateTime};

use super::token::TokenDigest;

/// How long, and how many, sessions that are over are remembered, so that a refusal can say why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// By the log's clock.
    pub age: Duration,
    /// At most; the oldest go first.
    pub sessions: usize,
}

impl Default for Keep {
    /// A browser that was left open overnight still learns why; 100,000 take some 30 MB.
    fn default() -> Self {
        Self {
            age: Duration::DAY,
            sessions: 100_000,
        }
    }
}

/// Sessions that are over, in the order of their ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ended(VecDeque<(OffsetDateTime, TokenDigest)>);

impl Ended {
    pub fn push(&mut self, at: OffsetDateTime, token: TokenDigest) {
        self.0.push_back((at, token));
    }

    /// The next one that need not be remembered any longer, and when it ended.
    pub fn pop(&mut self, now: OffsetDateTime, keep: Keep) -> Option<(OffsetDateTime, TokenDigest)> {
        let (at, token) = *self.0.front()?;
        let forgotten = self.0.len() > keep.sessions || now - at > keep.age;
        forgotten.then(|| {
            self.0.pop_front();
            (at, token)
        })
    }

    /// All of them, with the moments of their ends.
    pub fn iter(&self) -> impl Iterator<Item = (OffsetDateTime, TokenDigest)> {
        self.0.iter().copied()
    }
}

/// Flows that were given up while a Start of theirs may be on its way to the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cancelled {
    flows: HashSet<FlowId>,
    in_order: VecDeque<(OffsetDateTime, FlowId)>,
}

impl Cancelled {
    /// Whether it was not known before.
    pub fn push(&mut self, at: OffsetDateTime, flow: FlowId) -> bool {
        let is_new = self.flows.insert(flow);
        if is_new {
            self.in_order.push_back((at, flow));
        }
        is_new
    }

    pub fn contains(&self, flow: FlowId) -> bool {
        self.flows.contains(&flow)
    }

    /// The next one that no SessionStarted can follow, and when it was given up: its code was accepted before, and a start
    /// is recorded while its code is evidence, or never.
    pub fn pop(&mut self, now: OffsetDateTime) -> Option<(OffsetDateTime, FlowId)> {
        let (at, flow) = *self.in_order.front()?;
        (now - at > EVIDENCE_LIFE).then(|| {
            self.in_order.pop_front();
            self.flows.remove(&flow);
            (at, flow)
        })
    }

    /// All of them, with the moments at which they were given up.
    pub fn iter(&self) -> impl Iterator<Item = (OffsetDateTime, FlowId)> {
        self.in_order.iter().copied()
    }
}
