//! Every test that `docs/mechanisms.md` names is there.

use std::collections::BTreeSet;
use std::fs;

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
    let document = fs::read_to_string(root.join("docs/mechanisms.md"))?;
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

/// What stands between backticks in the columns called `test` of all tables: names of functions, with or without
/// modules before them, and paths of scripts. An abbreviation counts as a name, so that nobody finds it.
fn tests_named_in(document: &str) -> impl Iterator<Item = &str> {
    let mut column = None;
    let cells = document.lines().filter_map(move |line| {
        if !line.starts_with('|') {
            column = None;
            return None;
        }
        // Part 0 is empty; a bar that is escaped stands only in later columns.
        let mut cells = line.split('|').skip(1).map(str::trim);
        if let Some(column) = column {
            return cells.nth(column);
        }
        column = cells.position(|title| title == "test");
        None
    });
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
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
