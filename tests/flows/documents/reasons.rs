//! Every reason of a refusal has its page in `docs/errors`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sekisho_dev::paths;

/// How reasons begin; settings that begin alike end with one of [`SETTINGS`].
const FAMILIES: [&str; 26] = [
    "ACCOUNT_",
    "ADDRESS_",
    "CALLER_",
    "CLIENT_",
    "CLOCK_",
    "CODE_",
    "CREDENTIALS_",
    "ENQUIRY_",
    "EVIDENCE_",
    "FACILITY_",
    "FLOW_",
    "FORMER_SYSTEM_",
    "LOGIN_",
    "LOG_",
    "MAIL_NOT_",
    "NAME_",
    "NCR_SUBJECT_",
    "NOT_READY",
    "OTP_",
    "PASSWORD_",
    "PROVIDER_",
    "REQUEST_",
    "SERVER_",
    "SESSION_",
    "TOO_MANY_",
    "INTERNAL",
];
const SETTINGS: [&str; 6] = ["_URL", "_FILE", "_LISTEN", "_SHORTEST", "_TIMEOUT", "_WORDS"];

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
