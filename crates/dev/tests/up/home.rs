//! An `up` of a test's own, and what its processes are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use sekisho_dev::ports::Port;
use sekisho_dev::process::Identity;
use sekisho_dev::{paths, wait};
use serde_json::Value;

pub const LIMIT: Duration = Duration::from_secs(30);

/// A folder in the place of target/dev, so that a person's own `up` is left alone.
pub struct Home {
    pub folder: tempfile::TempDir,
    pub portal: Port,
    pub mailbox: Port,
    pub provider: Port,
}

impl Home {
    pub fn new() -> Self {
        let parent = paths::common().unwrap();
        let folder = tempfile::tempdir_in(parent).unwrap();
        Self {
            folder,
            portal: Port::free().unwrap(),
            mailbox: Port::free().unwrap(),
            provider: Port::free().unwrap(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
        command
            .args(arguments)
            .env(paths::FOLDER, self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn up_command(&self) -> Command {
        let mut command = self.command(&["up"]);
        for (option, port) in [
            ("--port", &self.portal),
            ("--mailbox-port", &self.mailbox),
            ("--ncr-port", &self.provider),
        ] {
            command.args([option, &port.number.to_string()]);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// An `up` that begins to start.
    pub fn spawn(&self) -> Child {
        let mut command = self.up_command();
        // What a person may have set for other work must not decide what our programs connect to.
        command
            .env("PGHOSTADDR", "203.0.113.1")
            .env("SEKISHO_GATEWAY_HOSTS", "example.com");
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap()
    }

    /// An `up` that has started everything.
    pub fn up(&self) -> Up {
        let mut child = self.spawn();
        let (sender, said) = std::sync::mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            errors
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let table: Vec<String> = lines.by_ref().take(6).collect();
        let up = Up {
            child,
            said: said.try_iter().collect(),
            later: said,
        };
        assert_eq!(table.len(), 6, "{:?}", up.said);
        assert!(
            table[1].contains(&format!("http://localhost:{}", self.portal.number)),
            "{table:?}"
        );
        up
    }

    pub fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn processes(&self) -> Vec<(String, Option<u32>)> {
        let status = self.status();
        let listed = status["processes"].as_array().unwrap().iter();
        let pid = |process: &Value| process["pid"].as_u64().map(|pid| u32::try_from(pid).unwrap());
        listed
            .map(|process| (process["name"].as_str().unwrap().to_owned(), pid(process)))
            .collect()
    }

    /// The number of a part that runs, and where it listens.
    pub fn place(&self, part: &str) -> (u64, String) {
        let status = self.status();
        let mut listed = status["processes"].as_array().unwrap().iter();
        let found = listed.find(|process| process["name"] == part).unwrap();
        let address = found["addresses"]["listen"].as_str().unwrap();
        (found["pid"].as_u64().unwrap(), address.to_owned())
    }

    /// What a command says that succeeds.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn identities(&self) -> Vec<Identity> {
        self.processes()
            .into_iter()
            .map(|(_, pid)| Identity::of(pid.unwrap()).unwrap())
            .collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.run(&["reset"]);
    }
}

pub struct Up {
    pub child: Child,
    /// What it said until everything ran, and what it says after that.
    pub said: Vec<String>,
    pub later: Receiver<String>,
}

impl Up {
    pub fn signal(&self, signal: Signal) {
        Identity::of(self.child.id()).unwrap().signal(signal);
    }

    pub fn end(self) -> Option<i32> {
        self.last_words().0
    }

    /// How it ends, and what it says last.
    pub fn last_words(mut self) -> (Option<i32>, String) {
        let status = wait::until("up to end", LIMIT, || Ok(self.child.try_wait()?)).unwrap();
        (status.code(), self.later.iter().last().unwrap_or_default())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A test that fails must not leave it running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends with the test, whatever becomes of that.
pub struct Left(pub Child);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a command says that must refuse at once.
pub fn refusal(mut command: Command) -> String {
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut left = Left(child);
    let status = wait::until("a refusal", LIMIT, || Ok(left.0.try_wait()?)).unwrap();
    assert_eq!(status.code(), Some(1));
    std::io::read_to_string(left.0.stderr.take().unwrap()).unwrap()
}

/// Listens on a port that was free a moment ago. A process that another test is just starting may still hold what was open when it was
/// forked, until it becomes another program.
pub fn hold(port: &Port) -> TcpListener {
    wait::until(
        "a free port",
        LIMIT,
        || Ok(TcpListener::bind(port.address()).ok()),
    )
    .unwrap()
}

pub fn all_gone(processes: &[Identity]) {
    for process in processes {
        process.wait_gone(LIMIT).unwrap();
    }
}

/// Ctrl-C in the terminal of `up` must reach `up` alone, so that it can stop the others in order.
pub fn own_process_groups(home: &Home) {
    for (name, pid) in home.processes() {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.unwrap())).unwrap();
        let group = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(2)
            .unwrap()
            .to_owned();
        assert_eq!(group, pid.unwrap().to_string(), "{name}");
    }
}

/// Every socket on which one of our processes listens is one of loopback.
pub fn only_loopback(home: &Home) {
    let output = Command::new("sh")
        .args(["-c", "cat /proc/net/tcp /proc/net/tcp6"])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    for (name, pid) in home.processes() {
        let files = fs::read_dir(format!("/proc/{}/fd", pid.unwrap()))
            .unwrap()
            .flatten();
        let sockets = files.filter_map(|file| fs::read_link(file.path()).ok()?.to_str().map(str::to_owned));
        for socket in
            sockets.filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        {
            let listens = |line: &&str| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                fields.get(3) == Some(&"0A") && fields.get(9) == Some(&socket.as_str())
            };
            let open = table
                .lines()
                .filter(listens)
                .find(|line| !line.contains(" 0100007F:"));
            assert_eq!(open, None, "{name} listens elsewhere than on loopback");
        }
    }
}
