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

/// What turns on standard error while nobody knows how much is to come, or nothing if that is no terminal.
///
/// # Errors
/// For a template that is none.
pub fn spinner(template: &str) -> anyhow::Result<ProgressBar> {
    if io::stderr().is_terminal() {
        Ok(ProgressBar::new_spinner().with_style(ProgressStyle::with_template(template)?))
    } else {
        Ok(ProgressBar::hidden())
    }
}
