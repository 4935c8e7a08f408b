use sekisho_eventlog::Carry;
use sekisho_eventlog::{FlowId, Fold, Position};
use sekisho_proto::events::CodeEvent;
use sekisho_proto::otp::v1 as otp;
use sekisho_proto::otp::v1::mail_failed::Class;
use sekisho_proto::to_timestamp;
use time::Duration;
use uuid::Uuid;

use super::sample::*;
use super::*;

const TEN_MINUTES: Duration = Duration::minutes(10);
const A_MOMENT: Duration = Duration::microseconds(1);

mod issuing {
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
            flow: FLOW,
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
}

mod typing {
    use super::*;

    #[test]
    fn the_right_code_is_accepted() {
        given([issued(1)])
            .when(typed(FLOW, Finding::Right))
            .then_before(accepted(1, 1), start() + TEN_MINUTES);
    }

    #[test]
    fn a_wrong_code_leaves_one_try_less() {
        given([issued(1)])
            .when(typed(FLOW, Finding::Wrong))
            .then_before(rejected(1, 4), start() + TEN_MINUTES);
    }

    #[test]
    fn a_replaced_code_is_told_apart_and_counted() {
        let event = otp::CodeRejected {
            replaced: true,
            ..rejected(2, 4)
        };
        given([issued(1), issued(2)])
            .when(typed(FLOW, Finding::Replaced))
            .then(event);
    }

    #[test]
    fn a_code_is_refused_after_five_wrong_guesses() {
        given(four_wrong(1))
            .when(typed(FLOW, Finding::Right))
            .then(accepted(1, 1));
        given(four_wrong(1))
            .and(FLOW, [rejected(1, 0)])
            .when(typed(FLOW, Finding::Right))
            .then_refused(Rejection::Spent);
    }

    #[test]
    fn a_code_expires_after_ten_minutes_and_then_nothing_is_counted() {
        given([issued(1)])
            .after(TEN_MINUTES)
            .when(typed(FLOW, Finding::Right))
            .then(accepted(1, 1));
        for finding in [Finding::Right, Finding::Wrong, Finding::Replaced] {
            given([issued(1)])
                .after(TEN_MINUTES + A_MOMENT)
                .when(typed(FLOW, finding))
                .then_refused(Rejection::Expired);
        }
    }

    #[test]
    fn a_verified_flow_stays_verified() {
        for finding in [Finding::Right, Finding::Wrong] {
            given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
                .after(TEN_MINUTES + A_MOMENT)
                .when(typed(FLOW, finding))
                .then_nothing();
        }
    }

    #[test]
    fn without_a_code_there_is_nothing_to_compare() {
        nothing()
            .and(OTHER, [issued(1)])
            .when(typed(FLOW, Finding::NothingToCompare))
            .then_refused(Rejection::NoLiveCode);
    }

    #[test]
    fn refusals_come_in_one_order() {
        let cancelled = given::<CodeEvent>([
            issued(1).into(),
            accepted(1, 1).into(),
            otp::FlowCancelled {}.into(),
        ]);
        cancelled
            .after(TEN_MINUTES + A_MOMENT)
            .when(typed(FLOW, Finding::Right))
            .then_refused(Rejection::Cancelled);
        let spent = given(four_wrong(1)).and(FLOW, [rejected(1, 0)]);
        spent
            .clone()
            .when(typed(FLOW, Finding::Right))
            .then_refused(Rejection::Spent);
        spent
            .after(TEN_MINUTES + A_MOMENT)
            .when(typed(FLOW, Finding::Right))
            .then_refused(Rejection::Expired);
    }
}

mod cancelling {
    use super::*;

    #[test]
    fn a_flow_can_be_given_up_at_any_stage() {
        let cancel = Command::Cancel { flow: FLOW };
        nothing().when(cancel.clone()).then(otp::FlowCancelled {});
        given([issued(1)])
            .when(cancel.clone())
            .then(otp::FlowCancelled {});
        given::<CodeEvent>([issued(1).into(), accepted(1, 1).into()])
            .when(cancel)
            .then(otp::FlowCancelled {});
    }

    #[test]
    fn giving_up_twice_is_once() {
        given([otp::FlowCancelled {}])
            .when(Command::Cancel { flow: FLOW })
            .then_nothing();
    }
}

mod mailing {
    use super::*;

    fn claim(attempt: u32) -> Command {
        Command::ClaimMail {
            flow: FLOW,
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
            flow: FLOW,
            about: Position(1),
            attempt,
            class,
            reply: 0,
        }
    }

    fn record_mailed(attempt: u32) -> Command {
        Command::RecordMailed {
            flow: FLOW,
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
        given([issued(1)]).when(claim(2)).then_refused(Rejection::Held);
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
            .then_refused(Rejection::Held);
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
                .may_hand_over(FLOW, Position(1), attempt, start() + at)
        };
        let soon = Duration::seconds(30);
        let late = Duration::minutes(2);
        let over = Err(NoHandOver::ClaimOver);
        let dead = Err(NoHandOver::CodeDead);
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
}

mod remembering {
    use super::*;

    #[test]
    fn a_flow_leaves_an_hour_after_its_last_code_died() {
        let hour = TEN_MINUTES + Duration::hours(1);
        let kept = given([issued(1)]).after(hour).and(OTHER, [issued(2)]);
        assert!(kept.codes.flow(FLOW).is_some());
        let left = given([issued(1)]).after(hour + A_MOMENT).and(OTHER, [issued(2)]);
        assert!(left.codes.flow(FLOW).is_none());
        assert_eq!(left.codes.issued, 2);
    }

    #[test]
    fn a_flood_of_resets_pushes_out_resets_and_no_sign_in() {
        let mut story = given([issued(1)]);
        for number in 2..60 {
            let reset = otp::CodeIssued {
                purpose: otp::Purpose::Reset.into(),
                ..issued(number)
            };
            story = story.and(FlowId(Uuid::from_u128(number.into())), [reset]);
        }
        assert!(story.codes.flow(FLOW).is_some());
        assert!(story.codes.flow(OTHER).is_none());
        assert_eq!(story.codes.flows.len(), 17);
    }

    #[test]
    fn flows_that_are_settled_leave_before_those_that_can_still_be_typed_into() {
        let mut story = given([issued(1)]).and::<CodeEvent>(OTHER, [issued(2).into(), accepted(2, 2).into()]);
        for number in 3..=17 {
            story = story.and(FlowId(Uuid::from_u128(number.into())), [issued(number)]);
        }
        assert!(story.codes.flow(FLOW).is_some());
        assert!(story.codes.flow(OTHER).is_none());
    }

    #[test]
    fn the_largest_state_fits_into_an_entry() {
        let mut story = nothing();
        let mut number = u64::from(u32::MAX);
        story.position = 1 << 47;
        for flow in 0..60_u128 {
            let purpose = [otp::Purpose::SignIn, otp::Purpose::Reset][usize::from(flow % 2 == 0)];
            let flow = FlowId(Uuid::from_u128(u128::MAX - flow));
            for _ in 0..10 {
                number += 1;
                let issued = otp::CodeIssued {
                    purpose: purpose.into(),
                    key_id: "k".repeat(MAX_KEY_ID),
                    ..issued(number)
                };
                story = story.after(Duration::nanoseconds(999_999)).and(flow, [issued]);
            }
            let started = otp::MailStarted {
                about: story.position,
                attempt: 9,
                until: Some(to_timestamp(story.now)),
            };
            // The second leaves the first in doubt.
            story = story.and(flow, [started, started]);
        }
        for flow in 0..60_u128 {
            story = story.and(FlowId(Uuid::from_u128(flow)), [otp::FlowCancelled {}]);
        }
        let carried = story.codes.carry();
        assert!(carried.len() < 7_500, "{} bytes", carried.len());
        assert_eq!(Codes::resume(&carried), Some(story.codes));
    }
}

#[test]
fn a_number_of_issue_that_nothing_follows_keeps_nobody_out() {
    given([issued(u64::MAX)]).when(issue(FLOW)).then(issued(u64::MAX));
}
