//! What a code is, and who gets one.

use super::*;

#[test]
fn a_code_lives_ten_minutes_and_is_numbered_per_account() {
    nothing().when(issue(FLOW)).then(issued(1));
    nothing()
        .and(OTHER, [issued(1)])
        .when(issue(FLOW))
        .then(issued(2));
}

#[test]
fn a_code_is_recorded_while_its_flow_may_ask_or_never() {
    nothing()
        .when(issue(FLOW))
        .then_before(issued(1), start() + FLOW_AGE);
}

#[test]
fn a_verified_flow_gets_no_further_code() {
    given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
        .when(issue(FLOW))
        .then_nothing();
}

#[test]
fn a_cancelled_flow_gets_no_code() {
    given([otp::FlowCancelled {}])
        .when(issue(FLOW))
        .then_refused(Rejection::Cancelled);
}

#[test]
fn a_new_code_replaces_those_of_its_own_flow_only() {
    let story = given([issued(1), issued(2)]).and(OTHER, [issued(3)]);
    let stage = &story.codes.flow(FLOW).unwrap().stage;
    let (code, replaced) = stage.last_code().unwrap();
    assert_eq!((code.issue, replaced), (2, &[1][..]));
    story.when(typed(OTHER, Finding::Right)).then(accepted(3, 3));
}

/// No such event is written today: a try is recorded only on the state that it was compared with. Were there
/// one, it must not cost the newest code a try.
#[test]
fn a_wrong_try_on_another_issue_counts_nothing() {
    let story = given([issued(1), issued(2)]);
    let before = story.codes.clone();
    let after = story.and(FLOW, [rejected(1, 4), rejected(3, 4)]);
    assert_eq!(after.codes, before);
    after.when(typed(FLOW, Finding::Wrong)).then(rejected(2, 4));
}

fn reset(flow: FlowId) -> Command {
    let Command::Issue {
        evidence,
        key_id,
        reference,
        ..
    } = issue(flow)
    else {
        unreachable!()
    };
    Command::Issue {
        flow,
        purpose: otp::Purpose::Reset,
        evidence,
        proved: false,
        again: flow == FLOW,
        key_id,
        reference,
        not_after: start() + Duration::days(3),
    }
}

/// Begun with the right password, or in a known browser.
fn proved(mut command: Command) -> Command {
    if let Command::Issue { proved, .. } = &mut command {
        *proved = true;
    }
    command
}

fn reset_code(issue: u64) -> otp::CodeIssued {
    otp::CodeIssued {
        purpose: otp::Purpose::Reset.into(),
        ..issued(issue)
    }
}

fn withheld(issue: u64) -> otp::CodeIssued {
    otp::CodeIssued {
        withheld: true,
        ..reset_code(issue)
    }
}

fn refused() -> otp::CodeRefused {
    otp::CodeRefused {
        purpose: otp::Purpose::Reset.into(),
    }
}

fn is_withheld(story: Story) -> bool {
    match story.when(reset(OTHER)).decided() {
        Some(CodeEvent::CodeIssued(issued)) => issued.withheld,
        other => panic!("{other:?}"),
    }
}

fn three() -> Story {
    given([reset_code(1), reset_code(2), reset_code(3)])
}

#[test]
fn the_fourth_mail_of_a_reset_within_an_hour_is_withheld() {
    three().when(reset(OTHER)).then(withheld(4));
    assert!(is_withheld(three().after(Duration::HOUR - A_MOMENT)));
    assert!(!is_withheld(three().after(Duration::HOUR)));
}

#[test]
fn the_seventh_mail_of_a_reset_within_a_day_is_withheld() {
    let six = three()
        .after(Duration::hours(2))
        .and(FLOW, [reset_code(4), reset_code(5), reset_code(6)]);
    assert!(is_withheld(six.clone().after(Duration::hours(22) - A_MOMENT)));
    assert!(!is_withheld(six.after(Duration::hours(22))));
}

#[test]
fn what_was_withheld_does_not_count() {
    let asked_on = three()
        .after(Duration::minutes(59))
        .and(OTHER, [withheld(4), withheld(5)]);
    let third = asked_on.after(Duration::minutes(1)).when(reset(OTHER));
    assert!(matches!(third.decided(), Some(CodeEvent::CodeIssued(issued)) if !issued.withheld));
}

#[test]
fn a_withheld_code_is_wrong_whatever_is_typed_and_owes_no_mail() {
    let story = || nothing().and(FLOW, [withheld(1)]);
    let wrong = otp::CodeRejected {
        purpose: otp::Purpose::Reset.into(),
        ..rejected(1, 4)
    };
    story().when(typed(FLOW, Finding::Right)).then(wrong);
    let claim = Command::ClaimMail {
        letter: Letter::Code(FLOW),
        about: Position(1),
        attempt: 1,
        until: start() + Duration::MINUTE,
    };
    story().when(claim).then_refused(Rejection::NotOwed);
}

#[test]
fn who_asks_for_another_code_is_told_that_it_is_too_many_and_one_refusal_a_minute_is_recorded() {
    three().when(reset(FLOW)).then(refused());
    let full = || three().and(FLOW, [refused()]);
    full()
        .after(Duration::MINUTE - A_MOMENT)
        .when(reset(FLOW))
        .then_refused(Rejection::TooMany);
    full().after(Duration::MINUTE).when(reset(FLOW)).then(refused());
}

/// Else strangers could close the way of an owner who knows the password, or whose browser is known.
#[test]
fn strangers_use_up_no_mail_of_who_is_none() {
    let code = otp::CodeIssued {
        proved: true,
        ..reset_code(4)
    };
    three().when(proved(reset(OTHER))).then(code.clone());
    let many = (0..9).fold(three(), |story, _| story.and(OTHER, [code.clone()]));
    assert_eq!(many.codes.resets_at.len(), 3);
}

/// Whoever keeps asking must not push the owner's code out.
#[test]
fn withheld_codes_leave_the_fold_first() {
    let mut story = three();
    for number in 10..40_u64 {
        story = story.and(FlowId(Uuid::from_u128(number.into())), [withheld(number)]);
    }
    let wrong = otp::CodeRejected {
        purpose: otp::Purpose::Reset.into(),
        ..rejected(3, 4)
    };
    story.when(typed(FLOW, Finding::Wrong)).then(wrong);
}

#[test]
fn resets_close_resets_and_never_a_sign_in() {
    three().when(issue(OTHER)).then(issued(4));
    assert!(!is_withheld(given((1..=9).map(issued))));
}

#[test]
fn a_new_code_has_all_its_tries() {
    given(four_wrong(1))
        .and(FLOW, [issued(2)])
        .when(typed(FLOW, Finding::Wrong))
        .then(rejected(2, 4));
}

#[test]
fn a_number_of_issue_that_nothing_follows_keeps_nobody_out() {
    given([issued(u64::MAX)]).when(issue(FLOW)).then(issued(u64::MAX));
}
