//! The life of a whole process: configuration, version, drain, abort.

use crate::support::Authority;
use crate::support::sample::Settings;
use rustix::process::Signal;
use std::process::Command;

#[test]
fn three_mistakes_are_named_at_once_with_exit_64_and_without_values() {
    let authority = Authority::new();
    authority.certify("sessions");
    let output = Settings::working(&authority, "sessions")
        .set("LISTEN", "canary-one")
        .set("TLS_KEY", "/canary-two")
        .set("DRAIN_TIMEOUT", "20")
        .set("DATABASE_URL", "postgres://canary-three")
        .output(&[]);
    assert_eq!(output.status.code(), Some(64));
    let errors = String::from_utf8(output.stderr).unwrap();
    for name in [
        "SEKISHO_SAMPLE_LISTEN",
        "SEKISHO_SAMPLE_TLS_KEY",
        "SEKISHO_SAMPLE_DRAIN_TIMEOUT",
    ] {
        assert!(errors.contains(&format!("{name}: ")), "{name} in {errors}");
    }
    assert!(!errors.contains("canary"), "{errors}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_version_names_the_commit() {
    let output = Settings::none().output(&["--version"]);
    let line = String::from_utf8(output.stdout).unwrap();
    let start = format!("sekisho-sample {} (commit ", env!("CARGO_PKG_VERSION"));
    let commit = line
        .trim_end()
        .strip_prefix(&start)
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap();
    match head() {
        Some(head) => assert!(commit.len() == 12 && head.starts_with(commit), "{line}"),
        None => assert_eq!(commit, "unknown"),
    }
}

/// The commit as `git` sees it, or as a build outside a repository is told.
fn head() -> Option<String> {
    if let Some(told) = option_env!("SEKISHO_COMMIT") {
        return Some(told.to_owned());
    }
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "rev-parse", "HEAD"])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn help_lists_every_setting() {
    let output = Settings::none().output(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for name in [
        "SEKISHO_SAMPLE_LISTEN",
        "SEKISHO_SAMPLE_DRAIN_TIMEOUT",
        "SEKISHO_LOG",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[test]
fn the_first_signal_drains() {
    let authority = Authority::new();
    authority.certify("sessions");
    let mut sample = Settings::working(&authority, "sessions").start();
    sample.line("ready");
    sample.signal(Signal::TERM);
    assert_eq!(sample.ended().code(), Some(0));
    sample.line("draining");
}

#[test]
fn the_second_signal_aborts() {
    let authority = Authority::new();
    authority.certify("sessions");
    let mut sample = Settings::working(&authority, "sessions")
        .set("FAULT", "worker-never-ends")
        .start();
    sample.line("ready");
    sample.signal(Signal::TERM);
    sample.line("draining");
    sample.signal(Signal::INT);
    assert_eq!(sample.ended().code(), Some(1));
    sample.line("aborted by a second signal");
}

#[test]
fn a_drain_that_takes_too_long_is_cut_off() {
    let authority = Authority::new();
    authority.certify("sessions");
    let settings = Settings::working(&authority, "sessions").set("FAULT", "worker-never-ends");
    let mut sample = settings.set("DRAIN_TIMEOUT", "100ms").start();
    sample.line("ready");
    sample.signal(Signal::TERM);
    assert_eq!(sample.ended().code(), Some(1));
    sample.line("aborted: the drain took too long");
}

#[test]
fn a_dead_background_task_ends_the_process() {
    let authority = Authority::new();
    authority.certify("sessions");
    let mut sample = Settings::working(&authority, "sessions")
        .set("FAULT", "task-ends")
        .start();
    assert_eq!(sample.ended().code(), Some(1));
    let line = sample.line("a background task ended before its time");
    assert_eq!(line["task"], "short");
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let authority = Authority::new();
    authority.certify("sessions");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut sample = Settings::working(&authority, "sessions")
        .set("LISTEN", &address)
        .start();
    assert_eq!(sample.ended().code(), Some(1));
    let error = sample.line("ended by an error")["error"].clone();
    assert!(
        error
            .as_str()
            .unwrap()
            .starts_with(&format!("{address} cannot be listened on")),
        "{error}"
    );
}

#[test]
fn a_panic_is_one_log_line_that_says_where_and_ends_the_process() {
    let authority = Authority::new();
    authority.certify("sessions");
    let mut sample = Settings::working(&authority, "sessions")
        .set("FAULT", "task-panics")
        .start();
    assert_eq!(sample.ended().code(), Some(1));
    let line = sample.line("panicked");
    assert!(line["place"].as_str().unwrap().contains("main.rs:"), "{line}");
    assert!(!line.to_string().contains("canary"), "{line}");
}
