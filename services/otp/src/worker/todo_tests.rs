use sekisho_eventlog::{Recorded, Version};
use sekisho_proto::Event as _;
use sekisho_proto::credentials::v1::PasswordChanged;
use sekisho_proto::events::AccountEvent;
use sekisho_proto::log::v1::{Metadata, Payload};
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::Duration as Time;
use uuid::Uuid;

use super::*;
use crate::domain::CODE_LIFE;

const GRACE: Time = Time::milliseconds(500);
const CHANCES: Chances = Chances {
    grace: GRACE,
    pause: 0,
};
const ROOM: Room = Room { mails: 9, notices: 9 };

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Time::days(20_000)
}

fn issued(at: OffsetDateTime) -> CodeEvent {
    otp::CodeIssued {
        expires_at: Some(to_timestamp(at + CODE_LIFE)),
        ..Default::default()
    }
    .into()
}

/// An entry of flow 1.
fn entry(position: u64, at: OffsetDateTime, event: &CodeEvent) -> Entry {
    let recorded = Recorded {
        position: Position(position),
        version: Version(position),
        stream: StreamId(Uuid::from_u128(9)),
        event_id: EventId(Uuid::from_u128(u128::from(position))),
        flow: Some(FlowId(Uuid::from_u128(1))),
        recorded_at: at,
    };
    let payload = Payload {
        event: event.encode(),
        carried: None,
    };
    let event_type = event.event_type().to_owned();
    Entry::new(
        recorded,
        sekisho_proto::Kind::Code,
        event_type,
        payload,
        &Metadata::default(),
    )
}

/// The list after events at the positions 1, 2, 3 …, all at [`start`].
fn after(events: impl IntoIterator<Item = CodeEvent>) -> Todo {
    let mut todo = Todo::default();
    for (position, event) in (1..).zip(events) {
        todo.fold(&entry(position, start(), &event), CHANCES);
        todo.folded_upto(Position(position));
    }
    todo
}

fn due(todo: &mut Todo, at: OffsetDateTime) -> Vec<(u64, u32)> {
    let due = todo.take_due(at, ROOM, |_| true);
    due.iter().map(|owed| (owed.about.0, owed.attempts)).collect()
}

fn started(about: u64, attempt: u32, until: Time) -> CodeEvent {
    let until = Some(to_timestamp(start() + until));
    otp::MailStarted {
        about,
        attempt,
        until,
        ..Default::default()
    }
    .into()
}

fn failed(about: u64, attempt: u32, will_retry: bool) -> CodeEvent {
    let class = Class::Transient.into();
    otp::MailFailed {
        about,
        attempt,
        class,
        reply: 451,
        will_retry,
    }
    .into()
}

#[test]
fn a_new_mail_is_left_to_the_replica_that_was_woken() {
    let mut todo = after([issued(start())]);
    assert_eq!(due(&mut todo, start()), []);
    assert_eq!(
        todo.until_next(start(), |_| true),
        Some(Duration::from_millis(500))
    );
    assert_eq!(due(&mut todo, start() + GRACE), [(1, 0)]);
}

#[test]
fn the_replica_that_was_woken_does_not_wait() {
    let mut early = Todo::default();
    early.wake(Position(1), start());
    early.fold(&entry(1, start(), &issued(start())), CHANCES);
    assert_eq!(due(&mut early, start()), [(1, 0)]);
    let mut late = after([issued(start())]);
    late.wake(Position(1), start());
    assert_eq!(due(&mut late, start()), [(1, 0)]);
}

/// Anyone can have mails of resets sent; nobody who signs in waits for them.
#[test]
fn mails_of_sign_ins_go_before_those_of_resets() {
    let of = |purpose: Purpose| {
        let CodeEvent::CodeIssued(code) = issued(start()) else {
            unreachable!()
        };
        CodeEvent::from(otp::CodeIssued {
            purpose: purpose.into(),
            ..code
        })
    };
    let mut todo = after([of(Purpose::Reset)]);
    let mut sign_in = entry(2, start(), &of(Purpose::SignIn));
    sign_in.recorded.flow = Some(FlowId(Uuid::from_u128(2)));
    todo.fold(&sign_in, CHANCES);
    assert_eq!(due(&mut todo, start() + GRACE), [(2, 0), (1, 0)]);
}

/// An entry of no flow.
fn entry_of<E: sekisho_proto::Event>(position: u64, event: &E) -> Entry {
    let mut recorded = entry(position, start(), &issued(start())).recorded;
    recorded.flow = None;
    let payload = Payload {
        event: event.encode(),
        carried: None,
    };
    let event_type = event.event_type().to_owned();
    Entry::new(recorded, E::KIND, event_type, payload, &Metadata::default())
}

fn password_changed(position: u64) -> Entry {
    entry_of(position, &AccountEvent::from(PasswordChanged::default()))
}

#[test]
fn what_happened_to_an_account_owes_a_notice_until_it_is_told() {
    let mut todo = Todo::default();
    todo.fold(&password_changed(1), CHANCES);
    assert_eq!(due(&mut todo, start()), []);
    let taken = todo.take_due(start() + GRACE, ROOM, |_| true);
    assert_eq!(taken[0].content, Content::Notice(Topic::PasswordChanged));
    assert_eq!(taken[0].letter().flow(), None);
    todo.put_off(Position(1), start());

    todo.fold(&entry_of(2, &started(1, 1, Time::MINUTE)), CHANCES);
    assert_eq!(due(&mut todo, start() + GRACE), []);
    todo.fold(&entry_of(3, &failed(1, 2, true)), CHANCES);
    assert_eq!(due(&mut todo, start() + Time::seconds(239)), []);
    assert_eq!(due(&mut todo, start() + Time::seconds(240)), [(1, 2)]);
    let mailed = CodeEvent::from(otp::Mailed {
        about: 1,
        ..Default::default()
    });
    assert_eq!(todo.fold(&entry_of(4, &mailed), CHANCES), Some(Position(1)));
    assert!(!todo.owes(Position(1)));
}

#[test]
fn a_notice_is_owed_for_a_day() {
    let mut todo = Todo::default();
    todo.fold(&password_changed(1), CHANCES);
    todo.drop_dead(start() + Time::DAY - Time::minutes(2));
    assert!(todo.owes(Position(1)));
    todo.drop_dead(start() + Time::DAY);
    assert!(!todo.owes(Position(1)));
}

/// Whoever waits at a page goes first.
#[test]
fn a_code_goes_before_a_notice() {
    let mut todo = Todo::default();
    todo.fold(&password_changed(1), CHANCES);
    todo.fold(&entry(2, start(), &issued(start())), CHANCES);
    assert_eq!(due(&mut todo, start() + GRACE), [(2, 0), (1, 0)]);
}

/// A slow relay that holds notices must not keep anybody's code waiting.
#[test]
fn there_is_room_for_one_notice_at_a_time() {
    let mut todo = Todo::default();
    for position in 1..=3 {
        todo.fold(&password_changed(position), CHANCES);
    }
    let room = Room { mails: 4, notices: 1 };
    let taken = |todo: &mut Todo| -> Vec<u64> {
        let due = todo.take_due(start() + GRACE, room, |_| true);
        due.iter().map(|owed| owed.about.0).collect()
    };
    assert_eq!(taken(&mut todo), [1]);
    assert!(taken(&mut todo).is_empty());
    todo.fold(&entry(4, start(), &issued(start())), CHANCES);
    assert_eq!(taken(&mut todo), [4]);
    todo.forget(Position(1));
    assert_eq!(taken(&mut todo), [2]);
}

#[test]
fn a_mail_that_is_owed_no_longer_is_forgotten_and_so_is_all_of_another_log() {
    let mut todo = after([issued(start())]);
    todo.fold(&password_changed(2), CHANCES);
    todo.forget(Position(1));
    assert!(!todo.owes(Position(1)) && todo.owes(Position(2)));
    todo.forget_all();
    assert!(!todo.owes(Position(2)));
    assert_eq!(todo.until_next(start(), |_| true), None);
}

#[test]
fn a_mail_at_hand_is_not_taken_twice() {
    let mut todo = after([issued(start())]);
    assert_eq!(due(&mut todo, start() + GRACE), [(1, 0)]);
    assert_eq!(due(&mut todo, start() + GRACE), []);
    assert_eq!(todo.until_next(start(), |_| true), None);
    todo.put_off(Position(1), start() + GRACE * 2);
    assert_eq!(due(&mut todo, start() + GRACE), []);
    assert_eq!(due(&mut todo, start() + GRACE * 2), [(1, 0)]);
}

#[test]
fn a_claimed_mail_is_taken_over_when_the_claim_runs_out() {
    let mut todo = after([issued(start()), started(1, 1, Time::seconds(75))]);
    todo.wake(Position(1), start());
    assert_eq!(due(&mut todo, start() + Time::seconds(74)), []);
    assert_eq!(todo.until_next(start(), |_| true), Some(LONGEST_PAUSE));
    assert_eq!(due(&mut todo, start() + Time::seconds(75)), [(1, 1)]);
}

#[test]
fn a_failed_mail_comes_again_after_a_pause() {
    let mut todo = after([issued(start()), started(1, 3, Time::MINUTE), failed(1, 3, true)]);
    assert_eq!(due(&mut todo, start() + Time::seconds(7)), []);
    assert_eq!(due(&mut todo, start() + Time::seconds(8)), [(1, 3)]);
}

#[test]
fn what_has_an_outcome_is_announced_and_not_owed() {
    let mailed = || {
        otp::Mailed {
            about: 1,
            attempt: 1,
            reply: 250,
        }
        .into()
    };
    for outcome in [failed(1, 1, false), mailed()] {
        let mut todo = after([issued(start())]);
        let announced = todo.fold(&entry(2, start(), &outcome), CHANCES);
        assert_eq!(announced, Some(Position(1)));
        assert_eq!(due(&mut todo, start() + GRACE), []);
    }
    let mut todo = after([issued(start())]);
    assert_eq!(todo.fold(&entry(2, start(), &failed(1, 1, true)), CHANCES), None);
}

#[test]
fn the_mail_of_a_dead_code_is_not_owed() {
    let deaths: [CodeEvent; 3] = [
        otp::CodeAccepted::default().into(),
        otp::CodeRejected::default().into(),
        otp::FlowCancelled {}.into(),
    ];
    for death in deaths {
        let todo = after([issued(start()), death]);
        assert!(!todo.owes(Position(1)));
    }
    let mut replaced = after([issued(start()), issued(start())]);
    assert_eq!(due(&mut replaced, start() + GRACE), [(2, 0)]);
}

#[test]
fn the_mail_is_owed_until_the_last_try_is_spent() {
    let wrong = |tries_left| {
        CodeEvent::from(otp::CodeRejected {
            tries_left,
            ..Default::default()
        })
    };
    let mut last = after([issued(start()), wrong(1)]);
    assert_eq!(due(&mut last, start() + GRACE), [(1, 0)]);
    let mut spent = after([issued(start()), wrong(1), wrong(0)]);
    assert_eq!(due(&mut spent, start() + GRACE), []);
}

#[test]
fn a_code_in_its_last_two_minutes_is_not_owed_a_mail() {
    let mut todo = after([issued(start())]);
    todo.drop_dead(start() + Time::minutes(8));
    assert_eq!(todo.owed.len(), 1);
    todo.drop_dead(start() + Time::minutes(8) + Time::MICROSECOND);
    assert_eq!(todo.owed.len(), 0);
}

#[test]
fn false_messages_fill_no_memory() {
    let mut todo = Todo::default();
    for position in 1..=5_000 {
        todo.wake(Position(position), start());
    }
    assert_eq!(todo.woken.len(), WAKEUPS);
    todo.folded_upto(Position(5_000));
    assert!(todo.woken.is_empty());
}

/// What a worker does not know of, it is told when it wants to try.
#[test]
fn attempts_that_were_read_before_their_event_are_learned() {
    let mut todo = after([issued(start())]);
    todo.learn(Position(1), 3);
    assert_eq!(due(&mut todo, start() + GRACE), [(1, 3)]);
}

#[test]
fn a_pause_is_lengthened_by_chance() {
    let mut todo = after([issued(start()), started(1, 1, Time::minutes(1))]);
    let late = Chances {
        grace: GRACE,
        pause: u8::MAX,
    };
    todo.fold(&entry(3, start(), &failed(1, 1, true)), late);
    let pause = Time::milliseconds(2_500);
    assert_eq!(due(&mut todo, start() + pause - Time::MILLISECOND), []);
    assert_eq!(due(&mut todo, start() + pause), [(1, 1)]);
}
