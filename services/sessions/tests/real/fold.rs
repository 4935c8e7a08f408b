//! A replica that starts later knows what the others know.

use sekisho_eventlog::{CARRY_EVERY, Fold};
use sekisho_evidence::SessionCuts;
use sekisho_proto::events::{AccountEvent, CodeEvent};
use sekisho_proto::{credentials::v1::EmailChanged, otp::v1::FlowCancelled};
use sekisho_sessions::domain::AccountSessions;

use crate::support::{World, append, eventually};

#[tokio::test]
async fn a_fold_of_the_whole_log_equals_live_state() {
    let world = World::new().await;
    let live = world.replica().await;
    let accounts: Vec<_> = (0..5).map(|_| world.account()).collect();
    for round in 0..12 {
        for account in &accounts {
            let flow = world.verified(*account).await;
            let started = live.start(&flow).await.unwrap();
            match round % 6 {
                0 => drop(live.sessions.end(started.token.expose()).await.unwrap()),
                1 => drop(world.change_password(*account).await),
                2 => drop(append::<AccountEvent>(&world.credentials, *account, None, EmailChanged {}).await),
                3 => drop(live.sessions.cut(*account, "test").await.unwrap()),
                4 => {
                    let flow = world.verified(*account).await;
                    append::<CodeEvent>(&world.otp, *account, Some(flow.id), FlowCancelled {}).await;
                }
                _ => {}
            }
        }
    }
    live.sessions.sweep_once().await.unwrap();
    let late = world.replica().await;
    assert_eq!(late.sessions.remembered(), 60);
    eventually("both replicas to reach the head", async || {
        live.sessions.agrees_with(&late.sessions).then_some(())
    })
    .await;
    let started = live.start(&world.verified(accounts[0]).await).await.unwrap();
    let checked = late.checked(started.token.expose()).await;
    assert_eq!(checked.session, started.session);
}

#[tokio::test]
async fn a_stream_folds_equal_with_and_without_what_it_carries() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    // Two entries a round, one cut, and so a few more than the first that carries.
    for round in 0..=CARRY_EVERY / 2 {
        let started = replica.start(&world.verified(account).await).await.unwrap();
        if round == 10 {
            replica.sessions.cut(account, "test").await.unwrap();
        } else if round % 4 != 0 {
            replica.sessions.end(started.token.expose()).await.unwrap();
        }
    }
    while replica
        .log
        .load::<AccountSessions>(account)
        .await
        .unwrap()
        .version
        .0
        < CARRY_EVERY + 3
    {
        replica.start(&world.verified(account).await).await.unwrap();
    }
    let events = world.session_events(account).await;
    let carrying = events.iter().filter(|(entry, _)| {
        entry
            .payload
            .as_ref()
            .is_some_and(|payload| payload.carried.is_some())
    });
    assert_eq!(carrying.count(), 1);
    let whole = events
        .iter()
        .fold(AccountSessions::default(), |state, (entry, event)| {
            state.evolve(event, &entry.recorded)
        });
    let loaded = replica.log.load::<AccountSessions>(account).await.unwrap();
    assert_eq!(loaded.state, whole);
    let cuts = replica.log.load::<SessionCuts>(account).await.unwrap();
    assert_eq!(
        cuts.state.cuts.all, whole.newest_cut,
        "other services resume the same bytes"
    );
    assert!(whole.newest_cut.0 > 0);
}
