//! What a digest of the state is taken of: each thing that the directory remembers, as bytes of fixed lengths behind a tag.

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use time::OffsetDateTime;

use super::session::{Session, Stage, to_micros};
use super::token::TokenDigest;
use super::why::Why;

/// The longest member, a session: made with each change, so it must not grow step by step.
const LONGEST: usize = 1 + 32 + 3 * 16 + 4 * 8 + 1;

/// The bytes of one thing.
#[derive(Debug, Default)]
pub(super) struct Member(Vec<u8>);

impl Member {
    pub fn session(token: TokenDigest, session: &Session) -> Self {
        Self::tagged(b's')
            .bytes(&token.0)
            .bytes(session.id.0.as_bytes())
            .bytes(session.account.0.as_bytes())
            .bytes(session.flow.0.as_bytes())
            .number(session.minted.0)
            .number(session.position.0)
            .moment(session.started_at)
            .moment(session.recorded_at())
            .bytes(&[stage(session.stage)])
    }

    pub fn ended(at: OffsetDateTime, token: TokenDigest) -> Self {
        Self::tagged(b'e').moment(at).bytes(&token.0)
    }

    pub fn cancelled(at: OffsetDateTime, flow: FlowId) -> Self {
        Self::tagged(b'x').moment(at).bytes(flow.0.as_bytes())
    }

    pub fn cuts(account: StreamId, cuts: Cuts) -> Self {
        Self::tagged(b'c')
            .bytes(account.0.as_bytes())
            .number(cuts.all.0)
            .number(cuts.flows.0)
    }

    pub fn undecidable(account: StreamId) -> Self {
        Self::tagged(b'u').bytes(account.0.as_bytes())
    }

    pub fn epoch(position: Position) -> Self {
        Self::tagged(b'p').number(position.0)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn tagged(tag: u8) -> Self {
        let mut bytes = Vec::with_capacity(LONGEST);
        bytes.push(tag);
        Self(bytes)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn moment(self, moment: OffsetDateTime) -> Self {
        self.bytes(&to_micros(moment).to_be_bytes())
    }
}

/// A stage as one byte; never another one for what stands here once.
fn stage(stage: Stage) -> u8 {
    match stage {
        Stage::Open => 0,
        Stage::Over(Why::SignedOut) => 1,
        Stage::Over(Why::Idle) => 2,
        Stage::Over(Why::Absolute) => 3,
        Stage::Over(Why::Cut) => 4,
        Stage::Over(Why::Revoked) => 5,
        Stage::Over(Why::Displaced) => 6,
        Stage::Stillborn(Refusal::Cancelled) => 7,
        Stage::Stillborn(_) => 8,
    }
}
