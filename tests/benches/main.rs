//! `cargo dev bench`: how fast it is, beside what this machine can do. Nothing here fails a test.
//!
//! Everything is built optimised; servers and services are private ones of this run.

mod accounts;
mod append;
mod check;
mod codes;
mod cpu;
mod echo;
mod figures;
mod fill;
mod import;
mod loads;
mod log;
mod machine;
mod mail;
mod move_in;
mod page;
mod rebuild;
mod signin;
mod signout;
mod snapshot;
mod worker;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Figures of Sekisho on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo dev bench", bin_name = "cargo dev bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Appends to the log by 1 to 512 callers in 1 and 4 processes; with an open snapshot; loads over many segments
    Log(log::Options),
    /// The gateway's top page, which asks sessions each time, beside a bare axum that asks a bare tonic
    Check(check::Options),
    /// From the click on 確認コードを送信 until the relay has the letter, beside a relay that is alone
    Mail(mail::Options),
    /// Everybody sets a first password within an hour, by way of a code
    MoveIn(move_in::Options),
    /// The sign-in page at a steady rate, beside an axum that says always the same
    Page(page::Options),
    /// Complete sign-ins at rising load, beside the bare hash, and the CPU that each takes
    Signin(signin::Options),
    /// From the commit of a sign-out until the last of three replicas refuses, with NATS and without
    Signout(signout::Options),
    /// Accounts from a list: with ready-made hashes, and with passwords that are made, beside the bare hash
    Import(import::Options),
    /// Sessions folded from PostgreSQL at the start of a replica, and the memory that each takes
    Rebuild(rebuild::Options),
    /// One process of a benchmark
    #[command(hide = true)]
    Worker {
        #[command(subcommand)]
        work: worker::Work,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    // What cargo adds for its own harness.
    let arguments = std::env::args().filter(|argument| argument != "--bench");
    match Arguments::parse_from(arguments).what {
        What::Log(options) => log::run(&options).await,
        What::Check(options) => check::run(&options).await,
        What::Mail(options) => tokio::task::block_in_place(|| mail::run(&options)),
        What::MoveIn(options) => move_in::run(&options).await,
        What::Page(options) => page::run(&options).await,
        What::Signin(options) => tokio::task::block_in_place(|| signin::run(&options)),
        What::Signout(options) => signout::run(&options).await,
        What::Import(options) => tokio::task::block_in_place(|| import::run(&options)),
        What::Rebuild(options) => rebuild::run(&options).await,
        What::Worker { work } => worker::run(work).await,
    }
}
