//! The append function is the only way in.

use sekisho_eventlog::{ConnectError, Log};

use super::support::{Db, Raw, append, draft, outcomes, recorded, run, settings, state_of, stream};

const ROLES: [&str; 5] = ["credentials", "otp", "sessions", "audit", "reader"];
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
    let own: [(&str, &[&str]); 4] = [
        ("credentials", &["account", "client"]),
        ("otp", &["code"]),
        ("sessions", &["session"]),
        ("audit", &["audit"]),
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
    assert_eq!(db.entries(), 5);
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
        let inside = "select log.append_or_raise(null, 0)";
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
    assert_eq!(db.sql(services), "5");
}

/// Whoever holds many, without a transaction and idle, leaves no room for the locks of an append.
#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_hold_an_advisory_lock() {
    let db = Db::new().await;
    let calls: Vec<String> = ["pg_advisory", "pg_try_advisory"]
        .iter()
        .flat_map(|begin| ["", "_xact"].map(|middle| format!("{begin}{middle}_lock")))
        .flat_map(|name| [format!("{name}_shared"), name])
        .flat_map(|name| ["(1)", "(1, 1)"].map(|arguments| format!("select {name}{arguments}")))
        .collect();
    for role in ROLES {
        let mut connection = db.connection(role).await;
        for call in &calls {
            let state = state_of(run(&mut connection, call).await);
            assert_eq!(state, FORBIDDEN, "{role}: {call}");
        }
    }
    let known = "select count(*) from pg_proc where proname ~ '^pg_(try_)?advisory_(xact_)?lock';";
    assert_eq!(db.number(known), calls.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_fill_the_disk_with_large_objects_or_sleep_on_the_lock() {
    let db = Db::new().await;
    for role in ROLES {
        let mut connection = db.connection(role).await;
        for call in [
            "select lo_create(0)",
            "select lo_from_bytea(0, '\\x00')",
            "select pg_sleep(0)",
        ] {
            assert_eq!(
                state_of(run(&mut connection, call).await),
                FORBIDDEN,
                "{role}: {call}"
            );
        }
        let block = "do $$ begin perform 1; end $$";
        assert_eq!(
            state_of(run(&mut connection, block).await),
            FORBIDDEN,
            "{role}: {block}"
        );
    }
}
