//! Messages that hold a secret, a code, a name or an address: printed, they say what they are and nothing more.
//!
//! `build.rs` has the same list, so that the compiler tells what is missing in one of them.

use std::fmt;

use crate::{credentials, otp, sessions};

macro_rules! redacted {
    ($($name:literal: $message:path,)+) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($name, " [redacted]"))
            }
        })+

        #[cfg(test)]
        const REDACTED: &[&str] = &[$($name),+];
    };
}

redacted! {
    "signin.credentials.v1.Account": credentials::v1::Account,
    "signin.credentials.v1.BeginFederatedSignInResponse": credentials::v1::BeginFederatedSignInResponse,
    "signin.credentials.v1.ChangeAddressRequest": credentials::v1::ChangeAddressRequest,
    "signin.credentials.v1.Client": credentials::v1::Client,
    "signin.credentials.v1.DescribeFlowRequest": credentials::v1::DescribeFlowRequest,
    "signin.credentials.v1.DescribeFlowResponse": credentials::v1::DescribeFlowResponse,
    "signin.credentials.v1.DescribeFlowResponse.Person": credentials::v1::describe_flow_response::Person,
    "signin.credentials.v1.FinishFederatedSignInRequest": credentials::v1::FinishFederatedSignInRequest,
    "signin.credentials.v1.ImportRow": credentials::v1::ImportRow,
    "signin.credentials.v1.LinkFederatedIdentityRequest": credentials::v1::LinkFederatedIdentityRequest,
    "signin.credentials.v1.RegisterAccountRequest": credentials::v1::RegisterAccountRequest,
    "signin.credentials.v1.ResolveAddressResponse": credentials::v1::ResolveAddressResponse,
    "signin.credentials.v1.SetPasswordRequest": credentials::v1::SetPasswordRequest,
    "signin.credentials.v1.VerifyPasswordRequest": credentials::v1::VerifyPasswordRequest,
    "signin.otp.v1.CancelFlowRequest": otp::v1::CancelFlowRequest,
    "signin.otp.v1.GetFlowRequest": otp::v1::GetFlowRequest,
    "signin.otp.v1.IssueCodeRequest": otp::v1::IssueCodeRequest,
    "signin.otp.v1.VerifyCodeRequest": otp::v1::VerifyCodeRequest,
    "signin.sessions.v1.CheckRequest": sessions::v1::CheckRequest,
    "signin.sessions.v1.EndOthersRequest": sessions::v1::EndOthersRequest,
    "signin.sessions.v1.EndRequest": sessions::v1::EndRequest,
    "signin.sessions.v1.GetHistoryRequest": sessions::v1::GetHistoryRequest,
    "signin.sessions.v1.StartRequest": sessions::v1::StartRequest,
    "signin.sessions.v1.StartResponse": sessions::v1::StartResponse,
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, MessageDescriptor};

    use super::*;

    /// Fields that are never to be printed, in whatever message of a call they stand.
    const SECRET: [&str; 12] = [
        "address",
        "code",
        "flow_secret",
        "masked_address",
        "name",
        "ncr_subject",
        "new_password",
        "password",
        "password_hash",
        "token",
        // Of a question to the provider: state and nonce stand in it.
        "url",
        "user_agent",
    ];

    fn is_secret(message: &MessageDescriptor) -> bool {
        message.fields().any(|field| SECRET.contains(&field.name()))
    }

    #[test]
    fn whatever_holds_a_secret_prints_its_name_only() {
        let pool = DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).unwrap();
        let of_calls = pool.all_messages().filter(|message| {
            let package = message.package_name();
            package.starts_with("signin.") && package != "signin.log.v1"
        });
        let mut secret: Vec<String> = of_calls
            .filter(is_secret)
            .map(|message| message.full_name().to_owned())
            .collect();
        secret.sort();
        assert_eq!(secret, REDACTED);

        let request = credentials::v1::VerifyPasswordRequest {
            password: "canary".to_owned(),
            ..Default::default()
        };
        let printed = format!("{request:?}");
        assert_eq!(printed, "signin.credentials.v1.VerifyPasswordRequest [redacted]");
    }
}
