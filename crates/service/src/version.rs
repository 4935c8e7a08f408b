//! Which build this is.

/// The version of the workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The first 12 digits of the commit, or `unknown` for a build outside a repository.
pub const COMMIT: &str = env!("SEKISHO_COMMIT");

/// The line that `--version` prints.
pub fn line(program: &str) -> String {
    format!("{program} {VERSION} (commit {COMMIT})")
}
