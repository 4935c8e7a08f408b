//! PostgreSQL over TLS.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sekisho_dev::{Database, Postgres, Schema};
use sekisho_eventlog::{ConnectError, Log};

use super::support::{append, draft, recorded, settings, stream};

/// An authority of a test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Gives the server a certificate. The server writes the files itself, so that they are its own.
fn certify(database: &Database, authority: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority);
    let files = [
        ("server.crt", certificate.unwrap().pem()),
        ("server.key", key.serialize_pem()),
    ];
    for (file, pem) in files {
        let write = format!(
            "copy (select unnest(string_to_array('{}', chr(10)))) to program 'umask 077; cat > {file}';",
            pem.trim()
        );
        database.sql(&write).unwrap();
    }
    database.sql("alter system set ssl = on;").unwrap();
    database.sql("select pg_reload_conf();").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_and_written_over_tls() {
    let _turn = super::support::Db::turn().await;
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let database = postgres.database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [own, other] = ["own.pem", "other.pem"].map(|name| {
        let authority = authority();
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        (authority, file.display().to_string())
    });
    let url = |root: &str| format!("{}?sslmode=verify-full&sslrootcert={root}", database.url("otp"));

    // A server that speaks plain text only is not waited for.
    let refused = Log::connect(settings(url(&own.1))).await;
    assert!(matches!(refused, Err(ConnectError::Tls(_))), "{refused:?}");

    certify(&database, &own.0);
    let log = loop {
        match Log::connect(settings(url(&own.1))).await {
            Ok(log) => break log,
            // The server has not read its settings again yet.
            Err(ConnectError::Tls(_)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            Err(other) => panic!("{other:?}"),
        }
    };
    recorded(append(&log, &draft(stream(1), 0)).await);
    let plain = "select count(*) filter (where not ssl), count(*) > 1 from pg_stat_ssl join pg_stat_activity using (pid)
        where usename = 'sekisho_otp';";
    assert_eq!(database.sql(plain).unwrap(), "0|t");

    let refused = Log::connect(settings(url(&other.1))).await;
    assert!(matches!(refused, Err(ConnectError::Tls(_))), "{refused:?}");
}
