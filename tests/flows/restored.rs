//! An older backup is put under running services.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use sekisho_dev::{Stack, StackOptions};
use sekisho_tests::visitor::Visitor;
use sekisho_tests::{LOGIN, PASSWORD, backup};

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
    let file = tempfile::NamedTempFile::new()?;
    backup::dump(&stack, file.path())?;
    let mut after = Visitor::new(&stack.portal_url());
    after.sign_in(&stack)?;

    backup::restore(&stack, file.path())?;
    for visitor in [&before, &after] {
        until_top_says(visitor, "サインインの状態を確認できませんでした。")?;
    }
    let mut newcomer = Visitor::new(&stack.portal_url());
    let page = newcomer.get("/signin")?;
    let refused = newcomer.send(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
    assert_eq!(refused.status, 503, "{}", refused.body);

    let output = Command::new(sekisho_dev::cargo::program("sekisho")?)
        .args(["log", "restored", "--yes"])
        .env("SEKISHO_OPERATOR_DATABASE_URL", stack.database_url("operator"))
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("An epoch begins with entry"), "{said}");
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
