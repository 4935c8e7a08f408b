//! Many calls that are worth nothing.

use futures::future::join_all;
use sekisho_sessions::app::Error;

use crate::support::World;

/// How often the log was asked for its head and the time.
fn asked(world: &World) -> u64 {
    let asked = world.database.sql("select last_value from log.asked;");
    asked.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_flood_of_tokens_that_nobody_has_issued_asks_the_log_a_few_times() {
    let world = World::new().await;
    let replica = world.replica().await;
    let count = "create sequence log.asked;
         grant usage on sequence log.asked to public;
         create or replace function log.now() returns timestamptz language sql volatile as
         $$select clock_timestamp() from (select nextval('log.asked')) as asked$$;";
    world.database.sql(count).unwrap();
    replica.log.confirm_head().await.unwrap();
    let before = asked(&world);
    let tokens: Vec<[u8; 8]> = (0..5_000_u64).map(u64::to_be_bytes).collect();
    let checks = tokens.iter().map(|token| replica.sessions.check(token));
    for answer in join_all(checks).await {
        assert_eq!(answer, Err(Error::Unknown));
    }
    let asked = asked(&world) - before;
    assert!((1..50).contains(&asked), "{asked} questions for 5,000 tokens");
}
