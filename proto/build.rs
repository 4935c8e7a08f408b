//! Generates the Rust code of every contract, with a protobuf compiler written in Rust: no `protoc` is needed.

use std::path::{Path, PathBuf};

/// Messages that hold a secret, a code, a name or an address; `src/redacted.rs` says what they print.
const REDACTED: [&str; 24] = [
    "signin.credentials.v1.Account",
    "signin.credentials.v1.BeginFederatedSignInResponse",
    "signin.credentials.v1.ChangeAddressRequest",
    "signin.credentials.v1.Client",
    "signin.credentials.v1.DescribeFlowRequest",
    "signin.credentials.v1.DescribeFlowResponse",
    "signin.credentials.v1.DescribeFlowResponse.Person",
    "signin.credentials.v1.FinishFederatedSignInRequest",
    "signin.credentials.v1.ImportRow",
    "signin.credentials.v1.LinkFederatedIdentityRequest",
    "signin.credentials.v1.RegisterAccountRequest",
    "signin.credentials.v1.ResolveAddressResponse",
    "signin.credentials.v1.SetPasswordRequest",
    "signin.credentials.v1.VerifyPasswordRequest",
    "signin.otp.v1.CancelFlowRequest",
    "signin.otp.v1.GetFlowRequest",
    "signin.otp.v1.IssueCodeRequest",
    "signin.otp.v1.VerifyCodeRequest",
    "signin.sessions.v1.CheckRequest",
    "signin.sessions.v1.EndOthersRequest",
    "signin.sessions.v1.EndRequest",
    "signin.sessions.v1.GetHistoryRequest",
    "signin.sessions.v1.StartRequest",
    "signin.sessions.v1.StartResponse",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=signin");
    let files = proto_files(Path::new("signin"))?;
    let descriptors = protox::compile(files, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("descriptors.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    tonic_prost_build::configure()
        .skip_debug(REDACTED)
        .compile_fds(descriptors)?;
    Ok(())
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
