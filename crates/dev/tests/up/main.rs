//! `cargo dev up` from outside, as a person uses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod home;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use rustix::process::Signal;
use sekisho_dev::process::Identity;
use sekisho_dev::wait;
use serde_json::Value;

use home::{Home, LIMIT, Left, all_gone, hold, only_loopback, own_process_groups, refusal};

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
