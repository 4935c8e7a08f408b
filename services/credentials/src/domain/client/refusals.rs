//! What the log says of refused attempts: one entry a minute for each address, so that a flood fills nothing.

use prost::Message;
use sekisho_eventlog::{Carry, Decision, Fold, Recorded};
use sekisho_proto::credentials::v1::client_throttled::Why;
use sekisho_proto::credentials::v1::{AttemptsRefused, ClientState, ClientThrottled};
use sekisho_proto::events::ClientEvent;
use sekisho_proto::{from_timestamp, to_timestamp};
use time::{Duration, OffsetDateTime};

use super::{COUNTED, Excess, Unvoucheds};

/// Between two entries of an address.
const EVERY: Duration = Duration::minutes(1);

/// What the stream of an address tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// When its newest entry was recorded.
    recorded_at: Option<OffsetDateTime>,
    /// When its newest ClientThrottled was.
    throttled_at: Option<OffsetDateTime>,
}

/// What was refused and stands in no entry yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Why attempts are refused.
    pub excess: Option<Excess>,
    /// Attempts.
    pub attempts: u64,
    /// Forms.
    pub forms: u64,
    /// Sign-ins with an NCR account.
    pub federated: Unvoucheds,
}

impl Refused {
    /// More was refused.
    pub fn add(&mut self, more: Self) {
        self.excess = more.excess.or(self.excess);
        self.attempts = self.attempts.saturating_add(more.attempts);
        self.forms = self.forms.saturating_add(more.forms);
        self.federated = self.federated.and(more.federated);
    }

    /// Some of it stands in an entry now.
    pub fn subtract(&mut self, recorded: Self) {
        self.attempts = self.attempts.saturating_sub(recorded.attempts);
        self.forms = self.forms.saturating_sub(recorded.forms);
        self.federated = self.federated.without(recorded.federated);
        if self.attempts == 0 {
            self.excess = None;
        }
    }

    /// Everything stands in an entry.
    pub fn is_nothing(&self) -> bool {
        self.attempts == 0 && self.forms == 0 && self.federated.is_nothing()
    }

    /// What of it an event tells.
    #[must_use]
    pub fn told_by(self, event: &ClientEvent) -> Self {
        match event {
            ClientEvent::ClientThrottled(_) => Self {
                federated: Unvoucheds::default(),
                ..self
            },
            ClientEvent::AttemptsRefused(_) => self,
        }
    }
}

impl Refusals {
    /// The entry about what was refused, or none for now.
    pub fn decide(&self, now: OffsetDateTime, refused: Refused) -> Decision<ClientEvent> {
        let is_recent = |at: OffsetDateTime, time: Duration| now < at + time;
        if self.recorded_at.is_some_and(|at| is_recent(at, EVERY)) {
            return Decision::Nothing;
        }
        let Refused {
            excess,
            attempts,
            forms,
            federated,
        } = refused;
        let is_known = self.throttled_at.is_some_and(|at| is_recent(at, COUNTED));
        match excess {
            Some(excess) if !is_known => Decision::Record(
                ClientThrottled {
                    why: Why::from(excess).into(),
                    attempts,
                    forms,
                }
                .into(),
            ),
            _ => Decision::Record(
                AttemptsRefused {
                    attempts,
                    forms,
                    federated: federated.told(),
                }
                .into(),
            ),
        }
    }
}

impl From<Excess> for Why {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Failures => Self::Failures,
            Excess::LoginIds => Self::LoginIds,
            Excess::Resets => Self::Resets,
            Excess::OneAccount => Self::OneAccount,
        }
    }
}

impl Fold for Refusals {
    type Event = ClientEvent;
    const VERSION: u32 = 1;

    fn evolve(self, event: &ClientEvent, recorded: &Recorded) -> Self {
        let at = Some(recorded.recorded_at);
        match event {
            ClientEvent::ClientThrottled(_) => Self {
                recorded_at: at,
                throttled_at: at,
            },
            ClientEvent::AttemptsRefused(_) => Self {
                recorded_at: at,
                ..self
            },
        }
    }

    fn resume(bytes: &[u8]) -> Option<Self> {
        let carried = ClientState::decode(bytes).ok()?;
        Some(Self {
            recorded_at: carried.recorded_at.as_ref().and_then(from_timestamp),
            throttled_at: carried.throttled_at.as_ref().and_then(from_timestamp),
        })
    }
}

impl Carry for Refusals {
    fn carry(&self) -> Vec<u8> {
        ClientState {
            recorded_at: self.recorded_at.map(to_timestamp),
            throttled_at: self.throttled_at.map(to_timestamp),
        }
        .encode_to_vec()
    }
}

#[cfg(test)]
mod tests {
    use sekisho_eventlog::{EventId, Position, StreamId, Version};
    use sekisho_proto::credentials::v1::attempts_refused::{Federated, Reason};
    use uuid::Uuid;

    use super::super::Unvouched;
    use super::*;

    fn start() -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    fn recorded(seconds: i64) -> Recorded {
        Recorded {
            position: Position(1),
            version: Version(1),
            stream: StreamId(Uuid::nil()),
            event_id: EventId(Uuid::nil()),
            flow: None,
            recorded_at: start() + Duration::seconds(seconds),
        }
    }

    fn given(events: &[(i64, ClientEvent)]) -> Refusals {
        events
            .iter()
            .fold(Refusals::default(), |state, (seconds, event)| {
                state.evolve(event, &recorded(*seconds))
            })
    }

    fn when(state: &Refusals, seconds: i64, excess: Option<Excess>) -> Option<&'static str> {
        let refused = Refused {
            excess,
            attempts: 3,
            ..Refused::default()
        };
        match state.decide(start() + Duration::seconds(seconds), refused) {
            Decision::Record(ClientEvent::ClientThrottled(_)) => Some("throttled"),
            Decision::Record(ClientEvent::AttemptsRefused(_)) => Some("refused"),
            Decision::RecordBefore(..) => panic!("nothing here has a deadline"),
            Decision::Nothing => None,
        }
    }

    #[test]
    fn the_first_refusal_says_why_and_the_next_ones_once_a_minute_how_many() {
        let excess = Some(Excess::Failures);
        assert_eq!(when(&given(&[]), 0, excess), Some("throttled"));
        let throttled = ClientEvent::from(ClientThrottled::default());
        let once = given(&[(0, throttled.clone())]);
        assert_eq!(when(&once, 59, excess), None);
        assert_eq!(when(&once, 60, excess), Some("refused"));
        let refused = ClientEvent::from(AttemptsRefused::default());
        let often = given(&[(0, throttled), (540, refused)]);
        assert_eq!(when(&often, 599, excess), None);
        assert_eq!(when(&often, 600, excess), Some("throttled"), "it has begun anew");
    }

    #[test]
    fn refused_forms_throttle_nobody() {
        assert_eq!(when(&given(&[]), 0, None), Some("refused"));
    }

    #[test]
    fn what_was_refused_stands_in_the_entry() {
        let refused = Refused {
            excess: Some(Excess::LoginIds),
            attempts: 7,
            forms: 8,
            ..Refused::default()
        };
        let event = ClientThrottled {
            why: Why::LoginIds.into(),
            attempts: 7,
            forms: 8,
        };
        assert_eq!(
            Refusals::default().decide(start(), refused),
            Decision::Record(event.into())
        );
    }

    #[test]
    fn sign_ins_with_an_ncr_account_are_counted_by_their_reason_until_they_stand_in_an_entry() {
        let one = |why| Refused {
            federated: Unvoucheds::one(why),
            ..Refused::default()
        };
        let mut refused = one(Unvouched::Token);
        refused.add(one(Unvouched::Cancelled));
        refused.add(one(Unvouched::Token));
        let Decision::Record(event) = Refusals::default().decide(start(), refused) else {
            panic!("nothing is recorded");
        };
        let counted = |reason: Reason, attempts| Federated {
            reason: reason.into(),
            attempts,
        };
        let told = AttemptsRefused {
            federated: vec![counted(Reason::Cancelled, 1), counted(Reason::Token, 2)],
            ..AttemptsRefused::default()
        };
        assert_eq!(event, told.into());

        let throttled = ClientEvent::from(ClientThrottled::default());
        let mut rest = refused;
        rest.subtract(refused.told_by(&throttled));
        assert_eq!(rest, refused, "an entry that says nothing of them leaves them");
        rest.subtract(refused.told_by(&event));
        assert!(rest.is_nothing());
    }

    #[test]
    fn a_carried_state_is_the_folded_one() {
        let state = given(&[
            (0, ClientThrottled::default().into()),
            (60, AttemptsRefused::default().into()),
        ]);
        assert_eq!(Refusals::resume(&state.carry()), Some(state));
    }
}
