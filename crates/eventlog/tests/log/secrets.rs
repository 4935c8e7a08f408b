//! Values stand in the text of an append: that text must stay inside.

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::Outcome;

use super::support::{Db, draft, hex, recorded, run, setting, stream};

const CANARY: &str = "canary-of-the-hash";

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_an_append_reaches_neither_the_servers_log_nor_its_views() {
    let db = Db::new().await;
    db.with_combined_function();
    let log = db.log().await;
    recorded(log.append(draft(stream(1), 0), &setting(CANARY)).await);
    let conflict = log.append(draft(stream(1), 0), &setting(CANARY)).await;
    assert_eq!(conflict, Ok(Outcome::Conflict));

    let seen = db.sql("select query from pg_stat_activity where application_name = 'test/1' and datname = current_database();");
    let mut superuser = db.connection("postgres").await;
    let marker = format!("select '{}' || no_such_column", hex(b"positive-marker"));
    assert!(run(&mut superuser, &marker).await.is_err());
    let logged = std::fs::read_to_string(Postgres::shared_with(Schema::Files).unwrap().log_file()).unwrap();
    assert!(
        logged.contains(&hex(b"positive-marker")),
        "statements that fail are logged where nobody forbids it"
    );
    for place in [seen, logged] {
        assert!(
            !place.contains(&hex(CANARY.as_bytes())) && !place.contains(CANARY),
            "{place}"
        );
    }
}
