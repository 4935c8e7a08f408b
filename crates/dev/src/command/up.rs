//! `cargo dev up`

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Scheme;
use sekisho_dev::tools::{self, Consent, Places, ThisMachine, Tool};
use sekisho_dev::{Stack, StackOptions, paths, provider, signals};

use super::cli::UpOptions;
use super::lock::{Doing, Lock};
use super::progress::Progress;
use super::request;
use super::state::{self, State};

/// Starts everything, shows where it is, and keeps it until Ctrl-C.
///
/// # Errors
/// What could not be started, in a sentence.
pub fn run(options: &UpOptions) -> Result<()> {
    // First of all, so that whoever comes second is told at once and not after questions and minutes.
    let lock = Lock::take(Doing::Starting)?;
    let progress = Progress::begin();
    progress.say("looking for PostgreSQL and NATS");
    let consent = if options.yes { Consent::Given } else { Consent::Ask };
    tools::provide(&Tool::SERVERS, consent, &ThisMachine, &tools::places())?;
    signals::listen()?;
    let left = state::clean_up()?;
    if !left.is_empty() {
        progress.say(&format!(
            "ended what an earlier run had left: {}",
            left.join(", ")
        ));
    }
    remove_old_logs()?;
    let settings = StackOptions {
        scheme: if options.https {
            Scheme::Https
        } else {
            Scheme::Http
        },
        postgres: options.postgres.clone(),
        nats: options.nats.clone(),
        provider: has_provider(&tools::places(), &progress),
        ..StackOptions::for_people([options.port, options.mailbox_port, options.ncr_port])
    };
    let started = Stack::start_saying(&settings, &mut |step| progress.say(step));
    // Ctrl-C reaches cargo, too, and what its end looks like from here is no mistake.
    signals::check()?;
    let mut stack = started?;
    let watched = keep(&mut stack, &lock, &progress);
    eprintln!();
    progress.say("stopping");
    let lock = lock.renewed(Doing::Stopping);
    let stopped = stack.stop_all();
    if lock.is_ok() {
        state::clean_up()?;
    }
    progress.say("stopped");
    watched.and(stopped)
}

/// Without npm, or without its registry, everything but sign-ins with an NCR account works.
fn has_provider(places: &Places, progress: &Progress) -> bool {
    if Tool::Npm.find(places).is_none() {
        progress.say(
            "without npm nobody can sign in with an NCR account here (to install it: apt-get install npm)",
        );
        return false;
    }
    progress.say("looking for the provider of NCR accounts (the first time its packages are fetched)");
    if let Err(mistake) = provider::install() {
        progress.say(&format!(
            "nobody can sign in with an NCR account here: {mistake:#}"
        ));
        return false;
    }
    true
}

fn remove_old_logs() -> Result<()> {
    for entry in fs::read_dir(state::directory()?)?.flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "log")
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn table(stack: &Stack) -> String {
    let portal = stack.portal_url();
    let other = portal.replace("localhost", "portal2.localhost");
    let mut rows = vec![
        ("Portal", format!("{portal}  (also {other})")),
        ("Mailbox", stack.mailbox_url()),
        ("Sign in", "04500001, password gantoroku-demo-2026".to_owned()),
    ];
    if let Some(issuer) = stack.issuer() {
        rows.push((
            "Staff",
            format!("ncr-staff-1, password ncr-demo-2026, at {issuer}"),
        ));
    }
    rows.push(("Stop", "Ctrl-C".to_owned()));
    if portal.starts_with("https:") {
        let authority = stack.certificates().join("ca.pem");
        let hint = format!(
            "signed by {}; browsers warn until they trust it",
            authority.display()
        );
        rows.insert(1, ("TLS", hint));
    }
    rows.iter().fold(String::new(), |table, (name, value)| {
        format!("{table}\n  {name:<9}{value}")
    })
}

/// Shows what runs and looks after it until somebody asks us to stop.
fn keep(stack: &mut Stack, lock: &Lock, progress: &Progress) -> Result<()> {
    // Removed while everything started: it must not come back, or nobody would notice.
    if lock.is_whole() {
        publish(stack)?;
        lock.say(Doing::Running)?;
    }
    progress.say("everything runs");
    println!("{}", table(stack));
    watch(stack, lock)
}

fn watch(stack: &mut Stack, lock: &Lock) -> Result<()> {
    while signals::received() == 0 {
        // Without its secrets and lists nobody could find or end this run, so it ends itself.
        if !(lock.is_whole() && State::is_written()) {
            bail!(
                "the folder {} was removed while `cargo dev up` ran, so everything was stopped",
                paths::kept()?.display()
            );
        }
        let ended = stack.notice_ended();
        for sentence in &ended {
            eprintln!("{sentence}");
        }
        if request::serve(stack)? || !ended.is_empty() {
            publish(stack)?;
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn publish(stack: &mut Stack) -> Result<()> {
    let state = State {
        up: Identity::own()?,
        portal: stack.portal_url(),
        mailbox: stack.mailbox_url(),
        processes: stack.listing(),
    };
    state.write()
}
