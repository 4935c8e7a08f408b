//! Every read names a lower bound and plans for it: old segments are not touched.

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::{Draft, FlowId, Log, Position};
use sekisho_proto::Kind;

use super::support::{Db, Tally, append, draft, recorded, settings, stream, until};

/// The plans that PostgreSQL logged for statements that hold a text.
fn plans(server: &Postgres, text: &str) -> Vec<String> {
    let logged = std::fs::read_to_string(server.log_file()).unwrap();
    let all = logged.split(" LOG:  duration: ").skip(1);
    all.filter(|plan| plan.contains("Query Text") && plan.contains(text))
        .map(str::to_owned)
        .collect()
}

/// The segments that a plan names, by number.
fn segments(plan: &str) -> Vec<u32> {
    let names = plan.split("entry_").skip(1);
    let mut numbers: Vec<u32> = names.filter_map(|name| name.get(..6)?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_touches_the_segments_before_its_bound() {
    let _turn = Db::turn().await;
    let server = Postgres::start_with(Schema::Files).unwrap();
    let database = server.database().unwrap();
    // Segments of ten positions: 0 to 5 are full or open, 6 and 7 are ready.
    database
        .sql(
            "create or replace function log.segment_size() returns bigint language sql immutable as 'select 10::bigint';
             drop table log.entry_000000, log.entry_000001, log.entry_000002;
             delete from log.segment;
             set role sekisho_owner;
             select log.make_segments();",
        )
        .unwrap();
    let log = Log::connect(settings(database.url("otp"))).await.unwrap();
    let mut flow = None;
    for number in 0..55 {
        database
            .sql("set role sekisho_owner; select log.make_segments();")
            .unwrap();
        if number == 45 {
            flow = Some(FlowId::mint(log.head()));
        }
        recorded(
            append(
                &log,
                &Draft {
                    flow,
                    ..draft(stream(number), 0)
                },
            )
            .await,
        );
    }
    drop(log);

    let log = Log::connect(settings(database.url("otp"))).await.unwrap();
    // Plans are logged by connections that are made from now on; `Log::connect` would refuse a role that may log them.
    database
        .sql(
            "alter role sekisho_otp set session_preload_libraries = 'auto_explain';
             alter role sekisho_otp set auto_explain.log_min_duration = 0;
             alter role sekisho_otp set auto_explain.log_nested_statements = on;
             alter role sekisho_otp set log_min_messages = 'log';",
        )
        .unwrap();
    // Twice: a connection that was about to be ready has read its settings before the server shows whose it is.
    for _ in 0..2 {
        database
            .sql(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'sekisho_otp';
                 select pg_sleep(1);",
            )
            .unwrap();
    }
    // More often than PostgreSQL needs to prefer a plan for any bound.
    for _ in 0..12 {
        log.load::<Tally>(stream(50)).await.unwrap();
        log.flow(flow.unwrap()).await.unwrap();
        log.confirm_head().await.unwrap();
        log.read(Position(52), Position(54), &[Kind::Code], 10)
            .await
            .unwrap();
        log.entry(Position(53)).await.unwrap();
    }
    recorded(append(&log, &draft(stream(50), 1)).await);
    recorded(append(&log, &draft(stream(51), 1)).await);
    let _conflict = append(&log, &draft(stream(50), 0)).await;

    let expected: [(&str, usize, &[u32]); 7] = [
        ("order by version", 12, &[5]),
        ("flow_id = $2", 12, &[4, 5, 6, 7]),
        ("left join lateral", 12, &[5, 6, 7]),
        ("kind = any($3)", 12, &[5]),
        ("where position = $1", 12, &[5]),
        ("recorded_at from log.entry_", 2, &[5]),
        ("and version = $3", 1, &[5, 6, 7]),
    ];
    for (text, least, touched) in expected {
        let plans = plans(&server, text);
        assert!(plans.len() >= least, "{} plans of {text}", plans.len());
        for plan in plans {
            assert_eq!(segments(&plan), touched, "{plan}");
            // A plan for any bound, of which the executor throws most away, locks every segment first.
            assert!(!plan.contains("Subplans Removed"), "{plan}");
            assert!(
                !plan.contains("Seq Scan on entry_") || plan.contains("kind = any"),
                "{plan}"
            );
        }
    }
}

/// What these settings do shows in the time that a batch takes, and in no test: without the last one, 70 ms for each.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_is_planned_once_for_each_connection() {
    let db = Db::new().await;
    let settings = db.sql("select unnest(proconfig) from pg_proc where oid = 'log.append'::regproc;");
    for setting in ["plan_cache_mode=force_generic_plan", "jit=off"] {
        assert!(settings.lines().any(|line| line == setting), "{settings}");
    }
}

/// When a connection makes its plans the tables may be empty, and a million rows later it still has them.
#[tokio::test(flavor = "multi_thread")]
async fn appends_and_loads_look_at_their_own_rows_whatever_the_statistics_said() {
    let db = Db::new().await;
    db.sql("analyze log.stream, log.entry, log.writer;");
    let log = db.log().await;
    // More often than PostgreSQL needs to prefer a plan for any batch.
    for number in 0..12 {
        recorded(append(&log, &draft(stream(number), 0)).await);
    }
    db.sql(
        "insert into log.stream select 'code', gen_random_uuid(), 1, 1, 1 from generate_series(1, 5000);
         select pg_stat_reset_single_table_counters('log.stream'::regclass);",
    );
    for number in 0..12 {
        recorded(append(&log, &draft(stream(number), 1)).await);
        log.load::<Tally>(stream(number)).await.unwrap();
    }
    // What a connection has read is known when it ends.
    drop(log);
    until("the counts", async || {
        let counts = db.sql(
            "select seq_scan, idx_scan, idx_tup_fetch from pg_stat_user_tables where relid = 'log.stream'::regclass;",
        );
        let mut counts = counts.split('|').map(|count| count.parse::<u64>().unwrap_or_default());
        let [whole, found, rows] = [(); 3].map(|()| counts.next().unwrap_or_default());
        assert_eq!(whole, 0, "the whole table was read");
        assert!(rows < 200, "{rows} rows for twelve entries");
        (found >= 36).then_some(())
    })
    .await;
}
