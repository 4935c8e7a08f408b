//! The program `sekisho-mailbox`.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A mailbox for development: every mail that comes in by SMTP is shown and goes nowhere else.
#[derive(Debug, Parser)]
#[command(name = "sekisho-mailbox", version)]
struct Options {
    /// Where to take mails
    #[arg(long, default_value = "127.0.0.1:1025")]
    smtp: SocketAddr,
    /// Where to show them: a page, and /api/v1/messages
    #[arg(long, default_value = "127.0.0.1:8025")]
    http: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let smtp = TcpListener::bind(options.smtp)
        .await
        .with_context(|| format!("cannot listen on {}", options.smtp))?;
    let http = TcpListener::bind(options.http)
        .await
        .with_context(|| format!("cannot listen on {}", options.http))?;
    println!(
        "takes mails on {}, shows them on http://{}",
        options.smtp, options.http
    );
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = sekisho_mailbox::serve(smtp, http) => ended,
        _ = terminated.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
    }
}
