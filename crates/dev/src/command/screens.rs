//! `cargo dev screens`

use std::process::ExitCode;

use anyhow::{Context, Result};
use sekisho_dev::tools::{self, Consent, ThisMachine, Tool};
use sekisho_dev::{cargo, disk, paths};

/// Builds the gallery and takes pictures of what it shows.
///
/// # Errors
/// When a tool is missing or something does not build.
pub fn run(options: &[String]) -> Result<ExitCode> {
    disk::require(&paths::kept()?, cargo::is_built()?)?;
    let browser = [Tool::Chromium, Tool::ChromiumDriver, Tool::JapaneseFont];
    tools::provide(&browser, Consent::Given, &ThisMachine, &tools::places())?;
    // The features of the whole workspace, so that nothing is built twice.
    cargo::run(&mut cargo::command(&["build", "--workspace", "--bins"]))?;
    let status = std::process::Command::new(cargo::program("sekisho-screens")?)
        .args(options)
        .status()
        .context("cannot start what takes the pictures")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
