//! How many codes are mailed, and how fast.

use super::*;

fn issued_now(story: &Story, issue: u64) -> otp::CodeIssued {
    issued_at(issue, story.now)
}

/// So many codes of a flow, a minute apart; the last one a minute ago.
fn a_minute_apart(story: Story, flow: FlowId, issues: std::ops::RangeInclusive<u64>) -> Story {
    issues.fold(story, |story, number| {
        let code = issued_now(&story, number);
        story.and(flow, [code]).after(RESEND_WAIT)
    })
}

fn flow(number: u128) -> FlowId {
    FlowId(Uuid::from_u128(number))
}

fn may_have_one(story: Story, flow: FlowId) -> bool {
    let command = match issue(flow) {
        Command::Issue {
            subject,
            evidence,
            again,
            key_id,
            reference,
            ..
        } => Command::Issue {
            subject,
            evidence,
            again,
            key_id,
            reference,
            not_after: start() + Duration::days(9),
        },
        other => other,
    };
    matches!(
        story.when(command).decided(),
        Some(CodeEvent::CodeIssued(issued)) if !issued.withheld
    )
}

#[test]
fn a_flow_waits_a_minute_for_another_code_and_others_do_not() {
    let story = || given([issued(1)]).after(RESEND_WAIT - A_MOMENT);
    story().when(issue(FLOW)).then_refused(Rejection::TooSoon);
    assert_eq!(
        story().codes.resend_at(FLOW, story().now),
        Some(start() + RESEND_WAIT)
    );
    assert!(may_have_one(story(), OTHER));
    let later = story().after(A_MOMENT);
    assert_eq!(later.codes.resend_at(FLOW, later.now), None);
    assert!(may_have_one(later, FLOW));
}

#[test]
fn the_sixth_code_of_a_sign_in_is_too_many() {
    let five = || a_minute_apart(nothing(), FLOW, 1..=5);
    let refused = otp::CodeRefused {
        purpose: otp::Purpose::SignIn.into(),
    };
    five().when(issue(FLOW)).then(refused);
    assert!(may_have_one(five(), OTHER));
    assert!(may_have_one(a_minute_apart(nothing(), FLOW, 1..=4), FLOW));
}

#[test]
fn the_eleventh_code_within_an_hour_is_too_many() {
    let ten = || a_minute_apart(a_minute_apart(nothing(), flow(10), 1..=5), flow(11), 6..=10);
    assert!(!may_have_one(ten(), OTHER));
    let hour_later = ten().after(Duration::minutes(50));
    assert!(!may_have_one(hour_later.clone().after(-A_MOMENT), OTHER));
    assert!(may_have_one(hour_later, OTHER));
}

#[test]
fn the_twenty_first_code_within_a_day_is_too_many() {
    let twenty = (0..5_u128).fold(nothing(), |story, number| {
        let first = u64::try_from(number).unwrap() * 4 + 1;
        a_minute_apart(story, flow(10 + number), first..=first + 3).after(Duration::hours(2))
    });
    assert!(!may_have_one(twenty.clone(), OTHER));
    let until = start() + Duration::DAY - twenty.now;
    assert!(!may_have_one(twenty.clone().after(until - A_MOMENT), OTHER));
    assert!(may_have_one(twenty.after(until), OTHER));
}

fn failed(about: u64, class: Class, will_retry: bool) -> otp::MailFailed {
    otp::MailFailed {
        about,
        attempt: 1,
        class: class.into(),
        reply: 0,
        will_retry,
    }
}

#[test]
fn a_mail_that_has_failed_does_not_count() {
    let five = || a_minute_apart(nothing(), FLOW, 1..=5);
    assert!(may_have_one(
        five().and(FLOW, [failed(5, Class::Permanent, false)]),
        FLOW
    ));
    for counts in [
        failed(5, Class::Unreachable, true),
        failed(5, Class::InDoubt, false),
        failed(6, Class::Permanent, false),
    ] {
        assert!(!may_have_one(five().and(FLOW, [counts]), FLOW));
    }
    // The relay may have taken the letter of the first attempt, whatever it says of the second.
    let in_doubt = [
        failed(5, Class::InDoubt, true),
        failed(5, Class::Permanent, false),
    ];
    assert!(!may_have_one(five().and(FLOW, in_doubt), FLOW));
    // Nor does it buy a second one.
    let twice = five().and(
        FLOW,
        [
            failed(5, Class::Permanent, false),
            failed(5, Class::Permanent, false),
        ],
    );
    let issued = issued_now(&twice, 6);
    assert!(!may_have_one(twice.and(FLOW, [issued]).after(RESEND_WAIT), FLOW));
}

/// Whoever keeps pressing the button while the relay refuses: one mail a minute is tried.
#[test]
fn after_a_mail_that_has_failed_one_waits_as_well() {
    given::<CodeEvent>([issued(1).into(), failed(1, Class::Permanent, false).into()])
        .when(issue(FLOW))
        .then_refused(Rejection::TooSoon);
}

fn reset(flow: FlowId, proved: bool, again: bool) -> Command {
    Command::Issue {
        subject: of_reset(flow, proved),
        evidence: Position(100),
        again,
        key_id: "k1".to_owned(),
        reference: "CFHJ".to_owned(),
        not_after: start() + Duration::days(3),
    }
}

fn reset_code(issue: u64) -> otp::CodeIssued {
    otp::CodeIssued {
        purpose: otp::Purpose::Reset.into(),
        proved: false,
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
    match story.when(reset(OTHER, false, false)).decided() {
        Some(CodeEvent::CodeIssued(issued)) => issued.withheld,
        other => panic!("{other:?}"),
    }
}

/// Of strangers' resets, all at once.
fn three() -> Story {
    given([reset_code(1), reset_code(2), reset_code(3)])
}

#[test]
fn the_fourth_mail_of_a_reset_within_an_hour_is_withheld() {
    three().when(reset(OTHER, false, false)).then(withheld(4));
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
    let third = asked_on.after(Duration::minutes(1));
    assert!(!is_withheld(third));
}

/// What became of its mail must not be told, not even by what may be asked for next.
#[test]
fn a_mail_of_a_reset_counts_though_it_has_failed() {
    let failed = [1, 2, 3].map(|about| failed(about, Class::NoAddress, false));
    assert!(is_withheld(three().and(FLOW, failed)));
}

#[test]
fn a_withheld_code_is_wrong_whatever_is_typed_and_owes_no_mail() {
    let story = || nothing().and(FLOW, [withheld(1)]);
    let wrong = otp::CodeRejected {
        purpose: otp::Purpose::Reset.into(),
        proved: false,
        in_a_row: 0,
        ..rejected(1, 4)
    };
    let right = Command::Verify {
        subject: of_reset(FLOW, false),
        finding: Finding::Right,
    };
    story().when(right).then(wrong);
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
    let again = || reset(FLOW, false, true);
    let asking = || three().after(RESEND_WAIT);
    asking().when(again()).then(refused());
    let full = || asking().and(FLOW, [refused()]);
    full()
        .after(Duration::MINUTE - A_MOMENT)
        .when(again())
        .then_refused(Rejection::TooMany);
    full().after(Duration::MINUTE).when(again()).then(refused());
}

/// Else strangers could close the way of an owner who knows the password, or whose browser is known.
#[test]
fn strangers_use_up_no_mail_of_who_is_none() {
    let code = otp::CodeIssued {
        proved: true,
        ..reset_code(4)
    };
    three().when(reset(OTHER, true, false)).then(code.clone());
    let many = (0..9).fold(nothing(), |story, _| story.and(flow(20), [code.clone()]));
    assert!(!is_withheld(many));
}

/// Else it would show at a shared terminal who has signed in there.
#[test]
fn no_more_is_mailed_to_who_is_no_stranger() {
    let code = |issue| otp::CodeIssued {
        proved: true,
        ..reset_code(issue)
    };
    let story = given([code(1), code(2), code(3)]);
    let fourth = story.when(reset(OTHER, true, false)).decided();
    assert!(matches!(fourth, Some(CodeEvent::CodeIssued(issued)) if issued.withheld));
}

/// Strangers may have used up the owner's mails; whoever was called back gets them anew. A sign-in has its limits all the same.
#[test]
fn a_pardon_frees_the_mails_of_resets() {
    let asked = |pardon| {
        let mut command = reset(OTHER, false, false);
        if let Command::Issue { subject, .. } = &mut command {
            subject.pardon = Position(pardon);
        }
        match three().when(command).decided() {
            Some(CodeEvent::CodeIssued(issued)) => issued.withheld,
            other => panic!("{other:?}"),
        }
    };
    assert!(!asked(3) && !asked(1));
    assert!(asked(0));
    let ten = a_minute_apart(a_minute_apart(nothing(), flow(10), 1..=5), flow(11), 6..=10);
    let pardoned = Subject {
        pardon: Position(10),
        ..subject(OTHER)
    };
    assert_eq!(ten.codes.pace(pardoned, ten.now), Pace::TooMany);
}

/// Whoever keeps asking must not push the owner's code out.
#[test]
fn withheld_codes_leave_the_fold_first() {
    let mut story = three();
    for number in 10..40_u64 {
        story = story.and(flow(number.into()), [withheld(number)]);
    }
    let wrong = otp::CodeRejected {
        purpose: otp::Purpose::Reset.into(),
        proved: false,
        ..rejected(3, 4)
    };
    let typed = Command::Verify {
        subject: of_reset(FLOW, false),
        finding: Finding::Wrong,
    };
    story.when(typed).then(wrong);
}

#[test]
fn resets_close_resets_and_never_a_sign_in() {
    three().when(issue(OTHER)).then(issued(4));
    assert!(!is_withheld(given((1..=9).map(issued))));
}
