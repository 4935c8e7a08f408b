//! Accounts for benchmarks, from a list.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_dev::{Service, Stack};

/// The password of all of them.
pub const PASSWORD: &str = "gantoroku-bench-2026";

/// Registers so many accounts with that password; their login ids.
pub fn register(stack: &Stack, number: usize) -> Result<Vec<String>> {
    let list = stack.directory().join("accounts.csv");
    fs::write(&list, rows(number, 1, &hash(PASSWORD)?)?)?;
    import(stack, &list, &["--apply"])?;
    Ok((0..number).map(|nth| login(1, nth)).collect())
}

/// A list of accounts, as `sekisho accounts import` reads it.
pub fn rows(number: usize, series: usize, hash: &str) -> Result<String> {
    let mut list = "利用者ID,施設コード,施設名,氏名,メールアドレス,パスワードハッシュ\n".to_owned();
    for nth in 0..number {
        let login = login(series, nth);
        writeln!(
            list,
            "{login},045000,架空がんセンター,見本 {nth},p{login}@example.com,\"{hash}\""
        )?;
    }
    Ok(list)
}

/// Runs `sekisho accounts import`; how long it took.
pub fn import(stack: &Stack, list: &Path, more: &[&str]) -> Result<Duration> {
    let process = stack.process(Service::Credentials, 0);
    let address = process.admin_address.context("no administration listener")?;
    let begun = Instant::now();
    let status = Command::new(sekisho_dev::cargo::program("sekisho")?)
        .args(["accounts", "import"])
        .arg(list)
        .args(more)
        .env("SEKISHO_CREDENTIALS_ADMIN_URL", format!("https://{address}"))
        .env("SEKISHO_CERTIFICATES", stack.certificates())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "the import failed");
    Ok(begun.elapsed())
}

fn login(series: usize, nth: usize) -> String {
    format!("{:08}", series * 10_000_000 + nth)
}

/// With the parameters of credentials, so that nothing is made anew at the first sign-in.
fn hash(password: &str) -> Result<String> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| anyhow::anyhow!("{error}"))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("{error}"))?.to_string())
}
