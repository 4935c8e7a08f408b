//! Stories for tests: given events, when a command, then events.

use sekisho_eventlog::{Decision, EventId, FlowId, Fold, Position, Recorded, StreamId, Version};
use sekisho_evidence::Bucket;
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::to_timestamp;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::limits::CODE_LIFE;
use super::*;

/// The flow of a story that has one.
pub const FLOW: FlowId = FlowId(Uuid::from_u128(1));
/// Another flow of the same account.
pub const OTHER: FlowId = FlowId(Uuid::from_u128(2));

/// When a story's first event is recorded.
pub fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

/// One account's codes and a clock.
#[derive(Debug, Clone)]
pub struct Story {
    pub codes: Codes,
    pub now: OffsetDateTime,
    pub position: u64,
    decided: Option<Result<Decision<CodeEvent>, Rejection>>,
}

/// Events of [`FLOW`] that have happened, all at [`start`], at the positions 1, 2, 3 …
pub fn given<E: Into<CodeEvent>>(events: impl IntoIterator<Item = E>) -> Story {
    nothing().and(FLOW, events)
}

/// A story before its first event.
pub fn nothing() -> Story {
    Story {
        codes: Codes::default(),
        now: start(),
        position: 0,
        decided: None,
    }
}

impl Story {
    /// More events, of a flow.
    pub fn and<E: Into<CodeEvent>>(mut self, flow: FlowId, events: impl IntoIterator<Item = E>) -> Self {
        for event in events {
            self.record(flow, &event.into());
        }
        self
    }

    /// An event more that belongs to no flow.
    pub fn of_no_flow(mut self, event: impl Into<CodeEvent>) -> Self {
        self.position += 1;
        let recorded = Recorded {
            flow: None,
            ..recorded(FLOW, self.position, self.now)
        };
        self.codes = self.codes.evolve(&event.into(), &recorded);
        self
    }

    /// Time passes.
    pub fn after(mut self, time: Duration) -> Self {
        self.now += time;
        self
    }

    /// One event more.
    pub fn record(&mut self, flow: FlowId, event: &CodeEvent) {
        self.position += 1;
        self.codes = std::mem::take(&mut self.codes).evolve(event, &recorded(flow, self.position, self.now));
    }

    /// A command.
    pub fn when(mut self, command: Command) -> Self {
        self.decided = Some(self.codes.decide(self.now, command));
        self
    }

    /// It leads to this event.
    pub fn then<E: Into<CodeEvent>>(self, event: E) {
        match self.decided {
            Some(Ok(Decision::Record(decided) | Decision::RecordBefore(decided, _))) => {
                assert_eq!(decided, event.into());
            }
            other => panic!("{other:?}"),
        }
    }

    /// It leads to this event, unless the log's clock has passed the moment.
    pub fn then_before<E: Into<CodeEvent>>(self, event: E, moment: OffsetDateTime) {
        assert_eq!(
            self.decided,
            Some(Ok(Decision::RecordBefore(event.into(), moment)))
        );
    }

    /// The event that it leads to.
    pub fn decided(self) -> Option<CodeEvent> {
        match self.decided {
            Some(Ok(Decision::Record(event) | Decision::RecordBefore(event, _))) => Some(event),
            Some(Ok(Decision::Nothing) | Err(_)) | None => None,
        }
    }

    /// It is so already.
    pub fn then_nothing(self) {
        assert_eq!(self.decided, Some(Ok(Decision::Nothing)));
    }

    /// It is refused.
    pub fn then_refused(self, rejection: Rejection) {
        assert_eq!(self.decided, Some(Err(rejection)));
    }
}

/// Where an event of account 9 stands.
pub fn recorded(flow: FlowId, position: u64, at: OffsetDateTime) -> Recorded {
    Recorded {
        position: Position(position),
        version: Version(position),
        stream: StreamId(Uuid::from_u128(9)),
        event_id: EventId(Uuid::from_u128(u128::from(position))),
        flow: Some(flow),
        recorded_at: at,
    }
}

/// A code of a sign-in that was issued at [`start`].
pub fn issued(issue: u64) -> otp::CodeIssued {
    issued_at(issue, start())
}

pub fn issued_at(issue: u64, at: OffsetDateTime) -> otp::CodeIssued {
    otp::CodeIssued {
        purpose: otp::Purpose::SignIn.into(),
        issue,
        key_id: "k1".to_owned(),
        reference: "CFHJ".to_owned(),
        expires_at: Some(to_timestamp(at + CODE_LIFE)),
        evidence: 100,
        withheld: false,
        proved: true,
    }
}

pub fn rejected(issue: u64, tries_left: u32) -> otp::CodeRejected {
    otp::CodeRejected {
        purpose: otp::Purpose::SignIn.into(),
        issue,
        tries_left,
        replaced: false,
        proved: true,
        in_a_row: TRIES - tries_left,
        lock: None,
        closes: false,
    }
}

pub fn accepted(issue: u64, evidence: u64) -> otp::CodeAccepted {
    otp::CodeAccepted {
        purpose: otp::Purpose::SignIn.into(),
        issue,
        evidence,
        proved: true,
    }
}

/// Four wrong tries.
pub fn four_wrong(issue: u64) -> [CodeEvent; 5] {
    [
        issued(issue).into(),
        rejected(issue, 4).into(),
        rejected(issue, 3).into(),
        rejected(issue, 2).into(),
        rejected(issue, 1).into(),
    ]
}

/// A sign-in that nobody has pardoned.
pub fn subject(flow: FlowId) -> Subject {
    Subject {
        flow,
        bucket: Bucket::of(otp::Purpose::SignIn, true),
        pardon: Position(0),
    }
}

/// A reset that nobody has pardoned.
pub fn of_reset(flow: FlowId, proved: bool) -> Subject {
    Subject {
        bucket: Bucket::of(otp::Purpose::Reset, proved),
        ..subject(flow)
    }
}

pub fn issue(flow: FlowId) -> Command {
    Command::Issue {
        subject: subject(flow),
        evidence: Position(100),
        again: false,
        key_id: "k1".to_owned(),
        reference: "CFHJ".to_owned(),
        not_after: start() + FLOW_AGE,
    }
}

pub fn typed(flow: FlowId, finding: Finding) -> Command {
    Command::Verify {
        subject: subject(flow),
        finding,
    }
}
