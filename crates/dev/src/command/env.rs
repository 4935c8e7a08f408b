//! `cargo dev env`

use anyhow::{Context, Result};
use sekisho_dev::paths;
use sekisho_dev::stack::Listed;

use super::state::{self, State};

/// Prints the variables with which the program `sekisho` is found and reaches the running `up`, for `eval` in a shell.
///
/// # Errors
/// When no `up` runs, or it is still starting.
pub fn run() -> Result<()> {
    let state = State::of_running()?;
    let part = |name: &str| -> Result<&Listed> {
        let found = state.processes.iter().find(|listed| listed.name == name);
        found.with_context(|| format!("there is no {name}"))
    };
    let roles = &part("postgres")?.connections;
    let log = |role: &str| {
        let url = roles.get(role).cloned();
        url.with_context(|| format!("there is no role {role}"))
    };
    let administration = |service: &str| -> Result<String> {
        let address = part(service)?.addresses.get("administration");
        let address = address.with_context(|| format!("{service} has no administration"))?;
        Ok(format!("https://{address}"))
    };
    let variables = [
        ("SEKISHO_DATABASE_URL", log("sekisho_reader")?),
        ("SEKISHO_OPERATOR_DATABASE_URL", log("sekisho_operator")?),
        ("SEKISHO_CREDENTIALS_ADMIN_URL", administration("credentials")?),
        ("SEKISHO_SESSIONS_ADMIN_URL", administration("sessions")?),
        (
            "SEKISHO_CERTIFICATES",
            state::directory()?.join("keys").display().to_string(),
        ),
    ];
    // The program is built by `up`.
    println!(
        "export PATH={}:\"$PATH\"",
        quoted(&paths::binaries()?.display().to_string())
    );
    for (name, value) in variables {
        println!("export {name}={}", quoted(&value));
    }
    Ok(())
}

/// As a POSIX shell reads it back, whatever it holds.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
