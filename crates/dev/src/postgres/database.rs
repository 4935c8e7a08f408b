//! A database of its own for one test.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::{DATABASE, Passwords, Psql, Reach};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A fresh database, copied from the server's database `sekisho`. It stays until its server goes: where hundreds of files are deleted
/// each second, ext4 looks long for an inode that was not in use a moment ago, which took a fifth of all CPU time of these tests.
#[derive(Debug)]
pub struct Database {
    name: String,
    passwords: Passwords,
    reach: Reach,
}

impl Database {
    pub(super) fn create(passwords: &Passwords, reach: &Reach) -> Result<Self> {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::SeqCst));
        // The other strategy writes each page into the write-ahead log as well.
        let statements = format!(
            "create database {name} template {DATABASE} strategy file_copy; {}",
            rights(&name)
        );
        Psql::new(passwords, reach, "postgres")?.run(&statements)?;
        Ok(Self {
            name,
            passwords: passwords.clone(),
            reach: reach.clone(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection string of a role: `postgres` (the superuser), `sekisho_otp`, or just `otp`.
    pub fn url(&self, role: &str) -> String {
        self.passwords.url(role, &self.reach, &self.name)
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

    /// The numbers of broken positions, versions, streams, times and event ids in the log: `0|0|0|0|0`.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub fn faults_of_the_log(&self) -> Result<String> {
        const QUERY: &str = "
            with entry as (
                select *, row_number() over (order by position) as nth,
                    row_number() over (partition by kind, stream_id order by position) as nth_of_stream,
                    lag(recorded_at) over (order by position) as recorded_before
                from log.entry
            ), stream as (
                select kind, stream_id, max(version) as version, max(position) as newest from entry
                group by kind, stream_id
            )
            select count(*) filter (where position <> nth),
                count(*) filter (where version <> nth_of_stream),
                (select count(*) from stream full join log.stream as s using (kind, stream_id)
                    where (stream.version, stream.newest) is distinct from (s.version, s.newest)),
                count(*) filter (where recorded_at < recorded_before),
                count(*) - count(distinct event_id)
            from entry;";
        self.sql(QUERY)
    }

    fn copy(&self) -> String {
        format!("{}_copy", self.name)
    }

    fn while_nobody_is_connected(&self, statements: &str) -> Result<()> {
        let name = &self.name;
        let psql = Psql::new(&self.passwords, &self.reach, "postgres")?;
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
        Psql::new(&self.passwords, &self.reach, &self.name)?.run(statements)
    }
}

/// `create database` copies everything but the rights on the database itself.
fn rights(name: &str) -> String {
    format!(
        "update pg_database set datacl = (select datacl from pg_database where datname = '{DATABASE}') \
         where datname = '{name}';"
    )
}
