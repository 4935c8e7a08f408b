//! `cargo dev bench`

use std::process::ExitCode;

use anyhow::{Context, Result};
use sekisho_dev::tools::{self, Consent, ThisMachine, Tool};
use sekisho_dev::{cargo, disk, paths};

/// Builds the services and the benchmarks optimised, and runs what is asked for.
///
/// # Errors
/// When a tool is missing or something does not build.
pub fn run(what: &[String]) -> Result<ExitCode> {
    disk::require(&paths::kept()?, cargo::is_built()?)?;
    let servers = [Tool::PostgreSql, Tool::NatsServer];
    tools::provide(&servers, Consent::Given, &ThisMachine, &tools::places())?;
    cargo::run(&mut cargo::command(&[
        "build",
        "--profile",
        "bench",
        "--workspace",
        "--bins",
        "--benches",
    ]))?;
    // The features of the whole workspace, as above, so that nothing is built twice.
    let mut bench = cargo::command(&["bench", "--workspace", "--bench", "benches", "--"]);
    let asked = if what.is_empty() {
        &["--help".to_owned()]
    } else {
        what
    };
    let status = bench
        .args(asked)
        .env(cargo::BUILT, "1")
        .status()
        .context("cannot start cargo")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
