//! The program `sekisho-gateway`.

use std::process::ExitCode;

use sekisho_gateway::{Config, run};
use sekisho_service::{process, roles};

fn main() -> ExitCode {
    process::run::<Config, _>(roles::GATEWAY, run)
}
