use proptest::prelude::*;
use sekisho_eventlog::Decision::{Record, RecordBefore};

use super::super::testing::*;
use super::super::{Command, Why, decide};
use super::*;

/// Entries hold 8 kB; what surrounds the state takes less than one.
const LARGEST: usize = 7_000;

#[test]
fn sessions_that_ended_are_no_longer_open() {
    let state = given([started(1, 10), started(2, 20), ended(1, Why::SignedOut)]).0;
    assert!(state.find(session(1)).is_none());
    assert!(state.find(session(2)).is_some());
}

#[test]
fn a_displaced_session_is_no_longer_open() {
    let SessionEvent::SessionStarted(mut second) = started(2, 20) else {
        panic!("a start");
    };
    second.ended = vec![session(1).to_vec()];
    let state = given([started(1, 10), second.into()]).0;
    assert!(state.find(session(1)).is_none());
    assert!(state.find(session(2)).is_some());
}

#[test]
fn the_newest_cut_counts() {
    assert_eq!(given([cut(), cut()]).0.newest_cut, Position(101));
}

#[test]
fn the_largest_state_fits_into_an_entry() {
    let now = start_of_time() + time::Duration::nanoseconds(123_456_000);
    let open = |number| OpenSession {
        id: session(number),
        token: token(number),
        flow: flow(number),
        minted: Position(u64::MAX),
        position: Position(u64::MAX),
        started_at: now,
        active_at: now + time::Duration::nanoseconds(1_000),
    };
    let state = AccountSessions {
        open: (1..=u8::try_from(ROOM).unwrap()).map(open).collect(),
        newest_cut: Position(u64::MAX),
        last_started_at: Some(now),
        devices: [[7; 32]; DEVICES].into(),
        used_flows: (1..=u8::try_from(USED_FLOWS).unwrap()).map(flow).collect(),
    };
    assert!(state.carry().len() < LARGEST, "{} bytes", state.carry().len());
}

#[test]
fn bytes_that_are_no_state_are_not_resumed() {
    assert_eq!(AccountSessions::resume(&[0xff]), None);
    let damaged = SessionsState {
        used_flows: vec![vec![1, 2, 3]],
        ..SessionsState::default()
    };
    assert_eq!(AccountSessions::resume(&damaged.encode_to_vec()), None);
}

/// Commands as people and sweeps send them, in any order.
fn commands() -> impl Strategy<Value = Vec<Command>> {
    // Few enough sessions that commands meet one that is open.
    let number = || 0_u8..40;
    let why = prop_oneof![
        Just(Why::SignedOut),
        Just(Why::Idle),
        Just(Why::Absolute),
        Just(Why::Cut),
        Just(Why::Revoked),
        Just(Why::Displaced),
    ];
    let command = prop_oneof![
        6 => (number(), 1_u64..400).prop_map(|(number, minted)| start(number, minted)),
        4 => (number(), 0_i64..4_000).prop_map(|(number, at)| Command::Extend {
            session: session(number),
            active_at: start_of_time() + time::Duration::seconds(at),
            limits: LIMITS,
        }),
        2 => (number(), 0_i64..60_000).prop_map(|(number, at)| Command::Expire {
            session: session(number),
            now: start_of_time() + time::Duration::seconds(at),
            limits: LIMITS,
        }),
        3 => (number(), why).prop_map(|(number, why)| Command::End { session: session(number), why }),
        1 => Just(Command::Cut),
    ];
    prop::collection::vec(command, 0..200)
}

/// Decides commands one after another; entry `n` stands at position `n`.
fn decided(commands: Vec<Command>) -> Vec<(SessionEvent, Recorded)> {
    let mut state = AccountSessions::default();
    let mut events = Vec::new();
    for command in commands {
        let Ok(Record(event) | RecordBefore(event, _)) = decide(&state, &command) else {
            continue;
        };
        let recorded = recorded(events.len() as u64 + 1, flow_of(&event));
        state = state.evolve(&event, &recorded);
        events.push((event, recorded));
    }
    events
}

fn fold(state: AccountSessions, events: &[(SessionEvent, Recorded)]) -> AccountSessions {
    events
        .iter()
        .fold(state, |state, (event, recorded)| state.evolve(event, recorded))
}

proptest! {
    #[test]
    fn what_is_carried_equals_what_is_folded(commands in commands(), at in 0_usize..200) {
        let events = decided(commands);
        let (before, after) = events.split_at(at.min(events.len()));
        let whole = fold(AccountSessions::default(), &events);
        let carried = fold(AccountSessions::default(), before).carry();
        let resumed = AccountSessions::resume(&carried).unwrap();
        prop_assert_eq!(fold(resumed, after), whole);
    }

    /// Older flows are refused by their own entries, which the stream need not repeat.
    #[test]
    fn a_flow_opens_one_session_whatever_comes(commands in commands()) {
        let events = decided(commands);
        let starts = events.iter().filter(|(event, _)| matches!(event, SessionEvent::SessionStarted(_)));
        let flows: Vec<_> = starts.map(|(_, recorded)| recorded.flow).collect();
        for (index, used) in flows.iter().enumerate() {
            let next = &flows[index + 1..flows.len().min(index + USED_FLOWS)];
            prop_assert!(!next.contains(used), "a flow was used twice");
        }
    }

    /// Whatever the order, activity only ever moves forward, and never past what an idle timeout allows.
    #[test]
    fn activity_moves_forward_by_an_idle_timeout_at_most(commands in commands()) {
        let mut state = AccountSessions::default();
        for (event, recorded) in decided(commands) {
            let before = state.clone();
            state = state.evolve(&event, &recorded);
            for session in &state.open {
                if let Some(before) = before.find(session.id) {
                    prop_assert!(session.active_at >= before.active_at);
                    prop_assert!(session.active_at < before.active_at + LIMITS.idle);
                }
            }
        }
    }

    #[test]
    fn the_state_stays_bounded(commands in commands()) {
        let state = fold(AccountSessions::default(), &decided(commands));
        prop_assert!(state.open.len() <= ROOM);
        prop_assert!(state.used_flows.len() <= USED_FLOWS);
        prop_assert!(state.carry().len() < LARGEST);
    }
}
