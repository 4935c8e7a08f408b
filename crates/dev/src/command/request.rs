//! `cargo dev kill` and `cargo dev start`: files that a running `up` looks for.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sekisho_dev::{Stack, paths, wait};

use super::state::{self, State};

const DONE: &str = "done";
/// As long as a part may take to start.
const ANSWER: Duration = Duration::from_secs(90);

/// Asks the running `up` to `kill` or `start` a part, and waits until it has.
///
/// # Errors
/// When no `up` runs, or it could not do it.
pub fn send(verb: &str, part: &str) -> Result<()> {
    if State::read()?.is_none() {
        bail!("`cargo dev up` does not run here");
    }
    let file = folder()?.join(format!("{}.request", std::process::id()));
    let answer = file.with_extension("answer");
    state::write_at_once(&file, &format!("{verb} {part}"))?;
    let text = wait::until("an answer of `cargo dev up`", ANSWER, || {
        if State::read()?.is_none() {
            bail!("`cargo dev up` has ended");
        }
        Ok(fs::read_to_string(&answer).ok())
    })?;
    fs::remove_file(&answer)?;
    if text != DONE {
        bail!("{text}");
    }
    Ok(())
}

/// Does what others have asked for; true if there was anything.
///
/// # Errors
/// When the folder of requests cannot be read or written.
pub fn serve(stack: &mut Stack) -> Result<bool> {
    let mut any = false;
    for entry in fs::read_dir(folder()?)?.flatten() {
        let file = entry.path();
        if file.extension().is_none_or(|extension| extension != "request") {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        fs::remove_file(&file)?;
        eprintln!("asked to {text}");
        let answer = act(stack, &text).map_or_else(|mistake| format!("{mistake:#}"), |()| DONE.to_owned());
        state::write_at_once(&file.with_extension("answer"), &answer)?;
        any = true;
    }
    Ok(any)
}

fn act(stack: &mut Stack, text: &str) -> Result<()> {
    match text.split_once(' ') {
        Some(("kill", part)) => stack.kill_part(part),
        Some(("start", part)) => stack.start_part(part),
        _ => bail!("not understood: {text}"),
    }
}

fn folder() -> Result<PathBuf> {
    let folder = state::directory()?.join("requests");
    paths::make_private(&folder)?;
    Ok(folder)
}
