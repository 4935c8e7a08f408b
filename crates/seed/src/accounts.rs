//! The demo accounts. They exist only in development: no person and no hospital has these names.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_proto::credentials::v1::administration_service_client::AdministrationServiceClient;
use sekisho_proto::credentials::v1::link_federated_identity_request::Link;
use sekisho_proto::credentials::v1::{LinkFederatedIdentityRequest, RegisterAccountRequest};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use crate::files;
use crate::keys::random_key as random_password;

/// The password of every demo account.
const PASSWORD: &str = "gantoroku-demo-2026";
const TIMEOUT: Duration = Duration::from_secs(10);

struct Demo {
    login_id: &'static str,
    facility_code: &'static str,
    facility: &'static str,
    name: &'static str,
    address: &'static str,
}

const ACCOUNTS: [Demo; 3] = [
    Demo {
        login_id: "04500001",
        facility_code: "045000",
        facility: "見本病院",
        name: "見本 一郎",
        address: "gantoroku@example.com",
    },
    Demo {
        login_id: "04500002",
        facility_code: "045000",
        facility: "見本病院",
        name: "見本 二葉",
        address: "futaba@example.com",
    },
    Demo {
        login_id: "13100001",
        facility_code: "131000",
        facility: "見本がんセンター",
        name: "見本 三郎",
        address: "saburo@example.com",
    },
];

/// Of NCC's staff, who sign in with an NCR account; nobody knows the password that an account must have.
const STAFF: Demo = Demo {
    login_id: "ncr-0001",
    facility_code: "ncc",
    facility: "見本がん対策部",
    name: "見本 四季",
    address: "",
};
/// Whom the provider of `cargo dev` knows.
const STAFF_SUBJECT: &str = "ncr-staff-1";

/// Registers every demo account that is not registered yet.
///
/// # Errors
/// When credentials refuse one, or do not answer.
pub async fn register(credentials: &str, certificates: &Path, staff: bool) -> Result<()> {
    let mut client = AdministrationServiceClient::new(connect(credentials, certificates).await?);
    for demo in ACCOUNTS {
        let registered = client.register_account(request(&demo, PASSWORD)?).await;
        done(&demo, registered)?;
    }
    if staff {
        let registered = client
            .register_account(request(&STAFF, &random_password()?)?)
            .await;
        done(&STAFF, registered)?;
        let link = LinkFederatedIdentityRequest {
            login_id: STAFF.login_id.to_owned(),
            link: Some(Link::NcrSubject(STAFF_SUBJECT.to_owned())),
        };
        done(&STAFF, client.link_federated_identity(link).await)?;
    }
    Ok(())
}

fn done<T>(demo: &Demo, answer: Result<tonic::Response<T>, Status>) -> Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => {
            let (code, message) = (status.code(), status.message());
            Err(anyhow!(
                "{} was not registered: {code:?}: {message}",
                demo.login_id
            ))
        }
    }
}

/// As the administrator; the name in the server's certificate is its role, wherever it listens.
async fn connect(credentials: &str, certificates: &Path) -> Result<Channel> {
    let authority = Certificate::from_pem(files::read(&certificates.join("ca.pem"))?);
    let certificate = files::read(&certificates.join("administrator.pem"))?;
    let key = files::read(&certificates.join("administrator.key"))?;
    let tls = ClientTlsConfig::new()
        .domain_name("credentials")
        .ca_certificate(authority)
        .identity(Identity::from_pem(certificate, key));
    let endpoint = Endpoint::from_shared(credentials.to_owned())?.tls_config(tls)?;
    let connected = endpoint.connect_timeout(TIMEOUT).timeout(TIMEOUT).connect().await;
    connected.with_context(|| format!("credentials does not answer on {credentials}"))
}

fn request(demo: &Demo, password: &str) -> Result<RegisterAccountRequest> {
    Ok(RegisterAccountRequest {
        login_id: demo.login_id.to_owned(),
        facility_code: demo.facility_code.to_owned(),
        facility: demo.facility.to_owned(),
        name: demo.name.to_owned(),
        address: demo.address.to_owned(),
        password_hash: hash(password)?,
        password_is_initial: false,
    })
}

/// Argon2id, 19 MiB, two passes, one lane: the first choice of OWASP's password storage cheat sheet.
fn hash(password: &str) -> Result<String> {
    let mistake = |_| anyhow!("the password cannot be hashed");
    let parameters = Params::new(19_456, 2, 1, None).map_err(|_| anyhow!("argon2 refuses its parameters"))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    Ok(hasher
        .hash_password(password.as_bytes())
        .map_err(mistake)?
        .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_becomes_a_salted_argon2id_hash() {
        let (one, other) = (hash(PASSWORD).unwrap(), hash(PASSWORD).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
    }
}
