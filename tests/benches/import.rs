//! `cargo dev bench import`

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use sekisho_dev::{Stack, StackOptions};

use crate::accounts::{import, rows};
use crate::figures::{grouped, head, rate, row};
use crate::machine;

/// A ready-made hash; nothing is compared with it.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VraXNoby9iZW5jaC8x$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How much is imported.
#[derive(Debug, Args)]
pub struct Options {
    /// Rows with ready-made hashes
    #[arg(long, default_value_t = 50_000)]
    hashes: usize,
    /// Rows for which passwords are made
    #[arg(long, default_value_t = 3_000)]
    passwords: usize,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let stack = Stack::start(&StackOptions {
        name: "bench".to_owned(),
        accounts: false,
        ..StackOptions::default()
    })?;
    machine::print(stack.directory())?;
    let bare = machine::hashes()?;
    println!("Hash: {} bare argon2id a second on all cores\n", grouped(bare));

    let list = stack.directory().join("list.csv");
    head(&["rows", "what", "seconds", "rows/min", "of the bare hash"]);
    let figures = |what: &str, rows: usize, time: Duration, of_bare: bool| {
        let a_second = rate(rows, time);
        let share = if of_bare {
            format!("{:.1} %", a_second / bare * 100.0)
        } else {
            "–".to_owned()
        };
        row(&[
            grouped(rate(rows, Duration::from_secs(1))),
            what.to_owned(),
            format!("{:.1}", time.as_secs_f64()),
            grouped(a_second * 60.0),
            share,
        ]);
    };

    fs::write(&list, rows(options.hashes, 1, HASH)?)?;
    let compared = import(&stack, &list, &[])?;
    figures("ready-made hashes, dry run", options.hashes, compared, false);
    let applied = import(&stack, &list, &["--apply"])?;
    figures(
        "ready-made hashes, dry run and import",
        options.hashes,
        applied,
        false,
    );
    let again = import(&stack, &list, &["--apply"])?;
    figures("the same again", options.hashes, again, false);

    fs::write(&list, rows(options.passwords, 2, "")?)?;
    let passwords = stack.directory().join("passwords.csv");
    let passwords = passwords.to_str().context("no path")?;
    let made = import(&stack, &list, &["--apply", "--initial-passwords", passwords])?;
    figures("passwords made", options.passwords, made, true);
    Ok(())
}
