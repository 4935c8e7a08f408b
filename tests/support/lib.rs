//! What the black-box tests share: clients with each service's certificate, the mailbox, a visitor without a browser,
//! a browser, a telemetry collector.

pub mod accounts;
pub mod backup;
pub mod browser;
pub mod collector;
pub mod flow;
pub mod gallery;
pub mod grpc;
pub mod inspect;
pub mod log;
pub mod mail;
pub mod seed;
pub mod stack;
pub mod visitor;
pub mod writers;

use sekisho_service::settings::KeyRing;
use sekisho_sessions::Keys;

/// The demo accounts' password.
pub const PASSWORD: &str = "gantoroku-demo-2026";
/// The first demo account.
pub const LOGIN: &str = "04500001";
/// The first demo account's address.
pub const ADDRESS: &str = "gantoroku@example.com";

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Keys by which replicas of sessions in this process believe each other.
///
/// # Errors
/// When their file cannot be written.
pub fn sessions_keys() -> anyhow::Result<Keys> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), format!("tests {}\n", "07".repeat(32)))?;
    Ok(Keys::new(KeyRing::read(file.path())?))
}
