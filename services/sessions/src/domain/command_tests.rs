use time::Duration;

use sekisho_proto::sessions::v1::session_ended;

use super::super::testing::*;
use super::*;

#[test]
fn evidence_opens_a_session() {
    given([]).when(&start(1, 10)).then(&started(1, 10));
}

#[test]
fn a_flow_opens_one_session() {
    given([started(1, 10)])
        .when(&start(1, 10))
        .then_refused(Refusal::Used);
}

#[test]
fn a_flow_stays_used_when_its_session_is_over() {
    given([started(1, 10), ended(1, Why::SignedOut)])
        .when(&start(1, 10))
        .then_refused(Refusal::Used);
}

#[test]
fn another_flow_opens_another_session_which_names_the_start_before() {
    let SessionEvent::SessionStarted(mut second) = started(2, 20) else {
        panic!("a start");
    };
    second.previous_started_at = Some(to_timestamp(recorded(100, None).recorded_at));
    given([started(1, 10), ended(1, Why::SignedOut)])
        .when(&start(2, 20))
        .then(&second.into());
}

/// A start in this browser, and what it says of it.
fn start_in(device: u8, number: u8, events: &[SessionEvent]) -> (SessionEvent, bool) {
    let Command::Start(mut start) = start(number, 1_000) else {
        panic!("a start");
    };
    start.minted.device = Some([device; 32]);
    let decided = given(events.to_vec()).when(&Command::Start(start)).0;
    let Ok(Decision::RecordBefore(event, _)) = decided else {
        panic!("{decided:?}");
    };
    let SessionEvent::SessionStarted(started) = &event else {
        panic!("{event:?}");
    };
    assert_eq!(started.device, [device; 32]);
    let new_device = started.new_device;
    (event, new_device)
}

/// The first browser of all surprises nobody; typing the password in one is not enough to be known.
#[test]
fn a_start_says_whether_its_browser_is_a_new_one() {
    let (first, is_new) = start_in(1, 1, &[]);
    assert!(!is_new);
    let (_, is_new) = start_in(1, 2, std::slice::from_ref(&first));
    assert!(!is_new);
    let (second, is_new) = start_in(2, 2, std::slice::from_ref(&first));
    assert!(is_new);
    // A cut ends sessions and makes no browser new.
    let (_, is_new) = start_in(1, 3, &[first.clone(), second.clone(), cut()]);
    assert!(!is_new);
    let mut events = vec![first, second];
    for device in 3..=11 {
        let (started, _) = start_in(device, device, &events);
        events.push(started);
    }
    let (_, is_new) = start_in(1, 40, &events);
    assert!(is_new, "ten are remembered");
    let (_, is_new) = start_in(2, 40, &events);
    assert!(!is_new);
}

#[test]
fn a_flow_from_before_a_cut_opens_nothing() {
    given([cut()]).when(&start(1, 99)).then_refused(Refusal::Cut);
    given([cut()]).when(&start(1, 100)).then_refused(Refusal::Cut);
    given([cut()]).when(&start(1, 101)).then(&started(1, 101));
}

#[test]
fn a_start_is_recorded_while_its_code_is_evidence_or_never() {
    let Ok(Decision::RecordBefore(_, moment)) = given([]).when(&start(1, 10)).0 else {
        panic!("a start has a deadline");
    };
    assert_eq!(
        moment,
        recorded(11, None).recorded_at + sekisho_evidence::EVIDENCE_LIFE
    );
}

#[test]
fn one_session_too_many_displaces_the_oldest() {
    let full = u8::try_from(ROOM).unwrap();
    let events: Vec<_> = (1..=full).map(|number| started(number, 10)).collect();
    let Ok(Decision::RecordBefore(SessionEvent::SessionStarted(event), _)) =
        given(events).when(&start(full + 1, 20)).0
    else {
        panic!("a session starts");
    };
    assert_eq!(event.ended, [session(1).to_vec()]);
}

#[test]
fn a_session_that_has_run_out_makes_room_before_the_oldest() {
    let full = u8::try_from(ROOM).unwrap();
    let mut events: Vec<_> = (1..=full).map(|number| started(number, 10)).collect();
    // All but the second are used again in the 29th minute.
    let later = recorded(100, None).recorded_at + Duration::minutes(29);
    events.extend(
        (1..=full)
            .filter(|number| *number != 2)
            .map(|number| extended(number, later)),
    );
    let Command::Start(mut start) = start(full + 1, 20) else {
        panic!("a start");
    };
    start.now = later + Duration::minutes(2);
    let Ok(Decision::RecordBefore(SessionEvent::SessionStarted(event), _)) =
        given(events).when(&Command::Start(start)).0
    else {
        panic!("a session starts");
    };
    assert_eq!(event.ended, [session(2).to_vec()]);
}

#[test]
fn activity_before_the_deadline_is_recorded_whenever_it_comes() {
    let begin = recorded(100, None).recorded_at;
    let extend = |active_at| Command::Extend {
        session: session(1),
        active_at,
        limits: LIMITS,
    };
    let last = begin + LIMITS.idle - Duration::microseconds(1);
    given([started(1, 10)])
        .when(&extend(last))
        .then(&extended(1, last));
    given([started(1, 10)])
        .when(&extend(begin + LIMITS.idle))
        .then_over();
    given([started(1, 10)]).when(&extend(begin)).then_nothing();
    given([started(1, 10), ended(1, Why::SignedOut)])
        .when(&extend(last))
        .then_over();
    let further = last + LIMITS.idle - Duration::microseconds(1);
    given([started(1, 10), extended(1, last)])
        .when(&extend(further))
        .then(&extended(1, further));
}

#[test]
fn no_activity_is_recorded_after_twelve_hours() {
    let begin = recorded(100, None).recorded_at;
    let mut events = vec![started(1, 10)];
    let steps = (1..=35).map(|step| begin + Duration::minutes(20 * step));
    events.extend(steps.map(|moment| extended(1, moment)));
    let extend = |active_at| Command::Extend {
        session: session(1),
        active_at,
        limits: LIMITS,
    };
    let end = begin + LIMITS.absolute;
    let last = end - Duration::microseconds(1);
    given(events.clone()).when(&extend(last)).then(&extended(1, last));
    given(events).when(&extend(end)).then_over();
}

#[test]
fn a_session_is_recorded_as_run_out_only_when_it_has() {
    let begin = recorded(100, None).recorded_at;
    let expire = |now| Command::Expire {
        session: session(1),
        now,
        limits: LIMITS,
    };
    let idle = begin + LIMITS.idle;
    given([started(1, 10)])
        .when(&expire(idle - Duration::microseconds(1)))
        .then_nothing();
    given([started(1, 10)])
        .when(&expire(idle))
        .then(&ended(1, Why::Idle));
    // Another replica's activity came first.
    given([started(1, 10), extended(1, idle - Duration::seconds(1))])
        .when(&expire(idle))
        .then_nothing();
    given([started(1, 10)])
        .when(&expire(begin + LIMITS.absolute))
        .then(&ended(1, Why::Idle));
}

#[test]
fn an_open_session_ends_once() {
    let end = Command::End {
        session: session(1),
        why: Why::SignedOut,
    };
    given([started(1, 10)]).when(&end).then(&ended(1, Why::SignedOut));
    given([started(1, 10), ended(1, Why::Idle)])
        .when(&end)
        .then_nothing();
    given([]).when(&end).then_nothing();
}

/// Who has been ended meanwhile ends nobody.
#[test]
fn an_owner_ends_all_other_sessions() {
    let end_others = |keep| Command::EndOthers { keep: session(keep) };
    let both = SessionEnded {
        session_ids: vec![session(1).to_vec(), session(3).to_vec()],
        why: session_ended::Why::Revoked.into(),
    };
    given([started(1, 10), started(2, 20), started(3, 30)])
        .when(&end_others(2))
        .then(&both.into());
    given([started(2, 20)]).when(&end_others(2)).then_nothing();
    given([started(1, 10), started(2, 20), ended(2, Why::Revoked)])
        .when(&end_others(2))
        .then_nothing();
}

#[test]
fn a_cut_is_recorded_even_without_a_session() {
    given([]).when(&Command::Cut).then(&cut());
    given([cut()]).when(&Command::Cut).then(&cut());
}
