//! Private NATS servers, and what each service may say and hear on the bus.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use sekisho_dev::Nats;

/// A client that knows just enough of the protocol: <https://docs.nats.io/reference/nats-protocol>.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(url: &str) -> Self {
        let (login, address) = url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut client = Self(BufReader::new(stream));
        assert!(client.line().starts_with("INFO "));
        client.say(&format!(
            "CONNECT {{\"user\":\"{user}\",\"pass\":\"{password}\",\"verbose\":false}}"
        ));
        client
    }

    fn say(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Whether the server takes a line without a complaint.
    fn is_allowed(&mut self, line: &str) -> bool {
        self.say(line);
        self.say("PING");
        let mut allowed = true;
        loop {
            match self.line().as_str() {
                "PONG" => return allowed,
                complaint if complaint.starts_with("-ERR 'Permissions Violation") => allowed = false,
                // What another test published meanwhile.
                _ => {}
            }
        }
    }

    fn may_publish(&mut self, subject: &str) -> bool {
        self.is_allowed(&format!("PUB {subject} 1\r\nx"))
    }

    fn may_subscribe(&mut self, subject: &str) -> bool {
        self.is_allowed(&format!("SUB {subject} 1"))
    }
}

const SUBJECTS: [&str; 5] = [
    "signin.account.password_accepted",
    "signin.client.client_throttled",
    "signin.code.code_issued",
    "signin.session.session_started",
    "signin.system.epoch_started",
];

fn allowed(test: impl FnMut(&&&str) -> bool) -> Vec<&'static str> {
    SUBJECTS.iter().filter(test).copied().collect()
}

#[test]
fn each_service_publishes_only_its_own_kinds() {
    let nats = Nats::shared().unwrap();
    let published = |user: &str| {
        let mut client = Client::connect(&nats.url(user));
        allowed(|subject| client.may_publish(subject))
    };
    assert_eq!(
        published("credentials"),
        [
            "signin.account.password_accepted",
            "signin.client.client_throttled"
        ]
    );
    assert_eq!(published("otp"), ["signin.code.code_issued"]);
    assert_eq!(published("sessions"), ["signin.session.session_started"]);
    assert!(published("audit").is_empty());
}

#[test]
fn each_service_hears_only_what_it_needs() {
    let nats = Nats::shared().unwrap();
    let heard = |user: &str| {
        let mut client = Client::connect(&nats.url(user));
        allowed(|subject| client.may_subscribe(subject))
    };
    assert_eq!(heard("credentials"), ["signin.account.password_accepted"]);
    assert_eq!(heard("otp"), ["signin.code.code_issued"]);
    assert_eq!(
        heard("sessions"),
        [
            "signin.account.password_accepted",
            "signin.code.code_issued",
            "signin.session.session_started"
        ]
    );
    assert_eq!(heard("audit"), SUBJECTS);
}

#[test]
fn only_otp_shares_its_messages_out() {
    let nats = Nats::shared().unwrap();
    let shares = |user: &str| {
        let mut client = Client::connect(&nats.url(user));
        client.is_allowed("SUB signin.code.code_issued otp-mail 1")
    };
    assert!(shares("otp"));
    for user in ["credentials", "sessions", "audit"] {
        assert!(!shares(user), "{user} could take a mail's message away");
    }
}

#[test]
fn nobody_hears_the_answers_to_another() {
    let nats = Nats::shared().unwrap();
    for user in ["credentials", "otp", "sessions", "audit"] {
        let mut client = Client::connect(&nats.url(user));
        assert!(client.may_subscribe(&format!("_INBOX.{user}.1")), "{user}");
        assert!(!client.may_subscribe("_INBOX.>"), "{user}");
        assert!(!client.may_subscribe(">"), "{user}");
    }
}

#[test]
fn a_stranger_is_refused() {
    let nats = Nats::shared().unwrap();
    let mut stranger = Client::connect(&nats.url("stranger"));
    assert!(stranger.line().contains("Authorization Violation"));
    let mut guesser = Client::connect(&format!("nats://otp:wrong@{}", nats.address()));
    assert!(guesser.line().contains("Authorization Violation"));
}

#[test]
fn a_killed_server_starts_again_where_it_was() {
    let nats = Nats::start().unwrap();
    let url = nats.url("otp");
    nats.kill().unwrap();
    assert!(TcpStream::connect(nats.address()).is_err());
    nats.restart().unwrap();
    assert!(Client::connect(&url).may_publish("signin.code.code_issued"));
}
