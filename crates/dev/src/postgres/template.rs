//! Data that is made once and then copied: a new server is ready in a second instead of ten.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::fs::FlockOperation;

use super::server::{Server, initialise};
use super::{DATABASE, Passwords, Reach, Schema};
use crate::folder::Folder;
use crate::process;
use crate::tools::{self, Tool};
use crate::{cargo, paths};

/// Goes up when this module makes templates in another way.
const FORMAT: u32 = 3;
const LOCK: &str = "template.lock";
const PASSWORDS: &str = "passwords.json";
/// Which server and database of somebody else's an `up` has made its own.
const ELSEWHERE: &str = "elsewhere";
const ROLES: &str = "deploy/postgres/roles.sql";
/// Each schema and the folder of its migrations.
const MIGRATIONS: [(&str, &str); 3] = [
    ("log", "crates/eventlog/migrations"),
    ("credentials", "services/credentials/migrations"),
    ("sessions", "services/sessions/migrations"),
];

/// Copies the template of `schema` into `folder`, and makes it first if there is none for the present roles and
/// migrations. The server on the copy is not started.
pub(crate) fn copy(schema: Schema, folder: &Folder) -> Result<Server> {
    let lock = lock_file()?;
    let template = paths::servers()?.join(name(schema)?);
    let secrets = paths::kept()?.join(format!("{}.json", name(schema)?));
    loop {
        rustix::fs::flock(&lock, FlockOperation::LockShared)?;
        if template.is_dir() && secrets.is_file() {
            let passwords: Passwords = serde_json::from_str(&fs::read_to_string(&secrets)?)?;
            copy_data(&template, &folder.servers)?;
            // Last: passwords that are there fit the data that is there.
            write_secret(&folder.own.join(PASSWORDS), &serde_json::to_string(&passwords)?)?;
            return Server::new(folder, passwords);
        }
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
        if !(template.is_dir() && secrets.is_file()) {
            make(schema, &template, &secrets)?;
        }
    }
}

/// The server on the data that an earlier run left in `folder`, if there is any. Not started.
pub(crate) fn reopen(folder: &Folder) -> Result<Option<Server>> {
    let secrets = folder.own.join(PASSWORDS);
    if !(secrets.is_file() && folder.servers.join("data").is_dir()) {
        return Ok(None);
    }
    let passwords =
        serde_json::from_str(&fs::read_to_string(&secrets)?).context("cannot read the passwords")?;
    Server::new(folder, passwords).map(Some)
}

/// A server that somebody else runs, brought up to date: roles with passwords that are kept in `folder`, and every
/// schema. Nothing is changed in one that another installation uses: roles belong to the whole server, and a log is of no
/// use without the keys of the run that wrote it.
pub(crate) fn elsewhere(url: &str, folder: &Folder) -> Result<Server> {
    let (reach, superuser) = Reach::elsewhere(url)?;
    // The superuser's own is not ours to keep.
    let kept: Passwords = match fs::read_to_string(folder.own.join(PASSWORDS)) {
        Ok(text) => serde_json::from_str(&text).context("cannot read the passwords")?,
        Err(_) => Passwords {
            postgres: String::new(),
            ..Passwords::random()?
        },
    };
    let passwords = Passwords {
        postgres: superuser,
        ..kept.clone()
    };
    let mut server = Server::elsewhere(reach, passwords);
    server.start()?;
    let psql = server.psql_in_log()?;
    let identity = psql.run(
        "select system_identifier || '/' || (select oid from pg_database where datname = current_database())
         from pg_control_system();",
    )?;
    let ours = folder.own.join(ELSEWHERE);
    let is_ours = fs::read_to_string(&ours).is_ok_and(|known| known == identity);
    let in_use = "select exists (select from pg_roles where rolname like 'sekisho%') or to_regnamespace('log') is not null;";
    if !is_ours && psql.run(in_use)? == "t" {
        bail!(
            "the server of --postgres, {}, is used by another installation of Sekisho: nothing was changed; give one of its own",
            server.reach().address()
        );
    }
    fs::write(&ours, identity).with_context(|| format!("cannot write {}", ours.display()))?;
    write_secret(&folder.own.join(PASSWORDS), &serde_json::to_string(&kept)?)?;
    bring_up_to_date(&server, Schema::Migrated)?;
    Ok(server)
}

/// Removes data whose passwords or keys are gone, as when somebody has removed target/dev while the data, which
/// belongs to another user, is elsewhere; true if there was any. The keys go along: they are of no use to new data.
pub(crate) fn forget_unreadable(folder: &Folder, keys: &Path) -> Result<bool> {
    let (data, passwords) = (folder.servers.join("data"), folder.own.join(PASSWORDS));
    if !data.is_dir() || (passwords.is_file() && keys.is_dir()) {
        return Ok(false);
    }
    fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    if keys.is_dir() {
        fs::remove_dir_all(keys).with_context(|| format!("cannot remove {}", keys.display()))?;
    }
    Ok(true)
}

/// Brings the running server's roles and tables up to what the checkout holds now.
pub(crate) fn bring_up_to_date(server: &Server, schema: Schema) -> Result<()> {
    match schema {
        Schema::Empty => Ok(()),
        Schema::Files => {
            roles(server)?;
            run_files(server)
        }
        Schema::Migrated => {
            roles(server)?;
            migrate("sekisho", &["log", "migrate"], server)?;
            migrate("sekisho-credentials", &["migrate"], server)?;
            migrate("sekisho-sessions", &["migrate"], server)?;
            all_schemas(server)
        }
    }
}

fn lock_file() -> Result<File> {
    let path = paths::kept()?.join(LOCK);
    let mut options = OpenOptions::new();
    options
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// A name that changes with everything that the template is made of.
fn name(schema: Schema) -> Result<String> {
    let mut parts = Vec::new();
    if schema != Schema::Empty {
        let roles = paths::workspace().join(ROLES);
        for file in std::iter::once(roles).chain(migration_files().into_iter().map(|(_, file)| file)) {
            let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            parts.push((file, text));
        }
    }
    Ok(format!(
        "{}-{:016x}",
        kind(schema),
        key(&tools::require(Tool::PostgreSql)?, &parts)
    ))
}

fn key(programs: &Path, parts: &[(PathBuf, Vec<u8>)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (FORMAT, programs, parts).hash(&mut hasher);
    hasher.finish()
}

fn kind(schema: Schema) -> String {
    format!("template-{schema:?}").to_lowercase()
}

/// Every migration with its schema, in the order in which they run.
fn migration_files() -> Vec<(&'static str, PathBuf)> {
    let mut all = Vec::new();
    for (schema, folder) in MIGRATIONS {
        let entries = fs::read_dir(paths::workspace().join(folder));
        let mut files: Vec<PathBuf> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
        files.sort();
        all.extend(files.into_iter().map(|file| (schema, file)));
    }
    all
}

/// As the programs do it: everything belongs to `sekisho_owner`.
fn run_files(server: &Server) -> Result<()> {
    let psql = server.psql_in_log()?;
    for (schema, file) in migration_files() {
        let before = format!("set role sekisho_owner;\ncreate schema if not exists {schema};\n");
        psql.file(&before, &file, &[])?;
    }
    Ok(())
}

fn make(schema: Schema, template: &Path, secrets: &Path) -> Result<()> {
    // Those of other roles and migrations.
    remove(&format!("{}-", kind(schema)))?;
    let passwords = Passwords::random()?;
    let folder = Folder::temporary("template")?;
    initialise(&folder, &passwords)?;
    let mut server = Server::new(&folder, passwords)?;
    server.start()?;
    server
        .psql("postgres")?
        .run(&format!("create database {DATABASE};"))?;
    bring_up_to_date(&server, schema)?;
    server.stop()?;
    write_secret(secrets, &serde_json::to_string(&server.passwords)?)?;
    // Last and at once: a template that is there is whole.
    fs::rename(folder.servers.join("data"), template).context("cannot put the template in its place")
}

pub(super) fn forget() -> Result<()> {
    let lock = lock_file()?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
    remove("template-")
}

/// Whoever copies one holds the lock, so nobody does now.
fn remove(prefix: &str) -> Result<()> {
    for folder in [paths::servers()?, paths::kept()?] {
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(prefix) && entry.file_name() != LOCK {
                if path.is_dir() {
                    fs::remove_dir_all(path)?;
                } else {
                    fs::remove_file(path)?;
                }
            }
        }
    }
    Ok(())
}

fn roles(server: &Server) -> Result<()> {
    let passwords = &server.passwords;
    let variables = [
        ("credentials_password", passwords.credentials.as_str()),
        ("otp_password", &passwords.otp),
        ("sessions_password", &passwords.sessions),
        ("audit_password", &passwords.audit),
        ("operator_password", &passwords.operator),
        ("reader_password", &passwords.reader),
    ];
    server
        .psql_in_log()?
        .file("", &paths::workspace().join(ROLES), &variables)
}

fn migrate(program: &str, arguments: &[&str], server: &Server) -> Result<()> {
    let mut command = Command::new(cargo::program(program)?);
    process::clean(&mut command);
    command
        .args(arguments)
        // Not on the command line, where everybody on the machine could read it.
        .env("SEKISHO_MIGRATE_DATABASE_URL", server.url("postgres"))
        .stdin(Stdio::null());
    let output = command
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}` failed: {}", arguments.join(" "), said.trim());
    }
    Ok(())
}

/// A program that migrates nothing and says nothing must not become a template.
fn all_schemas(server: &Server) -> Result<()> {
    for (schema, folder) in MIGRATIONS {
        if server
            .psql_in_log()?
            .run(&format!("select to_regnamespace('{schema}') is null;"))?
            == "t"
        {
            bail!("the schema {schema} is not there after its migrations ({folder})");
        }
    }
    Ok(())
}

/// By `cp`, which keeps owners and, where the disk can, shares the blocks.
fn copy_data(template: &Path, servers: &Path) -> Result<()> {
    let half = servers.join("data.new");
    if half.is_dir() {
        fs::remove_dir_all(&half)?;
    }
    let mut command = Command::new("cp");
    command.args(if cfg!(target_os = "linux") {
        ["-a", "--reflink=auto"]
    } else {
        ["-p", "-R"]
    });
    let output = command
        .arg(template)
        .arg(&half)
        .output()
        .context("cannot start cp")?;
    if !output.status.success() {
        bail!(
            "cannot copy {}: {}",
            template.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::rename(half, servers.join("data")).context("cannot put the data in its place")
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_migration_or_another_postgresql_needs_another_template() {
        let file = |text: &str| vec![(PathBuf::from("0001.sql"), text.as_bytes().to_vec())];
        let (old, new) = (
            Path::new("/usr/lib/postgresql/15/bin"),
            Path::new("/usr/lib/postgresql/17/bin"),
        );
        assert_eq!(key(old, &file("create")), key(old, &file("create")));
        assert_ne!(key(old, &file("create")), key(old, &file("alter")));
        assert_ne!(key(old, &file("create")), key(new, &file("create")));
    }
}
