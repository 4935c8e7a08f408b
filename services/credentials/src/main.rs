//! The program `sekisho-credentials`: the service, or with `migrate` its schema.

use std::process::ExitCode;

use sekisho_credentials::{Config, run, schema};
use sekisho_service::{process, roles};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "migrate" => schema().command(rest),
        _ => process::run::<Config, _>(roles::CREDENTIALS, run),
    }
}
