//! The program `sekisho-otp`.

use std::process::ExitCode;

use sekisho_otp::{Config, run};
use sekisho_service::{process, roles};

fn main() -> ExitCode {
    process::run::<Config, _>(roles::OTP, run)
}
