//! The program `sekisho-sessions`.

use std::process::ExitCode;

use sekisho_service::{process, roles};
use sekisho_sessions::{Config, run};

fn main() -> ExitCode {
    process::run::<Config, _>(roles::SESSIONS, run)
}
