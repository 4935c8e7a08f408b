//! Entry 64 carries the state before it.

use sekisho_credentials::app::{Denied, Outcome};
use sekisho_credentials::domain::Account;
use sekisho_eventlog::{Fold, Version, refold};
use sekisho_evidence::AccountCuts;
use sekisho_proto::events::AccountEvent;

use crate::support::{ACTOR, ADDRESS, Bench, LOGIN, PASSWORD, hash_of};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_folds_alike_with_and_without_carried_state() {
    let bench = Bench::new().await;
    let account = bench.register_as(LOGIN, ADDRESS, &hash_of(PASSWORD, 64)).await;
    bench.app.disable(LOGIN, ACTOR).await.unwrap();
    bench.app.enable(LOGIN, ACTOR).await.unwrap();
    bench.accepted().await;
    // The same one counts once, so that the account is not locked on the way.
    while bench.log.load::<Account>(account).await.unwrap().version < Version(66) {
        let outcome = bench.sign_in(LOGIN, "wrong").await;
        assert_eq!(outcome, Outcome::Denied(Denied::WrongPassword));
        if bench.log.load::<Account>(account).await.unwrap().version == Version(50) {
            bench.accepted().await;
        }
    }

    let entries = bench.account_entries().await;
    let carrying: Vec<u64> = entries
        .iter()
        .filter(|entry| {
            entry
                .payload
                .as_ref()
                .is_some_and(|payload| payload.carried.is_some())
        })
        .map(|entry| entry.recorded.version.0)
        .collect();
    assert_eq!(carrying, [64]);

    // From the entry that carries, which is all that a load reads.
    let loaded = bench.log.load::<Account>(account).await.unwrap();
    let whole = entries.iter().fold(Account::default(), |state, entry| {
        state.evolve(&entry.event::<AccountEvent>().unwrap(), &entry.recorded)
    });
    assert_eq!(loaded.state, whole);
    assert_eq!(refold::<Account>(&entries[63..]).unwrap().unwrap().state, whole);
    let failures = whole.history.unknown_browsers;
    assert_eq!((failures.counted, failures.repeated), (0, 15));
    assert!(whole.history.last_accepted_at.is_some());

    let cuts = refold::<AccountCuts>(&entries[63..]).unwrap().unwrap().state;
    assert_eq!(cuts, refold::<AccountCuts>(&entries).unwrap().unwrap().state);
    assert_eq!(
        (cuts.cuts, cuts.pardon),
        (whole.history.cuts, whole.history.pardon)
    );
}
