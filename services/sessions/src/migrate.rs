//! The schema `sessions`.

use sekisho_eventlog::ServiceSchema;

/// The schema and its migrations, for the command that brings it up to date.
pub fn schema() -> ServiceSchema {
    ServiceSchema {
        program: "sekisho-sessions",
        name: "sessions",
        migrations: sqlx::migrate!("./migrations"),
    }
}
