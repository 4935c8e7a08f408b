//! Backups by PostgreSQL's own programs, as an operator makes them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use sekisho_dev::tools::{self, Tool};

/// The database of the log.
const DATABASE: &str = "sekisho";

/// Writes a dump of the log's database into a file. `url` is the superuser's connection string of that database.
///
/// # Errors
/// When `pg_dump` fails.
pub fn dump(url: &str, file: &Path) -> Result<()> {
    run(
        "pg_dump",
        &["--format=custom", "--dbname", url, "--file", path(file)?],
    )
}

/// Puts a dump in the place of the log's database, under the services that use it. `url` is the superuser's connection
/// string of that database.
///
/// # Errors
/// When PostgreSQL refuses, or `pg_restore` fails.
pub fn restore(url: &str, file: &Path) -> Result<()> {
    let maintenance = url.trim_end_matches(DATABASE).to_owned() + "postgres";
    let statements = [
        format!("alter database {DATABASE} allow_connections false"),
        format!("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{DATABASE}'"),
        format!("drop database {DATABASE}"),
    ];
    for statement in &statements {
        run(
            "psql",
            &[
                "--quiet",
                "--no-psqlrc",
                "--dbname",
                &maintenance,
                "--command",
                statement,
            ],
        )?;
    }
    run(
        "pg_restore",
        &[
            "--exit-on-error",
            "--create",
            "--dbname",
            &maintenance,
            path(file)?,
        ],
    )
}

/// Runs one statement.
///
/// # Errors
/// When PostgreSQL refuses it.
pub fn sql(url: &str, statement: &str) -> Result<()> {
    let quiet = ["--quiet", "--no-psqlrc"];
    run(
        "psql",
        &[&quiet[..], &["--dbname", url, "--command", statement]].concat(),
    )
}

fn path(file: &Path) -> Result<&str> {
    file.to_str().context("the file's name is no text")
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(tools::require(Tool::PostgreSql)?.join(program))
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
