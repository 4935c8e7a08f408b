//! Files for passwords and names, where others may have put something beforehand.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::OFlags;
use rustix::process::geteuid;

/// Nobody but the owner reads or writes what is made.
const MODE: u32 = 0o600;

/// Opens a file of the caller's own, or makes one. In a shared folder somebody else may have made it, or a link to another one.
///
/// # Errors
/// A sentence for a link, a file of somebody else, one with several names, and what is no file.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> anyhow::Result<File> {
    let opened = options
        .create(true)
        .mode(MODE)
        .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits())?)
        .open(path);
    let file = opened.with_context(|| format!("{} を開けません", path.display()))?;
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 || found.uid() != geteuid().as_raw() {
        bail!(
            "{} は、ほかの人のファイルか、ほかの名前でも開けるファイルです。新しい名前にしてください。",
            path.display()
        );
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(path: &Path) -> anyhow::Result<File> {
        open(path, File::options().write(true))
    }

    #[test]
    fn links_and_files_with_several_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let [own, link, second] = ["own", "link", "second"].map(|name| folder.path().join(name));
        opened(&own).unwrap();
        opened(&own).unwrap();
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(opened(&link).is_err());
        std::fs::hard_link(&own, &second).unwrap();
        let mistake = opened(&own).unwrap_err().to_string();
        assert!(mistake.contains("ほかの名前"), "{mistake}");
        assert!(opened(Path::new("/dev/null")).is_err());
    }
}
