use mailparse::{MailHeaderMap as _, ParsedMail};
use sekisho_proto::otp::v1::{Purpose, Topic};
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::content::Code;

const SUBJECT: &str = "国立がん研究センター（GTOL B2C production）アカウントの電子メール確認コード";
const AT: OffsetDateTime = datetime!(2026-03-02 01:23:45 UTC);
const BOTH: [Charset; 2] = [Charset::Utf8, Charset::Iso2022Jp];
const TOPICS: [Topic; 10] = [
    Topic::PasswordChanged,
    Topic::Locked,
    Topic::Closed,
    Topic::NewDevice,
    Topic::SignInCodeSpent,
    Topic::ResetCodeSpent,
    Topic::SignInCodesClosed,
    Topic::ResetCodesClosed,
    Topic::EmailChanged,
    Topic::FederatedIdentityLinked,
];

fn code(purpose: Purpose) -> Content<'static> {
    Content::Code(Code {
        purpose,
        digits: "012345",
        reference: "CFHJ",
        expires_at: AT + Duration::minutes(10),
    })
}

fn written(content: Content<'_>, charset: Charset, address: &str) -> Result<Vec<u8>, LetterError> {
    let from = MailFrom::parse("gtol@localhost").unwrap();
    let letter = Letter {
        id: Uuid::from_u128(0x1234),
        at: AT,
        content,
    };
    let letters = Letters::new(from, SUBJECT.to_owned(), charset);
    let message = letters.write(letter, &Secret::new(address.to_owned()))?;
    Ok(message.formatted())
}

fn mail(content: Content<'_>, charset: Charset) -> Vec<u8> {
    written(content, charset, "gantoroku@example.com").unwrap()
}

/// Plain text and HTML.
fn parts(mail: &ParsedMail<'_>) -> [String; 2] {
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let [plain, html] = &mail.subparts[..] else {
        panic!("{} parts", mail.subparts.len())
    };
    assert_eq!(
        (plain.ctype.mimetype.as_str(), html.ctype.mimetype.as_str()),
        ("text/plain", "text/html")
    );
    [plain, html].map(|part| part.get_body().unwrap().replace("\r\n", "\n"))
}

fn text_of(purpose: Purpose, charset: Charset) -> String {
    let bytes = mail(code(purpose), charset);
    let [text, _] = parts(&mailparse::parse_mail(&bytes).unwrap());
    text
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
    for charset in BOTH {
        assert_eq!(text_of(Purpose::SignIn, charset), expected);
    }
}

#[test]
fn the_mail_of_a_reset_alarms_nobody() {
    let text = text_of(Purpose::Reset, Charset::Utf8);
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

/// C-45: whoever filters by the subject, in whatever charset, finds it.
#[test]
fn the_headers_are_exact_and_the_same_at_every_attempt() {
    for charset in BOTH {
        let bytes = mail(code(Purpose::SignIn), charset);
        assert!(bytes.is_ascii());
        let parsed = mailparse::parse_mail(&bytes).unwrap();
        let header = |name: &str| parsed.headers.get_first_value(name).unwrap_or_default();
        assert_eq!(header("Subject"), SUBJECT);
        assert_eq!(header("From"), "gtol@localhost");
        assert_eq!(header("To"), "gantoroku@example.com");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        assert_eq!(header("Content-Language"), "ja");
        assert_eq!(
            header("Message-ID"),
            "<00000000-0000-0000-0000-000000001234@localhost>"
        );
        assert_eq!(header("Date"), "Mon, 02 Mar 2026 01:23:45 +0000");
        assert_eq!(parsed.subparts[0].ctype.charset, charset.name());
        let raw = String::from_utf8(bytes.clone()).unwrap();
        assert!(raw.lines().all(|line| line.len() <= 998), "{raw}");
        assert!(raw.contains(&format!("=?{}?", charset.name())) || raw.contains("=?ISO-2022-JP?"));
        assert_eq!(bytes, mail(code(Purpose::SignIn), charset));
    }
}

/// RFC 2047, 2 and RFC 1468: at most 75 characters, and back in ASCII at the end.
#[test]
fn encoded_words_are_short_and_whole() {
    use base64::Engine as _;
    let raw = String::from_utf8(mail(code(Purpose::SignIn), Charset::Iso2022Jp)).unwrap();
    let (_, after) = raw.split_once("Subject: ").unwrap();
    let mut words = 0;
    for line in after.lines() {
        let word = line.trim();
        let Some(text) = word.strip_prefix("=?ISO-2022-JP?B?") else {
            break;
        };
        assert!(word.len() <= 75, "{word}");
        let text = text.strip_suffix("?=").unwrap();
        let bytes = base64::prelude::BASE64_STANDARD.decode(text).unwrap();
        let last = bytes.windows(3).rfind(|window| window[0] == 0x1b);
        assert!(last.is_none_or(|escape| escape == b"\x1b(B"), "{word}");
        words += 1;
    }
    assert!(words > 1, "{raw}");
}

#[test]
fn a_notice_says_what_happened_and_when_and_what_to_do() {
    for topic in TOPICS {
        for charset in BOTH {
            let bytes = mail(Content::Notice(topic), charset);
            assert!(bytes.is_ascii());
            let parsed = mailparse::parse_mail(&bytes).unwrap();
            let subject = parsed.headers.get_first_value("Subject").unwrap();
            assert!(
                subject.starts_with("がん登録オンラインシステム（GTOL）：") && subject.contains("お知らせ"),
                "{subject}"
            );
            let [text, _] = parts(&parsed);
            for part in [
                "からのお知らせです。\n",
                "\n日時：2026年3月2日 10時23分\n",
                "サポート担当者に",
                "返信できません。\n",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
            assert!(!text.contains("\n\n\n"), "{text}");
            assert!(!text.contains("確認コード："), "{text}");
        }
    }
}

#[test]
fn each_notice_is_another_one() {
    let texts = TOPICS.map(|topic| Content::Notice(topic).written(AT).unwrap());
    for (place, one) in texts.iter().enumerate() {
        for other in &texts[place + 1..] {
            assert!(one.text != other.text && one.subject != other.subject, "{one:?}");
        }
    }
}

/// C-46. Nothing to click on, nothing that is loaded, and the same words.
#[test]
fn the_html_says_the_same_and_loads_nothing() {
    let contents = TOPICS.map(Content::Notice);
    for content in contents
        .into_iter()
        .chain([code(Purpose::SignIn), code(Purpose::Reset)])
    {
        let bytes = mail(content, Charset::Utf8);
        let [text, html] = parts(&mailparse::parse_mail(&bytes).unwrap());
        for forbidden in ["http", "href", "src", "url(", "<script", "<style", "<a "] {
            assert!(
                !html.contains(forbidden) && !text.contains(forbidden),
                "{forbidden}"
            );
        }
        let mut words = html.split_once("<body>").unwrap().1.to_owned();
        for tag in [
            "<p>",
            "</p>",
            "<br>",
            "<strong>",
            "</strong>",
            "</body>",
            "</html>",
        ] {
            words = words.replace(tag, "");
        }
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        assert_eq!(lines(&words), lines(&text));
    }
}

#[test]
fn what_has_no_words_is_not_written() {
    let written = written(
        Content::Notice(Topic::Unspecified),
        Charset::Utf8,
        "a@example.com",
    );
    assert_eq!(written.unwrap_err(), LetterError::Topic);
}

#[test]
fn a_character_that_the_charset_lacks_is_a_mistake_and_no_question_mark() {
    let letters = Letters::new(
        MailFrom::parse("gtol@localhost").unwrap(),
        "𠮷".to_owned(),
        Charset::Iso2022Jp,
    );
    let letter = Letter {
        id: Uuid::nil(),
        at: AT,
        content: code(Purpose::SignIn),
    };
    let written = letters.write(letter, &Secret::new("a@example.com".to_owned()));
    assert_eq!(written.unwrap_err(), LetterError::Charset);
}

#[test]
fn an_address_adds_no_header() {
    for address in [
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "<a@example.com>",
        "",
    ] {
        let written = written(code(Purpose::SignIn), Charset::Utf8, address);
        assert_eq!(written.unwrap_err(), LetterError::Address, "{address:?}");
    }
}

#[test]
fn a_code_is_never_printed() {
    assert_eq!(format!("{:?}", code(Purpose::Reset)), "Code(Reset)");
}
