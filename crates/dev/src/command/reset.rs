//! `cargo dev reset`

use std::fs;

use anyhow::Result;
use sekisho_dev::{paths, postgres};

use super::lock::{Doing, Lock};
use super::state;

/// Forgets accounts, history, keys, logs, and the templates that new databases are copied from.
///
/// # Errors
/// When `up` runs, is starting or stopping, or something cannot be removed.
pub fn run() -> Result<()> {
    let _nobody_else = Lock::take(Doing::Resetting)?;
    state::clean_up()?;
    for folder in [
        paths::kept()?.join(state::NAME),
        paths::servers()?.join(state::NAME),
    ] {
        if folder.is_dir() {
            fs::remove_dir_all(folder)?;
        }
    }
    postgres::forget_templates()?;
    // Outside of target/dev nothing should be left, unless a test runs right now.
    let servers = paths::servers()?;
    for empty in [servers.join("runs"), servers] {
        let _ = fs::remove_dir(empty);
    }
    println!("Forgotten; the next `cargo dev up` begins with an empty history.");
    Ok(())
}
