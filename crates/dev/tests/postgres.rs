//! Private PostgreSQL servers.

use std::thread;
use std::time::Duration;

use sekisho_dev::{Postgres, Schema, wait};

#[test]
fn a_killed_server_starts_again_with_all_it_had_acknowledged() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    let database = postgres.database().unwrap();
    database
        .sql("create table kept (id int); insert into kept values (7);")
        .unwrap();
    let (port, first) = (postgres.port(), postgres.pid().unwrap());

    postgres.kill().unwrap();
    assert!(database.sql("select 1;").is_err());
    postgres.restart().unwrap();

    assert_eq!(database.sql("select id from kept;").unwrap(), "7");
    assert_eq!(postgres.port(), port);
    assert_ne!(postgres.pid().unwrap(), first);
}

#[test]
fn a_backend_that_is_busy_ends_with_its_killed_server() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    let database = postgres.database().unwrap();
    thread::scope(|scope| {
        let busy = scope.spawn(|| database.sql("do $$ begin loop end loop; end $$;"));
        let loops = "select count(*) from pg_stat_activity where query like 'do %' and state = 'active';";
        let limit = Duration::from_secs(20);
        wait::until("a busy backend", limit, || {
            Ok((database.sql(loops)? == "1").then_some(()))
        })
        .unwrap();
        postgres.kill().unwrap();
        assert!(busy.join().unwrap().is_err());
    });
    postgres.restart().unwrap();
    assert_eq!(database.sql("select 1;").unwrap(), "1");
}

#[test]
fn each_test_has_a_database_of_its_own_on_the_shared_server() {
    let postgres = Postgres::shared_with(Schema::Empty).unwrap();
    let one = postgres.database().unwrap();
    let other = postgres.database().unwrap();
    one.sql("create table only_here (id int);").unwrap();
    assert_eq!(
        other.sql("select to_regclass('only_here') is null;").unwrap(),
        "t"
    );
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let postgres = thread::spawn(|| Postgres::start_with(Schema::Empty).unwrap())
        .join()
        .unwrap();
    assert!(postgres.database().is_ok());
}

#[test]
fn the_server_is_durable_and_listens_on_loopback_only() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    let database = postgres.database().unwrap();
    assert_eq!(
        database.sql("show fsync; show synchronous_commit;").unwrap(),
        "on\non"
    );
    assert_eq!(
        database
            .sql("show listen_addresses; show unix_socket_directories;")
            .unwrap(),
        "127.0.0.1"
    );
    assert_eq!(
        database.sql("show password_encryption;").unwrap(),
        "scram-sha-256"
    );
}

#[test]
fn a_folder_goes_away_with_its_server() {
    let postgres = Postgres::start_with(Schema::Empty).unwrap();
    let folder = postgres.directory().to_path_buf();
    assert!(folder.is_dir());
    drop(postgres);
    assert!(!folder.exists());
}

#[test]
fn the_roles_may_do_in_a_copy_what_they_may_do_in_the_original() {
    let postgres = Postgres::shared_with(Schema::Files).unwrap();
    let database = postgres.database().unwrap();
    let temporary = "select has_database_privilege('sekisho_otp', current_database(), 'temporary');";
    assert_eq!(database.sql(temporary).unwrap(), "f");
    assert!(database.url("otp").starts_with("postgres://sekisho_otp:"));
    assert_eq!(database.url("sekisho_otp"), database.url("otp"));
}

#[test]
fn the_programs_own_migrations_make_the_database() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let tables =
        "select to_regclass('log.entry') is not null, to_regclass('credentials.account') is not null;";
    assert_eq!(database.sql(tables).unwrap(), "t|t");
}
