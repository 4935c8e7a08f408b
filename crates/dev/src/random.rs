//! Passwords of private servers.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// 128 random bits in hexadecimal after a letter: it needs no escaping in a connection string, and a NATS
/// configuration never takes it for a number.
pub(crate) fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    let mut source = File::open("/dev/urandom").context("cannot open /dev/urandom")?;
    source
        .read_exact(&mut bytes)
        .context("cannot read /dev/urandom")?;
    Ok(format!("p{:032x}", u128::from_be_bytes(bytes)))
}

/// A random number, for a place to begin a search at.
pub(crate) fn number() -> Result<u16> {
    let mut bytes = [0_u8; 2];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u16::from_be_bytes(bytes))
}
