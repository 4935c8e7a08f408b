//! The mail of a code.

use super::*;

fn claim(attempt: u32) -> Command {
    Command::ClaimMail {
        letter: Letter::Code(FLOW),
        about: Position(1),
        attempt,
        until: start() + Duration::minutes(1),
    }
}

fn started(attempt: u32) -> otp::MailStarted {
    otp::MailStarted {
        about: 1,
        attempt,
        until: Some(to_timestamp(start() + Duration::minutes(1))),
        topic: otp::Topic::Unspecified.into(),
    }
}

fn mailed(attempt: u32) -> otp::Mailed {
    otp::Mailed {
        about: 1,
        attempt,
        reply: 250,
    }
}

fn failed(attempt: u32, class: Class, will_retry: bool) -> otp::MailFailed {
    otp::MailFailed {
        about: 1,
        attempt,
        class: class.into(),
        reply: 0,
        will_retry,
    }
}

fn record_failed(attempt: u32, class: Class) -> Command {
    Command::RecordMailFailed {
        letter: Letter::Code(FLOW),
        about: Position(1),
        attempt,
        class,
        reply: 0,
    }
}

fn record_mailed(attempt: u32) -> Command {
    Command::RecordMailed {
        letter: Letter::Code(FLOW),
        about: Position(1),
        attempt,
        reply: 250,
    }
}

fn claimed() -> Story {
    given::<CodeEvent>([issued(1).into(), started(1).into()])
}

#[test]
fn a_mail_is_claimed_by_one_worker() {
    given([issued(1)]).when(claim(1)).then(started(1));
    claimed().when(claim(2)).then_refused(Rejection::Held);
    given([issued(1)])
        .when(claim(2))
        .then_refused(Rejection::Behind { attempts: 0 });
}

#[test]
fn a_claim_that_ran_out_is_taken_over() {
    claimed()
        .after(Duration::minutes(1) + A_MOMENT)
        .when(claim(2))
        .then(started(2));
    claimed()
        .after(Duration::minutes(1) + A_MOMENT)
        .when(claim(1))
        .then_refused(Rejection::Behind { attempts: 1 });
}

#[test]
fn the_mail_of_a_dead_code_cannot_be_claimed() {
    let deaths: [CodeEvent; 3] = [
        accepted(1, 1).into(),
        otp::FlowCancelled {}.into(),
        issued(2).into(),
    ];
    for death in deaths {
        given::<CodeEvent>([issued(1).into(), death])
            .when(claim(1))
            .then_refused(Rejection::NotOwed);
    }
    given(four_wrong(1))
        .and(FLOW, [rejected(1, 0)])
        .when(claim(1))
        .then_refused(Rejection::NotOwed);
}

#[test]
fn a_code_in_its_last_two_minutes_is_not_mailed() {
    let last = Duration::minutes(8);
    given([issued(1)]).after(last).when(claim(1)).then(started(1));
    given([issued(1)])
        .after(last + A_MOMENT)
        .when(claim(1))
        .then_refused(Rejection::NotOwed);
}

#[test]
fn what_may_pass_is_tried_again_while_there_is_time() {
    claimed()
        .when(record_failed(1, Class::Transient))
        .then(failed(1, Class::Transient, true));
    claimed()
        .when(record_failed(1, Class::Permanent))
        .then(failed(1, Class::Permanent, false));
    claimed()
        .after(Duration::minutes(8))
        .when(record_failed(1, Class::Unreachable))
        .then(failed(1, Class::Unreachable, false));
}

fn fate(story: &Story) -> MailFate {
    match story.codes.standing(FLOW, story.now) {
        Standing::Live { mail, .. } => mail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_relay_that_may_have_the_letter_gets_one_more_and_no_third() {
    let in_doubt = |attempt, will_retry| failed(attempt, Class::InDoubt, will_retry);
    let once = || claimed().and(FLOW, [in_doubt(1, true)]);
    claimed()
        .when(record_failed(1, Class::InDoubt))
        .then(in_doubt(1, true));
    once()
        .and(FLOW, [started(2)])
        .when(record_failed(2, Class::InDoubt))
        .then(in_doubt(2, false));
    // A letter that did not leave is no copy.
    let unreachable = failed(2, Class::Unreachable, true);
    let after = once()
        .and(FLOW, [started(2)])
        .and(FLOW, [unreachable])
        .and(FLOW, [started(3)]);
    after
        .clone()
        .when(record_failed(3, Class::Transient))
        .then(failed(3, Class::Transient, true));
    after
        .when(record_failed(3, Class::InDoubt))
        .then(in_doubt(3, false));
    // Nobody knows how far a worker came that died.
    let died = || claimed().and(FLOW, [started(2)]);
    died()
        .when(record_failed(2, Class::InDoubt))
        .then(in_doubt(2, false));
    let both_died = died().after(Duration::minutes(2));
    assert_eq!(fate(&both_died), MailFate::Failed);
    both_died.when(claim(3)).then_refused(Rejection::NotOwed);
}

#[test]
fn a_failed_attempt_frees_the_mail_for_the_next() {
    claimed()
        .and(FLOW, [failed(1, Class::Transient, true)])
        .when(claim(2))
        .then(started(2));
    claimed()
        .and(FLOW, [failed(1, Class::Permanent, false)])
        .when(claim(2))
        .then_refused(Rejection::NotOwed);
}

#[test]
fn the_failure_of_an_outrun_attempt_does_not_matter() {
    claimed()
        .and(FLOW, [started(2)])
        .when(record_failed(1, Class::Transient))
        .then_nothing();
}

#[test]
fn what_the_relay_took_is_recorded_whatever_became_of_the_code() {
    claimed().when(record_mailed(1)).then(mailed(1));
    claimed()
        .and(FLOW, [accepted(1, 1)])
        .when(record_mailed(1))
        .then(mailed(1));
    claimed()
        .and(FLOW, [issued(2)])
        .when(record_mailed(1))
        .then(mailed(1));
    claimed()
        .and(FLOW, [mailed(1)])
        .when(record_mailed(1))
        .then_nothing();
}

#[test]
fn only_the_newest_claim_on_a_living_code_may_hand_over() {
    let may = |story: &Story, attempt, at| {
        story
            .codes
            .may_hand_over(Letter::Code(FLOW), Position(1), attempt, start() + at)
    };
    let soon = Duration::seconds(30);
    let late = Duration::minutes(2);
    let over = Err(NoHandOver::ClaimOver);
    let dead = Err(NoHandOver::Dead);
    assert_eq!(may(&claimed(), 1, soon), Ok(()));
    assert_eq!(may(&claimed(), 1, late), over);
    assert_eq!(may(&claimed().and(FLOW, [started(2)]), 1, soon), over);
    assert_eq!(may(&given([issued(1)]), 1, soon), over);
    assert_eq!(may(&claimed(), 1, TEN_MINUTES + A_MOMENT), dead);
    assert_eq!(may(&claimed().and(FLOW, [otp::FlowCancelled {}]), 1, soon), dead);
    assert_eq!(may(&claimed().and(FLOW, [issued(2)]), 1, soon), dead);
    assert_eq!(may(&claimed().and(FLOW, [accepted(1, 1)]), 1, soon), dead);
}

#[test]
fn the_page_waits_for_a_mail_only_while_somebody_will_send_it() {
    let late = Duration::minutes(8) + A_MOMENT;
    assert_eq!(fate(&given([issued(1)])), MailFate::Waiting);
    assert_eq!(fate(&claimed()), MailFate::Waiting);
    assert_eq!(fate(&claimed().after(late)), MailFate::Failed);
    assert_eq!(
        fate(&claimed().and(FLOW, [failed(1, Class::Transient, true)])),
        MailFate::Waiting
    );
    assert_eq!(
        fate(&claimed().and(FLOW, [failed(1, Class::NoAddress, false)])),
        MailFate::Failed
    );
    assert_eq!(
        fate(&claimed().and(FLOW, [mailed(1)])),
        MailFate::HandedOver(start())
    );
}
