//! Trouble with the processes themselves, as people at the portal see it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sekisho_dev::{Service, Stack, StackOptions};
use sekisho_proto::sessions::v1::EndRequest;
use sekisho_tests::flow::Gateway;
use sekisho_tests::grpc::reason;
use sekisho_tests::visitor::Visitor;
use sekisho_tests::{ADDRESS, LOGIN, PASSWORD};

/// Two replicas of sessions, one of everything else.
fn two(name: &str) -> Result<Stack> {
    Stack::start(&StackOptions {
        name: name.to_owned(),
        replicas: vec![(Service::Sessions, 2)],
        ..StackOptions::default()
    })
}

/// A process that wakes believes that no time has passed. It has no part in what happened meanwhile.
async fn a_replica_sleeps_for(time: Duration) -> Result<()> {
    let mut stack = two("paused")?;
    let (mut sleeper, mut awake) = (
        Gateway::connect(&stack, 0).await?,
        Gateway::connect(&stack, 1).await?,
    );
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let flow = awake.verified_flow(LOGIN, PASSWORD, ADDRESS).await?;
        tokens.push(awake.start(&flow).await?.token);
    }
    for token in &tokens {
        let end = Instant::now() + Duration::from_secs(5);
        while sleeper.check(token).await.is_err() {
            anyhow::ensure!(Instant::now() < end, "the replica does not know the session");
        }
    }
    // Nor does the bus tell it when it wakes.
    stack.kill_part("nats")?;
    stack.pause(Service::Sessions, 0)?;
    let ended = EndRequest {
        token: tokens[0].clone(),
    };
    awake.sessions.end(ended).await?;
    tokio::time::sleep(time).await;
    stack.resume(Service::Sessions, 0)?;
    // Its very first answers.
    let dead = sleeper.check(&tokens[0]).await;
    let status = dead
        .err()
        .context("a session lives that has ended while the replica slept")?;
    assert_eq!(reason(&status).as_deref(), Some("SESSION_SIGNED_OUT"));
    let alive = sleeper.check(&tokens[1]).await?;
    assert_eq!(alive.last_confirmed_at, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_slept_accepts_nothing_that_ended_meanwhile() -> Result<()> {
    a_replica_sleeps_for(Duration::from_secs(5)).await
}

#[test]
fn with_postgresql_away_people_go_on_and_sign_out_and_nobody_signs_in() -> Result<()> {
    let mut stack = two("away")?;
    let (mut stays, mut leaves) = (
        Visitor::new(&stack.portal_url()),
        Visitor::new(&stack.portal_url()),
    );
    stays.sign_in(&stack)?;
    let top = leaves.sign_in(&stack)?;
    stack.kill_part("postgres")?;
    let gone = Instant::now();
    while gone.elapsed() < Duration::from_secs(5) {
        let asked = Instant::now();
        let page = stays.get("/top")?;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("見本病院"), "{}", page.body);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut stranger = Visitor::new(&stack.portal_url());
    let form = stranger.get("/signin")?;
    let asked = Instant::now();
    let refused = stranger.send(&form, "/signin", &[("user_id", LOGIN), ("password", PASSWORD)])?;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(!refused.body.contains("正しくありません"), "{}", refused.body);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());

    let page = leaves.send(&top, "/signout", &[])?;
    assert!(page.body.contains("まだ記録されていません"), "{}", page.body);
    assert_eq!(stays.get("/top")?.status, 200);

    stack.start_part("postgres")?;
    let end = Instant::now() + Duration::from_secs(20);
    while stack_count(&stack, "session_ended")? == 0 {
        anyhow::ensure!(Instant::now() < end, "the sign-out is not recorded");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(stack_count(&stack, "session_ended")?, 1);
    assert_eq!(stays.get("/top")?.status, 200);
    Ok(())
}

/// How many such events the log holds.
fn stack_count(stack: &Stack, event_type: &str) -> Result<i64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let log = sekisho_tests::log::open(&stack.database_url("postgres")).await?;
        let counts = sekisho_tests::log::counts(&log).await?;
        Ok(counts.get(event_type).copied().unwrap_or_default())
    })
}

mod long_soak {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "long tier"]
    async fn a_replica_that_slept_for_a_minute_accepts_nothing_that_ended_meanwhile() -> Result<()> {
        a_replica_sleeps_for(Duration::from_mins(1)).await
    }
}
