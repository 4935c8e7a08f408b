//! Everything secret that services read from files.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, anyhow};

use crate::authority::Authority;
use crate::files;

/// Each role of a certificate, and the actor that it names.
const ROLES: [(&str, &str); 6] = [
    ("credentials", "credentials"),
    ("otp", "otp"),
    ("sessions", "sessions"),
    ("gateway", "gateway"),
    ("audit", "audit"),
    ("administrator", "demo-administrator"),
];

/// What browsers are shown by `cargo dev up --https`, and the hosts that it is for.
const PORTAL: &str = "portal";
const PORTAL_HOSTS: [&str; 2] = ["localhost", "portal2.localhost"];

/// The services' key files: a line `<id> <64 hexadecimal digits>` for each key, the current one first.
const KEY_FILES: [&str; 6] = [
    "credentials-master.keys",
    "credentials-pepper.keys",
    "credentials-phantom.keys",
    "otp.keys",
    "sessions.keys",
    "gateway-cookie.keys",
];

/// The portal's secret at the provider of NCR accounts.
const CLIENT_SECRET: &str = "ncr-client.secret";

/// Writes the certificates and keys that are missing in a folder, and nothing else.
///
/// # Errors
/// When they cannot be written.
pub fn write_keys(folder: &Path) -> Result<()> {
    files::make_folder(folder)?;
    let authority = Authority::open(folder)?;
    let is_there = |name: &str| {
        let mut files = ["pem", "key"]
            .map(|kind| authority.file(&format!("{name}.{kind}")))
            .into_iter();
        files.all(|file| file.is_file())
    };
    for (role, actor) in ROLES {
        if !is_there(role) {
            authority.certify(role, actor)?;
        }
    }
    if !is_there(PORTAL) {
        authority.certify_hosts(PORTAL, &PORTAL_HOSTS)?;
    }
    for name in KEY_FILES {
        let path = folder.join(name);
        if !path.is_file() {
            files::write(&path, &format!("dev-1 {}\n", random_key()?))?;
        }
    }
    let path = folder.join(CLIENT_SECRET);
    if !path.is_file() {
        files::write(&path, &format!("{}\n", random_key()?))?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program stands outside the services, before there is a log"
)]
pub fn random_key() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|mistake| anyhow!("the system gives no random bytes: {mistake}"))?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use x509_parser::prelude::*;

    use super::*;

    fn contents(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    files::read(&entry.path()).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn a_second_time_nothing_changes_and_what_is_missing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path()).unwrap();
        let first = contents(folder.path());
        write_keys(folder.path()).unwrap();
        assert_eq!(contents(folder.path()), first);

        fs::remove_file(folder.path().join("otp.key")).unwrap();
        write_keys(folder.path()).unwrap();
        let third = contents(folder.path());
        assert_ne!(third["otp.key"], first["otp.key"]);
        assert_eq!(third["ca.pem"], first["ca.pem"]);
    }

    #[test]
    fn nobody_else_can_read_a_key() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path()).unwrap();
        for name in contents(folder.path()).keys() {
            let mode = fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_certificate_names_role_and_actor_and_is_signed_by_the_authority() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path()).unwrap();
        let texts = contents(folder.path());
        let authority = Pem::iter_from_buffer(texts["ca.pem"].as_bytes())
            .next()
            .unwrap()
            .unwrap();
        let authority = authority.parse_x509().unwrap();
        for (role, actor) in ROLES {
            let pem = Pem::iter_from_buffer(texts[&format!("{role}.pem")].as_bytes())
                .next()
                .unwrap()
                .unwrap();
            let certificate = pem.parse_x509().unwrap();
            let subject = certificate.subject();
            assert_eq!(
                subject
                    .iter_organizational_unit()
                    .next()
                    .unwrap()
                    .as_str()
                    .unwrap(),
                role
            );
            assert_eq!(
                subject.iter_common_name().next().unwrap().as_str().unwrap(),
                actor
            );
            assert_eq!(certificate.issuer(), authority.subject());
            let names = certificate.subject_alternative_name().unwrap().unwrap();
            assert!(
                names.value.general_names.contains(&GeneralName::DNSName(role)),
                "{role}"
            );
            assert_eq!(names.value.general_names.len(), 4);
        }
    }

    #[test]
    fn what_browsers_are_shown_names_their_hosts_and_no_role() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path()).unwrap();
        let texts = contents(folder.path());
        let pem = Pem::iter_from_buffer(texts["portal.pem"].as_bytes())
            .next()
            .unwrap()
            .unwrap();
        let certificate = pem.parse_x509().unwrap();
        assert_eq!(certificate.subject().iter_organizational_unit().count(), 0);
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.server_auth && !usage.client_auth);
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        for host in PORTAL_HOSTS {
            let host = GeneralName::DNSName(host);
            assert!(names.value.general_names.contains(&host), "{host}");
        }
    }

    #[test]
    fn a_key_file_holds_an_id_and_64_hexadecimal_digits() {
        let folder = tempfile::tempdir().unwrap();
        write_keys(folder.path()).unwrap();
        let texts = contents(folder.path());
        for name in KEY_FILES {
            let (id, key) = texts[name].trim_end().split_once(' ').unwrap();
            assert_eq!(id, "dev-1");
            assert!(
                key.len() == 64 && key.chars().all(|digit| digit.is_ascii_hexdigit()),
                "{name}"
            );
        }
    }
}
