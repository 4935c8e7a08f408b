//! Who may call what.

use sekisho_service::roles::{ADMINISTRATOR, GATEWAY, OTP};
use sekisho_service::server::Method;

/// Callers on the main listener.
pub const CALLERS: &[Method] = &[
    Method {
        path: "/signin.credentials.v1.CredentialsService/VerifyPassword",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/RequestPasswordReset",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/NoteRefusedForms",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/BeginFederatedSignIn",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/FinishFederatedSignIn",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/SetPassword",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/DescribeFlow",
        roles: &[GATEWAY],
    },
    Method {
        path: "/signin.credentials.v1.CredentialsService/ResolveAddress",
        roles: &[OTP],
    },
];

/// Callers on the administration listener.
pub const ADMINISTRATION: &[Method] = &[
    Method {
        path: "/signin.credentials.v1.AdministrationService/RegisterAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/DisableAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/EnableAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/UnlockAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ShowAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ListAccounts",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ExplainAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ChangeAddress",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ExpirePassword",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/LinkFederatedIdentity",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ImportAccounts",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/EraseAccount",
        roles: &[ADMINISTRATOR],
    },
    Method {
        path: "/signin.credentials.v1.AdministrationService/ResolveLogin",
        roles: &[ADMINISTRATOR],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// Every method of one service of the contract, as it stands on the wire.
    fn contract(service: &str) -> BTreeSet<String> {
        let files = FileDescriptorSet::decode(sekisho_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut paths = BTreeSet::new();
        for file in files
            .file
            .iter()
            .filter(|file| file.package() == "signin.credentials.v1")
        {
            for found in file.service.iter().filter(|found| found.name() == service) {
                let path = |method: &str| format!("/{}.{service}/{method}", file.package());
                paths.extend(found.method.iter().map(|method| path(method.name())));
            }
        }
        paths
    }

    fn table(methods: &[Method]) -> BTreeSet<String> {
        methods.iter().map(|method| method.path.to_owned()).collect()
    }

    #[test]
    fn the_tables_name_every_method_of_the_contract_and_no_other() {
        assert_eq!(table(CALLERS), contract("CredentialsService"));
        assert_eq!(table(ADMINISTRATION), contract("AdministrationService"));
    }
}
