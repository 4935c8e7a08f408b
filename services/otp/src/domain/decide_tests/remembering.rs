//! What is remembered, and for how long.

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
            proved: false,
            ..issued(number)
        };
        story = story.and(FlowId(Uuid::from_u128(number.into())), [reset]);
    }
    assert!(story.codes.flow(FLOW).is_some());
    assert!(story.codes.flow(OTHER).is_none());
    assert_eq!(story.codes.flows.len(), 13);
}

#[test]
fn flows_that_are_settled_leave_before_those_that_can_still_be_typed_into() {
    let mut story = given([issued(1)]).and::<CodeEvent>(OTHER, [issued(2).into(), accepted(2, 2).into()]);
    for number in 3..=13 {
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
                proved: number.is_multiple_of(2),
                key_id: "k".repeat(MAX_KEY_ID),
                ..issued(number)
            };
            story = story.after(Duration::nanoseconds(999_999)).and(flow, [issued]);
        }
        let started = otp::MailStarted {
            about: story.position,
            attempt: 9,
            until: Some(to_timestamp(story.now)),
            topic: otp::Topic::Unspecified.into(),
        };
        // The second leaves the first in doubt.
        story = story.and(flow, [started, started]);
    }
    for flow in 0..60_u128 {
        story = story.and(FlowId(Uuid::from_u128(flow)), [otp::FlowCancelled {}]);
    }
    for proved in [false, true] {
        for (purpose, in_a_row) in [(otp::Purpose::SignIn, 49), (otp::Purpose::Reset, 49)] {
            let rejected = otp::CodeRejected {
                purpose: purpose.into(),
                proved,
                in_a_row,
                lock: Some(LOCK),
                ..rejected(number, 1)
            };
            story = story.and(FLOW, [rejected]);
        }
    }
    assert_eq!(story.codes.sent.len(), 20 + 6 + 6);
    for notice in 0..20 {
        let started = otp::MailStarted {
            about: u64::MAX - notice,
            attempt: 9,
            until: Some(to_timestamp(story.now)),
            topic: otp::Topic::Locked.into(),
        };
        story = story.of_no_flow(started).of_no_flow(started);
    }
    let carried = story.codes.carry();
    assert!(carried.len() < 7_500, "{} bytes", carried.len());
    assert_eq!(Codes::resume(&carried), Some(story.codes));
}
