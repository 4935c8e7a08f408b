//! What installing needs to know and do on a machine; tests put another machine in its place.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::places;
use crate::process::{describe, user};

/// The machine that tools are installed on.
pub trait Machine {
    /// Whether we have root's rights.
    fn is_root(&self) -> bool;
    /// `linux`, `macos`, …, as [`std::env::consts::OS`] has it.
    fn system(&self) -> &str;
    /// Whether there is a program of this name.
    fn has(&self, program: &str) -> bool;
    /// Whether somebody sits at a terminal.
    fn has_terminal(&self) -> bool;
    /// Asks a question, true for yes.
    fn ask(&self, question: &str) -> bool;
    /// Runs a command, showing what it writes.
    ///
    /// # Errors
    /// When it cannot be started or fails.
    fn run(&self, line: &[&str]) -> Result<()>;
    /// Runs a command and takes what it writes; empty if it fails.
    fn output(&self, line: &[&str]) -> String;
}

/// The machine that we run on.
#[derive(Debug)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn is_root(&self) -> bool {
        user::is_root()
    }

    fn system(&self) -> &str {
        std::env::consts::OS
    }

    fn has(&self, program: &str) -> bool {
        places().on_path(program).is_some()
    }

    fn has_terminal(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn ask(&self, question: &str) -> bool {
        eprint!("{question} [Y/n] ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer).unwrap_or(0);
        read > 0 && matches!(answer.trim(), "" | "y" | "Y" | "yes")
    }

    fn run(&self, line: &[&str]) -> Result<()> {
        let [program, arguments @ ..] = line else {
            bail!("there is no command to run")
        };
        // Whatever it says is progress, not an answer of ours, so that it must not mix with `status --json`.
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::inherit());
        command.stdout(std::io::stderr());
        let status = command
            .status()
            .with_context(|| format!("cannot run {program}"))?;
        if !status.success() {
            bail!("`{}` failed ({})", line.join(" "), describe(status));
        }
        Ok(())
    }

    fn output(&self, line: &[&str]) -> String {
        let [program, arguments @ ..] = line else {
            return String::new();
        };
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        output
            .ok()
            .and_then(|output| String::from_utf8(output.stdout).ok())
            .unwrap_or_default()
    }
}
