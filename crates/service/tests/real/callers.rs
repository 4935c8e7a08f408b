//! Who is let in.

use crate::support::api::{Api, channel, cut, start};
use crate::support::{Authority, url};
use sekisho_proto::sessions::v1::CutSessionsRequest;
use sekisho_proto::sessions::v1::administration_service_client::AdministrationServiceClient;
use sekisho_service::tls::TlsSettings;
use sekisho_service::{client, refusal};
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn a_caller_in_the_table_is_answered_and_every_other_role_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let administrator = channel(&authority, "administrator", &[&server]);
    assert_eq!(cut(&administrator, 3).await.unwrap(), 3);
    for role in ["gateway", "credentials", "otp", "sessions", "audit"] {
        let refused = cut(&channel(&authority, role, &[&server]), 3).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        assert_eq!(refusal::reason(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"));
    }
    assert_eq!(api.calls(), 1);
}

#[tokio::test]
async fn a_method_that_the_table_does_not_name_is_refused_to_everyone() {
    let authority = Authority::new();
    let server = start(&authority, Api::default());
    let administrator = channel(&authority, "administrator", &[&server]);
    let watch = HealthClient::new(administrator)
        .watch(HealthCheckRequest::default())
        .await;
    assert_eq!(
        refusal::reason(&watch.unwrap_err()).as_deref(),
        Some("CALLER_NOT_ALLOWED")
    );
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let ca = std::fs::read(authority.file("ca.pem")).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca))
        .domain_name("sessions");
    let anonymous = Endpoint::from(url(server.address))
        .tls_config(tls)
        .unwrap()
        .connect_lazy();
    let mut client = AdministrationServiceClient::new(anonymous);
    let refused = client
        .cut_sessions(CutSessionsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(
        refusal::reason(&refused),
        None,
        "refused in the handshake, before any table"
    );
    assert_eq!(api.calls(), 0);
}

#[tokio::test]
async fn a_caller_of_another_authority_is_refused() {
    let authority = Authority::new();
    let api = Api::default();
    let server = start(&authority, api.clone());
    let stranger = Authority::new();
    stranger.certify("administrator");
    // Believes our server, but shows a certificate of its own authority.
    let tls = TlsSettings::from_files(
        &stranger.file("administrator.pem"),
        &stranger.file("administrator.key"),
        &authority.file("ca.pem"),
    );
    let channel = client::connect("sessions", &[url(server.address)], &tls.unwrap()).unwrap();
    let refused = cut(&channel, 1).await.unwrap_err();
    assert_eq!(
        (refused.code(), refusal::reason(&refused)),
        (Code::Unavailable, None)
    );
    assert_eq!(api.calls(), 0);
}
