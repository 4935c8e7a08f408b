//! Room on the disk.

use std::path::Path;

use anyhow::{Result, bail};

/// What starting everything needs at least, in bytes: 1 GiB.
const TO_START: u64 = 1 << 30;
/// What the databases of tests need: 2.4 GB were measured, of one program.
const TO_TEST: u64 = 3 << 30;
/// What building everything needs as well the first time: 2.5 GB were measured.
const TO_BUILD: u64 = 3 << 30;

/// Fails with one sentence if there is too little room for what we are about to do.
///
/// # Errors
/// When less is free where `folder` is than building (unless that has been done) and starting everything takes.
pub fn require(folder: &Path, is_built: bool) -> Result<()> {
    look(folder, if is_built { TO_START } else { TO_BUILD })
}

/// Fails with one sentence if there is too little room for the databases of tests.
///
/// # Errors
/// When less is free where `servers`, the folder of their servers, is than they take.
pub fn require_for_tests(servers: &Path) -> Result<()> {
    look(servers, TO_TEST)
}

fn look(folder: &Path, needed: u64) -> Result<()> {
    let found = rustix::fs::statvfs(folder)?;
    judge(folder, found.f_bavail.saturating_mul(found.f_frsize), needed)
}

fn judge(folder: &Path, free: u64, needed: u64) -> Result<()> {
    if free < needed {
        let (free, needed) = (free >> 20, needed >> 20);
        bail!(
            "the disk of {} is full: {free} MiB are free, and at least {needed} MiB are needed",
            folder.display()
        );
    }
    Ok(())
}

/// Whether next to nothing (16 MiB) is free where `folder` is.
pub fn is_out(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < 16 << 20)
}

/// Whether this mistake, at its root, is a full disk.
pub fn is_full(mistake: &anyhow::Error) -> bool {
    let by_kind = mistake.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    });
    // What a program of somebody else's wrote before it ended.
    by_kind || format!("{mistake:#}").contains("No space left on device")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_nearly_full_disk_is_one_sentence() {
        let mistake = judge(Path::new("/data"), 5 << 20, TO_BUILD)
            .unwrap_err()
            .to_string();
        assert_eq!(
            mistake,
            "the disk of /data is full: 5 MiB are free, and at least 3072 MiB are needed"
        );
        assert!(judge(Path::new("/data"), TO_START, TO_START).is_ok());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_write_that_finds_no_room_is_known_as_a_full_disk() {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .write_all(b"x")
            .unwrap_err();
        assert!(is_full(
            &anyhow::Error::new(full).context("cannot write the list")
        ));
        assert!(!is_full(&anyhow::anyhow!("something else")));
    }
}
