//! `cargo dev bench signout`

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_proto::sessions::v1::EndRequest;
use sekisho_tests::flow::Gateway;
use sekisho_tests::writers::Writers;

use crate::figures::{Latencies, head, ms, row};
use crate::machine;

/// Replicas of sessions.
const REPLICAS: usize = 3;

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// Sign-outs with NATS and without
    #[arg(long, default_value_t = 300)]
    rounds: usize,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    let mut stack = Stack::start(&StackOptions {
        name: "bench".to_owned(),
        replicas: vec![(Service::Sessions, REPLICAS)],
        accounts: false,
        ..StackOptions::default()
    })?;
    machine::print(stack.directory())?;
    let writers = Writers::open(&stack).await.context("the log cannot be opened")?;
    println!("\nFrom the answer of End on the first replica until the last of {REPLICAS} refuses:\n");
    head(&["NATS", "sign-outs", "p50", "p99", "longest"]);
    for with_nats in [true, false] {
        if !with_nats {
            stack.kill_part("nats")?;
        }
        let times = sign_outs(&stack, &writers, options.rounds).await?;
        row(&[
            if with_nats { "there" } else { "away" }.to_owned(),
            times.count().to_string(),
            ms(times.p50()),
            ms(times.p99()),
            ms(times.per_mille(1000)),
        ]);
    }
    Ok(())
}

async fn sign_outs(stack: &Stack, writers: &Writers, rounds: usize) -> Result<Latencies> {
    let mut replicas = Vec::new();
    for replica in 0..REPLICAS {
        replicas.push(Gateway::connect(stack, replica).await?);
    }
    let mut times = Vec::new();
    for _ in 0..rounds {
        let token = session(writers, &mut replicas[0]).await?;
        for replica in &mut replicas {
            until(replica, &token, true).await?;
        }
        replicas[0]
            .sessions
            .end(EndRequest { token: token.clone() })
            .await?;
        let committed = Instant::now();
        let refusals = replicas
            .clone()
            .into_iter()
            .map(|mut replica| {
                let token = token.clone();
                tokio::spawn(async move { until(&mut replica, &token, false).await })
            })
            .collect::<Vec<_>>();
        for refusal in refusals {
            refusal.await??;
        }
        times.push(committed.elapsed());
    }
    Ok(Latencies::new(times))
}

/// A session of a new account.
async fn session(writers: &Writers, replica: &mut Gateway) -> Result<Vec<u8>> {
    let account = Writers::account();
    let flow = writers.password_accepted(account, 0).await?;
    writers.code_accepted(account, 0, &flow).await?;
    Ok(replica.start(&flow).await?.token)
}

/// Asks a replica until it says that a token lives or does not.
async fn until(replica: &mut Gateway, token: &[u8], lives: bool) -> Result<()> {
    let begun = Instant::now();
    while replica.check(token).await.is_ok() != lives {
        anyhow::ensure!(
            begun.elapsed() < Duration::from_secs(10),
            "a replica never says so"
        );
    }
    Ok(())
}
