//! The gRPC health service: `grpc.health.v1.Health/Check`.

use crate::process::Process;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, HealthService};

/// A health service that says NOT_SERVING for the server as a whole (the empty name) and for each of its services.
pub(super) async fn service(names: &[&'static str]) -> (HealthServer<impl Health>, HealthReporter) {
    let reporter = HealthReporter::new();
    set(&reporter, names, ServingStatus::NotServing).await;
    let service = HealthService::from_health_reporter(reporter.clone());
    (HealthServer::new(service), reporter)
}

/// Says SERVING once every latch is released. In the drain nobody can ask any more: the port is closed.
pub(super) async fn follow(reporter: &HealthReporter, names: &[&'static str], process: &Process) {
    let shutdown = process.shutdown();
    tokio::select! {
        () = process.readiness().ready() => set(reporter, names, ServingStatus::Serving).await,
        () = shutdown.cancelled() => {}
    }
}

async fn set(reporter: &HealthReporter, names: &[&'static str], status: ServingStatus) {
    reporter.set_service_status("", status).await;
    for name in names {
        reporter.set_service_status(name, status).await;
    }
}
