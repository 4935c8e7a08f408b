//! Every test and every file that `docs/mechanisms.md`, `docs/checks.md` and `docs/log.md` name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sekisho_dev::paths;

use super::sources;

#[test]
fn every_test_that_stands_in_the_mechanisms_is_there() -> Result<()> {
    let root = paths::workspace();
    let mut functions = BTreeSet::new();
    for source in sources(&root)? {
        let text = fs::read_to_string(source)?;
        functions.extend(text.split("fn ").skip(1).map(|rest| word(rest).to_owned()));
    }
    let read = |name: &str| fs::read_to_string(root.join("docs").join(name));
    let document = [read("mechanisms.md")?, read("checks.md")?, read("log.md")?].join("\n\n");
    let named: Vec<&str> = tests_named_in(&document).collect();
    assert!(named.len() > 300, "only {} tests were found", named.len());
    let dead: Vec<_> = named
        .into_iter()
        .filter(|name| {
            let function = name.rsplit("::").next().unwrap_or_default();
            let script = name.contains('/') && root.join(name).is_file();
            !functions.contains(function) && !script
        })
        .collect();
    assert!(dead.is_empty(), "no such tests: {dead:#?}");
    Ok(())
}

/// A change is made in a file; one that was moved or renamed is found by nobody.
#[test]
fn every_source_that_stands_in_the_mechanisms_is_there() -> Result<()> {
    let root = paths::workspace();
    let sources: Vec<_> = sources(&root)?;
    let document = fs::read_to_string(root.join("docs/mechanisms.md"))?;
    let named: BTreeSet<&str> = cells(&document, "change that turns it red")
        .flat_map(|cell| cell.split([' ', '`', ':', ',', ';', '(', ')']))
        .filter(|word| {
            Path::new(word)
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .collect();
    assert!(named.len() > 60, "only {} sources were found", named.len());
    let lost: Vec<_> = named
        .into_iter()
        .filter(|name| !sources.iter().any(|source| source.ends_with(name)))
        .collect();
    assert!(lost.is_empty(), "no such sources: {lost:#?}");
    Ok(())
}

#[test]
fn every_mechanism_names_its_own_test() -> Result<()> {
    let document = fs::read_to_string(paths::workspace().join("docs/mechanisms.md"))?;
    let without: Vec<_> = cells(&document, "test")
        .filter(|cell| !cell.contains('`'))
        .collect();
    assert!(without.is_empty(), "no test: {without:#?}");
    Ok(())
}

/// The cells of all columns with this title.
fn cells<'a>(document: &'a str, title: &'static str) -> impl Iterator<Item = &'a str> {
    let mut column = None;
    document.lines().filter_map(move |line| {
        if !line.starts_with('|') {
            column = None;
            return None;
        }
        // Part 0 is empty; a bar that is escaped stands only in the last column.
        let mut cells = line.split('|').skip(1).map(str::trim);
        if let Some(column) = column {
            return cells.nth(column).filter(|cell| !cell.starts_with("---"));
        }
        column = cells.position(|cell| cell == title);
        None
    })
}

/// What stands between backticks in the columns called `test` of all tables: names of functions, with or without
/// modules before them, and paths of scripts. An abbreviation counts as a name, so that nobody finds it.
fn tests_named_in(document: &str) -> impl Iterator<Item = &str> {
    let quoted = cells(document, "test").flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted.filter(|text| {
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:/.-…".contains(c);
        text.chars().all(name) && text.contains(['_', '/', '…'])
    })
}

/// The word that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}
