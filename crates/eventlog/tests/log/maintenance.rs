//! Hosts that an operator closes for people.

use std::collections::BTreeSet;

use sekisho_eventlog::{CARRY_EVERY, LogFault, MOST_CLOSED};

use super::support::Db;

fn host(number: usize) -> String {
    format!("portal{number}.example.jp")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_twice_is_recorded_once() {
    let db = Db::new().await;
    let log = db.log_as("operator").await;
    let say = async |closed| log.change_maintenance("test", &host(1), closed).await.unwrap();
    assert_eq!(say(false).await, None);
    let closed = say(true).await.unwrap();
    assert_eq!(say(true).await, None);
    assert_eq!(log.closed_hosts().await.unwrap(), BTreeSet::from([host(1)]));
    let open = say(false).await.unwrap();
    assert_eq!(open.position.0, closed.position.0 + 1);
    assert_eq!(log.closed_hosts().await.unwrap(), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_hosts_are_closed_and_no_more() {
    let db = Db::new().await;
    let log = db.log_as("operator").await;
    for number in 0..MOST_CLOSED {
        log.change_maintenance("test", &host(number), true).await.unwrap();
    }
    let one_more = log.change_maintenance("test", &host(MOST_CLOSED), true).await;
    assert_eq!(one_more, Err(LogFault::Refused));
    log.change_maintenance("test", &host(0), false).await.unwrap();
    let in_its_place = log.change_maintenance("test", &host(MOST_CLOSED), true).await;
    assert!(in_its_place.is_ok_and(|recorded| recorded.is_some()));
}

/// A service that could close hosts could keep everybody out.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_operator_closes_a_host() {
    let db = Db::new().await;
    for role in ["credentials", "otp", "sessions"] {
        let log = db.log_as(role).await;
        let refused = log.change_maintenance("test", &host(1), true).await;
        assert!(matches!(refused, Err(LogFault::Refused)), "{role}: {refused:?}");
        assert_eq!(log.closed_hosts().await.unwrap(), BTreeSet::new(), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_is_known_however_much_was_said_since() {
    let db = Db::new().await;
    let log = db.log_as("operator").await;
    log.change_maintenance("test", &host(0), true).await.unwrap();
    for number in 0..=CARRY_EVERY {
        let closed = number % 2 == 0;
        log.change_maintenance("test", &host(1), closed).await.unwrap();
    }
    let closed = db.log_as("sessions").await.closed_hosts().await.unwrap();
    assert_eq!(closed, BTreeSet::from([host(0), host(1)]));
}
