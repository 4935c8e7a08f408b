//! `cargo dev bench move-in`

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::visitor::Visitor;
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::accounts::register;
use crate::codes::Codes;
use crate::figures::{Latencies, table};
use crate::machine;

/// People behind one address: a large hospital.
const BEHIND: usize = 200;
/// What they all choose. With a number in it some would hold their own login id, which no password may.
const NEW: &str = "朝露に濡れた庭で猫が三匹あくびする";
/// People who are on their way at a time, at most.
const PEOPLE: usize = 16;
/// From the issue of a code until the relay had its mail, in milliseconds.
const MAIL_AGES: &str = "
    select (extract(epoch from min(mailed.recorded_at) - issued.recorded_at) * 1000)::bigint
    from log.entry as issued
    join log.entry as mailed on mailed.flow_id = issued.flow_id and mailed.event_type = 'mailed'
    where issued.event_type = 'code_issued'
    group by issued.position, issued.recorded_at";

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// People who set their first password
    #[arg(long, default_value_t = 5_000)]
    resets: usize,
    /// Within so many minutes, evenly
    #[arg(long, default_value_t = 60)]
    minutes: u64,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    let stack = tokio::task::block_in_place(|| {
        Stack::start(&StackOptions {
            name: "bench".to_owned(),
            accounts: false,
            environment: vec![(
                Service::Gateway,
                "SEKISHO_GATEWAY_TRUSTED_PROXIES".to_owned(),
                "127.0.0.1".to_owned(),
            )],
            ..StackOptions::default()
        })
    })?;
    machine::print(stack.directory())?;
    let times = tokio::task::block_in_place(|| all(&stack, options))?;
    let ages = mail_ages(&stack).await?;
    println!(
        "\n{} resets in {} minutes, each from the first page to the new password. A reset counts from the moment at which it was due:\n",
        options.resets, options.minutes
    );
    table([("reset", &times), ("mail, from its code to the relay", &ages)]);
    Ok(())
}

fn all(stack: &Stack, options: &Options) -> Result<Latencies> {
    let logins = register(stack, options.resets)?;
    let resets = Resets {
        stack,
        logins: &logins,
        codes: &Codes::default(),
        next: AtomicUsize::new(0),
        begun: Instant::now(),
        every: Duration::from_mins(options.minutes) / u32::try_from(options.resets)?.max(1),
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reading = scope.spawn(|| resets.codes.read(&stack.mailbox_url(), &is_over));
        let people: Vec<_> = (0..PEOPLE).map(|_| scope.spawn(|| resets.one())).collect();
        let mut times = Vec::new();
        let mut failed = Ok(());
        for person in people {
            match person.join().map_err(|_| anyhow::anyhow!("a thread died"))? {
                Ok(of_one) => times.extend(of_one),
                Err(error) => failed = Err(error),
            }
        }
        is_over.store(true, Ordering::Relaxed);
        reading.join().map_err(|_| anyhow::anyhow!("a thread died"))??;
        failed.map(|()| Latencies::new(times))
    })
}

/// People who set their passwords, each when it is due.
struct Resets<'a> {
    stack: &'a Stack,
    logins: &'a [String],
    codes: &'a Codes,
    next: AtomicUsize,
    begun: Instant,
    every: Duration,
}

impl Resets<'_> {
    fn one(&self) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        loop {
            let nth = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(login) = self.logins.get(nth) else {
                return Ok(times);
            };
            let due = self.begun + self.every * u32::try_from(nth)?;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.reset(nth, login)?;
            times.push(due.elapsed());
        }
    }

    fn reset(&self, nth: usize, login: &str) -> Result<()> {
        let mut visitor = Visitor::new(&self.stack.portal_url());
        let hospital = nth / BEHIND;
        let address = format!("10.1.{}.{}", hospital / 250, hospital % 250 + 1);
        visitor.extra = vec![("x-forwarded-for".to_owned(), address)];
        let address = format!("p{login}@example.com");
        let page = visitor.get("/password/forgot")?;
        let page = visitor.send(&page, "/password/forgot", &[("user_id", login)])?;
        let code = self.codes.wait(&address)?;
        let page = visitor.send(&page, "/password/forgot/code/verify", &[("code", &code)])?;
        let fields = [("new_password", NEW), ("new_password_again", NEW)];
        let page = visitor.send(&page, "/password/forgot/new", &fields)?;
        ensure!(
            page.body.contains("パスワードを変更しました"),
            "no new password: {}",
            page.body
        );
        Ok(())
    }
}

async fn mail_ages(stack: &Stack) -> Result<Latencies> {
    let mut connection = PgConnection::connect(&stack.database_url("reader")).await?;
    let rows = sqlx::query(MAIL_AGES).fetch_all(&mut connection).await?;
    let age = |row: &sqlx::postgres::PgRow| {
        let age: i64 = row.try_get(0).context("no age")?;
        Ok(Duration::from_millis(u64::try_from(age)?))
    };
    Ok(Latencies::new(rows.iter().map(age).collect::<Result<_>>()?))
}
