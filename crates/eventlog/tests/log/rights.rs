//! The append function is the only way in.

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::{ConnectError, Log};
use sqlx::Row;

use super::support::{Db, Raw, append, draft, outcomes, recorded, run, settings, state_of, stream};

const ROLES: [&str; 6] = ["credentials", "otp", "sessions", "audit", "operator", "reader"];
const FORBIDDEN: &str = "42501";

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_guards_is_not_used() {
    let db = Db::new().await;
    for (setting, value) in [
        ("statement_timeout", "0"),
        ("lock_timeout", "'3s'"),
        ("idle_in_transaction_session_timeout", "0"),
        ("tcp_user_timeout", "0"),
        ("log_statement", "'all'"),
        ("track_activities", "on"),
    ] {
        let name = db.sql("select current_database();");
        let change = |what: &str| db.sql(&format!("alter role sekisho_otp in database {name} {what};"));
        change(&format!("set {setting} = {value}"));
        let refused = Log::connect(settings(db.url("otp"))).await;
        let Err(ConnectError::Unguarded(missing)) = refused else {
            panic!("{setting}: {refused:?}");
        };
        assert_eq!(missing, [setting]);
        change(&format!("reset {setting}"));
    }
    db.log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_a_table_of_the_log() {
    let db = Db::new().await;
    recorded(append(&db.log().await, &draft(stream(1), 0)).await);
    let tables = [
        "entry",
        "entry_000000",
        "stream",
        "segment",
        "head",
        "writer",
        "epoch",
        "parked",
        "migration",
    ];
    db.sql("create table if not exists log.migration (version bigint);");
    for role in ROLES {
        let mut connection = db.connection(role).await;
        for table in tables {
            for statement in [
                format!("insert into log.{table} default values"),
                format!("delete from log.{table}"),
                format!("truncate log.{table}"),
                format!("begin; lock table log.{table} in row exclusive mode"),
                format!("alter table log.{table} add column more text"),
                format!("drop table log.{table}"),
            ] {
                let state = state_of(run(&mut connection, &statement).await);
                assert_eq!(state, FORBIDDEN, "{role}: {statement}");
                run(&mut connection, "rollback").await.unwrap();
            }
        }
        for statement in [
            "update log.entry set payload = ''",
            "update log.entry_000000 set payload = ''",
            "update log.stream set version = 9",
            "update log.segment set opened = true",
            "update log.writer set kind = 'code'",
            "update log.epoch set position = 9",
            "update log.parked set replay = true",
            "select from log.head for update",
            "select from log.stream for update",
            "select from log.segment for share",
            "create table log.more (id int)",
            "create temporary table more (id int)",
            "create schema more",
            "create function log.more() returns int language sql as 'select 1'",
            "create or replace function log.now() returns timestamptz language sql as 'select null'",
            "drop function log.now()",
            "set role sekisho_owner",
            "set session authorization postgres",
            "grant sekisho_owner to sekisho_otp",
        ] {
            let state = state_of(run(&mut connection, statement).await);
            assert_eq!(state, FORBIDDEN, "{role}: {statement}");
        }
    }
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_writes_its_own_kinds_and_no_other() {
    let db = Db::new().await;
    let own: [(&str, &[&str]); 5] = [
        ("credentials", &["account", "client"]),
        ("otp", &["code"]),
        ("sessions", &["session"]),
        ("audit", &["audit"]),
        ("operator", &["system"]),
    ];
    let kinds = ["account", "audit", "client", "code", "session", "system", "other"];
    let mut stream = 0;
    for (role, own) in own {
        let mut connection = db.connection(role).await;
        for kind in kinds {
            stream += 1;
            let entry = Raw {
                kind: format!("'{kind}'"),
                ..Raw::new(stream, 0)
            };
            let expected = if own.contains(&kind) {
                "appended"
            } else {
                "refused"
            };
            assert_eq!(
                outcomes(&mut connection, &[entry]).await,
                [expected],
                "{role}: {kind}"
            );
        }
    }
    assert_eq!(db.entries(), 6);
}

/// Each step of a flow reads all of its entries: whoever has no part in one must not fill it.
#[tokio::test(flavor = "multi_thread")]
async fn only_steps_stand_in_a_flow() {
    let db = Db::new().await;
    let cases = [
        ("credentials", "account", "appended"),
        ("credentials", "client", "refused"),
        ("otp", "code", "appended"),
        ("sessions", "session", "appended"),
        ("audit", "audit", "refused"),
    ];
    for (role, kind, expected) in cases {
        let mut connection = db.connection(role).await;
        let entry = Raw {
            kind: format!("'{kind}'"),
            flow_id: format!("'{}'", uuid::Uuid::from_u128(7)),
            ..Raw::new(1, 0)
        };
        assert_eq!(outcomes(&mut connection, &[entry]).await, [expected], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_services_may_append_and_nobody_may_call_the_inside() {
    let db = Db::new().await;
    let mut reader = db.connection("reader").await;
    let append = super::support::call(&[Raw::new(1, 0)]);
    assert_eq!(state_of(run(&mut reader, &append).await), FORBIDDEN);
    assert_eq!(
        state_of(run(&mut reader, "select log.make_segments()").await),
        FORBIDDEN
    );
    for role in ROLES {
        let mut connection = db.connection(role).await;
        let inside = "select log.append_or_raise(null, null)";
        assert_eq!(state_of(run(&mut connection, inside).await), FORBIDDEN, "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_made_later_is_closed_until_it_is_granted() {
    let db = Db::new().await;
    db.sql(
        "set role sekisho_owner; create schema later; grant usage on schema later to public;
         create function later.here() returns int language sql as 'select 1';
         create function log.there() returns int language sql as 'select 1';",
    );
    let mut otp = db.connection("otp").await;
    for function in ["later.here()", "log.there()"] {
        let state = state_of(run(&mut otp, &format!("select {function}")).await);
        assert_eq!(state, FORBIDDEN, "{function}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_reads_the_whole_log() {
    let db = Db::new().await;
    recorded(append(&db.log().await, &draft(stream(1), 0)).await);
    for role in ROLES {
        let log = db.log_as(role).await;
        let position = log.confirm_head().await.unwrap();
        assert!(log.entry(position).await.unwrap().is_some(), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_cannot_sign_in() {
    let db = Db::new().await;
    let logins = "select count(*) from pg_roles where rolname in ('sekisho_owner', 'sekisho_log_reader', 'sekisho_log_writer') and not rolcanlogin and not rolsuper;";
    assert_eq!(db.sql(logins), "3");
    let services = "select count(*) from pg_roles where rolname like 'sekisho%' and rolcanlogin
        and not (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls);";
    assert_eq!(db.sql(services), "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_changes_its_own_isolation_level_keeps_nothing_out() {
    let db = Db::new().await;
    let name = db.sql("select current_database();");
    let mut otp = db.connection("otp").await;
    let own = format!(
        "alter role sekisho_otp in database {name} set default_transaction_isolation = 'serializable'"
    );
    run(&mut otp, &own).await.unwrap();
    let log = db.log().await;
    recorded(append(&log, &draft(stream(1), 0)).await);
    let isolation: String = sqlx::query_scalar("select current_setting('transaction_isolation')")
        .fetch_one(log.pool())
        .await
        .unwrap();
    assert_eq!(isolation, "read committed");
}

/// Functions of the server itself that would let a role fill the disk, sleep on the log's lock, or hold so many locks,
/// idle and without a transaction, that none is left for an append.
#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_call_what_holds_up_or_fills_the_server() {
    let db = Db::new().await;
    let large_objects = [
        "lo_create",
        "lo_creat",
        "lo_from_bytea",
        "lo_put",
        "lowrite",
        "lo_open",
    ];
    let sleeps = ["pg_sleep", "pg_sleep_for", "pg_sleep_until"];
    let locks = ["pg_advisory", "pg_try_advisory"]
        .iter()
        .flat_map(|begin| ["", "_xact"].map(|middle| format!("{begin}{middle}_lock")))
        .flat_map(|name| [format!("{name}_shared"), name]);
    let names = [large_objects.as_slice(), &sleeps, &["pg_logical_emit_message"]].concat();
    for name in names.into_iter().map(str::to_owned).chain(locks) {
        let functions =
            format!("from pg_proc where proname = '{name}' and pronamespace = 'pg_catalog'::regnamespace");
        assert_ne!(db.number(&format!("select count(*) {functions};")), 0, "{name}");
        for role in ROLES {
            let callable = format!(
                "select count(*) {functions} and has_function_privilege('sekisho_{role}', oid, 'execute');"
            );
            assert_eq!(db.number(&callable), 0, "{role}: {name}");
        }
    }
    for role in ROLES {
        let mut connection = db.connection(role).await;
        for statement in ["select pg_sleep(0)", "do $$ begin perform 1; end $$"] {
            let state = state_of(run(&mut connection, statement).await);
            assert_eq!(state, FORBIDDEN, "{role}: {statement}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_fill_the_disk_with_a_sort() {
    let db = Db::new().await;
    for role in ROLES {
        let mut connection = db.connection(role).await;
        let rows = run(&mut connection, "show temp_file_limit").await.unwrap();
        let limit: String = rows[0].get(0);
        assert_eq!(limit, "256MB", "{role}");
        let state = state_of(run(&mut connection, "set temp_file_limit = -1").await);
        assert_eq!(state, FORBIDDEN, "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_fill_the_servers_log() {
    let db = Db::new().await;
    for role in ROLES {
        let mut connection = db.connection(role).await;
        let marker = format!("noise of {role}");
        let noise = format!("select '{marker}'::int");
        assert!(run(&mut connection, &noise).await.is_err(), "{role}");
        let logged =
            std::fs::read_to_string(Postgres::shared_with(Schema::Files).unwrap().log_file()).unwrap();
        assert!(!logged.contains(&marker), "{role}");
        let state = state_of(run(&mut connection, "set log_min_messages = 'debug5'").await);
        assert_eq!(state, FORBIDDEN, "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_leave_the_connections_to_the_services() {
    let db = Db::new().await;
    let limits = "select string_agg(rolname || ' ' || rolconnlimit, ', ' order by rolname) from pg_roles
        where rolname like 'sekisho%' and rolconnlimit <> -1;";
    assert_eq!(db.sql(limits), "sekisho_audit 20, sekisho_reader 10");
}
