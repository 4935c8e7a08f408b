//! A re-hash never overwrites a newer password.

use std::sync::Arc;

use sekisho_credentials::app::{Denied, Outcome};
use sekisho_credentials::hashing::{Phc, SealedHash};
use sekisho_eventlog::{EventId, StreamId, Version};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::support::{
    Bench, LOGIN, PASSWORD, bytes_in_sql, call_set_password, eventually, hash_of, hash_without_password,
    in_sql, opened, sealed,
};

const ROUNDS: u32 = 1_000;
const WEAK: u32 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_hash_is_made_anew_at_the_next_right_password_only() {
    let bench = Bench::new().await;
    let weak = hash_of(PASSWORD, WEAK);
    bench.register_as(LOGIN, crate::support::ADDRESS, &weak).await;

    let wrong = bench.sign_in(LOGIN, "another password").await;
    assert_eq!(wrong, Outcome::Denied(Denied::WrongPassword));
    assert_eq!(bench.app.pool().computed(), 1);
    assert_eq!(bench.phc(LOGIN).await, weak);

    bench.accepted().await;
    let strong = eventually("a strong hash", async || {
        let strong = bench.phc(LOGIN).await.is_of_today();
        strong.then_some(bench.found(LOGIN).await.password)
    })
    .await;
    assert_eq!(strong.set_by, Version(1));
    assert_eq!(bench.app.pool().computed(), 3);

    bench.accepted().await;
    assert_eq!(bench.app.pool().computed(), 4);
    assert_eq!(bench.found(LOGIN).await.password, strong);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_set_while_the_old_one_is_hashed_anew_always_wins() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(0)).await;
    let mut setting = Racer::connect(&bench).await;
    let mut hashing = Racer::connect(&bench).await;
    let start = Arc::new(Barrier::new(2));
    let mut rehashed_first = 0;
    for round in 1..=ROUNDS {
        let old = bench.found(LOGIN).await.password;
        let new = hash_without_password(2 * round);
        let event_id = EventId(Uuid::from_u128(u128::from(round)));
        let set = call_set_password(account, old.set_by, event_id, &new);
        let rehash = rehash(
            account,
            old.set_by,
            &old.hash,
            &hash_without_password(2 * round + 1),
        );
        let (set, rehashed) = tokio::join!(
            setting.race(Arc::clone(&start), set),
            hashing.race(Arc::clone(&start), rehash),
        );
        assert_eq!(set.get::<String, _>(0), "appended");
        rehashed_first += u32::from(rehashed.get::<bool, _>(0));

        let now = bench.found(LOGIN).await.password;
        let now = (now.set_by, opened(account, &now));
        assert_eq!(now, (old.set_by.next(), new), "round {round}");
    }
    println!(
        "the re-hash came first {rehashed_first} times, the new password {} times",
        ROUNDS - rehashed_first
    );
    assert!(
        (1..ROUNDS).contains(&rehashed_first),
        "no race: {rehashed_first} of {ROUNDS}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehash_of_a_replaced_hash_changes_nothing() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, "", &hash_without_password(1)).await;
    let old = bench.found(LOGIN).await.password;
    let store = bench.app.store();
    assert!(
        store
            .rehash(account, &old, sealed(account, &hash_without_password(2)))
            .await
            .unwrap()
    );
    // Another replica read the same old hash.
    assert!(
        !store
            .rehash(account, &old, sealed(account, &hash_without_password(3)))
            .await
            .unwrap()
    );
    assert_eq!(bench.phc(LOGIN).await, hash_without_password(2));
}

/// One connection, so that neither side pays for signing in.
struct Racer(PgConnection);

impl Racer {
    async fn connect(bench: &Bench) -> Self {
        Self(
            PgConnection::connect(&bench.database.url("credentials"))
                .await
                .unwrap(),
        )
    }

    async fn race(&mut self, start: Arc<Barrier>, sql: String) -> sqlx::postgres::PgRow {
        start.wait().await;
        self.0.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap()
    }
}

fn rehash(account: StreamId, set_by: Version, old: &SealedHash, new: &Phc) -> String {
    format!(
        "select credentials.rehash('{account}', {set_by}, {}, {})",
        bytes_in_sql(&old.sealed),
        in_sql(&sealed(account, new))
    )
}
