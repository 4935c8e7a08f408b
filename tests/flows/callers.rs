//! Every method called with every service's certificate.

use std::collections::BTreeSet;

use anyhow::Result;
use prost::Message;
use sekisho_dev::Service;
use sekisho_tests::grpc::{self, ROLES, reason};
use sekisho_tests::stack::shared;
use tonic::Request;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;

/// Which roles may call which method, written by hand from the design. What stands here and nowhere else is allowed.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "/signin.credentials.v1.CredentialsService/VerifyPassword",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/RequestPasswordReset",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/NoteRefusedForms",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/BeginFederatedSignIn",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/FinishFederatedSignIn",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/SetPassword",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/DescribeFlow",
        &["gateway"],
    ),
    (
        "/signin.credentials.v1.CredentialsService/ResolveAddress",
        &["otp"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/RegisterAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/DisableAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/EnableAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/UnlockAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ShowAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ListAccounts",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ExplainAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ChangeAddress",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ExpirePassword",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/LinkFederatedIdentity",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ImportAccounts",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/EraseAccount",
        &["administrator"],
    ),
    (
        "/signin.credentials.v1.AdministrationService/ResolveLogin",
        &["administrator"],
    ),
    ("/signin.otp.v1.OtpService/IssueCode", &["gateway"]),
    ("/signin.otp.v1.OtpService/VerifyCode", &["gateway"]),
    ("/signin.otp.v1.OtpService/CancelFlow", &["gateway"]),
    ("/signin.otp.v1.OtpService/GetFlow", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/Start", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/Check", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/End", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/GetHistory", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/EndOthers", &["gateway"]),
    ("/signin.sessions.v1.SessionsService/GetMaintenance", &["gateway"]),
    (
        "/signin.sessions.v1.AdministrationService/CutSessions",
        &["administrator"],
    ),
    (
        "/signin.sessions.v1.AdministrationService/ListSessions",
        &["administrator"],
    ),
    (
        "/signin.sessions.v1.AdministrationService/EndSession",
        &["administrator"],
    ),
    (
        "/signin.sessions.v1.AdministrationService/VerifyState",
        &["administrator"],
    ),
];

/// What every gRPC listener offers besides: health to all roles, reflection to administrators. Nobody watches: a watcher
/// would hold every drain.
const EVERYWHERE: &[(&str, &[&str])] = &[
    ("/grpc.health.v1.Health/Check", &ROLES),
    ("/grpc.health.v1.Health/Watch", &[]),
    ("/grpc.health.v1.Health/List", &[]),
    (
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        &["administrator"],
    ),
    (
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        &[],
    ),
];

/// A listener: its service, its address, and the package of the methods that stand there.
struct Listener {
    service: Service,
    address: String,
    offers: fn(&str) -> bool,
}

fn listeners() -> Vec<Listener> {
    let process = |service| shared().process(service, 0);
    let main = |service: Service, offers: fn(&str) -> bool| Listener {
        service,
        address: process(service).address.to_string(),
        offers,
    };
    let administration = |service: Service, offers: fn(&str) -> bool| Listener {
        service,
        address: process(service)
            .admin_address
            .expect("no administration listener")
            .to_string(),
        offers,
    };
    vec![
        main(Service::Credentials, |method| {
            method.starts_with("/signin.credentials.v1.CredentialsService/")
        }),
        administration(Service::Credentials, |method| {
            method.starts_with("/signin.credentials.v1.AdministrationService/")
        }),
        main(Service::Otp, |method| method.starts_with("/signin.otp.v1.")),
        main(Service::Sessions, |method| {
            method.starts_with("/signin.sessions.v1.SessionsService/")
        }),
        administration(Service::Sessions, |method| {
            method.starts_with("/signin.sessions.v1.AdministrationService/")
        }),
    ]
}

/// Every method of every contract.
fn methods() -> Result<BTreeSet<String>> {
    let files = prost_types::FileDescriptorSet::decode(sekisho_proto::FILE_DESCRIPTOR_SET)?;
    let mut methods = BTreeSet::new();
    for file in &files.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!(
                    "/{}.{}/{}",
                    file.package(),
                    service.name(),
                    method.name()
                ));
            }
        }
    }
    Ok(methods)
}

#[test]
fn every_method_of_the_contracts_stands_in_the_table() -> Result<()> {
    let table: BTreeSet<String> = ALLOWED.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(methods()?, table);
    Ok(())
}

#[tokio::test]
async fn every_role_is_refused_but_where_the_table_names_it() -> Result<()> {
    let mut asked = 0;
    for listener in listeners() {
        for role in ROLES {
            let keys = shared().certificates();
            let channel = grpc::channel(keys, role, listener.service.name(), &listener.address).await?;
            for (method, roles) in ALLOWED.iter().chain(EVERYWHERE) {
                let here = (listener.offers)(method) || method.starts_with("/grpc.");
                let allowed = here && roles.contains(&role);
                let answer = call(channel.clone(), method).await?;
                let place = format!(
                    "{role} calling {method} of {} at {}",
                    listener.service, listener.address
                );
                assert_eq!(answer == Answer::Refused, !allowed, "{place}");
                assert!(!allowed || answer == Answer::FromTheMethod, "{place}: not served");
                asked += 1;
            }
        }
    }
    println!("{asked} calls");
    Ok(())
}

/// Who answered a call.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The table of callers.
    Refused,
    /// Nobody: there is no such method here.
    NotServed,
    /// The method itself, whatever it said.
    FromTheMethod,
}

/// Calls with an empty message.
async fn call(channel: Channel, method: &'static str) -> Result<Answer> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let answer = client
        .server_streaming(Request::new(()), PathAndQuery::from_static(method), codec)
        .await;
    Ok(match answer {
        Err(status) if reason(&status).as_deref() == Some("CALLER_NOT_ALLOWED") => Answer::Refused,
        Err(status) if status.code() == tonic::Code::Unimplemented => Answer::NotServed,
        Ok(_) | Err(_) => Answer::FromTheMethod,
    })
}
