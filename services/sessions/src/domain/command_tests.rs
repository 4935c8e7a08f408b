use super::super::testing::*;
use super::*;

#[test]
fn evidence_opens_a_session() {
    given([]).when(start(1, 10)).then(&started(1, 10));
}

#[test]
fn a_flow_opens_one_session() {
    given([started(1, 10)])
        .when(start(1, 10))
        .then_refused(Refusal::Used);
}

#[test]
fn a_flow_stays_used_when_its_session_is_over() {
    given([started(1, 10), ended(1, Why::SignedOut)])
        .when(start(1, 10))
        .then_refused(Refusal::Used);
}

#[test]
fn another_flow_opens_another_session() {
    given([started(1, 10)]).when(start(2, 20)).then(&started(2, 20));
}

#[test]
fn a_flow_from_before_a_cut_opens_nothing() {
    given([cut()]).when(start(1, 99)).then_refused(Refusal::Cut);
    given([cut()]).when(start(1, 100)).then_refused(Refusal::Cut);
    given([cut()]).when(start(1, 101)).then(&started(1, 101));
}

#[test]
fn a_start_is_recorded_while_its_code_is_evidence_or_never() {
    let Ok(Decision::RecordBefore(_, moment)) = given([]).when(start(1, 10)).0 else {
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
        given(events).when(start(full + 1, 20)).0
    else {
        panic!("a session starts");
    };
    assert_eq!(event.ended, [session(1).to_vec()]);
}

#[test]
fn an_open_session_ends_once() {
    let end = Command::End {
        session: session(1),
        why: Why::SignedOut,
    };
    given([started(1, 10)]).when(end).then(&ended(1, Why::SignedOut));
    given([started(1, 10), ended(1, Why::Idle)])
        .when(end)
        .then_nothing();
    given([]).when(end).then_nothing();
}

#[test]
fn a_cut_is_recorded_even_without_a_session() {
    given([]).when(Command::Cut).then(&cut());
    given([cut()]).when(Command::Cut).then(&cut());
}
