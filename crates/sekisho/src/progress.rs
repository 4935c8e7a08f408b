//! How long something still takes.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, or none if that is no terminal.
///
/// # Errors
/// For a template that is none.
pub fn bar(length: u64, template: &str) -> anyhow::Result<ProgressBar> {
    if io::stderr().is_terminal() {
        Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(template)?))
    } else {
        Ok(ProgressBar::hidden())
    }
}
