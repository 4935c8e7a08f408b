//! Backups: put under running services, and folded on another server.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sekisho_dev::{Postgres, Schema, Service, Stack, StackOptions};
use sekisho_eventlog::{Log, LogSettings};
use sekisho_sessions::app::Sessions;
use sekisho_sessions::domain::Limits;
use sekisho_tests::visitor::Visitor;
use sekisho_tests::{LOGIN, PASSWORD, backup};

use super::terminal;

/// What `sekisho sessions verify` says of the first replica of sessions, and whether it found what the log says.
fn verify(stack: &Stack) -> Result<(bool, String)> {
    let address = stack.process(Service::Sessions, 0).admin_address;
    let address = address.context("sessions has no administration")?;
    let output = Command::new(sekisho_dev::cargo::program("sekisho")?)
        .args(["sessions", "verify", "--certificates"])
        .arg(stack.certificates())
        .env("SEKISHO_SESSIONS_ADMIN_URL", format!("https://{address}"))
        .output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8(said)?))
}

#[test]
fn a_session_that_the_log_tells_otherwise_is_named_by_the_command_line() -> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "verify".to_owned(),
        ..StackOptions::default()
    })?;
    Visitor::new(&stack.portal_url()).sign_in(&stack)?;
    let (agrees, said) = verify(&stack)?;
    assert!(
        agrees && said.contains("is what the log says, 1 sessions"),
        "{said}"
    );

    let url = stack.database_url("postgres");
    let change = "update log.entry set recorded_at = recorded_at - interval '1 s' where event_type = 'session_started'";
    backup::sql(&url, change)?;
    let (agrees, said) = verify(&stack)?;
    assert!(!agrees && said.contains("IS NOT what the log says"), "{said}");
    assert!(said.contains("differs: session 0"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_on_a_new_server_folds_to_the_same_state() -> Result<()> {
    let stack = tokio::task::block_in_place(|| {
        Stack::start(&StackOptions {
            name: "backup".to_owned(),
            ..StackOptions::default()
        })
    })?;
    let (mut visitor, file) = (Visitor::new(&stack.portal_url()), tempfile::NamedTempFile::new()?);
    let (said, server) = tokio::task::block_in_place(|| -> Result<_> {
        visitor.sign_in(&stack)?;
        let (agrees, said) = verify(&stack)?;
        assert!(agrees, "{said}");
        backup::dump(&stack.database_url("postgres"), file.path())?;
        let server = Postgres::start_with(Schema::Files)?;
        backup::restore(&server.url("postgres"), file.path())?;
        Ok((said, server))
    })?;
    let log = Log::connect(LogSettings {
        database_url: server.url("sessions"),
        nats: None,
        service: "sessions/test".to_owned(),
        wake_on: Vec::new(),
        test_clock: false,
    })
    .await?;
    let limits = Limits {
        idle: time::Duration::minutes(30),
        absolute: time::Duration::hours(12),
        stale: time::Duration::minutes(30),
    };
    let sessions = Sessions::new(log, limits, sekisho_tests::sessions_keys()?);
    let follower = sessions.clone();
    let (folded, at_head) = tokio::sync::oneshot::channel();
    let following =
        tokio::spawn(async move { follower.follow(|| folded.send(()).unwrap_or_default()).await });
    at_head.await?;
    let verified = sessions.verify(|_, _| ()).await?;
    following.abort();
    assert!(verified.agrees());
    assert!(
        said.contains(&format!("position {}", verified.position)),
        "{said}"
    );
    assert!(
        said.contains(&sekisho_tests::hex(&verified.digest.to_vec())),
        "{said}"
    );
    Ok(())
}

/// Opens the top page until it says something, at most ten seconds.
fn until_top_says(visitor: &Visitor, text: &str) -> Result<()> {
    let begun = Instant::now();
    loop {
        // A copy: its cookies are to be asked about again.
        let page = visitor.clone().get("/top")?;
        if page.body.contains(text) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(10) {
            bail!("the top page does not say {text}: {}", page.body);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_older_backup_is_refused_until_the_operator_says_restored_and_then_everybody_signs_in_again()
-> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "restored".to_owned(),
        ..StackOptions::default()
    })?;
    let mut before = Visitor::new(&stack.portal_url());
    before.sign_in(&stack)?;
    let operate = |arguments: &[&str]| terminal::operate(&stack, arguments);
    operate(&["maintenance", "on", "--host", "portal.example.jp"])?;
    let file = tempfile::NamedTempFile::new()?;
    backup::dump(&stack.database_url("postgres"), file.path())?;
    operate(&["maintenance", "off", "--host", "portal.example.jp"])?;
    let mut after = Visitor::new(&stack.portal_url());
    after.sign_in(&stack)?;

    backup::restore(&stack.database_url("postgres"), file.path())?;
    for visitor in [&before, &after] {
        until_top_says(visitor, "サインインの状態を確認できませんでした。")?;
    }
    let mut newcomer = Visitor::new(&stack.portal_url());
    let page = newcomer.get("/signin")?;
    let refused = newcomer.send(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
    assert_eq!(refused.status, 503, "{}", refused.body);

    let said = operate(&["log", "restored", "--yes"])?;
    assert!(said.contains("An epoch begins with entry"), "{said}");
    // As it was when the copy was made.
    assert!(said.contains("portal.example.jp is closed for people."), "{said}");
    for visitor in [&before, &after] {
        until_top_says(visitor, "利用者ID")?;
    }
    // Each service takes the log up again within half a second.
    let again = || Visitor::new(&stack.portal_url()).sign_in(&stack);
    let begun = Instant::now();
    let top = loop {
        match again() {
            Err(_) if begun.elapsed() < Duration::from_secs(10) => {}
            top => break top?,
        }
    };
    assert!(top.body.contains("見本病院"), "{}", top.body);
    Ok(())
}
