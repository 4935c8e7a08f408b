//! SQL by psql, so that this crate needs no driver.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Passwords;
use crate::process;
use crate::secret::Secret;
use crate::tools::{self, Tool};

/// The superuser's session on one database.
#[derive(Debug)]
pub(crate) struct Psql {
    program: PathBuf,
    password: Secret,
    port: u16,
    database: String,
}

impl Psql {
    pub(crate) fn new(passwords: &Passwords, port: u16, database: &str) -> Result<Self> {
        let program = tools::require(Tool::PostgreSql)?.join("psql");
        Ok(Self {
            program,
            password: Secret(passwords.postgres.clone()),
            port,
            database: database.to_owned(),
        })
    }

    /// Runs statements one after another, each on its own, and answers what they print.
    pub(crate) fn run(&self, statements: &str) -> Result<String> {
        let mut command = Command::new(&self.program);
        process::clean(&mut command);
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
        ]);
        command
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-d")
            .arg(&self.database);
        // Not on the command line, where everybody on the machine could read it.
        command
            .env("PGPASSWORD", &self.password.0)
            .env("PGCONNECT_TIMEOUT", "5")
            .env("PGOPTIONS", "-c client_min_messages=warning");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start psql")?;
        if let Some(mut input) = child.stdin.take() {
            // A session that has ended early says why on its standard error.
            let _ = input.write_all(statements.as_bytes());
        }
        let output = child.wait_with_output().context("psql went away")?;
        if !output.status.success() {
            bail!("PostgreSQL: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a file that takes psql variables after the statements `before`; all of it or nothing.
    pub(crate) fn file(&self, before: &str, file: &Path, variables: &[(&str, &str)]) -> Result<()> {
        let mut script = String::new();
        for (name, value) in variables {
            writeln!(script, "\\set {name} '{}'", quoted(value))?;
        }
        writeln!(
            script,
            "begin;\n{before}\\i '{}'\ncommit;",
            quoted(&file.to_string_lossy())
        )?;
        self.run(&script)
            .map(drop)
            .with_context(|| format!("cannot run {}", file.display()))
    }
}

fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}
