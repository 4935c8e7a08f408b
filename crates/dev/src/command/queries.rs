//! The checked SQL queries: `.sqlx/` must say exactly what the sources and the migrations say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use sekisho_dev::folder::Folder;
use sekisho_dev::{Postgres, Schema, cargo, paths};

/// What sqlx's macros are called with.
const MACROS: [&str; 5] = [
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_file!(",
    "query_file_as!(",
];

/// Every query's file by its name.
type Queries = BTreeMap<String, Vec<u8>>;

/// `cargo dev prepare`: writes `.sqlx/` anew.
///
/// # Errors
/// When a query does not fit the database, or a file cannot be written.
pub fn prepare() -> Result<()> {
    let fresh = describe(&mut cargo::command(&["check", "--workspace", "--all-targets"]))?;
    let folder = committed_folder();
    fs::create_dir_all(&folder)?;
    let old = read(&folder)?;
    for name in old.keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
    }
    for (name, text) in &fresh {
        fs::write(folder.join(name), text)?;
    }
    println!("{} queries are in {}", fresh.len(), folder.display());
    Ok(())
}

/// Runs a cargo command that compiles everything, with every query checked against a real database, and fails if
/// `.sqlx/` differs from what that finds.
///
/// # Errors
/// When the command fails, or `.sqlx/` is not what it should be.
pub fn check(command: &mut Command) -> Result<()> {
    let fresh = describe(command)?;
    let differences = compare(&read(&committed_folder())?, &fresh);
    if !differences.is_empty() {
        bail!(
            ".sqlx/ is out of date; type `cargo dev prepare` and commit it: {}",
            differences.join(", ")
        );
    }
    Ok(())
}

fn committed_folder() -> PathBuf {
    paths::workspace().join(".sqlx")
}

/// The macros ask the database and write what they learn, but only when the compiler runs them: sources with queries
/// must look changed. Afterwards they get their old times back, so that no other build sees a change.
fn describe(command: &mut Command) -> Result<Queries> {
    let postgres = Postgres::start_with(Schema::Files)?;
    let folder = Folder::temporary("queries")?;
    let written = folder.own.join("sqlx");
    fs::create_dir(&written)?;
    command.env("DATABASE_URL", postgres.url("postgres"));
    command
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &written);
    let sources = Touched::all(sources()?, &folder.own)?;
    let ran = cargo::run(command);
    drop(sources);
    ran?;
    read(&written)
}

/// Sources whose times are now, until this value goes.
struct Touched(Vec<(PathBuf, SystemTime)>);

impl Touched {
    fn all(files: Vec<PathBuf>, scratch: &Path) -> Result<Self> {
        let mark = scratch.join("now");
        fs::write(&mark, "")?;
        let now = fs::metadata(&mark)?.modified()?;
        let mut touched = Self(Vec::new());
        for file in files {
            let before = fs::metadata(&file)?.modified()?;
            set_time(&file, now)?;
            touched.0.push((file, before));
        }
        Ok(touched)
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        for (file, before) in &self.0 {
            // Otherwise it is only compiled once more than needed.
            let _ = set_time(file, *before);
        }
    }
}

fn set_time(file: &Path, time: SystemTime) -> Result<()> {
    let open = File::options().append(true).open(file);
    open.and_then(|open| open.set_modified(time))
        .with_context(|| format!("cannot touch {}", file.display()))
}

/// Every source of the workspace that holds a query.
fn sources() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["crates", "services", "tests"] {
        collect(&paths::workspace().join(folder), &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            if MACROS.iter().any(|name| text.contains(name)) {
                found.push(path);
            }
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Queries> {
    let mut queries = Queries::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("query-")
            && entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "json")
        {
            queries.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(queries)
}

fn compare(committed: &Queries, fresh: &Queries) -> Vec<String> {
    let missing = fresh
        .keys()
        .filter(|name| !committed.contains_key(*name))
        .map(|name| format!("{name} is missing"));
    let left_over = committed
        .keys()
        .filter(|name| !fresh.contains_key(*name))
        .map(|name| format!("{name} has no query"));
    let changed = fresh
        .iter()
        .filter(|(name, text)| committed.get(*name).is_some_and(|other| other != *text));
    missing
        .chain(left_over)
        .chain(changed.map(|(name, _)| format!("{name} differs")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(files: &[(&str, &str)]) -> Queries {
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn queries_are_compared_both_ways() {
        let committed = queries(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let fresh = queries(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(
            compare(&committed, &fresh),
            ["d is missing", "c has no query", "b differs"]
        );
        assert!(compare(&fresh, &fresh).is_empty());
    }

    #[test]
    fn sources_with_queries_look_changed_only_while_they_are_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("read.rs");
        fs::write(&source, "sqlx::query!(\"select 1\")").unwrap();
        set_time(&source, SystemTime::UNIX_EPOCH).unwrap();
        let time = || fs::metadata(&source).unwrap().modified().unwrap();
        let before = time();
        let mut found = Vec::new();
        collect(folder.path(), &mut found).unwrap();
        let touched = Touched::all(found, folder.path()).unwrap();
        assert!(time() > before);
        drop(touched);
        assert_eq!(time(), before);
    }
}
