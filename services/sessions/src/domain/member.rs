//! The things that the directory remembers, each as bytes of a fixed length behind a tag: what its digest is taken of, and
//! what a snapshot is made of. Other bytes for the same thing are another version of both.

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_evidence::{Cuts, Refusal};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ids::SessionId;
use super::moment::Moment;
use super::session::{Session, Stage};
use super::state::OpenSession;
use super::token::TokenDigest;
use super::why::Why;

/// The longest member, a session.
pub(super) const LONGEST: usize = 1 + 32 + 3 * 16 + 4 * 8 + 1;

/// The bytes of one thing. On the stack: two are made with each change.
#[derive(Debug)]
pub(super) struct Member {
    bytes: [u8; LONGEST],
    length: usize,
}

/// One thing, read from its bytes.
#[derive(Debug)]
pub(super) enum Remembered {
    Session(Session),
    Ended(OffsetDateTime, TokenDigest),
    Cancelled(OffsetDateTime, FlowId),
    Cuts(StreamId, Cuts),
    Undecidable(StreamId),
    Epoch(Position),
}

impl Member {
    pub fn session(session: &Session) -> Self {
        Self::tagged(b's')
            .bytes(&session.token.0)
            .bytes(session.id.0.as_bytes())
            .bytes(session.account.0.as_bytes())
            .bytes(session.flow.0.as_bytes())
            .number(session.minted.0)
            .number(session.position.0)
            .moment(session.started_at())
            .moment(session.recorded_at())
            .bytes(&[code(session.stage)])
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
        &self.bytes[..self.length]
    }

    fn tagged(tag: u8) -> Self {
        let empty = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        empty.bytes(&[tag])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
        self
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn moment(self, moment: OffsetDateTime) -> Self {
        self.bytes(&Moment::from(moment).0.to_be_bytes())
    }
}

impl Remembered {
    /// The first thing in a run of members, which then begins after it; `None` for bytes that are none.
    pub fn read(members: &mut &[u8]) -> Option<Self> {
        let mut rest = Rest(members);
        let [tag] = rest.take()?;
        let read = match tag {
            b's' => Self::Session(rest.session()?),
            b'e' => Self::Ended(rest.moment()?, TokenDigest(rest.take()?)),
            b'x' => Self::Cancelled(rest.moment()?, FlowId(rest.uuid()?)),
            b'c' => Self::Cuts(
                StreamId(rest.uuid()?),
                Cuts {
                    all: rest.position()?,
                    flows: rest.position()?,
                },
            ),
            b'u' => Self::Undecidable(StreamId(rest.uuid()?)),
            b'p' => Self::Epoch(rest.position()?),
            _ => return None,
        };
        *members = rest.0;
        Some(read)
    }
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    fn position(&mut self) -> Option<Position> {
        self.take().map(u64::from_be_bytes).map(Position)
    }

    fn moment(&mut self) -> Option<OffsetDateTime> {
        let micros = self.take().map(i64::from_be_bytes)?;
        Some(Moment(micros).into())
    }

    fn session(&mut self) -> Option<Session> {
        let token = TokenDigest(self.take()?);
        let id = SessionId(self.uuid()?);
        let account = StreamId(self.uuid()?);
        let started = OpenSession {
            id,
            token,
            flow: FlowId(self.uuid()?),
            minted: self.position()?,
            position: self.position()?,
            started_at: self.moment()?,
            active_at: self.moment()?,
        };
        let [code] = self.take()?;
        Some(Session::new(started, account, stage(code)?))
    }
}

/// A stage as one byte; never another one for what stands here once.
fn code(stage: Stage) -> u8 {
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

fn stage(code: u8) -> Option<Stage> {
    Some(match code {
        0 => Stage::Open,
        1 => Stage::Over(Why::SignedOut),
        2 => Stage::Over(Why::Idle),
        3 => Stage::Over(Why::Absolute),
        4 => Stage::Over(Why::Cut),
        5 => Stage::Over(Why::Revoked),
        6 => Stage::Over(Why::Displaced),
        7 => Stage::Stillborn(Refusal::Cancelled),
        8 => Stage::Stillborn(Refusal::Cut),
        _ => return None,
    })
}
