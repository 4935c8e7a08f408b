//! What every refusal says of itself, whichever crate it comes from.

use tonic::Code;

/// What a refusal means to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request is not of the form that its contract asks for.
    Malformed,
    /// The caller does not hold what it must show.
    Denied,
    /// There is no live session.
    SignedOut,
    /// Nothing has this name.
    NotFound,
    /// Something has this name already.
    Exists,
    /// What must have happened before did not, or is over.
    Precondition,
    /// A queue is full; nothing was done.
    Busy,
    /// What this depends on did not answer; it may or may not have happened.
    Unavailable,
    /// This replica cannot answer, and has done nothing that a repetition would change; another one may.
    Elsewhere,
    /// A mistake of this system.
    Fault,
}

impl Class {
    /// Its gRPC code. The HTTP status of a page is the gateway's choice.
    pub fn code(self) -> Code {
        match self {
            Self::Malformed => Code::InvalidArgument,
            Self::Denied => Code::PermissionDenied,
            Self::SignedOut => Code::Unauthenticated,
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyExists,
            Self::Precondition => Code::FailedPrecondition,
            Self::Busy => Code::ResourceExhausted,
            Self::Unavailable | Self::Elsewhere => Code::Unavailable,
            Self::Fault => Code::Internal,
        }
    }
}

/// An error that a caller hears of.
pub trait Refuse: std::error::Error {
    /// What it means to the caller.
    fn class(&self) -> Class;

    /// Stable, in upper snake case; travels as `google.rpc.ErrorInfo` and has a page in `docs/errors`.
    fn reason(&self) -> &'static str;
}
