//! Ends that a message has told of, before the log says so.

use std::collections::HashMap;

use sekisho_eventlog::{FlowId, Position, StreamId};
use sekisho_proto::sessions::v1 as proto;
use sekisho_proto::sessions::v1::session_ended;
use sekisho_proto::sessions::v1::tombstone::Ends;
use time::OffsetDateTime;

use super::ids::SessionId;
use super::limits::Limits;
use super::session::Session;
use super::why::Why;

/// Ends that are held at the same time, at most: as many as a whole country signs out in a while without the log.
const HELD: usize = 100_000;

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstone {
    /// Somebody has signed out, or was signed out.
    Session(Told),
    /// Every session of an account that was minted at or before a position.
    Cut {
        /// Whose sessions.
        account: StreamId,
        /// The position of the cut.
        upto: Position,
    },
}

/// One session's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whose session.
    pub account: StreamId,
    /// Which session.
    pub session: SessionId,
    /// The flow that led to it.
    pub flow: FlowId,
    /// How it ended.
    pub why: Why,
}

/// All that is told and not yet in the log.
#[derive(Debug, Default)]
pub struct Tombstones {
    sessions: HashMap<SessionId, (Told, OffsetDateTime)>,
    cuts: HashMap<StreamId, (Position, OffsetDateTime)>,
}

impl Tombstones {
    /// Holds one; `false` if there are too many already.
    pub fn hold(&mut self, tombstone: Tombstone, now: OffsetDateTime) -> bool {
        if self.sessions.len() + self.cuts.len() >= HELD {
            return false;
        }
        match tombstone {
            Tombstone::Session(told) => {
                self.sessions.insert(told.session, (told, now));
            }
            Tombstone::Cut { account, upto } => {
                let (newest, _) = self.cuts.get(&account).copied().unwrap_or((upto, now));
                self.cuts.insert(account, (newest.max(upto), now));
            }
        }
        true
    }

    /// How a session was ended, if it was.
    pub fn end_of(&self, session: &Session) -> Option<Why> {
        let told = self.sessions.get(&session.id).map(|(told, _)| told);
        if let Some(told) = told.filter(|told| told.account == session.account) {
            return Some(told.why);
        }
        let (upto, _) = self.cuts.get(&session.account)?;
        (session.minted <= *upto).then_some(Why::Cut)
    }

    /// Ends of single sessions, which somebody has to record.
    pub fn told(&self) -> Vec<Told> {
        self.sessions.values().map(|(told, _)| *told).collect()
    }

    /// The log holds this end now.
    pub fn forget(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// Forgets what no session can outlive.
    pub fn forget_old(&mut self, now: OffsetDateTime, limits: &Limits) {
        self.sessions.retain(|_, (_, held)| now - *held < limits.absolute);
        self.cuts.retain(|_, (_, held)| now - *held < limits.absolute);
    }
}

impl From<Tombstone> for proto::Tombstone {
    fn from(tombstone: Tombstone) -> Self {
        let (account, ends) = match tombstone {
            Tombstone::Session(told) => (
                told.account,
                Ends::Session(proto::tombstone::Session {
                    session_id: told.session.to_vec(),
                    flow_id: told.flow.to_vec(),
                    why: told.why.to_proto().into(),
                }),
            ),
            Tombstone::Cut { account, upto } => (account, Ends::MintedUpto(upto.0)),
        };
        Self {
            account_id: account.to_vec(),
            ends: Some(ends),
        }
    }
}

impl Tombstone {
    /// What a message says; `None` for one that says nothing that this version understands.
    pub fn read(message: &proto::Tombstone) -> Option<Self> {
        let account = StreamId::try_from(message.account_id.as_slice()).ok()?;
        Some(match message.ends.as_ref()? {
            Ends::Session(session) => Self::Session(Told {
                account,
                session: SessionId::try_from(session.session_id.as_slice()).ok()?,
                flow: FlowId::try_from(session.flow_id.as_slice()).ok()?,
                why: match session.why() {
                    session_ended::Why::Unspecified => Why::SignedOut,
                    why => why.into(),
                },
            }),
            Ends::MintedUpto(upto) => Self::Cut {
                account,
                upto: Position(*upto),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::super::session::Stage;
    use super::super::state::OpenSession;
    use super::super::testing::*;
    use super::*;

    /// Session `number`, minted at a position.
    fn live(number: u8, minted: u64) -> Session {
        let sekisho_proto::events::SessionEvent::SessionStarted(event) = started(number, minted) else {
            panic!("a session starts");
        };
        let started = OpenSession::of(&event, &recorded(100, Some(flow(number)))).unwrap();
        Session::new(started, account(1), Stage::Open)
    }

    fn told(number: u8) -> Told {
        Told {
            account: account(1),
            session: session(number),
            flow: flow(number),
            why: Why::SignedOut,
        }
    }

    #[test]
    fn a_tombstone_ends_its_own_session_of_its_own_account() {
        let mut tombstones = Tombstones::default();
        let foreign = Told {
            account: account(2),
            ..told(2)
        };
        let revoked = Told {
            why: Why::Revoked,
            ..told(3)
        };
        for told in [told(1), foreign, revoked] {
            assert!(tombstones.hold(Tombstone::Session(told), start_of_time()));
        }
        assert_eq!(tombstones.end_of(&live(1, 10)), Some(Why::SignedOut));
        assert_eq!(tombstones.end_of(&live(3, 10)), Some(Why::Revoked));
        assert_eq!(tombstones.end_of(&live(2, 10)), None);
        tombstones.forget(session(1));
        assert_eq!(tombstones.end_of(&live(1, 10)), None);
    }

    #[test]
    fn a_cut_that_is_told_ends_what_was_minted_before_it() {
        let mut tombstones = Tombstones::default();
        for upto in [10, 5] {
            let cut = Tombstone::Cut {
                account: account(1),
                upto: Position(upto),
            };
            assert!(tombstones.hold(cut, start_of_time()));
        }
        assert_eq!(tombstones.end_of(&live(1, 10)), Some(Why::Cut));
        assert_eq!(tombstones.end_of(&live(1, 11)), None);
    }

    #[test]
    fn what_is_told_is_bounded_and_goes_when_its_session_must_have_ended() {
        let mut tombstones = Tombstones::default();
        for number in 0..HELD {
            let told = Told {
                session: SessionId(uuid::Uuid::from_u128(number as u128)),
                ..told(1)
            };
            assert!(tombstones.hold(Tombstone::Session(told), start_of_time()));
        }
        assert!(!tombstones.hold(Tombstone::Session(told(1)), start_of_time()));
        tombstones.forget_old(start_of_time() + LIMITS.absolute - Duration::seconds(1), &LIMITS);
        assert_eq!(tombstones.told().len(), HELD);
        tombstones.forget_old(start_of_time() + LIMITS.absolute, &LIMITS);
        assert!(tombstones.told().is_empty());
    }

    #[test]
    fn a_message_says_what_was_told() {
        let cut = Tombstone::Cut {
            account: account(3),
            upto: Position(7),
        };
        let revoked = Told {
            why: Why::Revoked,
            ..told(1)
        };
        for tombstone in [Tombstone::Session(told(1)), Tombstone::Session(revoked), cut] {
            assert_eq!(Tombstone::read(&tombstone.into()), Some(tombstone));
        }
        // A version before this one does not say why.
        let mut older = proto::Tombstone::from(Tombstone::Session(told(1)));
        let Some(Ends::Session(session)) = older.ends.as_mut() else {
            panic!("a session ends");
        };
        session.why = 0;
        assert_eq!(Tombstone::read(&older), Some(Tombstone::Session(told(1))));
        assert_eq!(Tombstone::read(&proto::Tombstone::default()), None);
    }
}
