//! What does harm elsewhere, typed into every field, on real parts.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_gallery::browser::encode;
use sekisho_gallery::corpus::{CORPUS, RAW};
use sekisho_tests::visitor::{Page, Visitor};
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD, log, mail};

/// Whoever waits longer has had something run that waits.
const SOON: Duration = Duration::from_secs(4);

/// A whole page of ours that shows what was typed as text, if at all.
fn harmless(page: &Page, typed: &str) -> Result<()> {
    let is_ours = page.body.starts_with("<!doctype html>") && page.body.contains("『9章 お困りのときは』");
    ensure!(page.status < 500 && is_ours, "{typed}: {}", page.status);
    ensure!(page.status != 429, "{typed} was not looked at");
    let runs = ["<script>alert", "<img src=x", "49${7*7}"];
    ensure!(
        !runs.iter().any(|run| page.body.contains(run)),
        "{typed}: {}",
        page.body
    );
    Ok(())
}

/// Types it into every field of a sign-in and a reset, from an address of its own: limits are per address.
fn type_everywhere(stack: &Stack, number: usize, typed: &str) -> Result<()> {
    let begun = Instant::now();
    let mut visitor = Visitor::new(&stack.portal_url());
    visitor.extra = vec![("x-forwarded-for".to_owned(), format!("10.1.1.{number}"))];
    let page = visitor.get("/signin")?;
    for fields in [
        [("user_id", typed), ("password", typed)],
        [("user_id", typed), ("password", PASSWORD)],
    ] {
        let page = visitor.send(&page, "/signin", &fields)?;
        harmless(&page, typed)?;
        ensure!(page.body.contains("<title>エラー："), "{typed} signs in");
    }
    let page = visitor.get("/password/forgot")?;
    let page = visitor.send(&page, "/password/forgot", &[("user_id", typed)])?;
    harmless(&page, typed)?;
    if page.hidden("/password/forgot/code/verify", "csrf").is_some() {
        let page = visitor.send(&page, "/password/forgot/code/verify", &[("code", typed)])?;
        harmless(&page, typed)?;
    }
    for path in ["/signin", "/password/forgot", "/ncr/callback", "/nowhere"] {
        // As part of an address.
        let question = encode(typed);
        harmless(&visitor.get(&format!("{path}?{question}={question}"))?, typed)?;
    }
    ensure!(begun.elapsed() < SOON, "{typed} takes {:?}", begun.elapsed());
    Ok(())
}

/// Within a sign-in and a reset whose password or address was right.
fn type_further_on(stack: &Stack, typed: &[&str]) -> Result<()> {
    let mut visitor = Visitor::new(&stack.portal_url());
    let page = visitor.get("/signin")?;
    let page = visitor.send(&page, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
    let mut page = visitor.send(&page, "/signin/email/send", &[])?;
    for one in typed {
        if page.hidden("/signin/email/verify", "csrf").is_none() {
            break;
        }
        page = visitor.send(&page, "/signin/email/verify", &[("code", one)])?;
        harmless(&page, one)?;
    }
    let before = mail::to(&stack.mailbox_url(), ADDRESS)?.len();
    let page = visitor.get("/password/forgot")?;
    let page = visitor.send(&page, "/password/forgot", &[("user_id", LOGIN)])?;
    let mails = mail::wait_for(&stack.mailbox_url(), ADDRESS, before + 1)?;
    let code = mails
        .last()
        .map(sekisho_tests::mail::Mail::code)
        .transpose()?
        .unwrap_or_default();
    let mut page = visitor.send(&page, "/password/forgot/code/verify", &[("code", &code)])?;
    for one in typed {
        let fields = [("new_password", *one), ("new_password_again", *one)];
        page = visitor.send(&page, "/password/forgot/new", &fields)?;
        harmless(&page, one)?;
    }
    Ok(())
}

/// Nothing that is typed is ever run, by a database, a shell or a browser; and nobody's sign-in suffers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_harm_elsewhere_is_text_here() -> Result<()> {
    let trusted = "SEKISHO_GATEWAY_TRUSTED_PROXIES".to_owned();
    let options = StackOptions {
        name: "injections".to_owned(),
        environment: vec![(Service::Gateway, trusted, "127.0.0.1".to_owned())],
        ..StackOptions::default()
    };
    let stack = tokio::task::block_in_place(|| Stack::start(&options))?;
    let pool = log::open(&stack.database_url("postgres")).await?;
    tokio::task::block_in_place(|| {
        for (number, typed) in CORPUS.into_iter().enumerate() {
            type_everywhere(&stack, number, typed)?;
        }
        anyhow::Ok(())
    })?;
    let counts = log::counts(&pool).await?;
    assert_eq!(counts.get("password_accepted"), None);
    assert!(counts["password_rejected"] >= 30, "{counts:?}");
    tokio::task::block_in_place(|| {
        let mut visitor = Visitor::new(&stack.portal_url());
        for raw in RAW {
            let text = format!("user_id={raw}&password={raw}&csrf={raw}");
            harmless(&visitor.post_text("/signin", &text)?, raw)?;
        }
        // Too short for a new password, each of them.
        let is_short = |one: &&str| one.chars().count() < 15;
        let short: Vec<&str> = CORPUS.into_iter().filter(is_short).collect();
        type_further_on(&stack, &short)?;
        Visitor::new(&stack.portal_url()).sign_in(&stack).map(drop)
    })
}
