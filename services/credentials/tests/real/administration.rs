//! What administrators do.

use sekisho_credentials::app::Error;
use sekisho_eventlog::Position;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, hash_without_password, registration};

#[tokio::test(flavor = "multi_thread")]
async fn the_actor_of_an_event_is_the_administrator() {
    let bench = Bench::new().await;
    bench.register().await;
    bench.app.disable(LOGIN, "another-administrator").await.unwrap();
    let actors: Vec<String> = bench
        .account_entries()
        .await
        .into_iter()
        .map(|entry| entry.metadata().actor)
        .collect();
    assert_eq!(actors, [ACTOR, "another-administrator"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_is_registered_once_however_it_is_typed() {
    let bench = Bench::new().await;
    bench.register().await;
    let again = registration("０４５００００１", ADDRESS, &hash_without_password(1));
    let outcome = bench.app.register(again, ACTOR).await;
    assert!(matches!(outcome, Err(Error::AccountExists)), "{outcome:?}");
    let impossible = registration("  ", ADDRESS, &hash_without_password(1));
    let outcome = bench.app.register(impossible, ACTOR).await;
    assert!(matches!(outcome, Err(Error::LoginId)), "{outcome:?}");
    assert_eq!(bench.account_entries().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_registrations_of_one_login_id_at_once_one_stands() {
    let bench = Bench::new().await;
    let phc = hash_without_password(1);
    let registrations = (0..8).map(|_| bench.app.register(registration(LOGIN, ADDRESS, &phc), ACTOR));
    let outcomes = futures::future::join_all(registrations).await;
    let mut accounts = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok((account, _)) => accounts.push(account),
            Err(error) => assert!(matches!(error, Error::AccountExists), "{error:?}"),
        }
    }
    assert_eq!(accounts, [bench.found(LOGIN).await.account]);
    assert_eq!(bench.account_entries().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_no_event() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    assert_eq!(bench.app.enable(LOGIN, ACTOR).await.unwrap(), Position(0));
    let disabled = bench.app.disable(LOGIN, ACTOR).await.unwrap();
    assert_eq!(bench.app.disable(LOGIN, ACTOR).await.unwrap(), Position(0));
    assert_eq!(bench.account(account).await.history.cuts.all, disabled);
    assert_eq!(bench.account_entries().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_id_that_nobody_has_is_told_to_administrators() {
    let bench = Bench::new().await;
    let account = bench.register().await;
    assert_eq!(
        bench.app.resolve_login(" ０４５００００１").await.unwrap(),
        account
    );
    for login in ["04500009", ""] {
        let outcome = bench.app.resolve_login(login).await;
        assert!(matches!(outcome, Err(Error::AccountUnknown)), "{outcome:?}");
        let outcome = bench.app.disable(login, ACTOR).await;
        assert!(matches!(outcome, Err(Error::AccountUnknown)), "{outcome:?}");
    }
}
