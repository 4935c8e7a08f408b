//! SQL by psql, so that this crate needs no driver.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use percent_encoding::percent_decode_str;

use super::{Passwords, Reach};
use crate::process;
use crate::secret::Secret;
use crate::tools::{self, Tool};

/// The superuser's session on one database.
#[derive(Debug)]
pub(crate) struct Psql {
    program: PathBuf,
    password: Secret,
    url: String,
}

impl Psql {
    pub(crate) fn new(passwords: &Passwords, reach: &Reach, database: &str) -> Result<Self> {
        let program = tools::require(Tool::PostgreSql)?.join("psql");
        Ok(Self {
            program,
            password: Secret(decoded(&passwords.postgres)?),
            url: reach.url_without_password(database),
        })
    }

    /// Runs statements one after another, each on its own, and answers what they print.
    pub(crate) fn run(&self, statements: &str) -> Result<String> {
        let mut child = self
            .command()
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

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        process::clean(&mut command);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]);
        command.arg(&self.url);
        // Not on the command line, where everybody on the machine could read it.
        command
            .env("PGPASSWORD", &self.password.0)
            .env("PGCONNECT_TIMEOUT", "5")
            .env("PGOPTIONS", "-c client_min_messages=warning");
        command
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

/// A password as it was typed; in a connection string some letters stand otherwise.
fn decoded(password: &str) -> Result<String> {
    let text = percent_decode_str(password).decode_utf8();
    Ok(text.context("a password that is no text")?.into_owned())
}

fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_stands_on_no_command_line() {
        let (reach, password) = Reach::elsewhere("postgres://admin:s%20cret@db.example/registry").unwrap();
        let psql = Psql {
            program: PathBuf::from("psql"),
            password: Secret(decoded(&password).unwrap()),
            url: reach.url_without_password(&reach.database),
        };
        let command = psql.command();
        let said: Vec<_> = command
            .get_args()
            .map(|argument| argument.to_string_lossy())
            .collect();
        assert!(said.iter().all(|argument| !argument.contains("cret")), "{said:?}");
        let given = command.get_envs().find(|(name, _)| *name == "PGPASSWORD");
        assert_eq!(given.and_then(|(_, value)| value), Some("s cret".as_ref()));
    }
}
