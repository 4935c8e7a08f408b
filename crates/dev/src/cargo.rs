//! Calling cargo from a program that cargo itself has started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

use crate::process::describe;
use crate::{paths, process};

/// Set by `cargo dev test` for the tests it runs: every program is built, so that no test needs to call cargo.
pub const BUILT: &str = "SEKISHO_DEV_BUILT";

static ALL_BUILT: AtomicBool = AtomicBool::new(false);
static BUILDING: Mutex<()> = Mutex::new(());

/// A cargo command in the checkout, without what the outer cargo set for us only. It cannot wait for the outer
/// one's lock of the build folder: `cargo run` and `cargo test` give that up before they start a program.
pub fn command(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    process::clean(&mut command);
    command
        .args(arguments)
        .current_dir(paths::workspace())
        .stdin(Stdio::null());
    command
}

/// Runs a cargo command whose output people see.
///
/// # Errors
/// When it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        let arguments: Vec<_> = command
            .get_args()
            .map(|argument| argument.to_string_lossy())
            .collect();
        bail!("`cargo {}` failed ({})", arguments.join(" "), describe(status));
    }
    Ok(())
}

/// Whether somebody has built everything before, so that little is left to do.
///
/// # Errors
/// When this program is in no folder.
pub fn is_built() -> Result<bool> {
    Ok(paths::binaries()?
        .join(crate::Service::Gateway.program())
        .is_file())
}

/// The file of one of our programs, built first unless [`BUILT`] says that all are.
///
/// # Errors
/// When it does not build.
pub fn program(name: &str) -> Result<PathBuf> {
    programs(&[name])?;
    Ok(paths::binaries()?.join(name))
}

/// Builds our programs (each is the only one of a package of its own name) unless [`BUILT`] says that all are.
///
/// # Errors
/// When one does not build; what cargo wrote is in the sentence.
pub fn programs(names: &[&str]) -> Result<()> {
    if all_built() {
        return Ok(());
    }
    let _one_at_a_time = BUILDING.lock();
    let mut build = command(&["build", "--quiet"]);
    for name in names {
        build.args(["--package", name]);
    }
    let output = build
        .stdout(Stdio::null())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cannot build {}:\n{}",
            names.join(", "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Builds every program of the checkout, showing cargo's own progress, unless that is done already.
///
/// # Errors
/// When one does not build.
pub fn everything() -> Result<()> {
    let _one_at_a_time = BUILDING.lock();
    if all_built() {
        return Ok(());
    }
    run(&mut command(&["build", "--workspace", "--bins"]))?;
    ALL_BUILT.store(true, Ordering::SeqCst);
    Ok(())
}

fn all_built() -> bool {
    ALL_BUILT.load(Ordering::SeqCst) || std::env::var_os(BUILT).is_some()
}
