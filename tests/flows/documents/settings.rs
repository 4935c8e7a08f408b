//! `docs/configuration.md` is generated from the programs.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use sekisho_dev::{Service, cargo, paths};

/// With `SEKISHO_WRITE_DOCS=1` in its environment this test writes the page.
#[test]
fn the_page_of_settings_says_what_the_programs_read() -> Result<()> {
    let page = paths::workspace().join("docs/configuration.md");
    let mut expected = INTRO.to_owned();
    for service in Service::ALL {
        let program = cargo::program(&service.program())?;
        let table = std::process::Command::new(program).arg("--settings").output()?;
        anyhow::ensure!(table.status.success(), "{} --settings failed", service.name());
        let table = String::from_utf8(table.stdout)?;
        write!(expected, "\n## {}\n\n{table}", service.name())?;
    }
    if std::env::var_os("SEKISHO_WRITE_DOCS").is_some() {
        fs::write(&page, &expected)?;
    }
    assert!(
        fs::read_to_string(&page)? == expected,
        "docs/configuration.md is not what the programs read: run this test with SEKISHO_WRITE_DOCS=1"
    );
    Ok(())
}

const INTRO: &str = "\
# Configuration

Each service reads its settings once, from its environment. All mistakes are named at once, without values, and end the process
with exit code 64. Durations carry a unit (`30s`, `10m`, `12h`); lists are divided by commas. A secret has no default and is never
printed. This page is generated from the programs.
";
