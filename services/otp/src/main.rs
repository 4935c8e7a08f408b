//! The program `sekisho-otp`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sekisho_service::process::run::<sekisho_otp::Config, _>(sekisho_otp::NAME, sekisho_otp::run)
}
