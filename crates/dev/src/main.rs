//! The program behind `cargo dev`.

#[cfg(unix)]
mod command;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    command::main()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "cargo dev: on Windows this runs inside WSL2: type `wsl --install`, then clone and start it there"
    );
    std::process::ExitCode::FAILURE
}
