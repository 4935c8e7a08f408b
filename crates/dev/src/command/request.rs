//! `cargo dev kill` and `cargo dev start`: files that a running `up` looks for.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sekisho_dev::process::Identity;
use sekisho_dev::stack::Listed;
use sekisho_dev::{Stack, paths, wait};

use super::state::{self, State};

/// What an answer begins with that tells what was done; every other one tells why nothing was.
const DONE: &str = "done: ";
/// As long as a part may take to start.
const ANSWER: Duration = Duration::from_secs(90);

/// Asks the running `up` to `kill` or `start` a part, waits until it has, and says so.
///
/// # Errors
/// When no `up` runs, it is still starting, or it could not do it.
pub fn send(verb: &str, part: &str) -> Result<()> {
    State::of_running()?;
    let folder = folder()?;
    paths::make_private(&folder)?;
    let file = folder.join(format!("{}.request", std::process::id()));
    let answer = file.with_extension("answer");
    state::write_at_once(&file, &format!("{verb} {part}"))?;
    let text = wait::until("an answer of `cargo dev up`", ANSWER, || {
        if State::read()?.is_none() {
            bail!("`cargo dev up` has ended");
        }
        Ok(fs::read_to_string(&answer).ok())
    })?;
    fs::remove_file(&answer)?;
    match text.strip_prefix(DONE) {
        Some(done) => println!("{done}"),
        None => bail!("{text}"),
    }
    Ok(())
}

/// Does what others have asked for; true if there was anything.
///
/// # Errors
/// When a request cannot be read or answered.
pub fn serve(stack: &mut Stack) -> Result<bool> {
    let mut any = false;
    for entry in fs::read_dir(folder()?).into_iter().flatten().flatten() {
        let file = entry.path();
        if file.extension().is_none_or(|extension| extension != "request") {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        fs::remove_file(&file)?;
        eprintln!("asked to {text}");
        let answer =
            act(stack, &text).map_or_else(|mistake| format!("{mistake:#}"), |done| format!("{DONE}{done}"));
        state::write_at_once(&file.with_extension("answer"), &answer)?;
        any = true;
    }
    Ok(any)
}

/// Does it and says what was done.
fn act(stack: &mut Stack, text: &str) -> Result<String> {
    match text.split_once(' ') {
        Some(("kill", part)) => {
            let before = find(stack, part)?;
            stack.kill_part(part)?;
            Ok(format!("killed {part} ({})", number(&before)))
        }
        Some(("start", part)) => {
            let ran = find(stack, part)?.process.is_some();
            stack.start_part(part)?;
            let now = find(stack, part)?;
            let what = if ran { "runs already" } else { "started" };
            Ok(format!("{part} {what} ({}): {}", number(&now), now.places()))
        }
        _ => bail!("not understood: {text}"),
    }
}

fn find(stack: &mut Stack, part: &str) -> Result<Listed> {
    let found = stack.listing().into_iter().find(|listed| listed.name == part);
    found.with_context(|| format!("there is no part {part}; `cargo dev status` lists them"))
}

fn number(listed: &Listed) -> String {
    let pid = |process: &Identity| format!("process {}", process.pid);
    listed
        .process
        .as_ref()
        .map_or_else(|| "not running".to_owned(), pid)
}

fn folder() -> Result<PathBuf> {
    Ok(paths::kept()?.join(state::NAME).join("requests"))
}
