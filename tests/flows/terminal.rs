//! `sekisho`, as administrators and operators type it.

use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use sekisho_dev::{Service, Stack};

/// `sekisho accounts` that is not running yet.
pub fn accounts(stack: &Stack, arguments: &[&str]) -> Result<Command> {
    sekisho(stack, "accounts", arguments)
}

fn sekisho(stack: &Stack, topic: &str, arguments: &[&str]) -> Result<Command> {
    let process = stack.process(Service::Credentials, 0);
    let address = process.admin_address.context("no administration listener")?;
    let mut command = Command::new(sekisho_dev::cargo::program("sekisho")?);
    command
        .arg(topic)
        .args(arguments)
        .env("SEKISHO_CREDENTIALS_ADMIN_URL", format!("https://{address}"))
        .env("SEKISHO_CERTIFICATES", stack.certificates())
        .env("SEKISHO_DATABASE_URL", stack.database_url("reader"))
        .stdin(Stdio::null());
    Ok(command)
}

/// What `sekisho accounts` printed that did what it should.
pub fn done(stack: &Stack, arguments: &[&str]) -> Result<String> {
    printed(accounts(stack, arguments)?)
}

/// What `sekisho` printed that an operator typed.
pub fn operate(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(sekisho_dev::cargo::program("sekisho")?);
    command
        .args(arguments)
        .env("SEKISHO_OPERATOR_DATABASE_URL", stack.database_url("operator"))
        .stdin(Stdio::null());
    printed(command)
}

/// What `sekisho mail` printed.
pub fn mail(stack: &Stack, arguments: &[&str]) -> Result<String> {
    printed(sekisho(stack, "mail", arguments)?)
}

fn printed(mut command: Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What `sekisho accounts` complained of.
pub fn refused(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let Output { status, stderr, .. } = accounts(stack, arguments)?.output()?;
    if status.success() {
        bail!("{arguments:?} was done");
    }
    Ok(String::from_utf8(stderr)?)
}
