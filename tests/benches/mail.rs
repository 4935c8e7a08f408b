//! `cargo dev bench mail`

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use lettre::Message;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::{Page, Visitor};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpStream;

use crate::accounts::{PASSWORD, register};
use crate::figures::{Latencies, ms, table};
use crate::machine;

/// Bytes of a letter that the relay alone gets: about as many as one with a code.
const LETTER: usize = 4_000;
/// How long the last letters may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// People who click, each once; the mailbox keeps 500 letters
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=500))]
    letters: u32,
    /// Clicks a second, evenly
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    a_second: u32,
}

/// Somebody with the right password, before the click.
struct Person {
    visitor: Visitor,
    page: Page,
    address: String,
}

/// A click that was answered.
struct Click {
    address: String,
    at: OffsetDateTime,
    answered: Duration,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "bench".to_owned(),
        accounts: false,
        ..StackOptions::default()
    })?;
    machine::print(stack.directory())?;
    let relay = relay_alone(stack.smtp_address(), options.letters)?;
    let logins = register(&stack, usize::try_from(options.letters)?)?;
    let mut people = Vec::new();
    for login in &logins {
        people.push(Person::arrive(&stack, login)?);
    }
    let clicks = click(people, Duration::from_secs(1) / options.a_second)?;
    let arrivals = arrivals(&stack.mailbox_url(), clicks.len())?;
    let handed_over = handed_over(&clicks, &arrivals)?;
    let answered = Latencies::new(clicks.iter().map(|click| click.answered).collect());
    println!(
        "\n{} people click on 確認コードを送信, {} a second:\n",
        clicks.len(),
        options.a_second
    );
    table([
        ("a letter to the relay, with nothing else to do", &relay),
        ("from the click until the relay has the letter", &handed_over),
        ("from the click until its page", &answered),
    ]);
    println!(
        "\nBeyond the relay's own time: p50 {}, p99 {}",
        ms(handed_over.p50().saturating_sub(relay.p50())),
        ms(handed_over.p99().saturating_sub(relay.p50())),
    );
    Ok(())
}

/// What a letter takes on a connection that is kept.
fn relay_alone(relay: SocketAddr, number: u32) -> Result<Latencies> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(letters(relay, number))
}

async fn letters(relay: SocketAddr, number: u32) -> Result<Latencies> {
    let hello = ClientId::Domain("localhost".to_owned());
    let stream = TcpStream::connect(relay).await?;
    // As the service does: else each letter waits 40 ms for an acknowledgement between two small writes.
    stream.set_nodelay(true)?;
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?;
    let letter = Message::builder()
        .from("gtol@localhost".parse()?)
        .to("alone@example.com".parse()?)
        .body("0123456789\r\n".repeat(LETTER / 12))?;
    let bytes = letter.formatted();
    let mut times = Vec::new();
    for _ in 0..number {
        let begun = Instant::now();
        connection.send(letter.envelope(), &bytes).await?;
        times.push(begun.elapsed());
    }
    connection.quit().await?;
    Ok(Latencies::new(times))
}

impl Person {
    fn arrive(stack: &Stack, login: &str) -> Result<Self> {
        let mut visitor = Visitor::new(&stack.portal_url());
        let page = visitor.get("/signin")?;
        let fields = [("user_id", login), ("password", PASSWORD)];
        let page = visitor.send(&page, "/signin", &fields)?;
        ensure!(
            page.body.contains("確認コードを送信"),
            "not let in: {}",
            page.body
        );
        Ok(Self {
            visitor,
            page,
            address: format!("p{login}@example.com"),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "compared with the clock of the mailbox")]
    fn click(mut self) -> Result<Click> {
        let (at, begun) = (OffsetDateTime::now_utc(), Instant::now());
        let answer = self.visitor.send_once(&self.page, "/signin/email/send", &[])?;
        let answered = begun.elapsed();
        ensure!(answer.location.is_some(), "no code: {}", answer.body);
        Ok(Click {
            address: self.address,
            at,
            answered,
        })
    }
}

/// Everybody clicks at a time of their own, however long the others wait.
fn click(people: Vec<Person>, apart: Duration) -> Result<Vec<Click>> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let mut clicking = Vec::new();
        for (number, person) in (0_u32..).zip(people) {
            thread::sleep((apart * number).saturating_sub(begun.elapsed()));
            clicking.push(scope.spawn(|| person.click()));
        }
        let join = |one: thread::ScopedJoinHandle<'_, Result<Click>>| {
            one.join().map_err(|_| anyhow::anyhow!("a thread died"))?
        };
        clicking.into_iter().map(join).collect()
    })
}

/// When the mailbox had the letter to each address; waits for the last.
fn arrivals(mailbox: &str, number: usize) -> Result<HashMap<String, OffsetDateTime>> {
    let url = format!("{mailbox}/api/v1/messages?limit={number}");
    let end = Instant::now() + PATIENCE;
    loop {
        let list: Value = ureq::get(&url).call()?.body_mut().read_json()?;
        let mails = list["messages"].as_array().context("no list of mails")?;
        let mut arrivals = HashMap::new();
        for mail in mails {
            let to = mail["To"][0]["Address"].as_str().context("no address")?;
            let at = mail["Created"].as_str().context("no time")?;
            arrivals.insert(to.to_owned(), OffsetDateTime::parse(at, &Rfc3339)?);
        }
        if arrivals.len() == number && !arrivals.contains_key("alone@example.com") {
            return Ok(arrivals);
        }
        ensure!(
            Instant::now() < end,
            "{} letters are missing",
            number - arrivals.len()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

/// Mailbox and clicks are on one machine, and so on one clock.
fn handed_over(clicks: &[Click], arrivals: &HashMap<String, OffsetDateTime>) -> Result<Latencies> {
    let mut times = Vec::new();
    for click in clicks {
        let at = arrivals.get(&click.address).context("no letter")?;
        times.push(Duration::try_from(*at - click.at)?);
    }
    Ok(Latencies::new(times))
}
