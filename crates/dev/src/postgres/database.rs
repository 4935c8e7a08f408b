//! A database of its own for one test.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::{DATABASE, Passwords, Psql};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A fresh database, copied from the server's database `sekisho` and dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    passwords: Passwords,
    port: u16,
}

impl Database {
    pub(super) fn create(passwords: &Passwords, port: u16) -> Result<Self> {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let statements = format!("create database {name} template {DATABASE}; {}", rights(&name));
        Psql::new(passwords, port, "postgres")?.run(&statements)?;
        Ok(Self {
            name,
            passwords: passwords.clone(),
            port,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection string of a role: `postgres` (the superuser), `sekisho_otp`, or just `otp`.
    pub fn url(&self, role: &str) -> String {
        self.passwords.url(role, self.port, &self.name)
    }

    /// Keeps a copy of what is in it now, as a backup would. Ends all connections.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub fn back_up(&self) -> Result<()> {
        let (name, copy) = (&self.name, self.copy());
        self.while_nobody_is_connected(&format!(
            "drop database if exists {copy}; create database {copy} template {name}; {}",
            rights(&copy)
        ))
    }

    /// Puts the kept copy in its place, under whoever uses it. Ends all connections; they may come again at once.
    ///
    /// # Errors
    /// When there is no copy, or PostgreSQL refuses.
    pub fn restore(&self) -> Result<()> {
        let (name, copy) = (&self.name, self.copy());
        self.while_nobody_is_connected(&format!(
            "drop database {name}; alter database {copy} rename to {name};"
        ))
    }

    fn copy(&self) -> String {
        format!("{}_copy", self.name)
    }

    fn while_nobody_is_connected(&self, statements: &str) -> Result<()> {
        let name = &self.name;
        let psql = Psql::new(&self.passwords, self.port, "postgres")?;
        psql.run(&format!(
            "alter database {name} allow_connections false;
             select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}';
             {statements}
             alter database {name} allow_connections true;"
        ))?;
        Ok(())
    }

    /// Runs statements as the superuser and answers what they print: a row a line, columns divided by `|`.
    ///
    /// # Errors
    /// When one of them fails; those before it stay.
    pub fn sql(&self, statements: &str) -> Result<String> {
        Psql::new(&self.passwords, self.port, &self.name)?.run(statements)
    }
}

/// `create database` copies everything but the rights on the database itself.
fn rights(name: &str) -> String {
    format!(
        "update pg_database set datacl = (select datacl from pg_database where datname = '{DATABASE}') \
         where datname = '{name}';"
    )
}

impl Drop for Database {
    fn drop(&mut self) {
        // Goes with the server in any case; this only keeps the disk small.
        let dropped = Psql::new(&self.passwords, self.port, "postgres").and_then(|psql| {
            let (name, copy) = (&self.name, self.copy());
            psql.run(&format!(
                "drop database if exists {name} with (force); drop database if exists {copy};"
            ))
        });
        drop(dropped);
    }
}
