use proptest::prelude::*;
use sekisho_eventlog::{Decision, Fold};
use sekisho_proto::credentials::v1::{AccountDisabled, EmailChanged, PasswordChanged};
use sekisho_proto::log::v1::EpochStarted;
use sekisho_proto::otp::v1::{CodeAccepted, FlowCancelled};
use sekisho_proto::{Event, events::CodeEvent};
use time::Duration;

use sekisho_eventlog::Entry;
use sekisho_evidence::Refusal;
use sekisho_proto::events::{AccountEvent, SessionEvent, SystemEvent};

use super::super::member::LONGEST;
use super::super::testing::*;
use super::super::{AccountSessions, Command, decide};
use super::*;

fn at(position: u64) -> OffsetDateTime {
    recorded(position, None).recorded_at
}

fn fold(entries: &[Entry]) -> Directory {
    fold_into(Directory::default(), entries)
}

fn fold_into(mut directory: Directory, entries: &[Entry]) -> Directory {
    for entry in entries {
        // What is not understood is folded too.
        let _ = directory.fold(entry);
    }
    directory
}

/// The digest of what a directory remembers now, however it came to that.
fn digest_of(directory: &Directory) -> StateDigest {
    again(directory).digest()
}

/// A directory of another replica, from a snapshot in pieces of any size.
fn again(directory: &Directory) -> Directory {
    let mut again = Directory::new(directory.keep);
    for piece in directory.pieces(300) {
        again.remember(&piece).unwrap();
    }
    again
}

/// An event of a session at a position.
fn session_entry(position: u64, event: &SessionEvent) -> Entry {
    entry(recorded(position, flow_of(event)), event)
}

fn account_entry(position: u64, event: impl Into<AccountEvent>) -> Entry {
    entry(recorded(position, None), &event.into())
}

fn cancelled(position: u64, number: u8) -> Entry {
    let event = CodeEvent::from(FlowCancelled {});
    entry(recorded(position, Some(flow(number))), &event)
}

#[track_caller]
fn standing(directory: &Directory, number: u8, now: OffsetDateTime) -> Result<Live, Why> {
    let session = directory
        .find(token(number))
        .expect("a session that is remembered");
    directory.standing(session, now, &LIMITS)
}

#[test]
fn a_session_is_idle_at_thirty_minutes_and_not_before() {
    let directory = fold(&[session_entry(100, &started(1, 10))]);
    let idle = at(100) + Duration::minutes(30);
    assert_eq!(
        standing(&directory, 1, idle - Duration::microseconds(1))
            .unwrap()
            .idle,
        idle
    );
    assert_eq!(standing(&directory, 1, idle), Err(Why::Idle));
}

#[test]
fn activity_moves_the_deadline_and_never_back() {
    let directory = fold(&[session_entry(100, &started(1, 10))]);
    let later = at(100) + Duration::minutes(29);
    let session = directory.find(token(1)).unwrap();
    assert!(session.touch(later, &LIMITS));
    assert!(session.touch(at(100), &LIMITS));
    assert!(
        standing(
            &directory,
            1,
            later + Duration::minutes(30) - Duration::microseconds(1)
        )
        .is_ok()
    );
    assert_eq!(
        standing(&directory, 1, later + Duration::minutes(30)),
        Err(Why::Idle)
    );
}

#[test]
fn an_epoch_cuts_every_account_and_takes_no_memory_for_any() {
    let epoch = SystemEvent::from(EpochStarted {});
    let others = account_entry(103, sekisho_proto::credentials::v1::PasswordAccepted::default());
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        entry(recorded(101, None), &epoch),
        session_entry(102, &started(2, 50)),
        others,
        session_entry(104, &started(3, 103)),
    ]);
    assert_eq!(standing(&directory, 1, at(104)), Err(Why::Cut));
    assert_eq!(standing(&directory, 2, at(104)), Err(Why::Cut));
    assert_eq!(
        directory.find(token(2)).unwrap().stage,
        Stage::Stillborn(Refusal::Cut)
    );
    assert!(standing(&directory, 3, at(104)).is_ok());
    assert!(directory.cuts.is_empty());
}

/// Whatever keeps a session alive can be recorded: it came before the recorded deadline.
#[test]
fn past_the_recorded_deadline_nothing_is_kept_before_that_has_moved() {
    let mut directory = fold(&[session_entry(100, &started(1, 10))]);
    let seen = at(100) + LIMITS.idle - Duration::microseconds(1);
    let later = seen + Duration::minutes(1);
    let session = directory.find(token(1)).unwrap();
    assert!(session.touch(seen, &LIMITS));
    assert!(standing(&directory, 1, later).is_ok());
    let session = directory.find(token(1)).unwrap();
    assert!(!session.touch(later, &LIMITS));
    assert_eq!(session.active_at(), seen);
    directory.fold(&session_entry(101, &extended(1, seen))).unwrap();
    let session = directory.find(token(1)).unwrap();
    assert!(session.touch(later, &LIMITS));
    assert_eq!(session.active_at(), later);
}

#[test]
fn a_busy_session_ends_at_twelve_hours() {
    let end = at(100) + Duration::hours(12);
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        session_entry(101, &extended(1, end - Duration::minutes(1))),
    ]);
    let live = standing(&directory, 1, end - Duration::microseconds(1)).unwrap();
    assert_eq!((live.idle, live.absolute), (end, end));
    assert_eq!(standing(&directory, 1, end), Err(Why::Absolute));
}

#[test]
fn of_two_deadlines_the_first_is_why() {
    let directory = fold(&[session_entry(100, &started(1, 10))]);
    assert_eq!(
        standing(&directory, 1, at(100) + Duration::days(2)),
        Err(Why::Idle)
    );
}

#[test]
fn every_cut_ends_what_was_minted_before_it() {
    let cuts: [fn(u64) -> Entry; 3] = [
        |position| account_entry(position, PasswordChanged::default()),
        |position| account_entry(position, AccountDisabled {}),
        |position| session_entry(position, &cut()),
    ];
    for cut in cuts {
        let directory = fold(&[
            session_entry(100, &started(1, 10)),
            cut(110),
            session_entry(120, &started(2, 111)),
        ]);
        assert_eq!(standing(&directory, 1, at(120)), Err(Why::Cut));
        assert!(standing(&directory, 2, at(120)).is_ok());
    }
}

#[test]
fn a_session_that_starts_behind_a_cut_never_lives() {
    let directory = fold(&[
        account_entry(50, PasswordChanged::default()),
        session_entry(100, &started(1, 10)),
    ]);
    assert_eq!(standing(&directory, 1, at(100)), Err(Why::Cut));
    assert_eq!(
        directory.find(token(1)).unwrap().stage,
        Stage::Stillborn(Refusal::Cut)
    );
}

#[test]
fn a_new_address_ends_a_flow_and_spares_a_session() {
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        account_entry(110, EmailChanged {}),
        session_entry(120, &started(2, 105)),
    ]);
    assert!(standing(&directory, 1, at(120)).is_ok());
    assert_eq!(standing(&directory, 2, at(120)), Err(Why::Cut));
}

#[test]
fn a_cut_of_one_account_spares_the_others() {
    let mut other = session_entry(110, &cut());
    other.recorded.stream = account(2);
    let directory = fold(&[session_entry(100, &started(1, 10)), other]);
    assert!(standing(&directory, 1, at(110)).is_ok());
}

#[test]
fn a_session_that_starts_behind_a_cancel_never_lives() {
    let directory = fold(&[cancelled(99, 1), session_entry(100, &started(1, 10))]);
    assert_eq!(
        directory.find(token(1)).unwrap().stage,
        Stage::Stillborn(Refusal::Cancelled)
    );
    assert_eq!(standing(&directory, 1, at(100)), Err(Why::Cut));
}

#[test]
fn a_cancel_that_comes_after_the_start_changes_nothing() {
    let directory = fold(&[session_entry(100, &started(1, 10)), cancelled(101, 1)]);
    assert!(standing(&directory, 1, at(101)).is_ok());
}

#[test]
fn a_cancel_is_remembered_while_a_start_may_be_under_way() {
    let half_an_hour = 30 * 60;
    let directory = fold(&[
        cancelled(100, 1),
        account_entry(100 + half_an_hour, EmailChanged {}),
    ]);
    assert!(directory.cancelled.contains(flow(1)));
    let directory = fold_into(directory, &[account_entry(101 + half_an_hour, EmailChanged {})]);
    assert!(!directory.cancelled.contains(flow(1)));
}

#[test]
fn an_end_says_why() {
    for why in [Why::SignedOut, Why::Idle, Why::Absolute, Why::Cut, Why::Revoked] {
        let directory = fold(&[
            session_entry(100, &started(1, 10)),
            session_entry(101, &ended(1, why)),
            session_entry(102, &ended(1, Why::Revoked)),
        ]);
        assert_eq!(standing(&directory, 1, at(102)), Err(why), "the first end counts");
    }
}

#[test]
fn a_displaced_session_is_over() {
    let SessionEvent::SessionStarted(mut second) = started(2, 20) else {
        panic!("a start");
    };
    second.ended = vec![session(1).to_vec()];
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        session_entry(101, &second.into()),
    ]);
    assert_eq!(standing(&directory, 1, at(101)), Err(Why::Displaced));
    assert!(standing(&directory, 2, at(101)).is_ok());
}

#[test]
fn a_stream_ends_no_session_of_another_account() {
    let mut foreign = session_entry(101, &ended(1, Why::SignedOut));
    foreign.recorded.stream = account(2);
    let directory = fold(&[session_entry(100, &started(1, 10)), foreign]);
    assert!(standing(&directory, 1, at(101)).is_ok());
}

#[test]
fn sessions_that_are_over_are_forgotten_in_time() {
    let day = 24 * 60 * 60;
    let ended = [
        session_entry(100, &started(1, 10)),
        session_entry(101, &ended(1, Why::SignedOut)),
        account_entry(101 + day, EmailChanged {}),
    ];
    let directory = fold(&ended);
    assert!(directory.find(token(1)).is_some());
    let directory = fold_into(directory, &[account_entry(102 + day, EmailChanged {})]);
    assert!(directory.find(token(1)).is_none());
    assert!(directory.is_empty());
}

#[test]
fn no_more_sessions_that_are_over_are_kept_than_there_is_room_for() {
    let keep = Keep {
        sessions: 3,
        ..Keep::default()
    };
    let mut directory = Directory::new(keep);
    for number in 1..=9 {
        let position = u64::from(number) * 10;
        let entries = [
            session_entry(position, &started(number, position)),
            session_entry(position + 1, &ended(number, Why::SignedOut)),
        ];
        directory = fold_into(directory, &entries);
    }
    assert_eq!(directory.len(), 3);
    assert!(directory.find(token(9)).is_some());
}

#[test]
fn an_event_of_a_newer_version_is_taken_for_a_cut_of_its_account() {
    for mut unknown in [account_entry(50, EmailChanged {}), session_entry(50, &cut())] {
        unknown.event_type = "something_new".to_owned();
        let directory = fold(&[session_entry(40, &started(1, 10)), unknown.clone()]);
        assert_eq!(standing(&directory, 1, at(51)), Err(Why::Cut));
        unknown.recorded.stream = account(2);
        let directory = fold(&[session_entry(40, &started(1, 10)), unknown]);
        assert!(standing(&directory, 1, at(51)).is_ok());
    }
}

#[test]
fn an_event_of_a_newer_version_about_codes_ends_flows_and_no_session() {
    let mut unknown = cancelled(50, 9);
    unknown.event_type = "something_new".to_owned();
    let directory = fold(&[
        session_entry(40, &started(1, 10)),
        unknown,
        session_entry(60, &started(2, 45)),
        session_entry(61, &started(3, 55)),
    ]);
    assert!(standing(&directory, 1, at(61)).is_ok());
    assert_eq!(standing(&directory, 2, at(61)), Err(Why::Cut));
    assert!(standing(&directory, 3, at(61)).is_ok());
}

#[test]
fn ends_that_no_entry_says_are_found() {
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        session_entry(101, &started(2, 20)),
        account_entry(102, PasswordChanged::default()),
        session_entry(103, &started(3, 103)),
        session_entry(104, &started(4, 104)),
        session_entry(105, &ended(4, Why::SignedOut)),
        session_entry(106, &started(5, 106)),
    ]);
    let idle = at(103) + LIMITS.idle;
    assert!(directory.find(token(5)).unwrap().touch(idle, &LIMITS));
    let found = |now| {
        let mut found: Vec<_> = directory
            .unrecorded_ends(now, &LIMITS, 10)
            .iter()
            .map(|ending| (ending.session, ending.why))
            .collect();
        found.sort_by_key(|(session, _)| *session);
        found
    };
    let cut = [(session(1), Why::Cut), (session(2), Why::Cut)];
    // Another replica may still be recording what it saw.
    assert_eq!(found(idle + LIMITS.margin() - Duration::microseconds(1)), cut);
    let over = [cut.as_slice(), &[(session(3), Why::Idle)]].concat();
    assert_eq!(found(idle + LIMITS.margin()), over);
    assert_eq!(directory.unrecorded_ends(idle, &LIMITS, 1).len(), 1);
}

#[test]
fn activity_is_due_when_what_is_recorded_is_ten_minutes_old() {
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        session_entry(100, &started(2, 20)),
    ]);
    let ten = at(100) + Duration::minutes(10);
    let due = |now| directory.due_activity(now, &LIMITS);
    assert_eq!(due(ten), []);
    assert!(directory.find(token(1)).unwrap().touch(at(160), &LIMITS));
    assert_eq!(due(ten - Duration::microseconds(1)), []);
    let activity = Activity {
        account: account(1),
        session: session(1),
        active_at: at(160),
    };
    assert_eq!(due(ten), [activity]);
    assert_eq!(directory.all_activity(at(161), &LIMITS), [activity]);

    let mut cut_there = session_entry(162, &cut());
    cut_there.recorded.stream = account(1);
    let directory = fold_into(directory, &[cut_there]);
    assert_eq!(
        directory.due_activity(ten, &LIMITS),
        [],
        "of a session that is over"
    );
}

#[test]
fn activity_is_recorded_before_it_is_answered_in_the_last_minute() {
    let directory = fold(&[session_entry(100, &started(1, 10))]);
    let last_minute = at(100) + Duration::minutes(29);
    let session = directory.find(token(1)).unwrap();
    assert!(session.touch(last_minute - Duration::seconds(1), &LIMITS));
    let urgent = |now| directory.urgent_activity(token(1), now, &LIMITS).is_some();
    assert!(!urgent(last_minute - Duration::microseconds(1)));
    assert!(urgent(last_minute));
}

#[test]
fn activity_that_moves_no_end_is_not_recorded() {
    let end = at(100) + LIMITS.absolute;
    let recorded = end - LIMITS.idle;
    let directory = fold(&[
        session_entry(100, &started(1, 10)),
        session_entry(101, &extended(1, recorded)),
    ]);
    let last = end - Duration::seconds(1);
    assert!(directory.find(token(1)).unwrap().touch(last, &LIMITS));
    assert!(standing(&directory, 1, last).is_ok());
    assert_eq!(directory.due_activity(last, &LIMITS), []);
    assert_eq!(directory.all_activity(last, &LIMITS), []);
    assert_eq!(directory.urgent_activity(token(1), last, &LIMITS), None);
}

#[test]
fn recorded_activity_moves_the_deadline_of_its_own_session_only() {
    let active_at = at(100) + Duration::minutes(20);
    let before = [
        session_entry(100, &started(1, 10)),
        session_entry(100, &started(2, 20)),
    ];
    let mut foreign = session_entry(101, &extended(1, active_at));
    foreign.recorded.stream = account(2);
    let directory = fold(&[before.as_slice(), &[foreign]].concat());
    assert_eq!(standing(&directory, 1, at(100) + LIMITS.idle), Err(Why::Idle));

    let directory = fold(&[before.as_slice(), &[session_entry(101, &extended(1, active_at))]].concat());
    assert_eq!(
        standing(&directory, 1, at(101)).unwrap().idle,
        active_at + LIMITS.idle
    );
    assert_eq!(standing(&directory, 2, at(100) + LIMITS.idle), Err(Why::Idle));
    assert_eq!(directory.all_activity(at(102), &LIMITS), []);
}

#[test]
fn an_account_that_cannot_be_decided_on_takes_no_place_in_a_sweep() {
    let mut unknown = session_entry(50, &cut());
    unknown.event_type = "something_new".to_owned();
    let mut elsewhere = session_entry(60, &started(2, 20));
    elsewhere.recorded.stream = account(2);
    let mut cut_there = session_entry(61, &cut());
    cut_there.recorded.stream = account(2);
    let entries = [session_entry(40, &started(1, 10)), unknown, elsewhere, cut_there];
    let ends = fold(&entries).unrecorded_ends(at(62), &LIMITS, 10);
    let sessions: Vec<_> = ends.iter().map(|ending| ending.session).collect();
    assert_eq!(sessions, [session(2)]);
}

/// Whoever changes what is remembered of these entries, or its bytes, gives snapshots another version.
#[test]
fn what_a_snapshot_holds_is_of_its_version() {
    let mut unknown = session_entry(60, &cut());
    unknown.event_type = "something_new".to_owned();
    unknown.recorded.stream = account(2);
    let directory = fold(&[
        entry(recorded(10, None), &SystemEvent::from(EpochStarted {})),
        session_entry(20, &started(1, 11)),
        session_entry(21, &extended(1, at(600))),
        account_entry(22, EmailChanged {}),
        session_entry(30, &started(2, 11)),
        session_entry(31, &ended(2, Why::SignedOut)),
        cancelled(40, 3),
        session_entry(41, &started(3, 25)),
        session_entry(50, &started(4, 12)),
        unknown,
    ]);
    let pinned = (
        1,
        "4a62093ee6ae3930aaca79a80d55bf9eb0f990661b335e32f2c780deeeebbe89",
    );
    assert_eq!(
        (
            super::snapshot::VERSION,
            format!("{:?}", directory.digest()).as_str()
        ),
        pinned
    );
}

#[test]
fn pieces_are_as_long_as_they_may_be_and_none_is_cut_in_two() {
    let entries: Vec<_> = (1..=20)
        .map(|number| session_entry(u64::from(number), &started(number, 1)))
        .collect();
    let pieces = fold(&entries).pieces(300);
    assert_eq!(pieces.len(), 10);
    assert!(pieces.iter().all(|piece| piece.len() == 2 * LONGEST));
    assert!(Directory::default().remember(&pieces[0][1..]).is_none());
}

/// Entries of every kind that the directory folds, of three accounts and flows, in any order.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let event = (0_u8..11, 0_u8..6, 1_u64..300, 1_u8..4);
    prop::collection::vec(event, 0..200).prop_map(|events| {
        let numbered = events.into_iter().zip(1..);
        numbered
            .map(|(event, position)| any_entry(event, position))
            .collect()
    })
}

fn any_entry((what, number, minted, stream): (u8, u8, u64, u8), position: u64) -> Entry {
    fn made<E: Event>(position: u64, number: u8, event: &E) -> Entry {
        entry(recorded(position, Some(flow(number))), event)
    }
    let mut entry = match what {
        0 | 1 => made(position, number, &started(number, minted)),
        2 => made(position, number, &ended(number, Why::SignedOut)),
        3 => made(position, number, &cut()),
        4 => made(position, number, &AccountEvent::from(PasswordChanged::default())),
        5 => made(position, number, &AccountEvent::from(EmailChanged {})),
        6 => made(position, number, &CodeEvent::from(FlowCancelled {})),
        7 | 8 => made(position, number, &extended(number, at(minted))),
        9 => made(position, number, &SystemEvent::from(EpochStarted {})),
        _ => made(position, number, &CodeEvent::from(CodeAccepted::default())),
    };
    entry.recorded.stream = account(stream);
    entry
}

proptest! {
    #[test]
    fn nothing_in_the_log_makes_the_fold_panic_or_a_dead_session_live(entries in entries()) {
        let mut directory = Directory::default();
        for entry in &entries {
            directory.fold(entry).unwrap();
            let now = entry.recorded.recorded_at;
            for session in directory.sessions.iter() {
                let cuts = directory.cuts_of(session.account);
                let lives = directory.standing(session, now, &LIMITS).is_ok();
                prop_assert!(!lives || session.minted > cuts.all);
                prop_assert!(!lives || session.stage == Stage::Open);
            }
        }
        prop_assert!(directory.len() <= entries.len());
    }

    /// Also while things are forgotten, and where an entry is not understood.
    #[test]
    fn the_digest_is_of_what_is_remembered(mut entries in entries(), unknown in 0_usize..200) {
        let mut directory = Directory::new(Keep { age: Duration::minutes(20), sessions: 3 });
        for (nth, entry) in (0..).zip(&mut entries) {
            entry.recorded.recorded_at = start_of_time() + Duration::minutes(nth);
            if usize::try_from(nth) == Ok(unknown) {
                entry.event_type = "something_new".to_owned();
            }
            // What is not understood is folded too.
            let _ = directory.fold(entry);
            prop_assert_eq!(directory.digest(), digest_of(&directory));
        }
    }

    /// Also what is forgotten later, and in which order.
    #[test]
    fn a_snapshot_stands_for_all_that_was_folded_before_it(
        mut entries in entries(),
        at in 0_usize..200,
        unknown in 0_usize..200,
    ) {
        for (nth, entry) in (0..).zip(&mut entries) {
            entry.recorded.recorded_at = start_of_time() + Duration::minutes(nth);
            if usize::try_from(nth) == Ok(unknown) {
                entry.event_type = "something_new".to_owned();
            }
        }
        let keep = Keep { age: Duration::minutes(20), sessions: 3 };
        let (before, after) = entries.split_at(at.min(entries.len()));
        let mut live = fold_into(Directory::new(keep), before);
        let mut resumed = again(&live);
        prop_assert_eq!(&resumed, &live);
        for entry in after {
            // What is not understood is folded too.
            let _ = (live.fold(entry), resumed.fold(entry));
            prop_assert_eq!(&resumed, &live);
        }
    }

    #[test]
    fn no_bytes_make_a_piece_panic(piece in prop::collection::vec(any::<u8>(), 0..400)) {
        // Most are no piece at all.
        let _ = Directory::default().remember(&piece);
    }

    #[test]
    fn a_replay_equals_what_was_folded_live(entries in entries(), at in 0_usize..200) {
        let (before, after) = entries.split_at(at.min(entries.len()));
        let live = fold_into(fold(before), after);
        // What a live replica has seen meanwhile is no part of the log.
        for session in live.sessions.iter() {
            prop_assert!(session.touch(session.started_at() + Duration::minutes(1), &LIMITS));
        }
        prop_assert_eq!(live, fold(&entries));
    }

    #[test]
    fn the_deciding_state_and_the_directory_agree_on_what_is_open(events in prop::collection::vec(
        prop_oneof![
            (1_u8..20, 1_u64..50).prop_map(|(number, minted)| start(number, minted)),
            (1_u8..20).prop_map(|number| Command::End { session: session(number), why: Why::SignedOut }),
            Just(Command::Cut),
        ],
        0..100,
    )) {
        let mut state = AccountSessions::default();
        let mut directory = Directory::default();
        let mut position = 100;
        for command in events {
            let Ok(Decision::Record(event) | Decision::RecordBefore(event, _)) = decide(&state, &command) else {
                continue;
            };
            position += 1;
            let recorded = recorded(position, flow_of(&event));
            state = state.evolve(&event, &recorded);
            directory.fold(&entry(recorded, &event)).unwrap();
        }
        let mut open: Vec<_> = state.open.iter().map(|session| session.id).collect();
        let unended = directory.sessions.iter().filter(|session| !matches!(session.stage, Stage::Over(_)));
        let mut known: Vec<_> = unended.map(|session| session.id).collect();
        open.sort();
        known.sort();
        prop_assert_eq!(open, known);
    }
}
