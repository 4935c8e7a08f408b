//! Finds the commit for `--version` by reading the repository's files, because a build may have no `git`.
//!
//! Outside a repository (a release tarball, a container build) the variable `SEKISHO_COMMIT` names it.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SEKISHO_COMMIT");
    let commit = std::env::var("SEKISHO_COMMIT")
        .ok()
        .or_else(from_repository)
        .unwrap_or_else(|| "unknown".to_owned());
    let short: String = commit
        .trim()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    println!("cargo:rustc-env=SEKISHO_COMMIT={short}");
}

fn from_repository() -> Option<String> {
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").ok()?);
    let found = manifest
        .ancestors()
        .map(|folder| folder.join(".git"))
        .find(|path| path.exists())?;
    let private = private_folder(&found)?;
    let shared = shared_folder(&private);
    let head = read(&private.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else {
        return Some(head);
    };
    let loose = [&private, &shared]
        .iter()
        .find_map(|folder| read(&folder.join(name)));
    if loose.is_none() {
        // The next commit makes this branch a file of its own.
        println!("cargo:rerun-if-changed={}", shared.join("refs/heads").display());
    }
    loose.or_else(|| packed(&shared, name))
}

/// A linked worktree has a file `.git` that names its folder.
fn private_folder(found: &Path) -> Option<PathBuf> {
    if found.is_dir() {
        return Some(found.to_owned());
    }
    let named = read(found)?;
    Some(found.parent()?.join(named.strip_prefix("gitdir: ")?))
}

/// Where a worktree's branches live.
fn shared_folder(private: &Path) -> PathBuf {
    read(&private.join("commondir")).map_or_else(|| private.to_owned(), |common| private.join(common))
}

fn packed(shared: &Path, name: &str) -> Option<String> {
    let all = read(&shared.join("packed-refs"))?;
    all.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, reference)| *reference == name)
        .map(|(commit, _)| commit.to_owned())
}

/// Watches only files that exist: cargo takes a missing one for changed at every build.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    println!("cargo:rerun-if-changed={}", path.display());
    Some(text.trim().to_owned())
}
