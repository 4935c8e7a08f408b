//! Who calls, as the client certificate says.

use http::Extensions;
use std::fmt;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use x509_parser::prelude::{AttributeTypeAndValue, FromDer as _, X509Certificate};

/// The caller of a method, proven by its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What it is: the subject's organisational unit.
    pub role: String,
    /// Who it is: the subject's common name. On an administration listener, the actor of the event.
    pub actor: String,
}

impl Peer {
    /// The caller of this request.
    ///
    /// # Errors
    ///
    /// UNAUTHENTICATED outside a [`Server`](super::Server), which alone puts a caller into a request.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Status> {
        request
            .extensions()
            .get::<Self>()
            .ok_or_else(|| Status::new(Code::Unauthenticated, "the caller is not known"))
    }

    /// The caller at the other end of the connection; the handshake has already proven the certificate.
    pub(super) fn of_connection(extensions: &Extensions) -> Option<Self> {
        let connection = extensions.get::<TlsConnectInfo<TcpConnectInfo>>()?;
        let certificates = connection.peer_certs()?;
        Self::of_certificate(certificates.first()?)
    }

    /// A subject must name exactly one unit and one name: with two, which one counts would be anybody's guess.
    fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        Some(Self {
            role: only(subject.iter_organizational_unit())?,
            actor: only(subject.iter_common_name())?,
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.role, self.actor)
    }
}

fn only<'a>(mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    let first = attributes.next()?.as_str().ok()?;
    let lone = attributes.next().is_none() && !first.is_empty();
    lone.then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

    fn certificate(attributes: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in attributes {
            params
                .distinguished_name
                .push(kind.clone(), DnValue::Utf8String((*value).to_owned()));
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_subject_says_role_and_actor() {
        let der = certificate(&[
            (DnType::OrganizationalUnitName, "administrator"),
            (DnType::CommonName, "demo-administrator"),
        ]);
        let peer = Peer::of_certificate(&der).unwrap();
        assert_eq!(peer.to_string(), "administrator/demo-administrator");
    }

    #[test]
    fn a_subject_with_two_roles_is_nobody() {
        let second = DnType::CustomDnType(vec![2, 5, 4, 11]);
        let der = certificate(&[
            (DnType::OrganizationalUnitName, "gateway"),
            (second, "administrator"),
            (DnType::CommonName, "gateway"),
        ]);
        assert_eq!(Peer::of_certificate(&der), None);
    }

    #[test]
    fn a_subject_without_a_role_is_nobody() {
        assert_eq!(
            Peer::of_certificate(&certificate(&[(DnType::CommonName, "gateway")])),
            None
        );
        assert_eq!(Peer::of_certificate(b"not a certificate"), None);
    }
}
