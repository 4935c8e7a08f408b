//! Kills, ends and repeats.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_tests::flow::Gateway;
use sekisho_tests::visitor::Visitor;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, mail};
use serde_json::Value;

fn stack(name: &str) -> Result<Stack> {
    Stack::start(&StackOptions {
        name: name.to_owned(),
        ..StackOptions::default()
    })
}

#[test]
fn whatever_service_is_killed_the_user_stays_signed_in() -> Result<()> {
    let mut stack = stack("kills")?;
    let mut visitor = Visitor::new(&stack.portal_url());
    let top = visitor.sign_in(&stack)?;
    assert!(top.body.contains("見本病院"), "{}", top.body);
    for service in Service::ALL {
        stack.kill(service, 0)?;
        stack.start_service(service, 0)?;
        let top = visitor.get("/top")?;
        assert_eq!(
            top.status,
            200,
            "after {service} was killed:\n{}",
            logged(&stack, Service::Gateway)?
        );
        assert!(
            top.body.contains("見本病院"),
            "after {service} was killed: {}",
            top.body
        );
    }
    let written = fs::read_to_string(&stack.process(Service::Sessions, 0).log_file)?;
    let folds: Vec<Value> = written
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| {
            line["message"]
                .as_str()
                .is_some_and(|message| message.contains("folded"))
        })
        .collect();
    let [_, .., after] = folds.as_slice() else {
        panic!("sessions says at each start what it folded:\n{written}")
    };
    assert!(
        after["entries"].as_u64().is_some_and(|entries| entries >= 5),
        "{after}"
    );
    assert!(after["seconds"].as_f64().is_some(), "{after}");
    Ok(())
}

/// A gateway that has heard nothing is closed: whoever comes first must not find it so because it did not wait for the answer.
#[test]
fn a_gateway_that_starts_asks_first_whether_it_is_closed() -> Result<()> {
    let mut stack = stack("asks-first")?;
    stack.kill(Service::Gateway, 0)?;
    stack.pause(Service::Sessions, 0)?;
    let sessions = i32::try_from(stack.process(Service::Sessions, 0).pid)?;
    let waker = std::thread::spawn(move || -> Result<()> {
        std::thread::sleep(Duration::from_millis(600));
        let sessions = Pid::from_raw(sessions).context("no process")?;
        Ok(rustix::process::kill_process(sessions, Signal::CONT)?)
    });
    stack.start_service(Service::Gateway, 0)?;
    let page = Visitor::new(&stack.portal_url()).get("/signin")?;
    assert_eq!(page.status, 200, "{}", page.body);
    waker.join().expect("the thread ends")
}

/// The last lines that a service wrote.
fn logged(stack: &Stack, service: Service) -> Result<String> {
    let written = fs::read_to_string(&stack.process(service, 0).log_file)?;
    let lines: Vec<&str> = written.lines().collect();
    Ok(lines[lines.len().saturating_sub(10)..].join("\n"))
}

#[test]
fn three_mistakes_in_the_settings_are_named_at_once_with_exit_64() -> Result<()> {
    let program = sekisho_dev::cargo::program("sekisho-otp")?;
    let output = Command::new(program)
        .env_clear()
        .env("SEKISHO_OTP_LISTEN", "not an address canary-value")
        .env("SEKISHO_OTP_DRAIN_TIMEOUT", "20")
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{complaint}");
    for name in [
        "SEKISHO_OTP_LISTEN",
        "SEKISHO_OTP_DRAIN_TIMEOUT",
        "SEKISHO_OTP_DATABASE_URL",
    ] {
        assert!(complaint.contains(name), "{name} is not named:\n{complaint}");
    }
    assert!(
        !complaint.contains("canary-value"),
        "a value is printed:\n{complaint}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_runs_is_finished_when_a_service_is_stopped() -> Result<()> {
    let mut stack = stack("drain")?;
    let mut gateway = Gateway::connect(&stack, 0).await?;
    let flow = gateway.accept_password(LOGIN, PASSWORD).await?;
    // With the mailbox away IssueCode waits for the mail's fate, 3 s at most.
    stack.kill_part("mailbox")?;
    let running = tokio::spawn(async move { gateway.issue_code(&flow).await });
    wait_for_event(&stack, "code_issued").await?;
    let code = tokio::task::block_in_place(|| stack.stop(Service::Otp, 0))?;
    assert_eq!(code, Some(0), "otp's exit code");
    let view = running.await??;
    assert!(!view.reference.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_log_has_died_within_it_ends() -> Result<()> {
    let mut stack = stack("clock")?;
    let log = sekisho_tests::log::open(&stack.database_url("postgres")).await?;
    // Later than any moment that a program can hold: whoever asks for the head panics.
    let broken = "create or replace function log.now() returns timestamptz language sql volatile
        as $$select timestamptz '250000-01-01 00:00+00'$$";
    sqlx::query(broken).execute(&log).await?;
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut ended = Vec::new();
    while ended.len() < 3 {
        ended.extend(stack.notice_ended());
        anyhow::ensure!(tokio::time::Instant::now() < end, "only {ended:?} ended");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for service in [Service::Credentials, Service::Otp, Service::Sessions] {
        let named = ended.iter().filter(|sentence| sentence.contains(service.name()));
        assert_eq!(named.count(), 1, "{service}: {ended:?}");
    }
    Ok(())
}

async fn wait_for_event(stack: &Stack, event_type: &str) -> Result<()> {
    let log = sekisho_tests::log::open(&stack.database_url("postgres")).await?;
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while !sekisho_tests::log::counts(&log).await?.contains_key(event_type) {
        anyhow::ensure!(tokio::time::Instant::now() < end, "no {event_type} in the log");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

#[test]
fn a_form_that_is_sent_twice_does_its_work_once() -> Result<()> {
    let stack = stack("twice")?;
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = visitor.get("/signin")?;
    let page = visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;

    let mut twin = visitor.clone();
    let (first, second) = at_once(
        || visitor.send(&page, "/signin/email/send", &[]),
        || twin.send(&page, "/signin/email/send", &[]),
    );
    let (page, _) = (first?, second?);
    let code = mail::wait_for(&stack.mailbox_url(), ADDRESS, 1)?
        .last()
        .context("no mail")?
        .code()?;

    let mut twin = visitor.clone();
    let (first, second) = at_once(
        || visitor.send(&page, "/signin/email/verify", &[("code", &code)]),
        || twin.send(&page, "/signin/email/verify", &[("code", &code)]),
    );
    let (page, twin_page) = (first?, second?);
    for page in [&page, &twin_page] {
        assert!(
            page.body
                .contains("電子メール アドレスが確認されました。今すぐ続行できます。"),
            "{}",
            page.body
        );
    }

    let mut twin = visitor.clone();
    let (first, second) = at_once(
        || visitor.send(&page, "/signin/email/continue", &[]),
        || twin.send(&page, "/signin/email/continue", &[]),
    );
    for top in [first?, second?] {
        assert!(top.body.contains("見本病院"), "{}", top.body);
    }

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let log = sekisho_tests::log::open(&stack.database_url("postgres")).await?;
        let counts = sekisho_tests::log::counts(&log).await?;
        for event in ["code_issued", "mailed", "code_accepted", "session_started"] {
            assert_eq!(counts.get(event), Some(&1), "{event} in {counts:?}");
        }
        sekisho_tests::log::check_order(&log).await
    })?;
    assert_eq!(mail::to(&stack.mailbox_url(), ADDRESS)?.len(), 1, "mails");
    Ok(())
}

fn at_once<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), other.join().expect("the other one panicked"))
    })
}
