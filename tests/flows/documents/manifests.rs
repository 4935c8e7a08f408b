//! Every dependency is used.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sekisho_dev::paths;

use super::sources;

#[test]
fn every_dependency_is_used_by_code() -> Result<()> {
    let root = paths::workspace();
    let sources = sources(&root)?;
    let crates: BTreeSet<&Path> = sources
        .iter()
        .flat_map(|source| source.ancestors())
        .filter(|folder| *folder != root && folder.join("Cargo.toml").is_file())
        .collect();
    let mut unused = Vec::new();
    let mut used = BTreeSet::from(["tonic-prost".to_owned()]);
    for folder in crates {
        let own = sources.iter().filter(|source| source.starts_with(folder));
        let code: String = own.map(fs::read_to_string).collect::<Result<_, _>>()?;
        for name in dependencies(&folder.join("Cargo.toml"))? {
            if names(&code, &name.replace('-', "_")) {
                used.insert(name);
            } else if name != "tonic-prost" {
                // tonic-prost is for what its build script generates.
                unused.push(format!("{name} in {}", folder.display()));
            }
        }
    }
    let whole = dependencies(&root.join("Cargo.toml"))?;
    unused.extend(whole.into_iter().filter(|name| !used.contains(name)));
    assert!(unused.is_empty(), "no code uses {unused:#?}");
    Ok(())
}

/// The names in all tables of dependencies.
fn dependencies(manifest: &Path) -> Result<Vec<String>> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in fs::read_to_string(manifest)?.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(['.', ' ']).filter(|_| inside) {
            names.push(name.to_owned());
        }
    }
    names.retain(|name| !name.is_empty() && name != "#");
    Ok(names)
}

/// Whether code names a crate: `name::`, not as the module of another crate, or `use name`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(place, _)| {
        let before = &code[..place];
        let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        let after = &code[place + name.len()..];
        !inside && (after.starts_with("::") || (before.ends_with("use ") && after.starts_with([';', ' '])))
    })
}
