//! Clients, replicas, deadlines.

use crate::support::api::{Api, Running, channel, cut, start};
use crate::support::{Authority, PATIENCE, eventually, url};
use sekisho_proto::sessions::v1::CutSessionsRequest;
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_service::{client, refusal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::{Code, Request};

#[tokio::test]
async fn a_server_of_another_role_is_not_believed() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let tls = authority.certify("administrator");
    let channel = client::connect("credentials", &[url(server.address)], &tls).unwrap();
    assert_eq!(cut(&channel, 1).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(api.calls(), 0);
}

#[tokio::test]
async fn a_caller_waits_no_longer_than_its_deadline() {
    let authority = Authority::new();
    // Connections wait in the backlog for ever.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let urls = [url(silent.local_addr().unwrap())];
    let channel = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    let mut request = Request::new(CutSessionsRequest::default());
    request.set_timeout(Duration::from_millis(50));
    let answer = AdministrationServiceClient::new(channel)
        .cut_sessions(request)
        .await;
    assert_eq!(answer.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn requests_are_spread_over_all_replicas() {
    let authority = Authority::new();
    let (one, two) = (Api::default(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    for _ in 0..10 {
        cut(&administrator, 1).await.unwrap();
    }
    assert_eq!((one.calls(), two.calls()), (5, 5));
}

#[tokio::test]
async fn a_dead_replica_costs_no_request() {
    let authority = Authority::new();
    let (one, two) = (Api::default(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    cut(&administrator, 1).await.unwrap();
    cut(&administrator, 1).await.unwrap();
    let [first, _second] = servers;
    first.process.request_shutdown();
    timeout(PATIENCE, first.task).await.unwrap().unwrap().unwrap();
    for _ in 0..20 {
        cut(&administrator, 1).await.unwrap();
    }
    assert_eq!((one.calls(), two.calls()), (1, 21));
}

#[tokio::test]
async fn a_silent_replica_costs_no_request() {
    let authority = Authority::new();
    // Connections wait in the backlog for ever.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let urls = [url(silent.local_addr().unwrap()), url(server.address)];
    let administrator = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    let calls: Vec<_> = (0..20).map(|_| cut(&administrator, 1)).collect();
    for outcome in futures::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(api.calls(), 20);
}

/// For a second after a call has waited for it. Four calls in a row meet it twice where nobody remembers.
#[tokio::test]
async fn a_silent_replica_is_waited_for_once_and_then_tried_last() {
    let authority = Authority::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = start(&authority, Api::default());
    let urls = [url(silent.local_addr().unwrap()), url(server.address)];
    let administrator = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    eventually("four calls without a wait", async || {
        let began = Instant::now();
        for _ in 0..4 {
            cut(&administrator, 1).await.unwrap();
        }
        (began.elapsed() < Duration::from_secs(1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_is_not_ready_costs_no_request() {
    let authority = Authority::new();
    let (one, two) = (Api::default(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let latch = servers[0].process.latch("test");
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    for _ in 0..20 {
        assert_eq!(cut(&administrator, 3).await.unwrap(), 3);
    }
    assert_eq!((one.calls(), two.calls()), (0, 20));
    latch.release();
    let taken = async || {
        cut(&administrator, 3).await.unwrap();
        (one.calls() > 0).then_some(())
    };
    eventually("the first replica to have its share", taken).await;
}

/// One that is ready and cannot answer, like a replica of sessions that has lost sight of the log.
#[tokio::test]
async fn a_call_that_a_replica_leaves_to_others_goes_to_the_next() {
    let authority = Authority::new();
    let (one, two) = (Api::blind(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    for _ in 0..4 {
        assert_eq!(cut(&administrator, 3).await.unwrap(), 3);
    }
    assert_eq!((one.calls(), two.calls()), (2, 4));
    let alone = channel(&authority, "administrator", &[&servers[0]]);
    let refused = cut(&alone, 3).await.unwrap_err();
    assert_eq!(refusal::reason(&refused).as_deref(), Some("SESSION_UNCONFIRMED"));
}

/// An answer of nobody in particular is 0.
#[tokio::test]
async fn an_answer_that_a_replica_cannot_vouch_for_counts_if_nobody_has_a_better_one() {
    let authority = Authority::new();
    let apis = [Api::unsure(), Api::default(), Api::blind()];
    let servers = apis.each_ref().map(|api| start(&authority, api.clone()));
    let [unsure, sure, blind] = &servers;
    let asks = |servers: &[&Running]| channel(&authority, "administrator", servers);
    for (servers, answer) in [
        (&[unsure, sure][..], 3),
        (&[unsure][..], 0),
        (&[unsure, blind][..], 0),
        (&[blind, unsure, sure][..], 3),
    ] {
        let administrator = asks(servers);
        // Each of them is asked first once.
        for _ in servers {
            assert_eq!(cut(&administrator, 3).await.unwrap(), answer);
        }
    }
    let gone = url(([127, 0, 0, 1], 1).into());
    let urls = [url(unsure.address), gone];
    let administrator = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    for _ in 0..2 {
        assert_eq!(cut(&administrator, 3).await.unwrap(), 0);
    }
}

/// Its connection stays, and it says nothing.
#[tokio::test]
async fn a_replica_that_hangs_does_not_cost_the_answer_of_another() {
    let authority = Authority::new();
    let (unsure, (hung, _hold)) = (Api::unsure(), Api::held());
    let servers = [start(&authority, unsure), start(&authority, hung)];
    let administrator = channel(&authority, "administrator", &[&servers[0], &servers[1]]);
    let begun = Instant::now();
    assert_eq!(cut(&administrator, 3).await.unwrap(), 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn after_an_answer_that_is_second_best_a_lost_one_is_asked_for_elsewhere() {
    let authority = Authority::new();
    let (unsure, (lost, _hold), sure) = (Api::unsure(), Api::held(), Api::default());
    let servers = [
        start(&authority, unsure),
        start(&authority, lost.clone()),
        start(&authority, sure),
    ];
    let (wire, proxy) = proxy(servers[1].address).await;
    let urls = [url(servers[0].address), url(wire), url(servers[2].address)];
    let administrator = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    let running = tokio::spawn(async move { cut(&administrator, 3).await });
    eventually("the call to run", async || (lost.calls() == 1).then_some(())).await;
    proxy.abort();
    assert_eq!(running.await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn without_a_ready_replica_a_caller_hears_so() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let _latch = server.process.latch("test");
    let administrator = channel(&authority, "administrator", &[&server]);
    let refused = cut(&administrator, 1).await.unwrap_err();
    assert_eq!(
        (refused.code(), refusal::reason(&refused).as_deref()),
        (Code::Unavailable, Some("NOT_READY"))
    );
    assert_eq!(api.calls(), 0);
}

#[tokio::test]
async fn what_a_server_may_have_seen_is_not_sent_again() {
    let authority = Authority::new();
    let ((one, _hold), two) = (Api::held(), Api::default());
    let servers = [start(&authority, one.clone()), start(&authority, two.clone())];
    let (wire, proxy) = proxy(servers[0].address).await;
    let urls = [url(wire), url(servers[1].address)];
    let administrator = client::connect("sessions", &urls, &authority.certify("administrator")).unwrap();
    let running = tokio::spawn(async move { cut(&administrator, 1).await });
    eventually("the call to run", async || (one.calls() == 1).then_some(())).await;
    proxy.abort();
    let lost = running.await.unwrap().unwrap_err();
    assert_eq!(
        (lost.code(), lost.message()),
        (Code::Unavailable, "the answer was lost")
    );
    assert_eq!(two.calls(), 0);
}

/// A wire to a server that can be cut.
async fn proxy(server: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let wire = async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(server).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    };
    (address, tokio::spawn(wire))
}
