//! Health, reflection and drain.

use crate::support::api::{Api, channel, cut, health, start};
use crate::support::{Authority, PATIENCE, eventually};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic_health::ServingStatus;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

#[tokio::test]
async fn health_says_not_serving_until_the_latch_is_released() {
    let authority = Authority::new();
    let server = start(&authority, Api::default());
    let latch = server.process.latch("test");
    let gateway = channel(&authority, "gateway", &[&server]);
    assert_eq!(health(&gateway).await.unwrap(), ServingStatus::NotServing);
    latch.release();
    let serving = async || (health(&gateway).await.ok()? == ServingStatus::Serving).then_some(());
    eventually("SERVING", serving).await;
}

#[tokio::test]
async fn an_administrator_can_ask_which_services_there_are() {
    let authority = Authority::new();
    let server = start(&authority, Api::default());
    let administrator = channel(&authority, "administrator", &[&server]);
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(administrator);
    let answers = client
        .server_reflection_info(futures::stream::iter([question]))
        .await;
    let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("another answer: {answer:?}");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(
        names.contains(&"signin.sessions.v1.AdministrationService"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_drain_finishes_the_running_request_and_takes_no_new_connection() {
    let authority = Authority::new();
    let (api, hold) = Api::held();
    let server = start(&authority, api.clone());
    let administrator = channel(&authority, "administrator", &[&server]);
    let running = tokio::spawn(async move { cut(&administrator, 5).await });
    eventually("the call to run", async || (api.calls() == 1).then_some(())).await;
    server.process.request_shutdown();
    let refused = async || TcpStream::connect(server.address).await.err();
    eventually("the port to close", refused).await;
    assert!(!server.task.is_finished());
    hold.notify_one();
    assert_eq!(running.await.unwrap().unwrap(), 5);
    timeout(PATIENCE, server.task).await.unwrap().unwrap().unwrap();
}
