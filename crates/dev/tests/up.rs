//! `cargo dev up` from outside, as a person uses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use sekisho_dev::ports::Port;
use sekisho_dev::process::Identity;
use sekisho_dev::{paths, wait};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

/// A folder in the place of target/dev, so that a person's own `up` is left alone.
struct Home {
    folder: tempfile::TempDir,
    portal: Port,
    mailbox: Port,
}

impl Home {
    fn new() -> Self {
        let parent = paths::common().unwrap();
        let folder = tempfile::tempdir_in(parent).unwrap();
        Self {
            folder,
            portal: Port::free().unwrap(),
            mailbox: Port::free().unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
        command
            .args(arguments)
            .env(paths::FOLDER, self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn up(&self) -> Up {
        let ports = [self.portal.number.to_string(), self.mailbox.number.to_string()];
        let mut command = self.command(&["up", "--port", &ports[0], "--mailbox-port", &ports[1]]);
        // What a person may have set for other work must not decide what our programs connect to.
        command
            .env("PGHOSTADDR", "203.0.113.1")
            .env("SEKISHO_GATEWAY_HOSTS", "example.com");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
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
        let table: Vec<String> = lines.by_ref().take(5).collect();
        let up = Up {
            child,
            said: said.try_iter().collect(),
        };
        assert_eq!(table.len(), 5, "{:?}", up.said);
        assert!(
            table[1].contains(&format!("http://localhost:{}", self.portal.number)),
            "{table:?}"
        );
        up
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn processes(&self) -> Vec<(String, Option<u32>)> {
        let status = self.status();
        let listed = status["processes"].as_array().unwrap().iter();
        let pid = |process: &Value| process["pid"].as_u64().map(|pid| u32::try_from(pid).unwrap());
        listed
            .map(|process| (process["name"].as_str().unwrap().to_owned(), pid(process)))
            .collect()
    }

    fn identities(&self) -> Vec<Identity> {
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

struct Up {
    child: Child,
    said: Vec<String>,
}

impl Up {
    fn signal(&self, signal: Signal) {
        Identity::of(self.child.id()).unwrap().signal(signal);
    }

    fn end(mut self) -> Option<i32> {
        wait::until("up to end", LIMIT, || Ok(self.child.try_wait()?))
            .unwrap()
            .code()
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
struct Left(Child);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a command says that must refuse at once.
fn refusal(mut command: Command) -> String {
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

fn all_gone(processes: &[Identity]) {
    for process in processes {
        process.wait_gone(LIMIT).unwrap();
    }
}

#[test]
fn a_busy_port_is_one_sentence_that_names_the_process() {
    let home = Home::new();
    let holder = TcpListener::bind(home.portal.address()).unwrap();
    let output = home.run(&["up", "--yes", "--port", &home.portal.number.to_string()]);
    drop(holder);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let sentence = format!(
        "cargo dev: port {} is held by process {} (",
        home.portal.number,
        std::process::id()
    );
    let last = said.lines().last().unwrap();
    assert!(last.starts_with(&sentence), "{said}");
    assert!(
        !said.contains("panicked") && !said.contains("backtrace"),
        "{said}"
    );
}

#[test]
fn without_up_the_other_commands_say_so() {
    let home = Home::new();
    let output = home.run(&["kill", "otp"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "cargo dev: `cargo dev up` does not run here\n"
    );
    assert_eq!(home.status()["running"], false);
    assert_eq!(home.run(&["env"]).status.code(), Some(1));
}

#[test]
fn the_version_names_the_commit() {
    let output = Home::new().run(&["--version"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let commit = text
        .trim_end()
        .rsplit_once('(')
        .unwrap()
        .1
        .trim_end_matches(')')
        .to_owned();
    assert!(commit.len() == 12 || commit == "unknown commit", "{text}");
}

#[test]
fn up_starts_everything_and_leaves_nothing_behind() {
    let home = Home::new();
    let up = home.up();
    let names: Vec<String> = home.processes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "postgres",
            "nats",
            "mailbox",
            "credentials",
            "otp",
            "sessions",
            "gateway"
        ]
    );
    only_loopback(&home);
    own_process_groups(&home);

    let variables = String::from_utf8(home.run(&["env"]).stdout).unwrap();
    let sekisho = paths::binaries().unwrap().join("sekisho");
    let script = format!("{variables}\n\"$0\" log show --account 04500001");
    let shown = Command::new("sh")
        .args(["-c", &script])
        .arg(sekisho)
        .output()
        .unwrap();
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .contains("account_registered"),
        "{}",
        String::from_utf8_lossy(&shown.stderr)
    );

    let second = refusal(home.command(&["up", "--port", &home.portal.number.to_string()]));
    assert!(second.contains("already runs here (process "), "{second}");

    for part in ["otp", "postgres"] {
        assert!(home.run(&["kill", part]).status.success());
        assert!(home.processes().contains(&(part.to_owned(), None)));
        assert!(home.run(&["start", part]).status.success());
        assert!(!home.processes().contains(&(part.to_owned(), None)));
    }
    let unknown = home.run(&["kill", "nothing"]);
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("there is no part nothing")
    );

    let processes = home.identities();
    up.signal(Signal::INT);
    assert_eq!(up.end(), Some(0));
    all_gone(&processes);
    assert!(TcpStream::connect(home.portal.address()).is_err());
}

#[test]
fn what_a_killed_up_left_running_is_ended_by_the_next() {
    let home = Home::new();
    let up = home.up();
    let processes = home.identities();
    // A process that the kernel was not asked to end.
    let left = Left(Command::new("sleep").arg("600").spawn().unwrap());
    let identity = Identity::of(left.0.id()).unwrap();
    let ledger = home.folder.path().join("up/processes");
    let mut file = fs::OpenOptions::new().append(true).open(ledger).unwrap();
    writeln!(file, "{}\t{}\tforgotten", identity.pid, identity.started).unwrap();
    up.signal(Signal::KILL);
    assert_eq!(up.end(), None);
    all_gone(&processes);

    let next = home.up();
    assert!(
        next.said.iter().any(|line| line.ends_with("had left: forgotten")),
        "{:?}",
        next.said
    );
    assert!(!identity.is_alive());
    next.signal(Signal::TERM);
    assert_eq!(next.end(), Some(0));
}

/// Ctrl-C in the terminal of `up` must reach `up` alone, so that it can stop the others in order.
fn own_process_groups(home: &Home) {
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
fn only_loopback(home: &Home) {
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
