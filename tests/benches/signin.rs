//! `cargo dev bench signin`

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::Visitor;

use crate::accounts::{PASSWORD, register};
use crate::codes::{Codes, locked};
use crate::figures::{Latencies, grouped, head, ms, rate, row};
use crate::{cpu, machine};

/// What serves a sign-in, beside the hash.
const SERVING: [&str; 6] = ["credentials", "otp", "sessions", "gateway", "postgres", "nats"];

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// People who sign in at the same time, one measurement each
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8, 16])]
    people: Vec<usize>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Accounts that sign in in turn; each gets ten codes an hour
    #[arg(long, default_value_t = 1_000)]
    accounts: usize,
}

/// What one measurement gave.
#[derive(Default)]
struct Measured {
    whole: Vec<Duration>,
    posts: Vec<Duration>,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let mut stack = Stack::start(&StackOptions {
        name: "bench".to_owned(),
        accounts: false,
        ..StackOptions::default()
    })?;
    machine::print(stack.directory())?;
    let bare = machine::hashes()?;
    println!("Hash: {} bare argon2id a second on all cores\n", grouped(bare));
    let logins = register(&stack, options.accounts)?;
    let visitors: Vec<Mutex<Visitor>> = logins
        .iter()
        .map(|_| Mutex::new(Visitor::new(&stack.portal_url())))
        .collect();
    println!(
        "A sign-in is everything from the first page to the top page, with its mail; each person keeps one browser.\n"
    );
    head(&[
        "people",
        "sign-ins/s",
        "of the bare hash",
        "p50",
        "p95",
        "p99",
        "POST /signin p95",
        "CPU of a sign-in beside the hash",
        "of it",
    ]);
    let codes = Codes::default();
    for people in &options.people {
        let before = cpu::used(&mut stack)?;
        let load = Load {
            stack: &stack,
            logins: &logins,
            visitors: &visitors,
            codes: &codes,
            next: AtomicUsize::new(0),
            end: Instant::now() + Duration::from_secs(options.seconds),
        };
        let measured = load.run(*people)?;
        let after = cpu::used(&mut stack)?;
        let used = spent(&before, &after);
        print(*people, &measured, options.seconds, bare, &used)?;
    }
    Ok(())
}

fn spent(
    before: &BTreeMap<String, Duration>,
    after: &BTreeMap<String, Duration>,
) -> BTreeMap<String, Duration> {
    let since = |name: &String| before.get(name).copied().unwrap_or_default();
    after
        .iter()
        .map(|(name, time)| (name.clone(), time.saturating_sub(since(name))))
        .collect()
}

fn print(
    people: usize,
    measured: &Measured,
    seconds: u64,
    bare: f64,
    used: &BTreeMap<String, Duration>,
) -> Result<()> {
    let whole = Latencies::new(measured.whole.clone());
    let posts = Latencies::new(measured.posts.clone());
    let number = u32::try_from(whole.count())?.max(1);
    let a_second = rate(whole.count(), Duration::from_secs(seconds));
    let cores = u32::try_from(thread::available_parallelism()?.get())?;
    let hash = Duration::from_secs_f64(f64::from(cores) / bare);
    let of = |name: &str| used.get(name).copied().unwrap_or_default() / number;
    let serving: Duration = SERVING.iter().map(|name| of(name)).sum();
    let mut parts: Vec<String> = SERVING
        .iter()
        .map(|name| format!("{name} {}", ms(of(name))))
        .collect();
    parts.extend(["load", "mailbox"].map(|name| format!("({name} {})", ms(of(name)))));
    row(&[
        people.to_string(),
        format!("{a_second:.1}"),
        format!("{:.1} %", a_second / bare * 100.0),
        ms(whole.p50()),
        ms(whole.per_mille(950)),
        ms(whole.p99()),
        ms(posts.per_mille(950)),
        ms(serving.saturating_sub(hash)),
        parts.join(", "),
    ]);
    Ok(())
}

/// People who sign in, one after the other each.
struct Load<'a> {
    stack: &'a Stack,
    logins: &'a [String],
    visitors: &'a [Mutex<Visitor>],
    codes: &'a Codes,
    next: AtomicUsize,
    end: Instant,
}

impl Load<'_> {
    fn run(&self, people: usize) -> Result<Measured> {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let reading = scope.spawn(|| self.codes.read(&self.stack.mailbox_url(), &is_over));
            let signing_in: Vec<_> = (0..people).map(|_| scope.spawn(|| self.one())).collect();
            let mut all = Measured::default();
            let mut failed = Ok(());
            for one in signing_in {
                match one.join().map_err(|_| anyhow::anyhow!("a thread died"))? {
                    Ok(measured) => {
                        all.whole.extend(measured.whole);
                        all.posts.extend(measured.posts);
                    }
                    Err(error) => failed = Err(error),
                }
            }
            is_over.store(true, Ordering::Relaxed);
            reading.join().map_err(|_| anyhow::anyhow!("a thread died"))??;
            failed.map(|()| all)
        })
    }

    fn one(&self) -> Result<Measured> {
        let mut measured = Measured::default();
        while Instant::now() < self.end {
            let nth = self.next.fetch_add(1, Ordering::Relaxed) % self.logins.len();
            let mut visitor = locked(&self.visitors[nth]);
            // Whoever is signed in would not be asked again.
            visitor.cookies.retain(|name, _| name.ends_with("_dev"));
            let begun = Instant::now();
            measured
                .posts
                .push(self.sign_in(&mut visitor, &self.logins[nth])?);
            measured.whole.push(begun.elapsed());
        }
        Ok(measured)
    }

    /// One sign-in; answers how long the POST of login id and password took.
    fn sign_in(&self, visitor: &mut Visitor, login: &str) -> Result<Duration> {
        let address = format!("p{login}@example.com");
        let page = visitor.get("/signin")?;
        let begun = Instant::now();
        let fields = [("user_id", login), ("password", PASSWORD)];
        let answer = visitor.send_once(&page, "/signin", &fields)?;
        let posted = begun.elapsed();
        let to = answer.location.context("no redirect")?;
        let page = visitor.get(&to)?;
        self.codes.forget(&address);
        let page = visitor.send(&page, "/signin/email/send", &[])?;
        let code = self.codes.wait(&address)?;
        let page = visitor.send(&page, "/signin/email/verify", &[("code", &code)])?;
        let top = visitor.send(&page, "/signin/email/continue", &[])?;
        ensure!(
            top.status == 200 && top.body.contains("クイックアクセス"),
            "not signed in: {}",
            top.body
        );
        Ok(posted)
    }
}
