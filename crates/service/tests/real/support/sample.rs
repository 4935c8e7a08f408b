//! The sample as a process of its own.

use super::{Authority, PATIENCE};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A running sample and the lines that it writes.
pub struct Sample {
    child: Child,
    lines: Receiver<Value>,
    seen: Vec<Value>,
}

/// How a sample is started.
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// With nothing set at all.
    pub fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// A sample that works, with the certificate of `role`.
    pub fn working(authority: &Authority, role: &str) -> Self {
        let file = |name: String| authority.file(&name).display().to_string();
        Self::none()
            .set("LISTEN", "127.0.0.1:0")
            .set("TLS_CERTIFICATE", &file(format!("{role}.pem")))
            .set("TLS_KEY", &file(format!("{role}.key")))
            .set("TLS_CA", &file("ca.pem".to_owned()))
    }

    pub fn set(self, name: &str, value: &str) -> Self {
        self.variable(&format!("SEKISHO_SAMPLE_{name}"), value)
    }

    /// A variable with its whole name.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho-service-sample"));
        command.env_clear().envs(&self.0).stdin(Stdio::null());
        command
    }

    /// Runs until the sample ends by itself.
    pub fn output(&self, arguments: &[&str]) -> std::process::Output {
        self.command().args(arguments).output().unwrap()
    }

    pub fn start(&self) -> Sample {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let parsed = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(parsed).is_err() {
                    return;
                }
            }
        });
        Sample {
            child,
            lines,
            seen: Vec::new(),
        }
    }
}

impl Sample {
    /// Waits for a log line with this message.
    pub fn line(&mut self, message: &str) -> Value {
        let is_it = |line: &&Value| line["message"] == message;
        if let Some(line) = self.seen.iter().find(is_it) {
            return line.clone();
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("no line {message}: {:?}", self.seen));
            self.seen.push(line.clone());
            if is_it(&&line) {
                return line;
            }
        }
    }

    /// Every line so far.
    pub fn lines(&mut self) -> &[Value] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    pub fn address(&mut self) -> SocketAddr {
        self.line("serving gRPC")["address"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_raw(self.child.id().cast_signed()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits for the end.
    pub fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the sample still runs: {:?}", self.lines());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
