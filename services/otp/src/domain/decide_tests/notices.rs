//! Mails that tell what happened.

use time::OffsetDateTime;

use super::*;

const LOCKED: otp::Topic = otp::Topic::Locked;

fn letter(topic: otp::Topic) -> Letter {
    Letter::Notice {
        topic,
        owed_at: start(),
    }
}

fn claim(about: u64, topic: otp::Topic, attempt: u32) -> Command {
    Command::ClaimMail {
        letter: letter(topic),
        about: Position(about),
        attempt,
        until: start() + Duration::minutes(1),
    }
}

fn started(about: u64, topic: otp::Topic, attempt: u32) -> otp::MailStarted {
    otp::MailStarted {
        about,
        attempt,
        until: Some(to_timestamp(start() + Duration::minutes(1))),
        topic: topic.into(),
    }
}

fn mailed(about: u64) -> otp::Mailed {
    otp::Mailed {
        about,
        attempt: 1,
        reply: 250,
    }
}

fn claimed() -> Story {
    nothing().of_no_flow(started(50, LOCKED, 1))
}

#[test]
fn one_worker_claims_a_notice_at_a_time() {
    nothing().when(claim(50, LOCKED, 1)).then(started(50, LOCKED, 1));
    claimed().when(claim(50, LOCKED, 2)).then_refused(Rejection::Held);
    claimed()
        .after(Duration::minutes(1) + A_MOMENT)
        .when(claim(50, LOCKED, 2))
        .then(started(50, LOCKED, 2));
    claimed()
        .of_no_flow(mailed(50))
        .when(claim(50, LOCKED, 2))
        .then_refused(Rejection::NotOwed);
}

fn since(owed_at: OffsetDateTime, about: u64, topic: otp::Topic) -> Command {
    Command::ClaimMail {
        letter: Letter::Notice { topic, owed_at },
        about: Position(about),
        attempt: 1,
        until: start() + Duration::minutes(1),
    }
}

/// A stranger can lock an account every few hours. What was not told stays untold, however late anybody asks.
#[test]
fn nobody_is_told_twice_a_day_of_what_strangers_cause() {
    let told = || claimed().of_no_flow(mailed(50));
    for hours in [5, 25, 28] {
        let later = told().after(Duration::hours(hours));
        later
            .when(since(start() + Duration::hours(5), 60, LOCKED))
            .then_refused(Rejection::NotOwed);
    }
    let next_day = told().after(Duration::DAY);
    let now = next_day.now;
    next_day.when(since(now, 60, LOCKED)).then(started(60, LOCKED, 1));
}

#[test]
fn whoever_does_what_only_the_owner_should_is_told_of_each_time() {
    for topic in [
        otp::Topic::PasswordChanged,
        otp::Topic::Closed,
        otp::Topic::NewDevice,
        otp::Topic::SignInCodeSpent,
        otp::Topic::EmailChanged,
        otp::Topic::FederatedIdentityLinked,
    ] {
        let told = nothing().of_no_flow(started(50, topic, 1)).of_no_flow(mailed(50));
        told.when(claim(60, topic, 1)).then(started(60, topic, 1));
    }
}

/// What reached nobody has told nothing.
#[test]
fn a_notice_that_failed_keeps_no_other_from_being_told() {
    let failed = otp::MailFailed {
        about: 50,
        attempt: 1,
        class: Class::NoAddress.into(),
        reply: 0,
        will_retry: false,
    };
    claimed()
        .of_no_flow(failed)
        .when(claim(60, LOCKED, 1))
        .then(started(60, LOCKED, 1));
}

#[test]
fn a_notice_is_worth_a_mail_for_a_day() {
    let last = Duration::DAY - LAST_HAND_OVER;
    nothing()
        .after(last)
        .when(claim(50, LOCKED, 1))
        .then(started(50, LOCKED, 1));
    nothing()
        .after(last + A_MOMENT)
        .when(claim(50, LOCKED, 1))
        .then_refused(Rejection::NotOwed);
}

#[test]
fn only_the_newest_claim_may_hand_a_notice_over() {
    let may = |story: &Story, attempt| {
        let soon = start() + Duration::seconds(30);
        story
            .codes
            .may_hand_over(letter(LOCKED), Position(50), attempt, soon)
    };
    assert_eq!(may(&claimed(), 1), Ok(()));
    assert_eq!(may(&claimed(), 2), Err(NoHandOver::ClaimOver));
    assert_eq!(may(&nothing(), 1), Err(NoHandOver::ClaimOver));
}

#[test]
fn a_notice_that_failed_is_tried_again_while_it_is_worth_it() {
    let failed = |class: Class| Command::RecordMailFailed {
        letter: letter(LOCKED),
        about: Position(50),
        attempt: 1,
        class,
        reply: 451,
    };
    let event = |class: Class, will_retry| otp::MailFailed {
        about: 50,
        attempt: 1,
        class: class.into(),
        reply: 451,
        will_retry,
    };
    claimed()
        .when(failed(Class::Transient))
        .then(event(Class::Transient, true));
    claimed()
        .when(failed(Class::Permanent))
        .then(event(Class::Permanent, false));
    let again = claimed().of_no_flow(event(Class::Transient, true));
    again.when(claim(50, LOCKED, 2)).then(started(50, LOCKED, 2));
    let over = claimed().of_no_flow(event(Class::Permanent, false));
    over.when(claim(50, LOCKED, 2)).then_refused(Rejection::NotOwed);
}

#[test]
fn notices_are_bounded_and_carried() {
    let mut story = nothing();
    for about in 0..30 {
        story = story.of_no_flow(started(about, LOCKED, 1));
    }
    assert_eq!(story.codes.notices.len(), 16);
    assert_eq!(Codes::resume(&story.codes.carry()), Some(story.codes.clone()));
    let mailed = story.of_no_flow(mailed(29));
    assert_eq!(Codes::resume(&mailed.codes.carry()), Some(mailed.codes.clone()));
}
