//! `cargo dev status`

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Listed;
use serde_json::json;

use super::lock::Holder;
use super::state::{self, State};

/// Shows every process of the running `up`. Exit code 1 if none runs, or it has not started everything yet.
///
/// # Errors
/// When its file cannot be read, or nothing can be written.
pub fn run(as_json: bool) -> Result<ExitCode> {
    let (text, code) = match State::read()? {
        Some(state) => (of_running(state, as_json)?, ExitCode::SUCCESS),
        None => (of_none(as_json)?, ExitCode::FAILURE),
    };
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(code),
        written => written.map(|()| code).context("cannot write"),
    }
}

fn of_none(as_json: bool) -> Result<String> {
    let holder = Holder::now()?;
    if as_json {
        return Ok(without_parts(holder.as_ref()).to_string());
    }
    let nobody = || "nothing runs here; `cargo dev up` starts everything".to_owned();
    Ok(holder.map_or_else(nobody, |holder| holder.to_string()))
}

fn of_running(mut state: State, as_json: bool) -> Result<String> {
    for listed in &mut state.processes {
        // It may have ended a moment ago.
        listed.process = listed.process.take().filter(Identity::is_alive);
    }
    if as_json {
        let processes: Vec<_> = state.processes.iter().map(document).collect();
        let all = json!({
            "running": true,
            "doing": null,
            "pid": state.up.pid,
            "portal": state.portal,
            "mailbox": state.mailbox,
            "processes": processes,
        });
        return Ok(serde_json::to_string_pretty(&all)?);
    }
    let mut lines: Vec<String> = state.processes.iter().map(row).collect();
    lines.push(format!(
        "Log files: {}",
        state::directory()?.join("*.log").display()
    ));
    Ok(lines.join("\n"))
}

/// `doing` is `starting`, `stopping` or `resetting`, or null.
fn without_parts(holder: Option<&Holder>) -> serde_json::Value {
    json!({
        "running": false,
        "doing": holder.map(|holder| holder.doing),
        "pid": holder.map(|holder| holder.process.pid),
        "processes": [],
    })
}

fn document(listed: &Listed) -> serde_json::Value {
    json!({
        "name": listed.name,
        "pid": listed.process.as_ref().map(|process| process.pid),
        "addresses": listed.addresses,
        "connections": listed.connections,
        "log_file": listed.log_file,
    })
}

fn row(listed: &Listed) -> String {
    let process = match (&listed.process, &listed.log_file) {
        (Some(process), _) => process.pid.to_string(),
        (None, Some(_)) => "not running".to_owned(),
        (None, None) => "not ours".to_owned(),
    };
    format!("{:<12} {process:>11}  {}", listed.name, listed.places())
}
