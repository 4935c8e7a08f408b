//! What the check is compared with: an axum that asks a tonic that says always the same.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use sekisho_proto::sessions::v1::sessions_service_client::SessionsServiceClient;
use sekisho_proto::sessions::v1::sessions_service_server::{SessionsService, SessionsServiceServer};
use sekisho_proto::sessions::v1::{
    CheckRequest, CheckResponse, EndOthersRequest, EndOthersResponse, EndRequest, EndResponse,
    GetHistoryRequest, GetHistoryResponse, GetMaintenanceRequest, GetMaintenanceResponse, StartRequest,
    StartResponse,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

struct Echo;

#[tonic::async_trait]
impl SessionsService for Echo {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        Ok(Response::new(CheckResponse {
            session_id: request.into_inner().token,
            ..CheckResponse::default()
        }))
    }

    async fn start(&self, _: Request<StartRequest>) -> Result<Response<StartResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }

    async fn end(&self, _: Request<EndRequest>) -> Result<Response<EndResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }

    async fn get_history(
        &self,
        _: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }

    async fn end_others(&self, _: Request<EndOthersRequest>) -> Result<Response<EndOthersResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }

    async fn get_maintenance(
        &self,
        _: Request<GetMaintenanceRequest>,
    ) -> Result<Response<GetMaintenanceResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }
}

/// One process: the service. Says its address.
pub async fn service() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let server = Server::builder().add_service(SessionsServiceServer::new(Echo));
    Ok(server
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?)
}

/// One process: what browsers ask. Says its address.
pub async fn front(service: &str) -> Result<()> {
    let channel = Channel::from_shared(format!("http://{service}"))?
        .connect()
        .await?;
    let router = Router::new()
        .route("/top", get(ask))
        .with_state(SessionsServiceClient::new(channel));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn ask(State(mut service): State<SessionsServiceClient<Channel>>) -> Result<String, String> {
    let asked = service.check(CheckRequest { token: vec![7; 32] }).await;
    let answer = asked.map_err(|status| status.to_string())?;
    Ok(answer.into_inner().session_id.len().to_string())
}
