//! Snapshots: where a new replica begins.

use sekisho_dev::{Postgres, Schema};
use sekisho_eventlog::{Position, StreamId};
use sekisho_sessions::app::{Error, Started};
use sekisho_sessions::domain::Why;

use crate::support::{Replica, World, eventually, keys, logs};

/// A live session, and a snapshot after it. The log has lost the session's beginning, so that only who begins with the
/// snapshot knows it.
async fn known_by_the_snapshot_alone(world: &World) -> (Started, StreamId, Position) {
    known_by_the_snapshot_of(&world.replica().await, world).await
}

async fn known_by_the_snapshot_of(replica: &Replica, world: &World) -> (Started, StreamId, Position) {
    let flow = world.verified(world.account()).await;
    let started = replica.start(&flow).await.unwrap();
    // Something after it, so that the log still holds the entry at which the snapshot is taken.
    world.verified(world.account()).await;
    let position = snapshot_of_all(replica).await;
    forget(world, &started);
    (started, flow.account, position)
}

/// Takes a snapshot of everything that the log holds now.
async fn snapshot_of_all(replica: &Replica) -> Position {
    let head = replica.log.confirm_head().await.unwrap();
    eventually("everything to be folded", async || {
        let folded = replica.sessions.verify(|_, _| ()).await.ok()?.position;
        (folded >= head).then_some(())
    })
    .await;
    assert_eq!(replica.sessions.take_snapshot().await, Ok(head));
    head
}

fn forget(world: &World, started: &Started) {
    let position = started.position;
    world
        .database
        .sql(&format!("delete from log.entry where position = {position};"))
        .unwrap();
}

fn count(world: &World) -> String {
    world
        .database
        .sql("select count(*) from sessions.snapshot;")
        .unwrap()
}

/// Whether a new replica knows a session that only the snapshot knows.
async fn is_known(world: &World, started: &Started) -> bool {
    let replica = world.replica().await;
    match replica.sessions.check(started.token.expose()).await {
        Ok(_) => true,
        Err(Error::Unknown) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_replica_begins_with_the_snapshot_and_folds_what_came_after() {
    let world = World::new().await;
    let (started, account, position) = known_by_the_snapshot_alone(&world).await;
    let after = world.change_password(world.account()).await;
    let replica = world.replica().await;
    replica.checked(started.token.expose()).await;
    let folded = format!("entries=1 position={after} snapshot={position}");
    let said = logs::of_this_thread();
    assert!(said.contains(&folded), "{said}");

    world.change_password(account).await;
    let other = world.replica().await;
    let over = other.sessions.check(started.token.expose()).await;
    assert_eq!(over, Err(Error::Over(Why::Cut)));
}

/// After each of these changes the snapshot is not used, and an alarm says why.
async fn alarm_and_fold_all(changes: &[&str], why: &str) {
    for change in changes {
        let world = World::new().await;
        let (started, ..) = known_by_the_snapshot_alone(&world).await;
        world.database.sql(change).unwrap();
        logs::forget();
        assert!(!is_known(&world, &started).await, "{change}");
        let said = logs::of_this_thread();
        let alarm = said
            .lines()
            .any(|line| line.contains("ERROR") && line.contains(why));
        assert!(alarm, "{change}: {said}");
    }
}

#[tokio::test]
async fn a_stale_snapshot_is_not_used_and_that_is_said_aloud() {
    let change = "update sessions.snapshot set version = version + 1;";
    alarm_and_fold_all(&[change], "stale").await;
}

#[tokio::test]
async fn a_forged_snapshot_is_not_used_and_that_is_said_aloud() {
    let changes = [
        "update sessions.snapshot set tag = sha256(tag);",
        "update sessions.snapshot set key_id = 'nobody';",
        "update sessions.snapshot set position = position - 1;",
        "update sessions.snapshot set digest = sha256(digest);",
    ];
    alarm_and_fold_all(&changes, "forged").await;
}

#[tokio::test]
async fn a_foreign_snapshot_is_not_used_and_that_is_said_aloud() {
    let changes = [
        "update log.entry set event_id = gen_random_uuid() where position = (select position from sessions.snapshot);",
        "insert into log.epoch select position, gen_random_uuid() from sessions.snapshot;",
    ];
    alarm_and_fold_all(&changes, "foreign").await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_not_used_and_that_is_said_aloud() {
    let changes = [
        "update sessions.snapshot_piece set bytes = bytes || 'x';",
        "delete from sessions.snapshot_piece;",
    ];
    alarm_and_fold_all(&changes, "damaged").await;
    alarm_and_fold_all(
        &["drop table sessions.snapshot cascade;"],
        "no snapshot can be read",
    )
    .await;
}

#[tokio::test]
async fn a_snapshot_sealed_by_somebody_else_starts_no_session() {
    let world = World::new().await;
    let url = world.database.url("sessions");
    let forger = world.replica_with(&url, None, keys(8)).await;
    let (started, ..) = known_by_the_snapshot_of(&forger, &world).await;
    assert!(!is_known(&world, &started).await);
}

#[tokio::test]
async fn behind_a_snapshot_that_cannot_be_used_the_one_before_it_is() {
    let world = World::new().await;
    let (started, _, position) = known_by_the_snapshot_alone(&world).await;
    world
        .database
        .sql(&format!(
            "insert into sessions.snapshot (position, event_id, epoch, version, digest, piece_hashes, key_id, tag)
             select position + 1000000, event_id, epoch, version, digest, piece_hashes, key_id, tag
             from sessions.snapshot where position = {position};"
        ))
        .unwrap();
    assert!(is_known(&world, &started).await);
}

#[tokio::test]
async fn replicas_take_a_snapshot_every_so_many_entries_and_keep_two() {
    let world = World::new().await;
    let replicas = [world.replica().await, world.replica().await];
    let keepers = replicas.each_ref().map(|Replica { sessions, .. }| {
        let sessions = sessions.clone();
        tokio::spawn(async move { sessions.keep_snapshots(4).await })
    });
    let mut last = 0;
    for _ in 0..3 {
        for _ in 0..2 {
            world.verified(world.account()).await;
        }
        let newest = "select coalesce(max(position), 0) from sessions.snapshot;";
        last = eventually("another snapshot", async || {
            for replica in &replicas {
                replica.log.confirm_head().await.unwrap();
            }
            let newest: u64 = world.database.sql(newest).unwrap().parse().unwrap();
            (newest >= last + 4).then_some(newest)
        })
        .await;
    }
    for keeper in keepers {
        keeper.abort();
    }
    // Two that take one at the same time leave the third to the next.
    replicas[0].sessions.take_snapshot().await.unwrap();
    assert_eq!(count(&world), "2");
}

/// Whoever may write the table must neither keep replicas from taking snapshots nor have them take them all the time.
#[tokio::test]
async fn rows_that_nobody_of_us_has_sealed_change_nothing_about_when_snapshots_are_taken() {
    let world = World::new().await;
    let replica = world.replica().await;
    world.verified(world.account()).await;
    snapshot_of_all(&replica).await;
    let forged = "insert into sessions.snapshot (position, event_id, epoch, version, digest, piece_hashes, key_id, tag, taken_at)
         select position + number, event_id, epoch, version + number % 2, digest, piece_hashes, key_id, sha256(tag), taken_at
         from sessions.snapshot, generate_series(1000, 1040) as number;";
    world.database.sql(forged).unwrap();
    let sessions = replica.sessions.clone();
    let keeper = tokio::spawn(async move { sessions.keep_snapshots(4).await });
    let taken = "select count(distinct snapshot_id) from sessions.snapshot where position < 1000;";
    let ids = "select max(snapshot_id) from sessions.snapshot where position < 1000;";
    let before = world.database.sql(ids).unwrap();
    // Longer than it takes to decide twice.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(world.database.sql(ids).unwrap(), before, "nothing was due");
    for _ in 0..2 {
        world.verified(world.account()).await;
    }
    replica.log.confirm_head().await.unwrap();
    eventually("the one that is due", async || {
        (world.database.sql(taken).unwrap() == "2").then_some(())
    })
    .await;
    keeper.abort();
}

/// What was folded of one log is not sealed to an entry of the one that took its place.
#[test]
fn no_snapshot_is_taken_of_a_log_that_went_back_meanwhile() {
    // With one thread for work that blocks, whoever holds it holds up the snapshot.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        let replica = world.replica().await;
        world.verified(world.account()).await;
        world.database.back_up().unwrap();
        world.verified(world.account()).await;
        let position = snapshot_of_all(&replica).await;
        let (release, held) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || held.recv());
        let sessions = replica.sessions.clone();
        let taking = tokio::spawn(async move { sessions.take_snapshot().await });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;

        world.database.restore().unwrap();
        eventually("the log to go back", async || {
            replica.log.confirm_head().await.is_err().then_some(())
        })
        .await;
        world.start_epoch().await;
        eventually("the replica to go on", async || {
            replica.log.confirm_head().await.ok()
        })
        .await;
        // The entry up to which was folded is another one now.
        while replica.log.confirm_head().await.unwrap() < position {
            world.verified(world.account()).await;
        }
        let before = count(&world);
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(taking.await.unwrap(), Err(Error::Internal));
        assert_eq!(count(&world), before);
    });
}

#[tokio::test]
async fn no_column_of_a_snapshot_takes_more_than_it_needs() {
    let world = World::new().await;
    let sessions = sqlx::PgPool::connect(&world.database.url("sessions"))
        .await
        .unwrap();
    let row = |digest: usize, hashes: usize, key_id: usize, tag: usize| {
        format!(
            "insert into sessions.snapshot (position, event_id, epoch, version, digest, piece_hashes, key_id, tag)
             values (1, gen_random_uuid(), 0, 1, decode(repeat('00', {digest}), 'hex'),
                 decode(repeat('00', {hashes}), 'hex'), repeat('k', {key_id}), decode(repeat('00', {tag}), 'hex'));"
        )
    };
    let piece = |bytes: usize| {
        format!(
            "insert into sessions.snapshot_piece
             select max(snapshot_id), {bytes}, decode(repeat('00', {bytes}), 'hex') from sessions.snapshot;"
        )
    };
    for good in [row(32, 131_072, 100, 32), piece(1 << 20)] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(good))
            .execute(&sessions)
            .await
            .unwrap();
    }
    for bad in [
        row(33, 32, 1, 32),
        row(32, 131_073, 1, 32),
        row(32, 32, 101, 32),
        row(32, 32, 1, 33),
        piece((1 << 20) + 1),
    ] {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(bad.clone()))
            .execute(&sessions)
            .await;
        let refused = refused.unwrap_err();
        let kind = refused.as_database_error().map(sqlx::error::DatabaseError::kind);
        assert!(
            matches!(kind, Some(sqlx::error::ErrorKind::CheckViolation)),
            "{bad}: {refused}"
        );
    }
}

/// A session and so many entries after it, of which sessions folds every tenth.
async fn ready_after(entries: u64) {
    // Others must not wait until so much is written to the disk.
    let postgres = Postgres::start_with(Schema::Files).unwrap();
    let world = World::on(&postgres).await;
    let flow = world.verified(world.account()).await;
    let replica = world.replica().await;
    let started = replica.start(&flow).await.unwrap();
    let first = started.position.0 + 1;
    world
        .database
        .sql(&format!(
            "insert into log.entry
             select number, case when number % 10 = 0 then 'code' else 'client' end, gen_random_uuid(), 1,
                 gen_random_uuid(), null, 'code_rejected', clock_timestamp(), '\\x', '\\x'
             from generate_series({first}::bigint, {first} + {entries} - 1) as number;"
        ))
        .unwrap();
    drop(replica);
    let begun = std::time::Instant::now();
    let replica = world.replica().await;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{entries} entries: {seconds:.1} s without a snapshot");
    let position = replica.sessions.take_snapshot().await.unwrap();
    assert_eq!(position, Position(first + entries - 1));
    drop(replica);
    // What is not there any more cannot have been read.
    forget(&world, &started);
    let begun = std::time::Instant::now();
    assert!(is_known(&world, &started).await);
    let seconds = begun.elapsed().as_secs_f64();
    println!("{entries} entries: {seconds:.3} s with it");
}

#[tokio::test]
async fn a_replica_is_ready_after_a_million_entries_without_reading_them() {
    ready_after(1_000_000).await;
}

mod long_data {
    #[tokio::test]
    #[ignore = "long tier"]
    async fn a_replica_is_ready_after_ten_million_entries_without_reading_them() {
        super::ready_after(10_000_000).await;
    }
}
