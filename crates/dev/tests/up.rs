//! `cargo dev up` from outside, as a person uses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
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

const LIMIT: Duration = Duration::from_secs(30);

/// A folder in the place of target/dev, so that a person's own `up` is left alone.
struct Home {
    folder: tempfile::TempDir,
    portal: Port,
    mailbox: Port,
    provider: Port,
}

impl Home {
    fn new() -> Self {
        let parent = paths::common().unwrap();
        let folder = tempfile::tempdir_in(parent).unwrap();
        Self {
            folder,
            portal: Port::free().unwrap(),
            mailbox: Port::free().unwrap(),
            provider: Port::free().unwrap(),
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

    fn up_command(&self) -> Command {
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

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// An `up` that begins to start.
    fn spawn(&self) -> Child {
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
    fn up(&self) -> Up {
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

    /// The number of a part that runs, and where it listens.
    fn place(&self, part: &str) -> (u64, String) {
        let status = self.status();
        let mut listed = status["processes"].as_array().unwrap().iter();
        let found = listed.find(|process| process["name"] == part).unwrap();
        let address = found["addresses"]["listen"].as_str().unwrap();
        (found["pid"].as_u64().unwrap(), address.to_owned())
    }

    /// What a command says that succeeds.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
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
    /// What it said until everything ran, and what it says after that.
    said: Vec<String>,
    later: Receiver<String>,
}

impl Up {
    fn signal(&self, signal: Signal) {
        Identity::of(self.child.id()).unwrap().signal(signal);
    }

    fn end(self) -> Option<i32> {
        self.last_words().0
    }

    /// How it ends, and what it says last.
    fn last_words(mut self) -> (Option<i32>, String) {
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

/// Listens on a port that was free a moment ago. A process that another test is just starting may still hold what was open when it was
/// forked, until it becomes another program.
fn hold(port: &Port) -> TcpListener {
    wait::until(
        "a free port",
        LIMIT,
        || Ok(TcpListener::bind(port.address()).ok()),
    )
    .unwrap()
}

fn all_gone(processes: &[Identity]) {
    for process in processes {
        process.wait_gone(LIMIT).unwrap();
    }
}

#[test]
fn all_busy_ports_are_one_sentence_that_names_each_process() {
    let home = Home::new();
    let ports = [&home.portal, &home.mailbox, &home.provider];
    let holders = ports.map(hold);
    let output = home.up_command().arg("--yes").output().unwrap();
    drop(holders);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let sentence = format!(
        "cargo dev: port {} is held by process {} (",
        home.portal.number,
        std::process::id()
    );
    let last = said.lines().last().unwrap();
    assert!(last.starts_with(&sentence), "{said}");
    for other in [&home.mailbox, &home.provider] {
        assert!(
            last.contains(&format!(", port {} is held by process", other.number)),
            "{said}"
        );
    }
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
        "cargo dev: nothing runs here; `cargo dev up` starts everything\n"
    );
    assert_eq!(home.status()["running"], false);
    assert_eq!(home.run(&["env"]).status.code(), Some(1));
}

#[test]
fn the_names_of_the_parts_are_completed_and_checked() {
    let home = Home::new();
    let unknown = String::from_utf8(home.run(&["kill", "nothing"]).stderr).unwrap();
    let parts = "postgres, nats, mailbox, ncr-provider, credentials, otp, sessions, gateway";
    assert!(unknown.contains(parts), "{unknown}");
    // clap's script for fish names commands only.
    assert!(home.done(&["completions", "fish"]).contains("kill"));
    for shell in ["bash", "zsh"] {
        let script = home.done(&["completions", shell]);
        for part in parts.split(", ") {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
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
            "ncr-provider",
            "credentials",
            "otp",
            "sessions",
            "gateway"
        ]
    );
    only_loopback(&home);
    own_process_groups(&home);

    let variables = String::from_utf8(home.run(&["env"]).stdout).unwrap();
    let script = format!("{variables}\nsekisho log show --account 04500001");
    let shown = Command::new("sh").args(["-c", &script]).output().unwrap();
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
        let (before, address) = home.place(part);
        assert_eq!(
            home.done(&["kill", part]),
            format!("killed {part} (process {before})\n")
        );
        assert!(home.processes().contains(&(part.to_owned(), None)));
        let started = home.done(&["start", part]);
        let (now, _) = home.place(part);
        assert_eq!(
            started,
            format!("{part} started (process {now}): listen {address}\n")
        );
        let again = home.done(&["start", part]);
        assert!(
            again.starts_with(&format!("{part} runs already (process {now})")),
            "{again}"
        );
    }

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

#[test]
fn while_up_is_starting_the_other_commands_say_so_at_once() {
    let home = Home::new();
    let starting = Left(home.spawn());
    let pid = starting.0.id();
    wait::until("an up that says that it starts", LIMIT, || {
        Ok((home.status()["doing"] == "starting").then_some(()))
    })
    .unwrap();
    let status = home.status();
    assert!(status["running"] == false && status["pid"] == pid, "{status}");
    let sentence = format!("`cargo dev up` is starting here (process {pid})");
    let said = String::from_utf8(home.run(&["status"]).stdout).unwrap();
    assert_eq!(said, format!("{sentence}\n"));
    for arguments in [
        &["up"][..],
        &["reset"],
        &["env"],
        &["kill", "otp"],
        &["start", "otp"],
    ] {
        let said = refusal(home.command(arguments));
        assert!(said.starts_with(&format!("cargo dev: {sentence}")), "{said}");
    }
}

#[test]
fn an_up_whose_folder_is_removed_stops_everything_and_the_next_begins_afresh() {
    let home = Home::new();
    let up = home.up();
    let processes = home.identities();
    fs::remove_dir_all(home.folder.path()).unwrap();
    let (code, said) = up.last_words();
    assert_eq!(code, Some(1));
    assert!(said.contains("was removed while `cargo dev up` ran"), "{said}");
    all_gone(&processes);
    assert_eq!(home.status()["doing"], Value::Null);

    // Ctrl-C, whichever of the two it notices first.
    let next = home.up();
    let processes = home.identities();
    fs::remove_dir_all(home.folder.path()).unwrap();
    next.signal(Signal::INT);
    let code = next.end();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    all_gone(&processes);
}

#[test]
fn data_whose_secrets_do_not_fit_is_told_and_data_without_secrets_is_begun_afresh() {
    let home = Home::new();
    let up = home.up();
    up.signal(Signal::INT);
    assert_eq!(up.end(), Some(0));

    let passwords = home.folder.path().join("up/passwords.json");
    let text = fs::read_to_string(&passwords).unwrap();
    fs::write(&passwords, text.replace("\"postgres\":\"", "\"postgres\":\"x")).unwrap();
    let said = refusal(home.up_command());
    assert!(
        said.contains("`cargo dev reset` makes a new one: PostgreSQL: ")
            && said.contains("password authentication failed"),
        "{said}"
    );

    fs::remove_dir_all(home.folder.path().join("up")).unwrap();
    let next = home.up();
    assert!(
        next.said.iter().any(|line| line.ends_with("beginning afresh")),
        "{:?}",
        next.said
    );
    next.signal(Signal::INT);
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
