//! `cargo dev status`

use std::process::ExitCode;

use anyhow::Result;
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Listed;
use serde_json::json;

use super::state::State;

/// Shows every process of the running `up`. Exit code 1 if none runs.
///
/// # Errors
/// When its file cannot be read.
pub fn run(as_json: bool) -> Result<ExitCode> {
    let Some(mut state) = State::read()? else {
        if as_json {
            println!("{}", json!({ "running": false, "processes": [] }));
        } else {
            println!("`cargo dev up` does not run here");
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
    }
    Ok(ExitCode::SUCCESS)
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
    let addresses: Vec<String> = listed
        .addresses
        .iter()
        .map(|(purpose, address)| format!("{purpose} {address}"))
        .collect();
    format!("{:<12} {process:>11}  {}", listed.name, addresses.join(", "))
}
