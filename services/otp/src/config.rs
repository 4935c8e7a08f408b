//! The configuration of this service, from `SEKISHO_OTP_…`.

use http::Uri;
use sekisho_eventlog::LogAccess;
use sekisho_letters::{CODE_SUBJECT, Charset, MailFrom};
use sekisho_service::server::ServerSettings;
use sekisho_service::settings::{KeyRing, Reader, Settings};
use sekisho_service::tls::Certificates;

use crate::domain::MAX_KEY_ID;
use crate::worker::RelayUrl;

/// Beside a relay that is not encrypted it would look like protection.
const SMTP_CA: &str = "SMTP_CA";

/// Everything that can be configured.
#[derive(Debug)]
pub struct Config {
    /// Where the gRPC server listens, and who this process is.
    pub server: ServerSettings,
    /// The log.
    pub log: LogAccess,
    /// The keys that codes are derived from.
    pub keys: KeyRing,
    /// The credentials service, one URL per replica.
    pub credentials: Vec<Uri>,
    /// The mail relay.
    pub relay: RelayUrl,
    /// The authority that has signed the relay's certificate, in place of those of the system.
    pub relay_authority: Option<Certificates>,
    /// The sender of mails.
    pub mail_from: MailFrom,
    /// The subject of mails that bring codes.
    pub mail_subject: String,
    /// How the characters of mails are written.
    pub mail_charset: Charset,
}

impl Settings for Config {
    fn read(reader: &mut Reader) -> Option<Self> {
        let server = ServerSettings::read(reader);
        let log = LogAccess::read(reader);
        let keys = read_keys(reader);
        let credentials = reader.required(
            "CREDENTIALS_URL",
            "https://host:port of each replica of credentials",
        );
        let relay: Option<RelayUrl> = reader.required(
            "SMTP_URL",
            "the mail relay: beyond loopback smtp://…?tls=required, smtps://…, or ?tls=none if its network is nobody else's and it asks for no login",
        );
        let relay_authority = reader.optional(
            SMTP_CA,
            "the authority that has signed the relay's certificate; without it those that the system believes",
        );
        let is_believed = matches!(relay_authority, Some(Some(_)));
        if is_believed && relay.as_ref().is_some_and(|relay| !relay.is_encrypted()) {
            reader.mistake(SMTP_CA, "has no use: SMTP_URL asks for no encryption");
        }
        let mail_from = reader.or("MAIL_FROM", "gtol@localhost", "the sender of mails");
        let mail_subject = reader.or(
            "MAIL_SUBJECT",
            CODE_SUBJECT,
            "the subject of mails that bring codes",
        );
        let mail_charset = reader.or(
            "MAIL_CHARSET",
            "utf-8",
            "how the characters of mails are written; `iso-2022-jp` for relays and readers that know nothing newer",
        );
        Some(Self {
            server: server?,
            log: log?,
            keys: keys?,
            credentials: credentials?,
            relay: relay?,
            relay_authority: relay_authority?,
            mail_from: mail_from?,
            mail_subject: mail_subject?,
            mail_charset: mail_charset?,
        })
    }
}

/// The current key's id stands in every event, so it must be short.
fn read_keys(reader: &mut Reader) -> Option<KeyRing> {
    const KEY_FILE: &str = "KEY_FILE";
    let keys: KeyRing = reader.required(
        KEY_FILE,
        "the keys that codes are derived from, `<id> <64 hex digits>` a line",
    )?;
    if keys.current().0.len() > MAX_KEY_ID {
        reader.mistake(
            KEY_FILE,
            format!("has a first key whose id is longer than {MAX_KEY_ID} bytes"),
        );
        return None;
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use sekisho_service::settings::{Source, load, reference};

    use super::*;

    #[test]
    fn every_mistake_is_named_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            format!("{} {}", "k".repeat(MAX_KEY_ID + 1), "ab".repeat(32)),
        )
        .unwrap();
        let source: Source = [
            ("X_KEY_FILE", file.path().to_str().unwrap()),
            ("X_SMTP_URL", "http://canary"),
            ("X_SMTP_CA", "/canary"),
            ("X_NATS_URL", ":canary"),
            ("X_MAIL_FROM", "canary"),
            ("X_MAIL_CHARSET", "canary"),
            ("X_TEST_CLOCK", "canary"),
        ]
        .into_iter()
        .collect();
        let mistakes = load::<Config>("X_", &source).unwrap_err();
        let names: Vec<_> = mistakes.iter().map(|mistake| mistake.name.as_str()).collect();
        let expected = [
            "X_LISTEN",
            "X_TLS_CERTIFICATE",
            "X_TLS_KEY",
            "X_TLS_CA",
            "X_DATABASE_URL",
            "X_NATS_URL",
            "X_TEST_CLOCK",
            "X_KEY_FILE",
            "X_CREDENTIALS_URL",
            "X_SMTP_URL",
            "X_SMTP_CA",
            "X_MAIL_FROM",
            "X_MAIL_CHARSET",
        ];
        assert_eq!(names, expected);
        assert!(!mistakes.to_string().contains("canary"));
    }

    #[test]
    fn an_authority_without_encryption_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let authority = sekisho_seed::Authority::open(folder.path()).unwrap();
        let mistakes = |relay: &str| {
            let source: Source = [
                ("SMTP_URL", relay),
                ("SMTP_CA", authority.file("ca.pem").to_str().unwrap()),
            ]
            .into_iter()
            .collect();
            let mistakes = load::<Config>("", &source).unwrap_err();
            mistakes.iter().any(|mistake| mistake.name == "SMTP_CA")
        };
        assert!(mistakes("smtp://relay?tls=none"));
        assert!(!mistakes("smtp://relay?tls=required"));
        assert!(!mistakes("smtps://relay"));
    }

    #[test]
    fn what_may_hold_a_password_is_marked_as_secret() {
        let secret: Vec<_> = reference::<Config>("")
            .into_iter()
            .filter(|setting| setting.secret)
            .map(|setting| setting.name)
            .collect();
        assert_eq!(secret, ["DATABASE_URL", "NATS_URL", "SMTP_URL"]);
    }
}
