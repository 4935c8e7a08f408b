//! The documents and the code say the same.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sekisho_dev::{Service, cargo, paths};

/// How reasons begin; settings that begin alike end with one of [`SETTINGS`].
const FAMILIES: [&str; 18] = [
    "ACCOUNT_",
    "ADDRESS_",
    "CALLER_",
    "CODE_",
    "CREDENTIALS_",
    "EVIDENCE_",
    "FACILITY_",
    "FLOW_",
    "LOGIN_",
    "LOG_",
    "NAME_",
    "NOT_",
    "OTP_",
    "PASSWORD_",
    "REQUEST_",
    "SERVER_",
    "SESSION_",
    "INTERNAL",
];
const SETTINGS: [&str; 4] = ["_URL", "_FILE", "_LISTEN", "_TIMEOUT"];

#[test]
fn every_reason_has_a_page_and_every_page_a_reason() -> Result<()> {
    let root = paths::workspace();
    let mut reasons = BTreeSet::new();
    for folder in [
        "services",
        "crates/service/src",
        "crates/eventlog/src",
        "crates/evidence/src",
        "proto/src",
    ] {
        collect(&root.join(folder), &mut reasons)?;
    }
    let pages: BTreeSet<String> = fs::read_dir(root.join("docs/errors"))?
        .filter_map(|file| {
            file.ok()?
                .file_name()
                .into_string()
                .ok()?
                .strip_suffix(".md")
                .map(str::to_owned)
        })
        .filter(|name| name != "README")
        .collect();
    let without_page: Vec<_> = reasons.difference(&pages).collect();
    let without_reason: Vec<_> = pages.difference(&reasons).collect();
    assert!(
        without_page.is_empty(),
        "no page in docs/errors: {without_page:?}"
    );
    assert!(
        without_reason.is_empty(),
        "no reason for these pages of docs/errors: {without_reason:?}"
    );
    Ok(())
}

/// The string literals of a folder that look like reasons.
fn collect(folder: &Path, reasons: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("tests") {
            collect(&path, reasons)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            reasons.extend(
                text.split('"')
                    .filter(|literal| is_reason(literal))
                    .map(str::to_owned),
            );
        }
    }
    Ok(())
}

fn is_reason(literal: &str) -> bool {
    FAMILIES.iter().any(|family| literal.starts_with(family))
        && literal
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        && !SETTINGS.iter().any(|ending| literal.ends_with(ending))
}

#[test]
fn no_document_links_to_what_is_not_there() -> Result<()> {
    let root = paths::workspace();
    let mut dead = Vec::new();
    for document in documents(&root)? {
        let text = fs::read_to_string(&document)?;
        let folder = document.parent().unwrap_or(&root);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                dead.push(format!("{} in {}", link, document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links: {dead:#?}");
    Ok(())
}

/// The Markdown files at the root and below `docs`.
fn documents(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("docs")];
    let mut entries: Vec<_> = fs::read_dir(root)?.collect::<Result<_, _>>()?;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
            entries.push(entry);
        }
    }
    found.extend(
        entries
            .iter()
            .map(fs::DirEntry::path)
            .filter(|path| path.extension().is_some_and(|e| e == "md")),
    );
    Ok(found)
}

/// With `SEKISHO_WRITE_DOCS=1` in its environment this test writes the page.
#[test]
fn the_page_of_settings_says_what_the_programs_read() -> Result<()> {
    let page = paths::workspace().join("docs/configuration.md");
    let mut expected = SETTINGS_INTRO.to_owned();
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

const SETTINGS_INTRO: &str = "\
# Configuration

Each service reads its settings once, from its environment. All mistakes are named at once, without values, and end the process
with exit code 64. Durations carry a unit (`30s`, `10m`, `12h`); lists are divided by commas. A secret has no default and is never
printed. This page is generated from the programs.
";
