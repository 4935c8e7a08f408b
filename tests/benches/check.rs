//! `cargo dev bench check`

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::Visitor;

use crate::figures::{Latencies, grouped, head, ms, rate, row};
use crate::machine;
use crate::worker::Worker;

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// Requests at the same time
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often both are measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    let stack = tokio::task::block_in_place(|| {
        Stack::start(&StackOptions {
            name: "bench".to_owned(),
            ..StackOptions::default()
        })
    })?;
    machine::print(stack.directory())?;
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = tokio::task::block_in_place(|| visitor.sign_in(&stack))?;
    ensure!(page.status == 200, "nobody is signed in");
    let cookie = visitor
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let cookie = cookie.collect::<Vec<_>>().join("; ");

    let service = Worker::start(&["echo-service"]).await?;
    let front = Worker::start(&["echo-front", &service.said]).await?;
    println!(
        "\nThe load takes its part of the cores, too. {} requests at a time:\n",
        options.callers
    );
    head(&["what", "requests/s", "p50", "p99"]);
    for _ in 0..options.rounds {
        measure(
            "axum and a bare tonic",
            &format!("http://{}/top", front.said),
            "",
            options,
        )
        .await?;
        measure(
            "gateway and sessions",
            &format!("{}/top", stack.portal_url()),
            &cookie,
            options,
        )
        .await?;
    }
    Ok(())
}

async fn measure(what: &str, url: &str, cookie: &str, options: &Options) -> Result<()> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let callers = (0..options.callers)
        .map(|_| tokio::spawn(ask(client.clone(), url.to_owned(), cookie.to_owned(), end)));
    let mut times = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        times.extend(caller.await??);
    }
    let times = Latencies::new(times);
    row(&[
        what.to_owned(),
        grouped(rate(times.count(), Duration::from_secs(options.seconds))),
        ms(times.p50()),
        ms(times.p99()),
    ]);
    Ok(())
}

async fn ask(
    client: Client<HttpConnector, Empty<bytes::Bytes>>,
    url: String,
    cookie: String,
    end: Instant,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let request = http::Request::get(&url)
            .header("cookie", &cookie)
            .body(Empty::new())?;
        let begun = Instant::now();
        let response = client.request(request).await.context("no answer")?;
        let status = response.status();
        response.into_body().collect().await?;
        times.push(begun.elapsed());
        ensure!(status == 200, "{url} answers {status}");
    }
    Ok(times)
}
