//! axe-core, which looks for what keeps people from using a page. It comes from npm's registry, as the lock file names it.

use std::fs;

use anyhow::{Context, Result};

use crate::packages::Packages;

const PACKAGES: Packages = Packages {
    name: "axe",
    files: &[
        ("package.json", include_str!("../axe/package.json")),
        ("package-lock.json", include_str!("../axe/package-lock.json")),
    ],
};

/// The script to run in a page before it is asked for `axe.run()`; fetched the first time.
///
/// # Errors
/// When npm is missing or fails.
pub fn script() -> Result<String> {
    let file = PACKAGES.installed()?.join("node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}
