//! What is left when a process that uses private servers is killed: nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use sekisho_dev::process::Identity;
use sekisho_dev::{Postgres, Schema, folder, paths, wait};

const LIMIT: Duration = Duration::from_secs(20);

/// A folder in the place of target/dev, so that no other run cleans up here.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir_in(paths::common().unwrap()).unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let mut reset = Command::new(env!("CARGO_BIN_EXE_dev"));
        let _ = reset
            .arg("reset")
            .env(paths::FOLDER, self.0.path())
            .stdout(Stdio::null())
            .status();
    }
}

/// This test program again, as a process of its own that holds a server until it is killed.
struct Holder {
    child: Child,
    server: Identity,
    folder: PathBuf,
}

impl Holder {
    /// The shell that would remove the folder.
    fn reaper(&self) -> Identity {
        let folder = self.folder.to_str().unwrap();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let line = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let reaps = |pid: &u32| line(pid).contains("sekisho-dev-reaper") && line(pid).contains(folder);
        Identity::of(pids.into_iter().find(reaps).unwrap()).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start(home: &Home) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "holds_a_server_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ]);
        command.env(paths::FOLDER, home.0.path());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .map(Result::unwrap)
            .find(|line| line.starts_with("server "))
            .unwrap();
        let (pid, folder) = line.strip_prefix("server ").unwrap().split_once(' ').unwrap();
        let server = Identity::of(pid.parse().unwrap()).unwrap();
        Self {
            child,
            server,
            folder: PathBuf::from(folder),
        }
    }
}

#[test]
#[ignore = "started by the other tests of this file"]
fn holds_a_server_until_it_is_killed() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    println!(
        "\nserver {} {}",
        postgres.pid().unwrap(),
        postgres.directory().display()
    );
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_killed_process_leaves_neither_servers_nor_folders() {
    let home = Home::new();
    let mut holder = Holder::start(&home);
    assert!(holder.folder.is_dir() && holder.server.is_alive());
    holder.kill();
    holder.server.wait_gone(LIMIT).unwrap();
    let gone = || Ok((!holder.folder.exists()).then_some(()));
    wait::until("the folder to go away", LIMIT, gone).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn without_its_helper_the_kernel_ends_the_server_and_the_next_run_removes_the_folder() {
    let home = Home::new();
    let mut holder = Holder::start(&home);
    let reaper = holder.reaper();
    reaper.signal(Signal::KILL);
    reaper.wait_gone(LIMIT).unwrap();
    holder.kill();
    holder.server.wait_gone(LIMIT).unwrap();
    assert!(holder.folder.is_dir());

    let mut next = Holder::start(&home);
    assert!(!holder.folder.exists());
    next.kill();
}

#[test]
fn a_listed_process_is_ended_and_one_that_only_has_its_number_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("processes");
    let mut kept = Command::new("sleep").arg("60").spawn().unwrap();
    let mut ended = Command::new("sleep").arg("60").spawn().unwrap();
    let listed = Identity::of(ended.id()).unwrap();
    let text = format!(
        "{}\t1\tstranger\n{}\t{}\tleft\n",
        kept.id(),
        listed.pid,
        listed.started
    );
    std::fs::write(&ledger, text).unwrap();

    assert_eq!(folder::end_listed(&ledger).unwrap(), ["left"]);

    assert!(!listed.is_alive());
    assert!(Identity::of(kept.id()).is_some());
    kept.kill().unwrap();
    kept.wait().unwrap();
    ended.wait().unwrap();
}
