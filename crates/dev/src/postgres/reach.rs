//! Where a PostgreSQL server is.

use anyhow::{Context, Result, ensure};
use url::Url;

use super::DATABASE;

/// How a server is reached, and as whom by its superuser. Holds no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    host: String,
    pub(crate) port: u16,
    superuser: String,
    /// The database of the log.
    pub(crate) database: String,
    /// What a connection string says after `?`, such as `sslmode=verify-full`; with the `?`, or nothing.
    options: String,
}

impl Reach {
    /// A server of ours.
    pub(crate) fn own(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            superuser: "postgres".to_owned(),
            database: DATABASE.to_owned(),
            options: String::new(),
        }
    }

    /// A server of somebody else's by the connection string of its superuser, and that one's password.
    ///
    /// # Errors
    /// When it is no such connection string, or names no host, user, password or database.
    pub(crate) fn elsewhere(url: &str) -> Result<(Self, String)> {
        let form = "--postgres takes postgres://SUPERUSER:PASSWORD@HOST:PORT/DATABASE";
        let url = Url::parse(url).context(form)?;
        ensure!(["postgres", "postgresql"].contains(&url.scheme()), form);
        let database = url.path().trim_start_matches('/');
        let (host, password) = (url.host_str().context(form)?, url.password().context(form)?);
        ensure!(!url.username().is_empty() && !database.is_empty(), form);
        // It would be on the command line of psql.
        ensure!(url.query_pairs().all(|(name, _)| name != "password"), form);
        let reach = Self {
            host: host.to_owned(),
            port: url.port().unwrap_or(5432),
            superuser: url.username().to_owned(),
            database: database.to_owned(),
            options: url
                .query()
                .map(|options| format!("?{options}"))
                .unwrap_or_default(),
        };
        Ok((reach, password.to_owned()))
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A connection string; `postgres` is the superuser, whatever its name.
    pub(crate) fn url(&self, user: &str, password: &str, database: &str) -> String {
        let user = if user == "postgres" { &self.superuser } else { user };
        let (address, options) = (self.address(), &self.options);
        format!("postgres://{user}:{password}@{address}/{database}{options}")
    }

    /// The superuser's connection string without the password.
    pub(crate) fn url_without_password(&self, database: &str) -> String {
        let (user, address, options) = (&self.superuser, self.address(), &self.options);
        format!("postgres://{user}@{address}/{database}{options}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_reached_as_its_connection_string_says() {
        let url = "postgres://admin:secret@db.example:6000/registry?sslmode=verify-full";
        let (reach, password) = Reach::elsewhere(url).unwrap();
        assert_eq!(password, "secret");
        assert_eq!(reach.url("postgres", &password, &reach.database), url);
        assert_eq!(
            reach.url("sekisho_otp", "own", "registry"),
            "postgres://sekisho_otp:own@db.example:6000/registry?sslmode=verify-full"
        );
        assert!(!reach.url_without_password("registry").contains("secret"));
        let (reach, _) = Reach::elsewhere("postgresql://admin:secret@localhost/registry").unwrap();
        assert_eq!(reach.port, 5432);
    }

    #[test]
    fn what_is_no_superusers_connection_string_is_said_in_one_sentence() {
        for url in [
            "localhost:5432",
            "mysql://admin:secret@localhost/registry",
            "postgres://admin@localhost/registry",
            "postgres://:secret@localhost/registry",
            "postgres://admin:secret@localhost",
            "postgres://admin:x@localhost/registry?password=secret",
        ] {
            let mistake = Reach::elsewhere(url).unwrap_err().to_string();
            assert!(mistake.starts_with("--postgres takes"), "{url}: {mistake}");
            assert!(!mistake.contains("secret"), "{mistake}");
        }
    }
}
