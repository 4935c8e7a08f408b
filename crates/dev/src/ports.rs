//! Ports on loopback: free ones, and who holds a busy one.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::FlockOperation;

use crate::process::Spawned;
use crate::{paths, random, wait};

/// Below the range that Linux takes the near ends of outgoing connections from, so that a server that was killed
/// finds its port free when it starts again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port on loopback that no other run of this user takes, in whatever checkout, while this value lives.
#[derive(Debug)]
pub struct Port {
    /// The number.
    pub number: u16,
    _claim: Option<File>,
}

impl Port {
    /// A free port.
    ///
    /// # Errors
    /// When none is free, or claims cannot be written.
    pub fn free() -> Result<Self> {
        let folder = paths::ports()?;
        let begin = random::number()? % COUNT;
        for step in 0..COUNT {
            let number = FIRST + (begin + step) % COUNT;
            if let Some(port) = Self::claim(&folder, number)? {
                return Ok(port);
            }
        }
        bail!("no port between {FIRST} and {} is free", FIRST + COUNT - 1)
    }

    /// This port and no other.
    ///
    /// # Errors
    /// When it is busy: one sentence that names who holds it. `option` is what chooses another.
    pub fn wanted(number: u16, option: &str) -> Result<Self> {
        if let Some(holder) = holder(number) {
            bail!("port {number} is held by {holder}; stop that, or choose another port with {option}");
        }
        TcpListener::bind((Ipv4Addr::LOCALHOST, number))
            .with_context(|| format!("port {number} cannot be used; choose another port with {option}"))?;
        Ok(Self { number, _claim: None })
    }

    /// The address on loopback.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.number))
    }

    fn claim(folder: &Path, number: u16) -> Result<Option<Self>> {
        let path = folder.join(number.to_string());
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let ours = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        let free = ours && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok();
        Ok(free.then_some(Self {
            number,
            _claim: Some(file),
        }))
    }
}

/// Waits until a process listens on its port.
///
/// # Errors
/// When the process ends, or does not listen within `limit`.
pub fn wait_listening(process: &mut Spawned, address: SocketAddr, limit: Duration) -> Result<()> {
    wait::until(&format!("a listener on {address}"), limit, || {
        process.must_run()?;
        Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1))
            .ok()
            .map(drop))
    })
}

/// Who listens on this port of loopback, in words; `None` if nobody does, or the system does not tell.
pub fn holder(port: u16) -> Option<String> {
    let sockets: HashSet<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            table
                .lines()
                .filter_map(|line| listener(line, port))
                .collect::<Vec<_>>()
        })
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let holder = pids.into_iter().find(|pid| holds(*pid, &sockets));
    Some(holder.map_or_else(|| "a process of another user".to_owned(), describe))
}

/// The socket of a line of /proc/net/tcp that listens on `port` of loopback or of every address.
fn listener(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (address, hexadecimal) = fields.get(1)?.split_once(':')?;
    let same = u16::from_str_radix(hexadecimal, 16).ok()? == port && *fields.get(3)? == LISTEN;
    let any = address.chars().all(|digit| digit == '0');
    let loopback = address.ends_with("7F") || address.ends_with("01000000");
    (same && (any || loopback)).then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
}

fn holds(pid: u32, sockets: &HashSet<String>) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| sockets.contains(&*target.to_string_lossy()))
}

fn describe(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy)
        .collect();
    let text: String = words.join(" ").trim().chars().take(60).collect();
    format!("process {pid} ({text})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_busy_port_names_the_process_that_holds_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mistake = Port::wanted(port, "--port").unwrap_err().to_string();
        let expected = format!("port {port} is held by process {} (", std::process::id());
        assert!(mistake.starts_with(&expected), "{mistake}");
        assert!(mistake.ends_with("choose another port with --port"), "{mistake}");
        drop(listener);
        assert!(Port::wanted(port, "--port").is_ok());
    }

    #[test]
    fn two_claims_are_two_ports() {
        let (one, other) = (Port::free().unwrap(), Port::free().unwrap());
        assert_ne!(one.number, other.number);
        let folder = paths::ports().unwrap();
        assert!(Port::claim(&folder, one.number).unwrap().is_none());
    }
}
