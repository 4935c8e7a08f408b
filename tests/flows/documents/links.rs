//! Links in documents lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sekisho_dev::paths;

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
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
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
