//! A real mail by a real client, seen by programs and by people.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::net::SocketAddr;

use lettre::message::header::ContentType;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Mailbox {
    smtp: SocketAddr,
    http: SocketAddr,
}

impl Mailbox {
    async fn start() -> Self {
        let smtp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mailbox = Self {
            smtp: smtp.local_addr().unwrap(),
            http: http.local_addr().unwrap(),
        };
        tokio::spawn(sekisho_mailbox::serve(smtp, http));
        mailbox
    }

    async fn send(&self, message: Message) {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(self.smtp.port())
            .build();
        transport.send(message).await.unwrap();
    }

    async fn request(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.request("GET", path).await;
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

fn message() -> Message {
    Message::builder()
        .from("GTOL <gtol@localhost>".parse().unwrap())
        .to("見本 <gantoroku@example.com>".parse().unwrap())
        .message_id(Some("<one@localhost>".to_owned()))
        .subject("アカウント電子メール確認コード")
        .header(ContentType::TEXT_PLAIN)
        .body("コード: 123456\n.\nこの行の前に点だけの行があります\n".to_owned())
        .unwrap()
}

#[tokio::test]
async fn a_mail_sent_by_smtp_is_listed_and_shown() {
    let mailbox = Mailbox::start().await;
    mailbox.send(message()).await;

    let list = mailbox.json("/api/v1/messages").await;
    assert_eq!(list["total"], 1);
    let summary = &list["messages"][0];
    assert_eq!(summary["Subject"], "アカウント電子メール確認コード");
    assert_eq!(summary["MessageID"], "one@localhost");
    assert_eq!(summary["To"][0]["Address"], "gantoroku@example.com");

    let id = summary["ID"].as_str().unwrap();
    let mail = mailbox.json(&format!("/api/v1/message/{id}")).await;
    assert_eq!(
        mail["Text"],
        "コード: 123456\n.\nこの行の前に点だけの行があります\n"
    );
    let page = mailbox.request("GET", &format!("/mails/{id}")).await;
    assert!(
        page.contains("アカウント電子メール確認コード") && page.contains("コード: 123456"),
        "{page}"
    );
}

#[tokio::test]
async fn the_text_of_a_mail_keeps_its_line_breaks() {
    let mailbox = Mailbox::start().await;
    let text = "\n一行目\n\n  三行目\n";
    let message = Message::builder()
        .from("gtol@localhost".parse().unwrap())
        .to("gantoroku@example.com".parse().unwrap())
        .header(ContentType::TEXT_PLAIN)
        .body(text.to_owned())
        .unwrap();
    mailbox.send(message).await;
    let page = mailbox.request("GET", "/mails/1").await;
    // A browser drops the line break that follows the tag at once.
    assert!(page.contains(&format!("<pre>\n{text}</pre>")), "{page}");
    assert!(page.contains("white-space: pre-wrap"), "{page}");
}

#[tokio::test]
async fn a_mail_that_is_not_there_is_a_page_in_the_same_frame() {
    let page = Mailbox::start().await.request("GET", "/mails/7").await;
    assert!(page.starts_with("HTTP/1.1 404"), "{page}");
    for part in ["text/html", "<header>", "メールが見つかりません", "一覧に戻る"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn two_copies_of_one_mail_are_two_mails_with_one_message_id() {
    let mailbox = Mailbox::start().await;
    mailbox.send(message()).await;
    mailbox.send(message()).await;
    let list = mailbox.json("/api/v1/messages").await;
    let ids: Vec<&Value> = list["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| &mail["MessageID"])
        .collect();
    assert_eq!(ids, ["one@localhost", "one@localhost"]);
    assert!(mailbox.request("GET", "/").await.contains("同じメールが2通"));
}

#[tokio::test]
async fn all_mails_can_be_thrown_away() {
    let mailbox = Mailbox::start().await;
    mailbox.send(message()).await;
    assert!(
        mailbox
            .request("DELETE", "/api/v1/messages")
            .await
            .ends_with("ok")
    );
    assert_eq!(mailbox.json("/api/v1/messages").await["total"], 0);
    assert!(
        mailbox
            .request("GET", "/api/v1/message/latest")
            .await
            .starts_with("HTTP/1.1 404")
    );
}

#[tokio::test]
async fn a_mail_of_a_stranger_cannot_put_markup_into_the_page() {
    let mailbox = Mailbox::start().await;
    let mut stream = TcpStream::connect(mailbox.smtp).await.unwrap();
    let talk = "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\
                Subject: <script>alert(1)</script>\r\n\r\n<b>x</b>\r\n.\r\nQUIT\r\n";
    stream.write_all(talk.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(
        answers.ends_with("250 2.0.0 Queued as 1\r\n221 2.0.0 Goodbye\r\n"),
        "{answers}"
    );
    let page = mailbox.request("GET", "/").await;
    assert!(!page.contains("<script>"), "{page}");
}
