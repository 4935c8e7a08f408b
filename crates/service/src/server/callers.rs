//! Who may call what. Everything that the table does not name is refused.

use super::{Error, Peer};
use crate::{refusal, roles};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::HashMap;
use std::sync::Arc;
use tonic::{Code, Status};

/// One line of a table of callers.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// As it stands on the wire: `/signin.otp.v1.OtpService/IssueCode`.
    pub path: &'static str,
    /// The roles that may call it.
    pub roles: &'static [&'static str],
}

/// What every server offers beside its own methods: health to every process of the system, the list of methods to an
/// administrator. `Watch` is left out, because a watcher would hold up every drain.
pub const STANDARD: &[Method] = &[
    Method {
        path: "/grpc.health.v1.Health/Check",
        roles: roles::ALL,
    },
    Method {
        path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        roles: &[roles::ADMINISTRATOR],
    },
];

/// The table of one listener.
pub(super) struct Table(HashMap<&'static str, &'static [&'static str]>);

impl Table {
    pub(super) fn new(own: &'static [Method]) -> Result<Self, Error> {
        let mut table = HashMap::new();
        for method in own.iter().chain(STANDARD) {
            if table.insert(method.path, method.roles).is_some() {
                return Err(Error::ListedTwice(method.path));
            }
        }
        Ok(Self(table))
    }

    fn allows(&self, path: &str, role: &str) -> bool {
        self.0.get(path).is_some_and(|roles| roles.contains(&role))
    }
}

/// Lets a call through only if its caller is known and the table names the caller's role for the method. The handler
/// finds the caller as [`Peer`].
pub(super) async fn admit(State(table): State<Arc<Table>>, mut request: Request, next: Next) -> Response {
    let peer = Peer::of_connection(request.extensions());
    let path = request.uri().path();
    match peer {
        Some(peer) if table.allows(path, &peer.role) => {
            tracing::Span::current().record("sekisho.peer", peer.to_string());
            request.extensions_mut().insert(peer);
            next.run(request).await
        }
        Some(peer) => {
            tracing::warn!(method = path, %peer, "refused a caller that the table does not name");
            refused().into_http()
        }
        None => {
            tracing::warn!(method = path, "refused a caller whose certificate names no role");
            refused().into_http()
        }
    }
}

/// One answer for every refusal, so that a caller learns nothing of the table.
fn refused() -> Status {
    refusal::refuse(
        Code::PermissionDenied,
        "CALLER_NOT_ALLOWED",
        "this caller may not call this method",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[Method] = &[Method {
        path: "/a.A/B",
        roles: &["gateway"],
    }];

    #[test]
    fn only_what_the_table_names_is_allowed() {
        let table = Table::new(OWN).unwrap();
        assert!(table.allows("/a.A/B", "gateway"));
        assert!(!table.allows("/a.A/B", "otp"));
        assert!(!table.allows("/a.A/C", "gateway"));
        assert!(!table.allows("/a.A/B/", "gateway"));
        assert!(table.allows("/grpc.health.v1.Health/Check", "otp"));
        assert!(!table.allows("/grpc.health.v1.Health/Check", "stranger"));
    }

    #[test]
    fn a_method_stands_in_the_table_once() {
        const TWICE: &[Method] = &[OWN[0], OWN[0]];
        assert!(matches!(Table::new(TWICE), Err(Error::ListedTwice("/a.A/B"))));
    }
}
