//! The provider of NCR accounts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use openidconnect::IssuerUrl;
use sekisho_service::settings::{Reader, Secret};
use sekisho_service::tls::Certificates;
use url::Url;

use super::Mistaken;
use crate::provider::{Authentication, Freshness, ProviderSettings, SigningKey, is_loopback};

const ISSUER: &str = "NCR_ISSUER";
const CLIENT: &str = "NCR_CLIENT_ID";
const SECRET: &str = "NCR_CLIENT_SECRET_FILE";
const KEY: &str = "NCR_CLIENT_KEY_FILE";
const ORIGINS: &str = "NCR_ORIGINS";
const PATIENCE: &str = "NCR_PATIENCE";

/// How long a page waits for the provider.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(3);
/// The longest secret or key that is read, in bytes.
const MOST: u64 = 64 * 1_024;

pub(super) fn read(reader: &mut Reader) -> Result<Option<ProviderSettings>, Mistaken> {
    let issuer = reader.optional::<String>(
        ISSUER,
        "the issuer of NCR accounts (OpenID Connect), as its ID tokens name it; without it nobody signs in with one",
    );
    let client_id = reader.optional::<String>(CLIENT, "our client id there");
    let secret = reader.optional::<PathBuf>(
        SECRET,
        "holds our client secret there; this or NCR_CLIENT_KEY_FILE",
    );
    let key = reader.optional::<PathBuf>(
        KEY,
        "holds a private key by which we prove who we are (private_key_jwt): Ed25519 in PKCS#8 or RSA in PKCS#1, PEM",
    );
    let origins = reader.optional::<Vec<String>>(
        ORIGINS,
        "the portal's origins that are registered there, such as https://portal.example.jp; people come back to /ncr/callback of the \
         one that they left",
    );
    let amr = reader.or::<Vec<String>>(
        "NCR_AMR",
        "mfa",
        "authentication methods (amr, RFC 8176), each of which means that there was a second factor",
    );
    let acr = reader.optional::<Vec<String>>(
        "NCR_ACR",
        "authentication contexts (acr) that mean the same; asked for there",
    );
    let patience = reader.or::<Duration>(PATIENCE, "3s", "how long it may take to answer; from 500ms to 3s");
    let authority = reader.optional::<Certificates>(
        "NCR_CA",
        "who signs its certificate, PEM; without it the public authorities",
    );
    let (issuer, client_id) = (issuer.ok_or(Mistaken)?, client_id.ok_or(Mistaken)?);
    let (secret, key) = (secret.ok_or(Mistaken)?, key.ok_or(Mistaken)?);
    let (origins, amr, acr) = (
        origins.ok_or(Mistaken)?,
        amr.ok_or(Mistaken)?,
        acr.ok_or(Mistaken)?,
    );
    let (patience, authority) = (patience.ok_or(Mistaken)?, authority.ok_or(Mistaken)?);

    let Some(issuer) = issuer else {
        let others = [
            (CLIENT, client_id.is_some()),
            (SECRET, secret.is_some()),
            (KEY, key.is_some()),
            (ORIGINS, origins.is_some()),
        ];
        let given: Vec<_> = others.iter().filter(|(_, is_given)| *is_given).collect();
        for (name, _) in &given {
            reader.mistake(name, "is given without NCR_ISSUER");
        }
        return if given.is_empty() { Ok(None) } else { Err(Mistaken) };
    };
    let mut noted = |name: &str, problem: &str| reader.mistake(name, problem);
    if !(SHORTEST..=LONGEST).contains(&patience) {
        noted(PATIENCE, "is not from 500ms to 3s");
    }
    let issuer = IssuerUrl::new(issuer).ok().filter(|issuer| is_safe(issuer.url()));
    if issuer.is_none() {
        noted(ISSUER, "is no https address");
    }
    if client_id.is_none() {
        noted(CLIENT, "is missing beside NCR_ISSUER");
    }
    let origins = match origins.map(|origins| origins.iter().map(|origin| as_origin(origin)).collect()) {
        Some(Some(origins)) => Some(origins),
        Some(None) => {
            noted(ORIGINS, "holds something else than origins with https");
            None
        }
        None => {
            noted(ORIGINS, "is missing beside NCR_ISSUER");
            None
        }
    };
    let authentication = authentication(secret, key)
        .map_err(|(name, problem)| noted(name, problem))
        .ok();
    if !(SHORTEST..=LONGEST).contains(&patience) {
        return Err(Mistaken);
    }
    Ok(Some(ProviderSettings {
        issuer: issuer.ok_or(Mistaken)?,
        client_id: client_id.ok_or(Mistaken)?,
        authentication: authentication.ok_or(Mistaken)?,
        origins: origins.ok_or(Mistaken)?,
        amr,
        acr: acr.unwrap_or_default(),
        patience,
        authority,
        freshness: Freshness::default(),
    }))
}

/// How we prove who we are, or which setting is wrong and why.
fn authentication(
    secret: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Authentication, (&'static str, &'static str)> {
    match (secret, key) {
        (Some(_), Some(_)) => Err((KEY, "is given beside NCR_CLIENT_SECRET_FILE")),
        (None, None) => Err((
            SECRET,
            "is missing beside NCR_ISSUER, and so is NCR_CLIENT_KEY_FILE",
        )),
        (Some(file), None) => content(&file)
            .filter(|secret| !secret.expose().is_empty())
            .map(Authentication::Secret)
            .ok_or((SECRET, "is no file with a secret in it")),
        (None, Some(file)) => content(&file)
            .and_then(|pem| SigningKey::read(pem.expose()))
            .map(Authentication::Key)
            .ok_or((KEY, "is no file with a private key in it")),
    }
}

/// Encrypted, or to this very machine.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn as_origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(is_safe)?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    (is_bare && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// What stands in a file, without white space around it.
fn content(file: &Path) -> Option<Secret<String>> {
    let is_short = std::fs::metadata(file).ok()?.len() <= MOST;
    let text = Secret::new(is_short.then(|| std::fs::read_to_string(file).ok())??);
    Some(Secret::new(text.expose().trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use sekisho_service::settings::{Settings, Source, load};

    use super::*;

    /// These settings alone.
    struct Ncr(Option<ProviderSettings>);

    impl Settings for Ncr {
        fn read(reader: &mut Reader) -> Option<Self> {
            read(reader).ok().map(Self)
        }
    }

    /// The settings with some replaced; an empty one is missing. What is wrong is named.
    fn ncr(replaced: &[(&str, &str)]) -> Result<Option<ProviderSettings>, Vec<String>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "canary").unwrap();
        let path = file.path().display().to_string();
        let given = [
            (ISSUER, "https://ncr.example.jp"),
            (CLIENT, "gtol"),
            (SECRET, path.as_str()),
            (ORIGINS, "https://portal.example.jp, https://portal2.example.jp"),
        ];
        let others = given
            .iter()
            .filter(|(name, _)| !replaced.iter().any(|(other, _)| other == name));
        let all = others.chain(replaced).filter(|(_, value)| !value.is_empty());
        let source: Source = all.copied().collect();
        match load::<Ncr>("", &source) {
            Ok(ncr) => Ok(ncr.0),
            Err(mistakes) => {
                assert!(!mistakes.to_string().contains("canary"));
                Err(mistakes.iter().map(|mistake| mistake.name.clone()).collect())
            }
        }
    }

    #[test]
    fn a_provider_is_described_as_a_whole_or_not_at_all() {
        let whole = ncr(&[]).unwrap().unwrap();
        assert_eq!(whole.amr, ["mfa"]);
        assert_eq!(whole.patience, Duration::from_secs(3));
        assert_eq!(whole.origins.len(), 2);
        let Authentication::Secret(secret) = &whole.authentication else {
            panic!("another way");
        };
        assert_eq!(secret.expose(), "canary");
        assert!(!format!("{whole:?}").contains("canary"));

        let nothing = [ISSUER, CLIENT, SECRET, ORIGINS].map(|name| (name, ""));
        assert!(ncr(&nothing).unwrap().is_none());
        for name in [CLIENT, SECRET, ORIGINS] {
            assert_eq!(ncr(&[(name, "")]).unwrap_err(), [name]);
        }
        assert_eq!(ncr(&[(ISSUER, "")]).unwrap_err(), [CLIENT, SECRET, ORIGINS]);
        let all_at_once = [(ISSUER, "http://evil.example"), (CLIENT, ""), (PATIENCE, "4s")];
        assert_eq!(ncr(&all_at_once).unwrap_err(), [PATIENCE, ISSUER, CLIENT]);
        // Letter for letter: `Url` would add a slash, or keep one that others take away.
        for issuer in ["https://ncr.example.jp", "https://ncr.example.jp/"] {
            assert_eq!(ncr(&[(ISSUER, issuer)]).unwrap().unwrap().issuer.as_str(), issuer);
        }
    }

    #[test]
    fn nothing_goes_there_in_the_clear_and_nothing_waits_longer_than_a_page() {
        for (name, value) in [
            (ISSUER, "http://ncr.example.jp"),
            (ISSUER, "ncr"),
            (ORIGINS, "http://portal.example.jp"),
            (ORIGINS, "https://portal.example.jp/top"),
            (PATIENCE, "4s"),
            (PATIENCE, "0s"),
            (ORIGINS, "https://:canary@portal.example.jp"),
            (SECRET, "/nowhere"),
        ] {
            assert_eq!(ncr(&[(name, value)]).unwrap_err(), [name], "{value}");
        }
        assert!(
            ncr(&[
                (ISSUER, "http://127.0.0.1:9000"),
                (ORIGINS, "http://localhost:8080")
            ])
            .is_ok()
        );
    }

    #[test]
    fn a_key_is_as_good_as_a_secret_and_not_both() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", include_str!("../../tests/real/staff/ed25519.pem")).unwrap();
        let path = file.path().display().to_string();
        let with_key = ncr(&[(KEY, path.as_str()), (SECRET, "")]).unwrap().unwrap();
        assert!(matches!(with_key.authentication, Authentication::Key(_)));
        assert_eq!(ncr(&[(KEY, path.as_str())]).unwrap_err(), [KEY]);
        let mut none = tempfile::NamedTempFile::new().unwrap();
        writeln!(none, "canary").unwrap();
        let none = none.path().display().to_string();
        assert_eq!(ncr(&[(KEY, none.as_str()), (SECRET, "")]).unwrap_err(), [KEY]);
    }
}
