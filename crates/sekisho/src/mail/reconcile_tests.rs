use super::super::sample::{START, Story, failed, issued, mailed, started};
use super::*;
use sekisho_proto::otp::v1::mail_failed::Class;

fn account(story: &Story) -> Account {
    Account::of(&story.mails, START + Duration::HOUR)
}

fn complaint(story: &Story) -> String {
    account(story).check().unwrap_err().to_string()
}

#[test]
fn every_code_is_counted_once_by_its_end() {
    let story = Story::default()
        .and(Some(1), issued())
        .and(Some(1), started(1, 1))
        .and(Some(1), mailed(1))
        .and(Some(2), issued())
        .and(Some(2), started(4, 1))
        .and(Some(2), failed(4, Class::Permanent, false));
    let account = account(&story);
    assert!(account.check().is_ok());
    let mut output = Vec::new();
    account.tell(&mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    let row = |label: &str| {
        let line = text.lines().find(|line| line.contains(label)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(row("発行した確認コード"), "2");
    assert_eq!(
        (row("  引き渡し済み"), row("  送信できず")),
        ("1".to_owned(), "1".to_owned())
    );
    assert_eq!(row("期限切れ"), "0");
}

#[test]
fn a_code_that_nobody_tried_to_mail_is_complained_of() {
    assert!(complaint(&Story::default().and(Some(1), issued())).contains("1件"));
    let tried = Story::default()
        .and(Some(1), issued())
        .and(Some(1), started(1, 1))
        .and(Some(1), failed(1, Class::Transient, true));
    assert!(account(&tried).check().is_ok());
}

#[test]
fn an_outcome_without_its_code_is_complained_of_unless_it_was_not_read() {
    let stray = |mails: Mails| {
        let mut story = Story::default();
        story.mails = mails;
        story.and(Some(1), mailed(7))
    };
    assert!(complaint(&stray(Mails::default())).contains("発行の記録がない"));
    assert!(account(&stray(Mails::after(7))).check().is_ok());
}
