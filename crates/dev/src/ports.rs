//! Ports on loopback: free ones, and who holds a busy one.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
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

    /// These ports and no others; each with the option that chooses another.
    ///
    /// # Errors
    /// When some are busy: one sentence that names all of them and who holds each.
    pub fn wanted<const N: usize>(choices: [(u16, &str); N]) -> Result<[Self; N]> {
        for (place, (number, option)) in choices.iter().enumerate() {
            if let Some((_, other)) = choices[..place].iter().find(|(earlier, _)| earlier == number) {
                bail!(
                    "port {number} cannot be both {other} and {option}; choose another port with one of them"
                );
            }
        }
        let busy: Vec<(String, &str)> = choices
            .iter()
            .filter_map(|(number, option)| Some((refusal(*number)?, *option)))
            .collect();
        if !busy.is_empty() {
            bail!("{}", advice(&busy));
        }
        Ok(choices.map(|(number, _)| Self { number, _claim: None }))
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

/// Why a port cannot be used, if it cannot.
fn refusal(number: u16) -> Option<String> {
    if let Some(holder) = holder(number) {
        return Some(format!("port {number} is held by {holder}"));
    }
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, number));
    bound
        .err()
        .map(|error| format!("port {number} cannot be used ({error})"))
}

fn advice(busy: &[(String, &str)]) -> String {
    let reasons: Vec<&str> = busy.iter().map(|(why, _)| why.as_str()).collect();
    let options: Vec<&str> = busy.iter().map(|(_, option)| *option).collect();
    let others = if busy.len() == 1 {
        "another port"
    } else {
        "other ports"
    };
    format!(
        "{}; stop what holds it, or choose {others} with {}",
        reasons.join(", "),
        options.join(" and ")
    )
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
        let mistake = Port::wanted([(port, "--port")]).unwrap_err().to_string();
        let expected = format!("port {port} is held by process {} (", std::process::id());
        assert!(mistake.starts_with(&expected), "{mistake}");
        assert!(mistake.ends_with("choose another port with --port"), "{mistake}");
        drop(listener);
        assert!(Port::wanted([(port, "--port")]).is_ok());
    }

    #[test]
    fn all_busy_ports_are_named_at_once() {
        let held = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [one, other] = held.each_ref().map(|held| held.local_addr().unwrap().port());
        let mistake = Port::wanted([(one, "--port"), (other, "--mailbox-port")]).unwrap_err();
        let text = mistake.to_string();
        assert!(text.starts_with(&format!("port {one} is held by ")), "{text}");
        assert!(text.contains(&format!(", port {other} is held by ")), "{text}");
        assert!(
            text.ends_with("choose other ports with --port and --mailbox-port"),
            "{text}"
        );
    }

    #[test]
    fn one_port_cannot_serve_two_purposes() {
        let number = Port::free().unwrap().number;
        let mistake = Port::wanted([(number, "--port"), (number, "--mailbox-port")]).unwrap_err();
        let expected = format!("port {number} cannot be both --port and --mailbox-port");
        assert!(mistake.to_string().starts_with(&expected), "{mistake}");
    }

    #[test]
    fn two_claims_are_two_ports() {
        let (one, other) = (Port::free().unwrap(), Port::free().unwrap());
        assert_ne!(one.number, other.number);
        let folder = paths::ports().unwrap();
        assert!(Port::claim(&folder, one.number).unwrap().is_none());
    }
}
