use sekisho_eventlog::{EventId, FlowId, Position, StreamId};
use sekisho_service::settings::Value as _;
use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::code::{Owner, read_typed};
use crate::domain::CODE_LIFE;
use crate::worker::todo::Owed;

const SUBJECT: &str = "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード";

fn owed(purpose: Purpose) -> Owed {
    let issued_at = datetime!(2026-03-02 01:23:45 UTC);
    Owed {
        event_id: EventId(Uuid::from_u128(0x1234)),
        owner: Owner {
            account: StreamId(Uuid::from_u128(1)),
            flow: FlowId(Uuid::from_u128(2)),
            purpose,
        },
        reference: "CFHJ".to_owned(),
        expires_at: issued_at + CODE_LIFE,
        ..Owed::sample(Position(7), issued_at)
    }
}

fn written(purpose: Purpose, address: &str) -> Result<Message, LetterError> {
    let letters = Letters::new(MailFrom::parse("gtol@localhost").unwrap(), SUBJECT.to_owned());
    let code = read_typed("012345").unwrap();
    letters.write(&owed(purpose), &code, &Secret::new(address.to_owned()))
}

fn text_of(purpose: Purpose) -> String {
    let message = written(purpose, "gantoroku@example.com").unwrap().formatted();
    mailparse::parse_mail(&message)
        .unwrap()
        .get_body()
        .unwrap()
        .replace("\r\n", "\n")
}

#[test]
fn the_mail_of_a_sign_in_says_what_screens_say() {
    let expected = "\
がん登録オンラインシステム（GTOL）のサインインに使う確認コードをお送りします。

確認コード：012345
照合番号：CFHJ（画面に表示されている照合番号と同じことを確認してください）

画面の「確認コード」欄に入力してください。
送信日時：2026年3月2日 10時23分
有効期限：2026年3月2日 10時33分（送信から10分間、1回限り）

このコードを他の人に教えないでください。職員がコードをお尋ねすることはありません。
お心当たりがない場合は、パスワードが他の人に知られているおそれがあります。
サインインページの「パスワードを忘れた場合」から、パスワードを再設定してください。
";
    assert_eq!(text_of(Purpose::SignIn), expected);
}

#[test]
fn the_mail_of_a_reset_alarms_nobody() {
    let text = text_of(Purpose::Reset);
    assert!(text.starts_with(
        "がん登録オンラインシステム（GTOL）のパスワード再設定に使う確認コードをお送りします。\n"
    ));
    assert!(text.contains("確認コード：012345\n"));
    assert!(
        text.ends_with(
            "お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。\n"
        )
    );
}

#[test]
fn the_headers_are_exact_and_the_same_at_every_attempt() {
    let message = written(Purpose::SignIn, "gantoroku@example.com")
        .unwrap()
        .formatted();
    assert!(message.is_ascii());
    let mail = mailparse::parse_mail(&message).unwrap();
    let header = |name: &str| {
        let found = mail
            .headers
            .iter()
            .find(|header| header.get_key().eq_ignore_ascii_case(name));
        found.map(mailparse::MailHeader::get_value).unwrap_or_default()
    };
    assert_eq!(header("Subject"), SUBJECT);
    assert_eq!(header("From"), "gtol@localhost");
    assert_eq!(header("To"), "gantoroku@example.com");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Content-Language"), "ja");
    assert_eq!(
        header("Message-ID"),
        "<00000000-0000-0000-0000-000000001234@localhost>"
    );
    assert_eq!(header("Content-Type"), "text/plain; charset=utf-8");
    assert_eq!(header("Date"), "Mon, 02 Mar 2026 01:23:45 +0000");
    assert_eq!(
        message,
        written(Purpose::SignIn, "gantoroku@example.com")
            .unwrap()
            .formatted()
    );
}

#[test]
fn an_address_adds_no_header() {
    for address in [
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "<a@example.com>",
        "",
    ] {
        assert_eq!(
            written(Purpose::SignIn, address).unwrap_err(),
            LetterError::Address,
            "{address:?}"
        );
    }
}

#[test]
fn a_moment_is_told_in_japan() {
    let at = datetime!(2026-12-31 15:05:00 UTC);
    assert_eq!(moment(at), "2027年1月1日 0時05分");
    assert_eq!(moment(at + Duration::hours(10)), "2027年1月1日 10時05分");
}
