use sekisho_eventlog::{EventId, FlowId, Position};
use sekisho_service::settings::Value as _;
use time::Duration;
use time::macros::datetime;
use uuid::Uuid;

use mailparse::MailHeaderMap as _;

use super::*;
use crate::code::read_typed;
use crate::worker::todo::{Content, Owed, OwedCode};

const SUBJECT: &str = "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード";

fn code(purpose: Purpose) -> OwedCode {
    OwedCode {
        flow: FlowId(Uuid::from_u128(2)),
        purpose,
        minted: Position(5),
        issue: 1,
        key_id: "k1".to_owned(),
        reference: "CFHJ".to_owned(),
    }
}

fn owed(content: Content) -> Owed {
    let recorded_at = datetime!(2026-03-02 01:23:45 UTC);
    Owed {
        event_id: EventId(Uuid::from_u128(0x1234)),
        content,
        ..Owed::sample(Position(7), recorded_at)
    }
}

fn letters() -> Letters {
    Letters::new(MailFrom::parse("gtol@localhost").unwrap(), SUBJECT.to_owned())
}

fn written(purpose: Purpose, address: &str) -> Result<Message, LetterError> {
    let digits = read_typed("012345").unwrap();
    let owed = owed(Content::Code(code(purpose)));
    letters().code(&owed, &code(purpose), &digits, &Secret::new(address.to_owned()))
}

fn notice(topic: Topic) -> Message {
    let address = Secret::new("gantoroku@example.com".to_owned());
    letters()
        .notice(&owed(Content::Notice(topic)), topic, &address)
        .unwrap()
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
fn a_notice_says_what_happened_and_when_and_what_to_do() {
    let topics = [
        (
            Topic::PasswordChanged,
            "パスワードが変更されました。サインイン中だった端末は",
        ),
        (Topic::Locked, "一時的に制限（ロック）しました。"),
        (Topic::Closed, "待ってもサインインできません。"),
        (Topic::NewDevice, "GTOLが覚えていないブラウザから"),
        (Topic::SignInCodeSpent, "正しいパスワードを入力した後の"),
        (Topic::ResetCodeSpent, "パスワードの再設定で、確認コードの入力が"),
        (Topic::EmailChanged, "変更前のメールアドレスに送っています"),
    ];
    for (topic, expected) in topics {
        let message = notice(topic).formatted();
        assert!(message.is_ascii());
        let mail = mailparse::parse_mail(&message).unwrap();
        let subject = mail.headers.get_first_value("Subject").unwrap();
        assert!(
            subject.starts_with("がん登録オンラインシステム（GTOL）："),
            "{subject}"
        );
        let text = mail.get_body().unwrap().replace("\r\n", "\n");
        for part in [expected, "日時：2026年3月2日 10時23分\n", "サポート担当者に"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        // Nothing to click on, and no code.
        assert!(!text.contains("http") && !text.contains("確認コード："), "{text}");
    }
}

#[test]
fn what_has_no_words_is_not_written() {
    let address = Secret::new("gantoroku@example.com".to_owned());
    let topic = Topic::Unspecified;
    let written = letters().notice(&owed(Content::Notice(topic)), topic, &address);
    assert_eq!(written.unwrap_err(), LetterError::Topic);
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
