//! The service of sessions.

use std::process::ExitCode;

use sekisho_service::process::{self, Error, Process};
use sekisho_sessions::config::Config;

fn main() -> ExitCode {
    process::run::<Config, _>("sessions", serve)
}

async fn serve(config: Config, process: Process) -> Result<(), Error> {
    let servers = sekisho_sessions::build(&config)?;
    sekisho_sessions::run(servers, config, process).await
}
