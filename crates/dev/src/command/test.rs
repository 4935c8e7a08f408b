//! `cargo dev test`

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sekisho_dev::tools::{self, Consent, ThisMachine, Tool};
use sekisho_dev::{axe, cargo, disk, firefox, paths, provider};

use super::cli::TestOptions;
use super::queries;

/// How a test of the long tier is marked: it is `#[ignore]`d and stands in a module `long_<part>`.
const LONG: &str = "long_";
/// How many tests of one program run at a time; the name is that of Rust's test harness.
const THREADS: &str = "RUST_TEST_THREADS";

/// Runs every check of the short tier, or a part of the long one.
///
/// # Errors
/// When a step fails; later steps are not run then.
pub fn run(options: &TestOptions) -> Result<()> {
    let mut steps = Steps::default();
    let result = all(options, &mut steps);
    steps.print();
    result
}

fn all(options: &TestOptions, steps: &mut Steps) -> Result<()> {
    disk::require(&paths::kept()?, cargo::is_built()?)?;
    disk::require_for_tests(&paths::servers()?)?;
    steps.step("tools", || {
        tools::provide(&Tool::ALL, Consent::Given, &ThisMachine, &tools::places())?;
        // Not in the middle of a test that waits for it.
        provider::install()?;
        axe::script().map(drop)
    })?;
    if let Some(part) = &options.long {
        if ["firefox", "all"].contains(&part.as_str()) {
            steps.step("Firefox", firefox::install)?;
        }
        steps.step("build", build)?;
        let filter = long_filter(part)?;
        return repeat(options.repeat, steps, &["--ignored", "--nocapture", &filter]);
    }
    steps.step("format", || {
        cargo::run(&mut cargo::command(&["fmt", "--all", "--check"]))
    })?;
    steps.step("lints and queries", lint)?;
    steps.step("build", build)?;
    repeat(options.repeat, steps, &[])
}

/// The lints compile everything, so the queries are checked against the database on the way.
fn lint() -> Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    queries::check(&mut cargo::command(&arguments))
}

/// The same features as `cargo test --workspace` has, so that nothing is built twice.
fn build() -> Result<()> {
    cargo::run(&mut cargo::command(&["build", "--workspace", "--all-targets"]))
}

fn repeat(times: u32, steps: &mut Steps, arguments: &[&str]) -> Result<()> {
    for round in 1..=times {
        let name = if times == 1 {
            "tests".to_owned()
        } else {
            format!("tests, round {round}")
        };
        steps.step(&name, || {
            let mut command = cargo::command(&["test", "--workspace", "--no-fail-fast", "--"]);
            command.args(arguments).env(cargo::BUILT, "1");
            if std::env::var_os(THREADS).is_none() {
                command.env(THREADS, at_once()?.to_string());
            }
            cargo::run(&mut command)
        })?;
    }
    Ok(())
}

/// How many tests of one program run at a time: twice as many as there are cores, because most of them wait for what
/// takes its time, such as a deadline. With more of them, people in tests get too little done before a deadline.
fn at_once() -> Result<usize> {
    let cores = std::thread::available_parallelism().context("the number of cores is not known")?;
    Ok(2 * cores.get())
}

/// What selects the tests of a part.
fn long_filter(part: &str) -> Result<String> {
    let mut command = cargo::command(&["test", "--workspace", "--quiet", "--", "--ignored", "--list"]);
    let output = command
        .env(cargo::BUILT, "1")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let parts = long_parts(&String::from_utf8_lossy(&output.stdout));
    filter_of(part, &parts)
}

fn filter_of(part: &str, parts: &[String]) -> Result<String> {
    let known = match parts {
        [] => "the long tier has no part yet".to_owned(),
        parts => format!("the long tier has these parts: {}, all", parts.join(", ")),
    };
    match part {
        "all" if !parts.is_empty() => Ok(LONG.to_owned()),
        part if parts.iter().any(|known| known == part) => Ok(format!("{LONG}{part}::")),
        _ => bail!(known),
    }
}

/// The parts in a list of tests: `races::long_statistics::a_test: test`.
fn long_parts(list: &str) -> Vec<String> {
    let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let modules = tests.flat_map(|test| test.split("::"));
    let mut parts: Vec<String> = modules
        .filter_map(|module| module.strip_prefix(LONG))
        .map(str::to_owned)
        .collect();
    parts.sort();
    parts.dedup();
    parts
}

/// How long each step took.
#[derive(Default)]
struct Steps(Vec<(String, Duration, bool)>);

impl Steps {
    fn step(&mut self, name: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("\n== {name}");
        let begun = Instant::now();
        let result = act();
        self.0.push((name.to_owned(), begun.elapsed(), result.is_ok()));
        result.with_context(|| format!("the step \"{name}\" failed"))
    }

    fn print(&self) {
        eprintln!();
        for (name, time, good) in &self.0 {
            let seconds = time.as_secs();
            let outcome = if *good { "" } else { "  failed" };
            eprintln!(
                "{name:<20} {:>3} min {:>2} s{outcome}",
                seconds / 60,
                seconds % 60
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_long_tier_are_read_from_the_list_of_tests() {
        let list = "long_soak::an_hour: test\nraces::long_statistics::each_side: test\nshort: test\n\
                    long_soak::a_day: test\n\n4 tests, 0 benchmarks\n";
        assert_eq!(long_parts(list), ["soak", "statistics"]);
    }

    #[test]
    fn a_part_that_is_not_there_is_answered_with_those_that_are() {
        let parts = ["soak".to_owned(), "statistics".to_owned()];
        assert_eq!(filter_of("soak", &parts).unwrap(), "long_soak::");
        assert_eq!(filter_of("all", &parts).unwrap(), "long_");
        for other in ["", "nonsense"] {
            let sentence = filter_of(other, &parts).unwrap_err().to_string();
            assert_eq!(sentence, "the long tier has these parts: soak, statistics, all");
            assert_eq!(
                filter_of(other, &[]).unwrap_err().to_string(),
                "the long tier has no part yet"
            );
        }
    }

    #[test]
    fn a_failed_step_is_named() {
        let mut steps = Steps::default();
        let mistake = steps.step("lints", || bail!("cargo failed")).unwrap_err();
        assert_eq!(format!("{mistake:#}"), "the step \"lints\" failed: cargo failed");
        assert_eq!(steps.0.len(), 1);
    }
}
