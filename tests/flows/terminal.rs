//! `sekisho accounts`, as an administrator types it.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use sekisho_dev::{Service, Stack};

/// A command that is not running yet.
pub fn accounts(stack: &Stack, arguments: &[&str]) -> Result<Command> {
    let process = stack.process(Service::Credentials, 0);
    let address = process.admin_address.context("no administration listener")?;
    let mut command = Command::new(sekisho_dev::cargo::program("sekisho")?);
    command
        .arg("accounts")
        .args(arguments)
        .env("SEKISHO_CREDENTIALS_ADMIN_URL", format!("https://{address}"))
        .env("SEKISHO_CERTIFICATES", stack.certificates())
        .stdin(Stdio::null());
    Ok(command)
}

/// What a command printed that did what it should.
pub fn done(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let output = accounts(stack, arguments)?.output()?;
    if !output.status.success() {
        bail!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What a command complained of.
pub fn refused(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let Output { status, stderr, .. } = accounts(stack, arguments)?.output()?;
    if status.success() {
        bail!("{arguments:?} was done");
    }
    Ok(String::from_utf8(stderr)?)
}
