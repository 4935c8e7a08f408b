use sekisho_proto::otp::v1::{CodeAccepted, CodeRejected};
use time::Duration;
use uuid::Builder;

use super::super::sample::{START, Story, failed, issued, mailed, started};
use super::*;

const A_MINUTE: Duration = Duration::MINUTE;

#[test]
fn a_mail_is_mailed_fails_or_is_under_way() {
    let one = || {
        Story::default()
            .and(Some(1), issued())
            .and(Some(1), started(1, 1))
    };
    assert_eq!(one().ends(A_MINUTE), [None]);
    assert_eq!(one().and(Some(1), mailed(1)).ends(A_MINUTE), [Some(End::Mailed)]);
    let gone = failed(1, Class::Permanent, false);
    assert_eq!(one().and(Some(1), gone).ends(A_MINUTE), [Some(End::Failed)]);
    let later = failed(1, Class::Transient, true);
    assert_eq!(one().and(Some(1), later).ends(A_MINUTE), [None]);
    assert_eq!(
        one().and(Some(1), later).ends(Duration::minutes(11)),
        [Some(End::Expired)]
    );
    let dead = failed(1, Class::Dead, false);
    assert_eq!(one().and(Some(1), dead).ends(A_MINUTE), [Some(End::Superseded)]);
}

#[test]
fn a_newer_code_and_the_end_of_a_flow_take_the_place_of_a_mail_that_was_not_mailed() {
    let one = || Story::default().and(Some(1), issued());
    let both = one().and(Some(1), issued());
    assert_eq!(both.ends(A_MINUTE), [Some(End::Superseded), None]);
    let mailed_before = one().and(Some(1), mailed(1)).and(Some(1), issued());
    assert_eq!(mailed_before.ends(A_MINUTE), [Some(End::Mailed), None]);
    let mailed_after = one().and(Some(1), issued()).and(Some(1), mailed(1));
    assert_eq!(mailed_after.ends(A_MINUTE), [Some(End::Mailed), None]);
    let other_flow = one().and(Some(2), issued());
    assert_eq!(other_flow.ends(A_MINUTE), [None, None]);
    let spent = CodeRejected::default();
    assert_eq!(one().and(Some(1), spent).ends(A_MINUTE), [Some(End::Superseded)]);
    let accepted = CodeAccepted::default();
    assert_eq!(
        one().and(Some(1), accepted).ends(A_MINUTE),
        [Some(End::Superseded)]
    );
}

#[test]
fn what_nobody_was_to_get_is_withheld() {
    let withheld = CodeIssued {
        withheld: true,
        ..issued()
    };
    let mut story = Story::default().and(Some(1), withheld);
    let phantom = Builder::from_custom_bytes([7; 16]).into_uuid();
    story.fold(phantom, Some(2), &issued().into());
    assert_eq!(story.ends(Duration::DAY), [Some(End::Withheld); 2]);
}

#[test]
fn a_notice_is_known_from_its_first_claim_and_older_mails_not_at_all() {
    let notice = MailStarted {
        topic: Topic::Locked.into(),
        ..started(70, 1)
    };
    let story = Story::default()
        .and(None, notice)
        .and(None, failed(70, Class::Transient, true))
        .and(Some(5), mailed(3));
    let mails = story.mails.at(START + A_MINUTE);
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].brings, mails[0].steps.len(), mails[0].end),
        (Brings::Notice(Topic::Locked), 2, None)
    );
}
