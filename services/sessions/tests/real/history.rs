//! What an owner sees of an account, and what ends from there.

use sekisho_eventlog::StreamId;
use sekisho_proto::credentials::v1 as credentials;
use sekisho_proto::events::{AccountEvent, SessionEvent};
use sekisho_proto::otp::v1::Purpose;
use sekisho_proto::sessions::v1::{SessionExtended, session_ended};
use sekisho_sessions::app::{Error, Started};
use sekisho_sessions::domain::{DEEDS_SHOWN, What, Why};
use sqlx::{Connection, Executor, PgConnection};
use time::Duration;

use crate::support::{Replica, World, append, eventually};

async fn start(world: &World, replica: &Replica, account: StreamId) -> Started {
    replica.start(&world.verified(account).await).await.unwrap()
}

async fn seen(replica: &Replica, session: &Started) -> Vec<What> {
    let history = replica.sessions.history(session.token.expose()).await.unwrap();
    history
        .happenings
        .iter()
        .map(|happening| happening.what)
        .collect()
}

#[tokio::test]
async fn an_owner_sees_the_newest_of_the_own_account_and_nothing_of_others() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (account, stranger) = (world.account(), world.account());
    start(&world, &replica, stranger).await;
    let rejected = credentials::PasswordRejected::default();
    append::<AccountEvent>(&world.credentials, account, None, rejected.clone()).await;
    let flow = world.password_accepted(account).await;
    world.accept_code(&flow, account, Purpose::SignIn).await;
    let own = replica.start(&flow).await.unwrap();
    append::<AccountEvent>(&world.credentials, stranger, None, rejected).await;
    assert_eq!(
        seen(&replica, &own).await,
        [
            What::SignedIn,
            What::CodeAccepted,
            What::PasswordAccepted,
            What::PasswordWrong
        ]
    );
    let history = replica.sessions.history(own.token.expose()).await.unwrap();
    assert!(
        history
            .happenings
            .is_sorted_by_key(|happening| std::cmp::Reverse(happening.at))
    );
    assert_eq!(history.sessions.len(), 1);
    assert_eq!(
        (history.sessions[0].session, history.sessions[0].own),
        (own.session, true)
    );
}

/// Nobody hides what was done by typing wrong passwords, however many; nor is there room for them in what a page shows.
#[tokio::test]
async fn a_flood_of_wrong_passwords_is_one_row_beneath_what_was_done() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let first = start(&world, &replica, account).await;
    for _ in 0..310 {
        let rejected = credentials::PasswordRejected::default();
        append::<AccountEvent>(&world.credentials, account, None, rejected).await;
    }
    let history = replica.sessions.history(first.token.expose()).await.unwrap();
    let rows: Vec<_> = history
        .happenings
        .iter()
        .map(|happening| (happening.what, happening.count))
        .collect();
    assert_eq!(
        rows,
        [
            (What::PasswordWrong, 300),
            (What::SignedIn, 1),
            (What::CodeAccepted, 1),
            (What::PasswordAccepted, 1)
        ]
    );
}

/// Whoever works all day leaves hundreds of entries that tell nobody anything.
#[tokio::test]
async fn activity_takes_no_room_from_what_was_done() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let own = start(&world, &replica, account).await;
    for _ in 0..=DEEDS_SHOWN {
        let extended = SessionExtended::default();
        append::<SessionEvent>(&replica.log, account, None, extended).await;
    }
    assert_eq!(seen(&replica, &own).await[0], What::SignedIn);
}

/// To find the place takes many reads.
#[tokio::test]
async fn for_a_minute_histories_begin_where_the_one_before_did() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let first = start(&world, &replica, account).await;
    let before = seen(&replica, &first).await.len();
    let later = world.credentials.now() + Duration::days(91);
    world.stop_clock(later, &[&replica]).await;
    let second = start(&world, &replica, account).await;
    assert!(seen(&replica, &second).await.len() > before);
}

#[tokio::test]
async fn a_history_ends_after_ninety_days() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    start(&world, &replica, account).await;
    let later = world.credentials.now() + Duration::days(91);
    world.stop_clock(later, &[&replica]).await;
    let own = start(&world, &replica, account).await;
    let kept = [What::SignedIn, What::CodeAccepted, What::PasswordAccepted];
    assert_eq!(seen(&replica, &own).await, kept);
}

/// A history takes ten times the reads of a check.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_histories_at_once_four_are_read() {
    let world = World::new().await;
    let replica = world.replica().await;
    let own = start(&world, &replica, world.account()).await;
    let read = async || replica.sessions.history(own.token.expose()).await;
    read().await.unwrap();
    let mut admin = PgConnection::connect(&world.database.url("postgres"))
        .await
        .unwrap();
    let mut lock = admin.begin().await.unwrap();
    lock.execute("lock table log.entry in access exclusive mode")
        .await
        .unwrap();
    let answers = tokio::join!(read(), read(), read(), read(), read());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4];
    let busy = answers
        .iter()
        .filter(|answer| **answer == Err(Error::Busy))
        .count();
    assert_eq!(busy, 1, "{answers:?}");
    lock.rollback().await.unwrap();
    let read_again = async || read().await.ok();
    eventually("the log to answer", read_again).await;
}

#[tokio::test]
async fn a_session_that_is_over_shows_nothing_and_ends_nobody() {
    let world = World::new().await;
    let replica = world.replica().await;
    let account = world.account();
    let (over, other) = (
        start(&world, &replica, account).await,
        start(&world, &replica, account).await,
    );
    replica.sessions.end(over.token.expose()).await.unwrap();
    let refused = Error::Over(Why::SignedOut);
    let history = replica.sessions.history(over.token.expose()).await;
    assert_eq!(history, Err(refused));
    assert_eq!(
        replica.sessions.end_others(over.token.expose()).await,
        Err(refused)
    );
    assert_eq!(replica.sessions.end_others(b"").await, Err(Error::Unknown));
    replica.checked(other.token.expose()).await;
}

#[tokio::test]
async fn an_owner_ends_all_other_sessions_of_the_account_on_every_replica() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let (account, stranger) = (world.account(), world.account());
    let foreign = start(&world, &one, stranger).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(start(&world, &one, account).await);
    }
    let own = all.remove(1);
    let open = async || {
        let history = other.sessions.history(own.token.expose()).await.unwrap();
        let own: Vec<bool> = history.sessions.iter().map(|session| session.own).collect();
        own
    };
    assert_eq!(open().await, [false, true, false]);
    assert_eq!(other.sessions.end_others(own.token.expose()).await, Ok(2));
    assert_eq!(open().await, [true]);
    for replica in [&one, &other] {
        for ended in &all {
            eventually("the end to be known", async || {
                let checked = replica.sessions.check(ended.token.expose()).await;
                (checked == Err(Error::Over(Why::Revoked))).then_some(())
            })
            .await;
        }
        for alive in [&own, &foreign] {
            replica.checked(alive.token.expose()).await;
        }
    }
    assert_eq!(other.sessions.end_others(own.token.expose()).await, Ok(0));
    let (_, event) = world.session_events(account).await.pop().unwrap();
    let SessionEvent::SessionEnded(ended) = event else {
        panic!("{event:?}");
    };
    assert_eq!(
        (ended.session_ids.len(), ended.why()),
        (2, session_ended::Why::Revoked)
    );
    assert_eq!(seen(&one, &own).await[0], What::EndedElsewhere);
}

/// The log may take a session for idle that another replica has seen in use, and will record so: it ends as well.
#[tokio::test]
async fn others_end_whose_activity_no_entry_tells_yet() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    let account = world.account();
    let own = start(&world, &one, account).await;
    let used = start(&world, &one, account).await;
    let begin = world.credentials.now();
    let at = async |after| world.stop_clock(begin + after, &[&one, &other]).await;
    at(Duration::minutes(20)).await;
    one.checked(own.token.expose()).await;
    other.checked(used.token.expose()).await;
    at(Duration::minutes(35)).await;
    let open = async |replica: &Replica| {
        let history = replica.sessions.history(own.token.expose()).await.unwrap();
        history.sessions.len()
    };
    assert_eq!(
        (open(&one).await, open(&other).await),
        (1, 2),
        "each by what it has seen"
    );
    assert_eq!(one.sessions.end_others(own.token.expose()).await, Ok(1));
    eventually("the end to be known", async || {
        let checked = other.sessions.check(used.token.expose()).await;
        (checked == Err(Error::Over(Why::Revoked))).then_some(())
    })
    .await;
}

/// Two people press the button at the same moment: one of them stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_end_each_other_one_stays() {
    let world = World::new().await;
    let (one, other) = (world.replica().await, world.replica().await);
    for _ in 0..5 {
        let account = world.account();
        let (first, second) = (
            start(&world, &one, account).await,
            start(&world, &one, account).await,
        );
        other.checked(second.token.expose()).await;
        let (by_first, by_second) = tokio::join!(
            one.sessions.end_others(first.token.expose()),
            other.sessions.end_others(second.token.expose())
        );
        let ended = [by_first, by_second].map(|ended| ended.unwrap_or(0));
        assert_eq!(ended.iter().sum::<usize>(), 1, "{ended:?}");
    }
}
