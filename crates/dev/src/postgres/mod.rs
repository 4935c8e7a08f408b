//! Real PostgreSQL servers, private and on loopback: for tests, and for `cargo dev up`.

mod database;
mod psql;
mod reach;
mod server;
mod template;

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Mutex;

use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::folder::Folder;
use crate::random;

pub use database::Database;
pub(crate) use psql::Psql;
pub(crate) use reach::Reach;
pub(crate) use server::Server;
pub(crate) use template::{bring_up_to_date, copy, elsewhere, forget_unreadable, reopen};

/// The database of a server that the services use.
pub const DATABASE: &str = "sekisho";

/// What is in the database of a new server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Schema {
    /// An empty database `sekisho`, with no role but `postgres`.
    Empty,
    /// The roles of deploy/postgres/roles.sql, and every migration's file run by psql in order. Needs no program
    /// of ours, so it is what queries are checked against; the services' own lists of migrations are not filled.
    Files,
    /// What is deployed: the roles, then `sekisho log migrate` and the `migrate` of each service that has a schema.
    Migrated,
}

/// Forgets the templates, so that the next server makes its own anew.
///
/// # Errors
/// When they cannot be removed.
pub fn forget_templates() -> Result<()> {
    template::forget()
}

/// The password of each role.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Passwords {
    pub(crate) postgres: String,
    pub(crate) credentials: String,
    pub(crate) otp: String,
    pub(crate) sessions: String,
    pub(crate) audit: String,
    pub(crate) operator: String,
    pub(crate) reader: String,
}

impl Passwords {
    pub(crate) fn random() -> Result<Self> {
        Ok(Self {
            postgres: random::password()?,
            credentials: random::password()?,
            otp: random::password()?,
            sessions: random::password()?,
            audit: random::password()?,
            operator: random::password()?,
            reader: random::password()?,
        })
    }

    /// `role` is `postgres` (the superuser), or a role of roles.sql with or without `sekisho_` before it.
    fn of(&self, role: &str) -> (String, &str) {
        let (short, password) = match role.strip_prefix("sekisho_").unwrap_or(role) {
            "credentials" => ("credentials", &self.credentials),
            "otp" => ("otp", &self.otp),
            "sessions" => ("sessions", &self.sessions),
            "audit" => ("audit", &self.audit),
            "operator" => ("operator", &self.operator),
            "reader" => ("reader", &self.reader),
            "postgres" => return ("postgres".to_owned(), &self.postgres),
            // The server refuses it, and says so.
            unknown => return (unknown.to_owned(), ""),
        };
        (format!("sekisho_{short}"), password)
    }

    pub(crate) fn url(&self, role: &str, reach: &Reach, database: &str) -> String {
        let (user, password) = self.of(role);
        reach.url(&user, password, database)
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

static SHARED: Mutex<Vec<(Schema, &'static Postgres)>> = Mutex::new(Vec::new());

/// A PostgreSQL server with data of its own, that goes away with this value, or with this process.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder, so that the server ends before its data goes.
    server: Mutex<Server>,
    folder: Folder,
    passwords: Passwords,
    reach: Reach,
}

impl Postgres {
    /// A new server whose database `sekisho` is [`Schema::Migrated`].
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not start, or a program with migrations does not build.
    pub fn start() -> Result<Self> {
        Self::start_with(Schema::Migrated)
    }

    /// A new server whose database `sekisho` holds `schema`. Its data is copied from a template that is made once.
    ///
    /// # Errors
    /// Like [`Postgres::start`].
    pub fn start_with(schema: Schema) -> Result<Self> {
        Self::start_as(schema, std::convert::identity)
    }

    fn start_as(schema: Schema, change: impl FnOnce(Server) -> Server) -> Result<Self> {
        let folder = Folder::temporary("postgres")?;
        let mut server = change(template::copy(schema, &folder)?);
        server.start()?;
        let (passwords, reach) = (server.passwords.clone(), server.reach().clone());
        Ok(Self {
            server: Mutex::new(server),
            folder,
            passwords,
            reach,
        })
    }

    /// One server for all tests of this process, [`Schema::Migrated`]; each test takes a [`Postgres::database`].
    ///
    /// # Errors
    /// Like [`Postgres::start`].
    pub fn shared() -> Result<&'static Self> {
        Self::shared_with(Schema::Migrated)
    }

    /// One server for all tests of this process that want this schema. Nobody kills it, so it does without `fsync`, which
    /// would have all tests wait for each other's.
    ///
    /// # Errors
    /// Like [`Postgres::start`].
    pub fn shared_with(schema: Schema) -> Result<&'static Self> {
        let mut shared = SHARED
            .lock()
            .map_err(|_| anyhow!("an earlier test could not start PostgreSQL"))?;
        if let Some((_, postgres)) = shared.iter().find(|(kept, _)| *kept == schema) {
            return Ok(postgres);
        }
        let postgres: &'static Self =
            Box::leak(Box::new(Self::start_as(schema, Server::trusting_the_machine)?));
        shared.push((schema, postgres));
        Ok(postgres)
    }

    /// A fresh database with the contents of `sekisho`, which goes with the server. Nobody may be connected to the
    /// database `sekisho` of this server meanwhile.
    ///
    /// # Errors
    /// When the server does not run.
    pub fn database(&self) -> Result<Database> {
        Database::create(&self.passwords, &self.reach)
    }

    /// The connection string of a role for the database `sekisho`: `postgres` (the superuser), `sekisho_otp`, or
    /// just `otp`.
    pub fn url(&self, role: &str) -> String {
        self.passwords.url(role, &self.reach, DATABASE)
    }

    /// The port, the same after every start.
    pub fn port(&self) -> u16 {
        self.reach.port
    }

    /// The number of the server's main process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> Result<u32> {
        self.with(|server| server.pid())
    }

    /// Everything that the server logs.
    pub fn log_file(&self) -> std::path::PathBuf {
        self.folder.own.join("postgres.log")
    }

    /// The folder of this server: logs and lists.
    pub fn directory(&self) -> &Path {
        &self.folder.own
    }

    /// SIGKILL to the server and all its processes: no shutdown, no checkpoint. Comes back when they are gone.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> Result<()> {
        self.with(Server::kill)
    }

    /// Stops it in order (fast shutdown).
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self) -> Result<ExitStatus> {
        self.with(Server::stop)
    }

    /// Starts it again on the same port and data; comes back when it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> Result<()> {
        self.with(Server::start)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Server) -> Result<T>) -> Result<T> {
        let mut server = self
            .server
            .lock()
            .map_err(|_| anyhow!("another thread failed while it used PostgreSQL"))?;
        act(&mut server)
    }
}
