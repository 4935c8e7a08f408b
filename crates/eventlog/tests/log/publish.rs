//! Events on NATS: best effort, and never in anybody's way.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};
use futures::StreamExt;
use sekisho_dev::Nats;
use sekisho_eventlog::{Draft, Log, LogSettings};
use tokio::task::JoinSet;

use super::support::{Db, Gate, append, draft, recorded, setting, settings, stream, timed, until};

/// A user of the bus, as a service connects.
pub async fn user(nats: &Nats, name: &str) -> Client {
    user_at(name, &nats.url(name)).await
}

async fn user_at(name: &str, url: &str) -> Client {
    let address: ServerAddr = url.parse().unwrap();
    let (user, password) = (name.to_owned(), address.password().unwrap().to_owned());
    let options =
        ConnectOptions::with_user_and_password(user, password).custom_inbox_prefix(format!("_INBOX.{name}"));
    let client = options.connect(address).await.unwrap();
    client.flush().await.unwrap();
    client
}

/// The log with a bus.
pub async fn log_with(db: &Db, client: Client, wake_on: &[&str]) -> Log {
    let settings = LogSettings {
        nats: Some(client),
        wake_on: wake_on.iter().map(|subject| (*subject).to_owned()).collect(),
        ..settings(db.url("otp"))
    };
    Log::connect(settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_event_goes_out_with_its_place_and_its_trace() {
    let db = Db::new().await;
    let nats = Nats::shared().unwrap();
    let mut heard = user(nats, "audit").await.subscribe("signin.>").await.unwrap();
    let log = log_with(&db, user(nats, "otp").await, &[]).await;
    let mut draft = draft(stream(0xfeed), 0);
    draft.metadata.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let receipt = recorded(append(&log, &draft).await);
    let message = loop {
        let message = heard.next().await.unwrap();
        let headers = message.headers.clone().unwrap();
        if headers.get("ce-id").unwrap().as_str() == draft.event_id.to_string() {
            break message;
        }
    };
    let headers = message.headers.unwrap();
    let header = |name: &str| headers.get(name).unwrap().as_str().to_owned();
    assert_eq!(message.subject.as_str(), "signin.code.code_issued");
    assert_eq!(header("ce-type"), "signin.code.code_issued");
    assert_eq!(header("ce-specversion"), "1.0");
    assert_eq!(header("ce-source"), "/sekisho/test/1");
    assert_eq!(header("ce-position"), receipt.position.to_string());
    assert_eq!(header("ce-streamid"), draft.stream.to_string());
    assert_eq!(header("traceparent"), draft.metadata.traceparent);
    assert_eq!(message.payload, draft.payload.event);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_of_a_combined_function_goes_out_like_any_other() {
    let db = Db::new().await;
    db.with_combined_function();
    let nats = Nats::shared().unwrap();
    let mut heard = user(nats, "audit").await.subscribe("signin.>").await.unwrap();
    let log = log_with(&db, user(nats, "otp").await, &[]).await;
    let draft = draft(stream(0xfeed), 0);
    recorded(log.append(draft.clone(), &setting("secret")).await);
    let id = draft.event_id.to_string();
    let arrived = async {
        while let Some(message) = heard.next().await {
            let headers = message.headers.unwrap();
            if headers.get("ce-id").unwrap().as_str() == id {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_no_header_stops_no_writer() {
    let db = Db::new().await;
    let nats = Nats::shared().unwrap();
    let log = log_with(&db, user(nats, "otp").await, &[]).await;
    let mut odd = draft(stream(1), 0);
    odd.metadata.traceparent = "00-\r\nforged: yes".to_owned();
    recorded(append(&log, &odd).await);
    recorded(append(&log, &draft(stream(1), 1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_events_are_dropped_and_nobody_waits() {
    let db = Db::alone().await;
    let nats = Nats::start().unwrap();
    let log = log_with(&db, user(&nats, "otp").await, &[]).await;
    nats.kill().unwrap();
    let ((), took) = timed(append_many(&log, 0..2_000)).await;
    assert!(took < Duration::from_secs(10), "{took:?}");

    nats.restart().unwrap();
    let mut heard = user(&nats, "audit").await.subscribe("signin.>").await.unwrap();
    // Until one of the new events arrives. None of the old ones does: an old hint is worth nothing.
    let mut number = 2_000;
    let first = loop {
        append_many(&log, number..number + 1).await;
        number += 1;
        match tokio::time::timeout(Duration::from_millis(100), heard.next()).await {
            Ok(message) => break message.unwrap(),
            Err(_) => assert!(number < 2_200, "nothing is published"),
        }
    };
    let position: u64 = first
        .headers
        .unwrap()
        .get("ce-position")
        .unwrap()
        .as_str()
        .parse()
        .unwrap();
    assert!(position > 2_000, "{position} was kept for later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_takes_nothing_holds_up_no_append() {
    let db = Db::alone().await;
    let nats = Nats::start().unwrap();
    let gate = Gate::start(nats.address()).await;
    let url = nats
        .url("otp")
        .replace(&nats.address().to_string(), &gate.address.to_string());
    let log = log_with(&db, user_at("otp", &url).await, &[]).await;
    append_many(&log, 0..1).await;
    gate.close();
    // More than its queue, the client's and the sockets' buffers take.
    let ((), took) = timed(append_many(&log, 1..12_000)).await;
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(db.entries(), 12_000);
}

/// Appends an entry to each of these streams, a thousand at a time.
async fn append_many(log: &Log, numbers: std::ops::Range<u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for some in numbers.chunks(1_000) {
        let mut callers = JoinSet::new();
        for number in some {
            let (log, draft) = (log.clone(), draft(stream(u128::from(*number)), 0));
            callers.spawn(async move { recorded(append(&log, &Draft { ..draft }).await) });
        }
        callers.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_queue_group_reaches_one_member() {
    let db = Db::new().await;
    let nats = Nats::start().unwrap();
    let subject = "signin.code.code_issued";
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    for member in 0..3 {
        let log = log_with(&db, user(&nats, "otp").await, &[]).await;
        let mut wakeups = log.share_wakeups(subject, "otp-mail").await;
        let sent = sent.clone();
        tokio::spawn(async move {
            let _log = log;
            loop {
                let position = wakeups.next().await;
                sent.send((member, position)).unwrap();
            }
        });
    }
    let client = user(&nats, "otp").await;
    let log = log_with(&db, client.clone(), &[]).await;
    // A member is there once a message has reached it: subscribing has no answer.
    let mut there = std::collections::HashSet::new();
    until("all members", async || {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("ce-position", "1000000");
        client
            .publish_with_headers(subject, headers, "".into())
            .await
            .unwrap();
        while let Ok((member, _)) = received.try_recv() {
            there.insert(member);
        }
        (there.len() == 3).then_some(())
    })
    .await;
    append_many(&log, 0..300).await;
    let mut positions = Vec::new();
    while positions.len() < 300 {
        let (_, position) = received.recv().await.unwrap();
        if position.0 <= 300 {
            positions.push(position.0);
        }
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=300).collect::<Vec<u64>>());
}
