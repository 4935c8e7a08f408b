//! The gateway's process.

use std::process::ExitCode;

use sekisho_service::process;

fn main() -> ExitCode {
    process::run("gateway", sekisho_gateway::run)
}
