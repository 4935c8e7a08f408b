//! `cargo dev status`

use std::process::ExitCode;

use anyhow::Result;
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Listed;
use serde_json::json;

use super::lock::Holder;
use super::state::{self, State};

/// Shows every process of the running `up`. Exit code 1 if none runs, or it has not started everything yet.
///
/// # Errors
/// When its file cannot be read.
pub fn run(as_json: bool) -> Result<ExitCode> {
    let Some(mut state) = State::read()? else {
        let holder = Holder::now()?;
        if as_json {
            println!("{}", without_parts(holder.as_ref()));
        } else {
            let nobody = || "`cargo dev up` does not run here".to_owned();
            println!("{}", holder.map_or_else(nobody, |holder| holder.to_string()));
        }
        return Ok(ExitCode::FAILURE);
    };
    for listed in &mut state.processes {
        // It may have ended a moment ago.
        listed.process = listed.process.take().filter(Identity::is_alive);
    }
    if as_json {
        let processes: Vec<_> = state.processes.iter().map(document).collect();
        let all = json!({
            "running": true,
            "pid": state.up.pid,
            "portal": state.portal,
            "mailbox": state.mailbox,
            "processes": processes,
        });
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        state
            .processes
            .iter()
            .for_each(|listed| println!("{}", row(listed)));
        println!("Log files: {}", state::directory()?.join("*.log").display());
    }
    Ok(ExitCode::SUCCESS)
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
    let process = listed
        .process
        .as_ref()
        .map_or_else(|| "not running".to_owned(), |process| process.pid.to_string());
    format!("{:<12} {process:>11}  {}", listed.name, listed.places())
}
