//! Firefox and its driver, for the part of the long tier that walks the manual in another browser. Debian has no package of the
//! driver, so cargo builds it.

use std::path::PathBuf;

use anyhow::Result;

use crate::tools::{self, Consent, ThisMachine, Tool};
use crate::{cargo, paths};

/// geckodriver's newest version, which drives every Firefox that is supported.
const VERSION: &str = "0.37.1";

/// Sees to it that both are there.
///
/// # Errors
/// When Firefox cannot be installed, or the driver does not build.
pub fn install() -> Result<()> {
    tools::provide(&[Tool::Firefox], Consent::Given, &ThisMachine, &tools::places())?;
    let driver = driver()?;
    if driver.is_file() {
        return Ok(());
    }
    let mut command = cargo::command(&[
        "install",
        "geckodriver",
        "--version",
        VERSION,
        "--locked",
        "--root",
    ]);
    cargo::run(command.arg(root()?))
}

/// Where the driver is, once it is there.
///
/// # Errors
/// When there is no place for it.
pub fn driver() -> Result<PathBuf> {
    Ok(root()?.join("bin/geckodriver"))
}

fn root() -> Result<PathBuf> {
    Ok(paths::common()?.join(format!("geckodriver-{VERSION}")))
}
