//! `cargo dev bench page`

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use clap::Args;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::Visitor;
use tokio::net::TcpListener;
use tokio::time::{Instant, interval};

use crate::figures::{Latencies, table_head, table_row};
use crate::machine;

/// How much is measured.
#[derive(Debug, Args)]
pub struct Options {
    /// Requests a second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// How often both are measured, in turn
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

/// Measures and prints.
pub async fn run(options: &Options) -> Result<()> {
    ensure!(options.rate > 0, "nothing is asked for at a rate of 0");
    let stack = tokio::task::block_in_place(|| {
        Stack::start(&StackOptions {
            name: "bench".to_owned(),
            ..StackOptions::default()
        })
    })?;
    machine::print(stack.directory())?;
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = tokio::task::block_in_place(|| visitor.get("/signin"))?;
    ensure!(page.status == 200, "there is no sign-in page");
    let bare = bare(page.body).await?;
    println!(
        "\nGET /signin by whoever has no cookie yet, {} a second, timed from when each was due:\n",
        options.rate
    );
    table_head();
    for _ in 0..options.rounds {
        measure("axum, the same page from memory", &bare, options).await?;
        measure("gateway", &format!("{}/signin", stack.portal_url()), options).await?;
    }
    Ok(())
}

/// An axum that says always the same.
async fn bare(page: String) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/signin", get(async move || Html(page)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}/signin"))
}

/// Each request is sent when it is due, however long those before it take.
async fn measure(what: &str, url: &str, options: &Options) -> Result<()> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut due = interval(Duration::from_secs(1) / options.rate);
    let mut asked = Vec::new();
    for _ in 0..options.rate * options.seconds {
        let at = due.tick().await;
        asked.push(tokio::spawn(ask(client.clone(), url.to_owned(), at)));
    }
    let mut times = Vec::new();
    for one in asked {
        times.push(one.await??);
    }
    table_row(what, &Latencies::new(times));
    Ok(())
}

async fn ask(
    client: Client<HttpConnector, Empty<bytes::Bytes>>,
    url: String,
    due: Instant,
) -> Result<Duration> {
    let response = client.get(url.parse()?).await.context("no answer")?;
    let status = response.status();
    response.into_body().collect().await?;
    ensure!(status == 200, "{url}: {status}");
    Ok(due.elapsed())
}
