//! Segments: the next one is there before it is needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sekisho_eventlog::{AppendError, FlowId, Position};

use super::support::{Db, Raw, Tally, append, draft, outcomes, recorded, stream, until};

const SIZE: u64 = 1 << 24;

impl Db {
    /// Puts an entry at a position as nobody but the owner can.
    fn put(&self, position: u64) {
        self.sql(&format!(
            "insert into log.entry values ({position}, 'code', gen_random_uuid(), 1, gen_random_uuid(), null,
             'code_issued', clock_timestamp(), '', '');
             insert into log.stream select kind, stream_id, version, position, position from log.entry where position = {position};"
        ));
    }

    /// Segments of this many positions instead of 2^24; the log is empty.
    pub fn with_segments_of(&self, size: u64) {
        self.sql(&format!(
            "do $$ declare name text; begin
                 for name in select inhrelid::regclass from pg_inherits where inhparent = 'log.entry'::regclass loop
                     execute 'drop table ' || name;
                 end loop;
             end $$;
             delete from log.segment;
             create or replace function log.segment_size() returns bigint language sql immutable as 'select {size}::bigint';
             set role sekisho_owner;
             select log.make_segments();"
        ));
    }

    /// Segments that hold entries, by name.
    fn used(&self) -> String {
        self.sql("select tableoid::regclass || ':' || count(*) from log.entry group by tableoid order by min(position);")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entry_after_the_last_position_of_a_segment_opens_the_next() {
    let db = Db::new().await;
    db.put(SIZE);
    let log = db.log().await;
    assert_eq!(log.head(), Position(SIZE));
    let receipt = recorded(append(&log, &draft(stream(1), 0)).await);
    assert_eq!(receipt.position, Position(SIZE + 1));
    assert_eq!(db.used(), "log.entry_000000:1\nlog.entry_000001:1");
    assert_eq!(
        db.sql("select first_position from log.segment where opened order by 1;"),
        format!("1\n{}", SIZE + 1)
    );
    recorded(append(&log, &draft(stream(1), 1)).await);
    assert_eq!(log.load::<Tally>(stream(1)).await.unwrap().version.0, 2);
    // A process that starts now finds the head behind the boundary, and makes what is missing ahead of it.
    let started = db.log().await;
    assert_eq!(started.head(), Position(SIZE + 2));
    until("the segment after the next", async || {
        (db.sql("select max(first_position) from log.segment;") == (3 * SIZE + 1).to_string()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_may_stand_on_both_sides_of_a_boundary() {
    let db = Db::new().await;
    db.put(SIZE - 2);
    let mut otp = db.connection("otp").await;
    let batch: Vec<Raw> = (0..4).map(|version| Raw::new(1, version)).collect();
    assert_eq!(outcomes(&mut otp, &batch).await, ["appended"; 4]);
    assert_eq!(db.used(), "log.entry_000000:3\nlog.entry_000001:2");
    let log = db.log().await;
    let (again, positions) = (draft(stream(1), 4), [SIZE - 1, SIZE, SIZE + 1, SIZE + 2]);
    recorded(append(&log, &again).await);
    for (version, position) in (1..).zip(positions) {
        let entry = log.entry(Position(position)).await.unwrap().unwrap();
        assert_eq!(entry.recorded.version.0, version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_was_begun_in_vain_is_not_opened() {
    let db = Db::new().await;
    db.put(SIZE);
    let mut otp = db.connection("otp").await;
    let doomed = format!("{}; select 1 / 0", super::support::call(&[Raw::new(1, 0)]));
    assert!(super::support::run(&mut otp, &doomed).await.is_err());
    assert_eq!(
        db.sql("select max(first_position) from log.segment where opened;"),
        "1"
    );
    assert_eq!(
        recorded(append(&db.log().await, &draft(stream(1), 0)).await).position,
        Position(SIZE + 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_go_on_while_segments_are_made_and_filled() {
    let db = Db::alone().await;
    db.with_segments_of(50);
    let (log, other) = (db.log().await, db.log().await);
    let making = tokio::spawn({
        let url = db.url("otp");
        async move {
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            loop {
                sqlx::query("select log.make_segments()")
                    .execute(&pool)
                    .await
                    .unwrap();
            }
        }
    });
    let mut tasks = tokio::task::JoinSet::new();
    let held_up = Arc::new(AtomicUsize::new(0));
    for number in 0..4 {
        let log = [&log, &other][number as usize % 2].clone();
        let held_up = Arc::clone(&held_up);
        tasks.spawn(async move {
            for version in 0..250 {
                // Whoever is held up for longer than 2 s gets no receipt.
                let next = draft(stream(number), version);
                let first = append(&log, &next).await;
                recorded(if first == Err(AppendError::Unavailable) {
                    held_up.fetch_add(1, Ordering::Relaxed);
                    append(&log, &next).await
                } else {
                    first
                });
            }
        });
    }
    tasks.join_all().await;
    making.abort();
    // As many as one pause of a busy machine meets, of a thousand.
    let held_up = held_up.load(Ordering::Relaxed);
    assert!(held_up <= 4, "{held_up}");
    assert_eq!(db.used().lines().count(), 20, "{}", db.used());
    db.assert_whole();
    for number in 0..4 {
        assert_eq!(log.load::<Tally>(stream(number)).await.unwrap().version.0, 250);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_segment_nothing_is_written_and_with_one_it_goes_on() {
    let db = Db::new().await;
    db.with_segments_of(2);
    let log = db.log().await;
    let flow = FlowId::mint(log.head());
    // Three segments, or more if this process makes its own only now.
    let mut version = 0;
    let refused = loop {
        let next = sekisho_eventlog::Draft {
            flow: Some(flow),
            ..draft(stream(1), version)
        };
        match append(&log, &next).await {
            Ok(outcome) => recorded(Ok(outcome)),
            refused => break refused,
        };
        version += 1;
        assert!(version < 20, "who makes all these segments?");
    };
    assert_eq!(refused, Err(AppendError::Unavailable));
    assert!(version >= 6, "{version}");
    assert_eq!(db.entries(), version);
    db.sql("set role sekisho_owner; select log.make_segments();");
    recorded(append(&log, &draft(stream(1), version)).await);
    assert_eq!(log.flow(flow).await.unwrap().len() as u64, version);
    db.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_reader_does_not_hold_up_new_segments() {
    let db = Db::new().await;
    let mut reader = db.connection("postgres").await;
    super::support::run(&mut reader, "begin; select count(*) from log.entry")
        .await
        .unwrap();
    // No role of ours may take one, an administrator may.
    let mut locker = db.connection("postgres").await;
    super::support::run(
        &mut locker,
        "select pg_advisory_lock(hashtext('log.make_segments'))",
    )
    .await
    .unwrap();
    db.put(SIZE);
    recorded(append(&db.log().await, &draft(stream(1), 0)).await);
    db.sql("set lock_timeout = '1s'; set role sekisho_owner; select log.make_segments();");
    assert_eq!(db.number("select count(*) from log.segment;"), 4);
}
