//! Where things are: the checkout, what cargo built, and the folders of private servers.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::user::{self, User};

/// The checkout that this program was built from.
pub fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_path_buf()
}

/// The folder that cargo puts finished programs into, for example `target/debug`.
///
/// Seen from the running program, so that a moved target directory needs no setting.
///
/// # Errors
/// When the running program's own path is unknown.
pub fn binaries() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = program.parent().context("this program is in no folder")?;
    Ok(beside(folder))
}

/// Where the programs are, for a program in `folder`: tests are one folder deeper, and `cargo dev` itself is built in
/// the profile `tool`, while everything that it starts is built in the usual one.
fn beside(folder: &Path) -> PathBuf {
    let inner = folder.ends_with("deps") || folder.ends_with("examples");
    let outer = if inner { folder.parent() } else { None };
    let own = outer.unwrap_or(folder);
    if own.ends_with("tool") {
        own.with_file_name("debug")
    } else {
        own.to_path_buf()
    }
}

/// Chooses another folder than `target/dev` for all that is kept: a second `up` beside the first.
pub const FOLDER: &str = "SEKISHO_DEV_FOLDER";

/// Everything that `cargo dev` keeps: the folder that the variable [`FOLDER`] names, or `target/dev`; made if it is
/// not there.
///
/// # Errors
/// When the folder cannot be made.
pub fn kept() -> Result<PathBuf> {
    let Some(named) = std::env::var_os(FOLDER) else {
        return common();
    };
    let folder = std::path::absolute(named).context("the folder is not a path")?;
    make_private(&folder)?;
    Ok(folder)
}

/// What all runs of this checkout share, whatever [`FOLDER`] says: `target/dev`.
///
/// # Errors
/// When the folder cannot be made.
pub fn common() -> Result<PathBuf> {
    let built = binaries()?;
    let target = built.parent().context("the programs are in no target folder")?;
    let folder = target.join("dev");
    make_private(&folder)?;
    Ok(folder)
}

/// Where the claims on ports are, which all checkouts of this user share.
///
/// # Errors
/// When the folder cannot be made, or is there and belongs to somebody else.
pub fn ports() -> Result<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let folder = PathBuf::from(format!("/var/tmp/sekisho-dev-ports-{uid}"));
    make_private(&folder)?;
    check_owned(&folder, uid, "this user")?;
    Ok(folder)
}

/// Where PostgreSQL's data may be: a folder that the user who runs PostgreSQL owns and can reach.
///
/// For an ordinary user that is below [`kept`]. PostgreSQL refuses to run as root, and the checkout may be in a
/// folder that others cannot enter, so for root it is below `/var/tmp`, named after the checkout.
///
/// # Errors
/// When the folder cannot be made, or is there and belongs to somebody else.
pub fn servers() -> Result<PathBuf> {
    let Some(owner) = user::for_servers()? else {
        let folder = kept()?.join("servers");
        make_private(&folder)?;
        return Ok(folder);
    };
    let mut hasher = DefaultHasher::new();
    kept()?.hash(&mut hasher);
    let folder = PathBuf::from(format!("/var/tmp/sekisho-dev-{:016x}", hasher.finish()));
    make_owned(&folder, &owner)?;
    Ok(folder)
}

/// Makes a folder, and those above it, that only this user can enter.
///
/// # Errors
/// When it cannot be made.
pub fn make_private(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Makes one folder that only `owner` can enter, or checks that it is exactly that: others can write to
/// `/var/tmp`, so a folder that is already there is trusted only if it belongs to `owner`.
///
/// # Errors
/// When it cannot be made, or is not `owner`'s own.
pub fn make_owned(folder: &Path, owner: &User) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => std::os::unix::fs::chown(folder, Some(owner.uid), Some(owner.gid))
            .with_context(|| format!("cannot give {} to {}", folder.display(), owner.name)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            check_owned(folder, owner.uid, &owner.name)
        }
        Err(error) => Err(error).with_context(|| format!("cannot make the folder {}", folder.display())),
    }
}

fn check_owned(folder: &Path, uid: u32, name: &str) -> Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o077 != 0 {
        bail!(
            "{} is there but is not a private folder of {name}; look at it and remove it",
            folder.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_from_a_test_and_from_the_tools_own_folder() {
        for folder in ["debug", "debug/deps", "debug/examples", "tool", "tool/deps"] {
            let found = beside(&Path::new("/moved/target").join(folder));
            assert_eq!(found, Path::new("/moved/target/debug"), "{folder}");
        }
        assert_eq!(beside(Path::new("/target/release")), Path::new("/target/release"));
    }

    #[test]
    fn the_tool_is_built_in_a_folder_of_its_own() {
        let read = |file: &str| fs::read_to_string(workspace().join(file)).unwrap();
        assert!(read(".cargo/config.toml").contains("dev = \"run --profile tool "));
        assert!(read("Cargo.toml").contains("[profile.tool]\ninherits = \"dev\"\n"));
    }
}
