//! The documents and the code say the same, and so do the manifests.

mod links;
mod manifests;
mod mechanisms;
mod reasons;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Every Rust file below the folders of crates.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<_> = ["crates", "proto", "services", "tests"]
        .map(|name| root.join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
