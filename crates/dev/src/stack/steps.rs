//! Starting a stack, step by step.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::process::Place;
use super::{Process, Scheme, Stack, StackOptions};
use crate::folder::Folder;
use crate::mailbox::Mailbox;
use crate::nats::Bus;
use crate::ports::Port;
use crate::postgres::{self, Reach, Schema, Server};
use crate::provider::Provider;
use crate::service::Surroundings;
use crate::{Service, cargo, disk, paths, process};

pub(super) fn start(options: &StackOptions, say: &mut dyn FnMut(&str)) -> Result<Stack> {
    disk::require(&paths::kept()?, cargo::is_built()?)?;
    let ports = ports(options)?;
    // A slip of the pen is said before a build that takes minutes.
    if let Some(url) = &options.postgres {
        Reach::elsewhere(url)?;
    }
    let elsewhere = options.nats.as_deref().map(Bus::elsewhere).transpose()?;
    say("building (the first time this takes some minutes)");
    cargo::everything()?;
    let folder = make_folder(options)?;
    let keys = folder.own.join("keys");
    if options.kept && options.postgres.is_none() && postgres::forget_unreadable(&folder, &keys)? {
        say("the passwords or keys of an earlier run are gone, so its data cannot be read: beginning afresh");
    }
    seed(&["keys", "--directory", &keys.display().to_string()])?;
    let board = board(&folder);
    // Whoever has changed it keeps it.
    if !board.exists() {
        fs::write(&board, include_str!("../../board.toml"))?;
    }
    say("starting PostgreSQL");
    let postgres = match &options.postgres {
        Some(url) => postgres::elsewhere(url, &folder)?,
        None => start_postgres(options, &folder)?,
    };
    say("starting NATS and the mailbox");
    let mut bus = elsewhere.map_or_else(|| Bus::new(&folder), Ok)?;
    bus.start()?;
    let mut mailbox = Mailbox::new(&folder, ports.mailbox)?;
    mailbox.start()?;
    let provider = match ports.provider {
        Some(port) => {
            say("starting the provider of NCR accounts");
            let origins = origins(options, &ports.portal);
            let mut provider = Provider::new(&folder, &keys, port, origins)?;
            provider.start()?;
            Some(provider)
        }
        None => None,
    };
    let mut stack = Stack {
        services: Vec::new(),
        mailbox,
        provider,
        bus,
        postgres,
        keys,
        scheme: options.scheme,
        folder,
    };
    start_services(&mut stack, options, ports.portal, say)?;
    if options.accounts && options.count(Service::Credentials) > 0 {
        say("registering the demo accounts");
        accounts(&stack)?;
    }
    Ok(stack)
}

/// What the top page of this stack shows.
fn board(folder: &Folder) -> PathBuf {
    folder.own.join("board.toml")
}

/// Those that somebody may have chosen.
struct Ports {
    portal: Port,
    mailbox: Port,
    provider: Option<Port>,
}

fn ports(options: &StackOptions) -> Result<Ports> {
    let Some([portal, mailbox, provider]) = options.ports else {
        return Ok(Ports {
            portal: Port::free()?,
            mailbox: Port::free()?,
            provider: options.provider.then(Port::free).transpose()?,
        });
    };
    let (portal, mailbox) = ((portal, "--port"), (mailbox, "--mailbox-port"));
    let ports = if options.provider {
        let [portal, mailbox, provider] = Port::wanted([portal, mailbox, (provider, "--ncr-port")])?;
        (portal, mailbox, Some(provider))
    } else {
        let [portal, mailbox] = Port::wanted([portal, mailbox])?;
        (portal, mailbox, None)
    };
    let (portal, mailbox, provider) = ports;
    Ok(Ports {
        portal,
        mailbox,
        provider,
    })
}

/// What browsers may call the first gateway.
fn origins(options: &StackOptions, portal: &Port) -> Vec<String> {
    let hosts = ["localhost", "portal2.localhost", "127.0.0.1"];
    hosts
        .map(|host| format!("{}://{host}:{}", options.scheme, portal.number))
        .to_vec()
}

fn make_folder(options: &StackOptions) -> Result<Folder> {
    if options.kept {
        Folder::kept(&options.name)
    } else {
        Folder::temporary(&options.name)
    }
}

/// A kept stack goes on with the data that it had.
fn start_postgres(options: &StackOptions, folder: &Folder) -> Result<Server> {
    let before = if options.kept {
        postgres::reopen(folder)?
    } else {
        None
    };
    if let Some(mut server) = before {
        server
            .start()
            .and_then(|()| postgres::bring_up_to_date(&server, Schema::Migrated))
            .context(
                "the database of an earlier `cargo dev up` cannot be used; `cargo dev reset` makes a new one",
            )?;
        return Ok(server);
    }
    let mut server = postgres::copy(Schema::Migrated, folder)?;
    server.start()?;
    Ok(server)
}

fn start_services(
    stack: &mut Stack,
    options: &StackOptions,
    portal: Port,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    let mut portal = Some(portal);
    let mut places = Vec::new();
    for service in Service::ALL {
        for number in 0..options.count(service) {
            let wanted = if service == Service::Gateway {
                portal.take()
            } else {
                None
            };
            places.push(Place::new(service, number, wanted)?);
        }
    }
    let around = surroundings(stack, &places, options);
    for place in places {
        let mut process = Process::new(place, &stack.folder, &around, options)?;
        say(&format!("starting {}", process.name()));
        process.start()?;
        stack.services.push(process);
    }
    Ok(())
}

fn surroundings(stack: &Stack, places: &[Place], options: &StackOptions) -> Surroundings {
    let bound = Service::ALL.map(Service::name);
    Surroundings {
        keys: stack.keys.clone(),
        board: board(&stack.folder),
        database: bound.map(|name| (name, stack.postgres.url(name))).to_vec(),
        bus: bound.map(|name| (name, stack.bus.url(name))).to_vec(),
        smtp: stack.mailbox.smtp(),
        replicas: places
            .iter()
            .map(|place| (place.service, place.first.address()))
            .collect(),
        provider: stack
            .provider
            .as_ref()
            .map(|provider| (provider.issuer(), provider.origins().join(","))),
        test_clock: options.test_clock,
        https: options.scheme == Scheme::Https,
    }
}

fn accounts(stack: &Stack) -> Result<()> {
    let credentials = stack.process(Service::Credentials, 0);
    let address = credentials
        .admin_address
        .context("credentials has no administration listener")?;
    let certificates = stack.keys.display().to_string();
    let address = format!("https://{address}");
    let mut arguments = vec![
        "accounts",
        "--credentials",
        &address,
        "--certificates",
        &certificates,
    ];
    if stack.provider.is_some() {
        arguments.push("--staff");
    }
    seed(&arguments)
}

fn seed(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(paths::binaries()?.join("sekisho-seed"));
    process::clean(&mut command);
    let output = command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("cannot start sekisho-seed")?;
    if !output.status.success() {
        bail!(
            "`sekisho-seed {}` failed: {}",
            arguments[0],
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Asks all of them to stop before waiting for the first.
pub(super) fn stop_replicas(replicas: &mut [&mut Process]) -> Result<()> {
    let asked = replicas
        .iter_mut()
        .map(|process| process.ask_to_stop())
        .fold(Ok(()), Result::and);
    let running = replicas.iter_mut().filter(|process| process.is_running());
    running
        .map(|process| process.stop().map(drop))
        .fold(asked, Result::and)
}
